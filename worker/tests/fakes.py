"""A session that records what its objects emit and send, and runs their tasks: the link's side of the seam."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from msgspec import Struct

from aiortc_worker.session.quotas import Quotas
from aiortc_worker.session.remote import CallError, Remote
from aiortc_worker.session.wire import GIVEN_UP, MORE, TEXT, Limits, Network

R = TypeVar("R", bound=Remote)


def quotas(**limits: int) -> Quotas:
    """Those of a session that hears nothing of them."""
    return Quotas(Limits(**limits), lambda _: None)


class FakeSession:
    """As `session.Session`, without a link."""

    def __init__(self) -> None:
        self.id = "fake"
        self.capabilities = frozenset({"file", "url", "device", "record", "ice", "private"})
        self.limits = Limits()
        self.quotas = quotas()
        self.network = Network()
        self.seal_key = bytes(32)
        self.objects: dict[int, Remote] = {}
        self.events: list[tuple[Remote, str, Struct | None]] = []
        self.messages: dict[Remote, list[bytes | str]] = {}
        self.parts: dict[Remote, list[bytes]] = {}
        "Of a message that is not whole."
        self.records: dict[Remote, list[tuple[int, int]]] = {}
        "Size and flags of each message or part."
        self.credits: dict[Remote, list[int]] = {}
        self.waiting: dict[Remote, int] = {}
        "Bytes that the link has not taken; a test sets `stalled` to let them grow."
        self.stalled = False
        self.flushed = 0
        "Messages that were there when it was last told to send them at once."
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._drains: dict[Remote, Callable[[], None]] = {}

    # Of Session

    def get(self, id: int, cls: type[R]) -> R:
        found = self.objects.get(id)
        if found is None:
            raise CallError("NotFoundError", f"no object {id}")
        if not isinstance(found, cls):
            raise CallError("TypeError", f"object {id} is not a {cls.__name__}")
        return found

    def emit(self, remote: Remote, event: str, out: Struct | None = None) -> None:
        expected = type(remote).events[event]
        assert out is None or isinstance(out, expected), (event, out)
        self.events.append((remote, event, out))
        self._changed.set()

    def spawn(self, remote: Remote, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def send_message(self, remote: Remote, payload: bytes, flags: int) -> None:
        assert isinstance(payload, bytes)
        if self.stalled:
            self.waiting[remote] = self.waiting.get(remote, 0) + len(payload)
        parts = self.parts.setdefault(remote, [])
        self.records.setdefault(remote, []).append((len(payload), flags))
        parts.append(payload)
        if flags & GIVEN_UP:
            parts.clear()
        elif not flags & MORE:
            whole = b"".join(parts)
            parts.clear()
            self.messages.setdefault(remote, []).append(whole.decode() if flags & TEXT else whole)
        self._changed.set()

    def flush(self) -> None:
        self.flushed = sum(map(len, self.messages.values()))

    def outstanding(self, remote: Remote) -> int:
        return self.waiting.get(remote, 0)

    def on_drain(self, remote: Remote, callback: Callable[[], None]) -> None:
        self._drains[remote] = callback

    def credit(self, remote: Remote, amount: int) -> None:
        self.credits.setdefault(remote, []).append(amount)
        self._changed.set()

    async def run_blocking(self, kind: str, work: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work, *args)

    # Of tests

    def make(self, cls: type[R], **params: Any) -> R:
        id = next(self._ids)
        self.objects[id] = made = cls(self, id, cls.In(**params))  # type: ignore[call-arg]
        return made

    def drain(self) -> None:
        """The link takes everything."""
        self.stalled = False
        self.waiting.clear()
        for callback in list(self._drains.values()):
            callback()

    def outs(self, remote: Remote, event: str) -> list[Any]:
        return [out for of, name, out in self.events if of is remote and name == event]

    async def until(self, condition: Callable[[], object], within: float = 10) -> None:
        """Waits for something that events, messages or credit bring about."""
        async with asyncio.timeout(within):
            while not condition():
                if self.failures:
                    raise self.failures[0]
                self._changed.clear()
                await self._changed.wait()

    async def event(self, remote: Remote, name: str, count: int = 1, within: float = 10) -> Any:
        await self.until(lambda: len(self.outs(remote, name)) >= count, within)
        return self.outs(remote, name)[count - 1]

    async def state(self, remote: Remote, state: str, within: float = 10) -> Any:
        """The latest state event that says `state`, awaited."""

        def found() -> list[Any]:
            return [out for out in self.outs(remote, "statechange") if out.state == state]

        await self.until(found, within)
        return found()[-1]

    async def close(self) -> None:
        """As the end of the session's socket."""
        for remote in sorted(self.objects.values(), key=lambda each: each.close_order):
            await remote.close()
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        self.objects.clear()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.failures.append(task.exception())  # type: ignore[arg-type]
            self._changed.set()
