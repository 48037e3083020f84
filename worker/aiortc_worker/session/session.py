"""A session: the objects that one shim made, their calls, their tasks, and the link to it."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, ClassVar, Final, Literal, TypeVar

from msgspec import Struct

from ..weak import weakly
from .entry import Entry, describe
from .executors import Executors, Kind
from .intake import Intake
from .link import Link
from .quotas import Hold, Quotas, Usage
from .registry import CODECS
from .remote import CallError, ErrorInfo, ObjectId, Remote, call
from .scheduler import Buffer
from .wire import Hello, Limits, Network, ProtocolError, WorkerInfo, encode

T = TypeVar("T")
R = TypeVar("R", bound=Remote)

logger = logging.getLogger(__name__)

CREDIT_STEP: Final = 64 * 1024
"Credit of messages goes in steps of so many bytes, but what leaves no whole message in a channel goes at once."
CLOSE_SECONDS: Final = 3.0
"An object that has not closed after this is left to its cancelled tasks."


class Dump(Struct, frozen=True):
    """What is alive in a session."""

    objects: dict[str, int]
    "By type."
    tasks: int
    "Of these objects."
    threads: int
    "Of the whole worker."
    quotas: dict[str, Usage]
    "By name: what is held or spent of each, and how often that was not enough."


class SessionWarning(Struct, frozen=True):
    """What the program's author should hear, and no object's failure says."""

    message: str


class Root(Remote):
    """The session itself, object 0."""

    events: ClassVar[dict[str, type[Struct]]] = {"warning": SessionWarning}

    @call
    async def dump(self) -> Dump:
        """Counts what is alive."""
        return self.session.dump()

    @call
    async def ping(self) -> None:
        """Answers."""


class Session:
    """What one connection of the bridge made; its end disposes of all of it.

    An object is made by `cls(session, id, params)`, `params` being of `cls.In`.
    """

    def __init__(
        self,
        info: Callable[[], WorkerInfo] | None = None,
        *,
        secret: str | None = None,
        debug: bool = False,
        warm: asyncio.Future[None] | None = None,
    ) -> None:
        """`secret` is what the first frame must be; `warm` says when all types are imported."""
        self.id = ""
        self.capabilities: frozenset[str] = frozenset()
        self.limits = Limits()
        self.quotas = Quotas(self.limits, weakly(self._reached))
        self.network = Network()
        self.seal_key = b""
        self.objects: dict[ObjectId, Entry] = {}
        self.peers_objects = 0
        "Of these, the ones that stand for what a peer has opened; they do not count towards the limit."
        self._intake = Intake(self, info or (lambda: WorkerInfo(aiortc="", codecs=list(CODECS))), secret, warm)
        self.link = Link(self._intake, self.limits.frame)
        self.ended = asyncio.get_running_loop().create_future()
        "Resolves when the session and all that it made are gone."
        self._debug = debug
        self._loop = asyncio.get_running_loop()
        self._closing: set[Entry] = set()
        self._drops: set[asyncio.Task[None]] = set()
        self._executors = Executors(self.limits.blocking)
        self._ending: asyncio.Task[None] | None = None
        self._root = Entry(self, 0, "Session")
        self._root.remote = Root(self, 0)
        self.objects[0] = self._root

    # --- for the objects

    def get(self, id: ObjectId, cls: type[R]) -> R:
        """The object `id`, for a parameter that names one.

        Raises CallError: NotFoundError when there is none, its own error when it is poisoned, TypeError when it is not
        a `cls`.
        """
        entry = self.objects.get(id)
        if entry is None:
            raise CallError("NotFoundError", f"no object {id}; {cls.__name__} expected")
        remote = entry.need()
        if not isinstance(remote, cls):
            raise CallError("TypeError", f"object {id} is a {entry.type}; {cls.__name__} expected")
        return remote

    def emit(self, remote: Remote, event: str, out: Struct | None = None) -> None:
        """Sends an event; it stays in order with the messages that the object sent before."""
        expected = remote.events[event]
        if out is not None and not isinstance(out, expected):
            raise TypeError(f"{event} takes {expected.__name__}, not {type(out).__name__}")
        entry = self.objects.get(remote.id)
        # An object that is being made may emit before its entry has it.
        if entry is None or entry.remote not in (None, remote):
            return
        text = encode({"event": event, "on": remote.id, "out": out if out is not None else {}})
        scheduler = self.link.scheduler
        if entry.stream is not None and entry.stream.items:
            scheduler.text_in_order(entry.stream, text)
        else:
            scheduler.control(text)
        self.link.wake()

    def spawn(self, remote: Remote, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs work that `remote` owns: cancelled when it closes; what it raises becomes its `error` event."""
        entry = self.objects.get(remote.id, self._root)
        return self._loop.create_task(work, context=entry.context)

    def send_message(self, remote: Remote, payload: bytes, flags: int) -> None:
        """Queues a channel message for the shim, or a part of one; it is fragmented and scheduled here.

        `flags` are those of a record: TEXT, MORE unless it ends with this, GIVEN_UP when it will never end.
        """
        if (entry := self.objects.get(remote.id)) is None:
            return
        self.link.scheduler.message(entry.lane("data"), payload, flags)
        self.link.wake()

    def flush(self) -> None:
        """Sends what was queued, without waiting for the end of this turn of the loop."""
        self.link.flush()

    def outstanding(self, remote: Remote) -> int:
        """Bytes of the object's messages that the link has not taken yet."""
        entry = self.objects.get(remote.id)
        return entry.stream.bytes if entry and entry.stream else 0

    def on_drain(self, remote: Remote, callback: Callable[[], None]) -> None:
        """Calls back when `outstanding` falls to 64 KiB, and when it falls to 0, until the object is closed."""
        if (entry := self.objects.get(remote.id)) is not None:
            entry.lane("data").on_drain = callback

    def send_media(
        self,
        remote: Remote,
        header: bytes,
        planes: Sequence[Buffer],
        kind: Literal["audio", "video"],
        hold: Hold | None = None,
    ) -> None:
        """Queues a frame of media; the caller keeps to the shim's credit. `header` is JSON.

        The planes are not copied: their bytes must not change afterwards. `hold` is kept until the link has taken them.
        """
        if (entry := self.objects.get(remote.id)) is None:
            return
        self.link.scheduler.media(entry.lane(kind), header, planes, hold)
        self.link.wake()

    def credit(self, remote: Remote, amount: int) -> None:
        """Lets the shim send `amount` more bytes of messages, or frames of media, to the object."""
        if (entry := self.objects.get(remote.id)) is None or amount <= 0:
            return
        entry.credit += amount
        # Of an object that takes media nothing is under way in bytes: each credit goes at once.
        if entry.credit < CREDIT_STEP and entry.credit < entry.under_way - entry.unfinished:
            return
        self.link.scheduler.credit(remote.id, entry.credit)
        entry.under_way = max(0, entry.under_way - entry.credit)
        entry.credit = 0
        self.link.wake()

    async def run_blocking(self, kind: Kind, work: Callable[..., T], *args: Any) -> T:
        """Runs what would block the loop on a thread of the executor `kind`, at most `limits.blocking` at once."""
        return await self._executors.run(kind, functools.partial(work, *args) if args else work)

    def dump(self) -> Dump:
        """Counts what is alive."""
        entries = [entry for entry in (*self.objects.values(), *self._closing) if entry is not self._root]
        types = Counter(entry.type for entry in entries)
        tasks = sum(len(entry.tasks) for entry in entries)
        return Dump(dict(types), tasks, threading.active_count(), self.quotas.usage())

    # --- for the intake

    @property
    def is_ending(self) -> bool:
        """Whether nothing of the shim is wanted any more."""
        return self._ending is not None

    def begin(self, hello: Hello) -> None:
        """The bridge has said what the session may do."""
        self.id = hello.session
        self.capabilities = hello.capabilities
        self.limits = hello.limits
        self.quotas = Quotas(hello.limits, weakly(self._reached))
        self.network = hello.network
        self.seal_key = hello.seal_key
        self._executors = Executors(hello.limits.blocking)
        self.link.window = hello.window
        self.link.max_frame = hello.limits.frame

    def drop(self, id: ObjectId) -> None:
        """Closes the object `id`; nothing more is sent of it."""
        if id == 0 or (entry := self.objects.pop(id, None)) is None:
            raise ProtocolError(f"drop {id}: no such object")
        if entry.stream is not None:
            self.link.scheduler.discard(entry.stream)
        self.peers_objects -= entry.is_peers
        self._closing.add(entry)
        task = self._loop.create_task(self._close(entry), context=Context())
        self._drops.add(task)
        task.add_done_callback(self._drops.discard)

    def reply(self, entry: Entry | None, message: dict[str, Any]) -> None:
        """Sends a text frame; a reply stays behind the events of its object, which may wait behind messages."""
        if entry is not None and entry.stream is not None and entry.stream.texts:
            self.link.scheduler.text_in_order(entry.stream, encode(message))
        else:
            self.link.scheduler.control(encode(message))
        self.link.wake()

    def describe(self, error: BaseException, what: str) -> ErrorInfo:
        """An error as the shim rethrows it. What nobody foresaw is logged: the shim gets no traceback but in debug."""
        if not isinstance(error, CallError):
            logger.warning("%s failed", what, exc_info=error, extra={"kind": "call-failed", "session": self.id})
        return describe(error, self._debug)

    def report(self, entry: Entry, error: BaseException) -> None:
        """Says that something which nobody awaits failed: as the object's `error`, else in the log."""
        if self.objects.get(entry.id) is entry and entry is not self._root:
            info = self.describe(error, f"{entry.type} {entry.id}")
            self.reply(None, {"event": "error", "on": entry.id, "out": info})
        elif not isinstance(error, asyncio.CancelledError):
            self._warn("after-close", "after %s %d was closed", entry, error)

    def _warn(self, kind: str, message: str, entry: Entry, error: BaseException | None = None) -> None:
        logger.warning(message, entry.type, entry.id, exc_info=error, extra={"kind": kind, "session": self.id})

    def _reached(self, message: str) -> None:
        """Tells of a quota."""
        logger.info("%s", message, extra={"kind": "quota-reached", "session": self.id})
        assert self._root.remote is not None
        self.emit(self._root.remote, "warning", SessionWarning(message))

    # --- the end

    def end(self) -> None:
        """Disposes of all that the session made; `ended` resolves then."""
        if self._ending is None:
            self.link.close()
            # Not the session's own task, else it would cancel itself.
            self._ending = self._loop.create_task(self._dispose(), context=Context())

    async def _dispose(self) -> None:
        try:
            entries = [entry for entry in self.objects.values() if entry is not self._root]
            orders = sorted({entry.order for entry in entries})
            self._closing.update(entries)
            self.objects.clear()
            for order in orders:
                await asyncio.gather(*(self._close(entry) for entry in entries if entry.order == order))
            if self._drops:
                await asyncio.wait(self._drops)
            await self._root.cancel_tasks()
        finally:
            self.ended.set_result(None)

    async def _close(self, entry: Entry) -> None:
        """Closes an object, then cancels what it still runs. Errors go to the log: nobody is left to hear them."""
        self._intake.calls.abandon(entry)
        if entry.remote is not None:
            closing = self._loop.create_task(entry.remote.close(), context=entry.context)
            done, _ = await asyncio.wait([closing], timeout=CLOSE_SECONDS)
            if not done:
                self._warn("close-failed", "%s %d did not close", entry)
            elif not closing.cancelled() and (error := closing.exception()) is not None:
                self._warn("close-failed", "closing %s %d", entry, error)
        await entry.cancel_tasks()
        entry.part()
        self._closing.discard(entry)
