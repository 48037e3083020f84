"""Every task has an owner: what it raises and nobody awaits becomes the owner's failure, never a line on stderr.

The owner is a context variable, which asyncio hands on to whatever a task starts, calls later or reads from a socket.
So aiortc's own tasks have one too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any, Protocol

logger = logging.getLogger(__name__)


class Owner(Protocol):
    """Who answers for tasks."""

    tasks: set[asyncio.Task[Any]]

    @property
    def session_id(self) -> str:
        """Whose session it is, for the log."""

    def failed(self, error: BaseException) -> None:
        """A task raised `error`, and nobody awaited it."""


owner: ContextVar[Owner | None] = ContextVar("owner", default=None)


class OwnedTask(asyncio.Task[Any]):
    """A task that knows its owner, and whether somebody waits for it."""

    owner: Owner | None = None
    watched = False

    def add_done_callback(self, fn: Callable[[Any], object], /, *, context: Context | None = None) -> None:
        self.watched = True
        super().add_done_callback(fn, context=context)


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Makes every task of `loop` an owned one."""
    loop.set_task_factory(_make_task)
    loop.set_exception_handler(_handle)


def _make_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any] | Generator[Any, None, Any], **options: Any
) -> asyncio.Task[Any]:
    task = OwnedTask(work, loop=loop, **options)
    context: Context | None = options.get("context")
    task.owner = context.get(owner) if context is not None else owner.get()
    if task.owner is not None:
        task.owner.tasks.add(task)
        asyncio.Task.add_done_callback(task, _finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    assert isinstance(task, OwnedTask)
    if task.owner is None:
        return
    task.owner.tasks.discard(task)
    if not task.cancelled() and not task.watched:
        # Whoever started it may look at it still in this turn.
        task.get_loop().call_soon(_report, task)


def _report(task: OwnedTask) -> None:
    if not getattr(task, "_log_traceback", True) or task.owner is None:
        return
    if (error := task.exception()) is not None:
        task.owner.failed(error)


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would print: failures of callbacks, and of tasks whose waiter never looked."""
    error = context.get("exception")
    culprit = context.get("task") or context.get("future")
    # asyncio keeps the context in the handle; uvloop says what failed while still in it.
    who = getattr(culprit, "owner", None) or _owner_of_handle(context.get("handle")) or owner.get()
    if error is not None and who is not None:
        who.failed(error)
        return
    # asyncio's own message shows the arguments of a callback, a peer's datagram for one.
    logger.error("a task or a callback of nobody's failed", exc_info=error, extra={"kind": "task-failed"})


def _owner_of_handle(handle: Any) -> Owner | None:
    context = getattr(handle, "_context", None)
    return context.get(owner) if isinstance(context, Context) else None
