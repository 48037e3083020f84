"""What a session keeps of each object, beside the object."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from .remote import Call, CallError, ErrorInfo, ObjectId, Remote
from .scheduler import Lane, Stream
from .tasks import owner

if TYPE_CHECKING:
    from .session import Session

S = TypeVar("S", bound=Struct)

logger = logging.getLogger(__name__)

CANCEL_SECONDS: Final = 2.0

_decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {}


class PendingCall(NamedTuple):
    """A call that has not been answered."""

    number: int
    row: Call
    params: Struct


class Entry:
    """An object of a session, or the error that its creation met; owner of the tasks that it starts."""

    def __init__(self, session: Session, id: ObjectId, type: str) -> None:
        self.id = id
        self.type = type
        self.remote: Remote | None = None
        self.is_peers = False
        "Whether it stands for something that a peer has opened."
        self.poison: ErrorInfo | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.context = Context()
        self.context.run(owner.set, self)
        "In which everything of the object runs, so that whatever it starts is its own."
        self.calls: deque[PendingCall] = deque()
        self.running: asyncio.Task[None] | None = None
        self.stream: Stream | None = None
        self.under_way = 0
        "Bytes of messages from the shim that were not credited."
        self.unfinished = 0
        "Of these, the bytes of a message whose last fragment has not come: they may have to wait for it."
        self.credit = 0
        "Credit that was given and not yet sent."
        self._session = session

    @property
    def order(self) -> int:
        """When the object closes, among the others of its session."""
        return self.remote.close_order if self.remote is not None else 0

    @property
    def session_id(self) -> str:
        """Of the session, for the log."""
        return self._session.id

    def need(self) -> Remote:
        """The object.

        Raises CallError, the one that its creation met, when it is poisoned.
        """
        if self.poison is not None:
            raise CallError(self.poison.name, self.poison.message)
        if self.remote is None:
            raise CallError("InvalidStateError", f"object {self.id} is being made")
        return self.remote

    def row(self, name: str) -> Call:
        """The call `name` of the object's class."""
        row = self.need().calls.get(name)
        if row is None:
            raise CallError("NotSupportedError", f"{self.type} has no call {name[:40]}")
        return row

    def decode(self, cls: type[S], raw: Raw) -> S:
        """Validates parameters."""
        decoder = _decoders.get(cls) or _decoders.setdefault(cls, msgspec.json.Decoder(cls))
        try:
            params: S = decoder.decode(raw)
        except msgspec.MsgspecError as error:
            raise CallError("TypeError", f"{self.type}: {error}") from None
        except RecursionError:
            raise CallError("TypeError", f"{self.type}: nested too deeply") from None
        return params

    def lane(self, lane: Lane) -> Stream:
        """The object's queue, made on first use."""
        if self.stream is None:
            self.stream = Stream(self.id, lane)
        return self.stream

    def failed(self, error: BaseException) -> None:
        """Something that the object was doing failed, and nobody waits for it."""
        self._session.report(self, error)

    def part(self) -> None:
        """Lets go of the object, which has ended: sockets and timers keep copies of `context`, and these the entry."""
        self.remote = self.stream = None
        self.context.run(owner.set, None)

    async def cancel_tasks(self) -> None:
        """Cancels what the object still runs, and waits until it is gone."""
        tasks = [task for task in self.tasks if task is not asyncio.current_task()]
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        for task in pending:
            logger.warning(
                "%s %d: a task does not end", self.type, self.id, extra={"kind": "task-hangs", "fields": _where(task)}
            )


def _where(task: asyncio.Task[Any]) -> dict[str, str]:
    return {"where": getattr(task.get_coro(), "__qualname__", "")}


def describe(error: BaseException, debug: bool) -> ErrorInfo:
    """An error as the shim rethrows it; what is no CallError is an OperationError, with its traceback in debug."""
    if isinstance(error, CallError):
        return ErrorInfo(error.name, error.message)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if debug:
        message += "\n" + "".join(traceback.format_exception(error))
    return ErrorInfo("OperationError", message)
