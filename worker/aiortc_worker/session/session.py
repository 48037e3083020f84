"""A session: the objects that one shim made, their calls, their tasks, and the link to it."""

from __future__ import annotations

import asyncio
import functools
import hmac
import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, Final, Literal, TypeVar

from msgspec import UNSET, Struct

from .entry import Entry, PendingCall, describe
from .executors import Executors, Kind
from .link import Link
from .registry import CODECS, load
from .remote import Call, CallError, ErrorInfo, ObjectId, Remote, call
from .scheduler import Buffer
from .wire import (
    CLOSE_LIMIT,
    CREDIT,
    MESSAGE,
    VERSION,
    Envelope,
    Hello,
    Limits,
    ProtocolError,
    Record,
    WorkerInfo,
    decode_envelope,
    decode_hello,
    encode,
    is_ack,
    is_counted,
    parse_records,
)

T = TypeVar("T")
R = TypeVar("R", bound=Remote)

logger = logging.getLogger(__name__)

CREDIT_STEP: Final = 16 * 1024
"Credit of messages goes in steps of so many bytes, but what empties a channel goes at once."
CHANNEL_CREDIT: Final = 256 * 1024
"Bytes of messages that a shim may have under way on one channel."
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


class Root(Remote):
    """The session itself, object 0."""

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
        self, info: Callable[[], WorkerInfo] | None = None, *, secret: str | None = None, debug: bool = False
    ) -> None:
        self.id = ""
        self.capabilities: frozenset[str] = frozenset()
        self.limits = Limits()
        self.link = Link(self, self.limits.frame)
        self.ended = asyncio.get_running_loop().create_future()
        "Resolves when the session and all that it made are gone."
        self._info = info or (lambda: WorkerInfo(aiortc="", codecs=list(CODECS)))
        self._secret = secret
        self._debug = debug
        self._loop = asyncio.get_running_loop()
        self._greeted = False
        self._objects: dict[ObjectId, Entry] = {}
        self._closing: set[Entry] = set()
        self._drops: set[asyncio.Task[None]] = set()
        self._calls = 0
        self._executors = Executors(self.limits.blocking)
        self._inbox: deque[tuple[bytes, bool]] = deque()
        self._starting = False
        self._ending: asyncio.Task[None] | None = None
        self._root = Entry(self, 0, "Session")
        self._root.remote = Root(self, 0)
        self._objects[0] = self._root

    # --- for the objects

    def get(self, id: ObjectId, cls: type[R]) -> R:
        """The object `id`, for a parameter that names one.

        Raises CallError: NotFoundError when there is none, its own error when it is poisoned, TypeError when it is not
        a `cls`.
        """
        entry = self._objects.get(id)
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
        entry = self._objects.get(remote.id)
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
        entry = self._objects.get(remote.id, self._root)
        return self._loop.create_task(work, context=entry.context)

    def send_message(self, remote: Remote, payload: bytes, text: bool) -> None:
        """Queues a whole channel message for the shim; it is fragmented and scheduled here."""
        if (entry := self._objects.get(remote.id)) is None:
            return
        self.link.scheduler.message(entry.lane("data"), payload, text)
        self.link.wake()

    def outstanding(self, remote: Remote) -> int:
        """Bytes of the object's messages that the link has not taken yet."""
        entry = self._objects.get(remote.id)
        return entry.stream.bytes if entry and entry.stream else 0

    def on_drain(self, remote: Remote, callback: Callable[[], None]) -> None:
        """Calls back when `outstanding` falls to 64 KiB, and when it falls to 0, until the object is closed."""
        if (entry := self._objects.get(remote.id)) is not None:
            entry.lane("data").on_drain = callback

    def send_media(
        self, remote: Remote, header: bytes, planes: Sequence[Buffer], kind: Literal["audio", "video"]
    ) -> None:
        """Queues a frame of media; the caller keeps to the shim's credit. `header` is JSON.

        The planes are not copied: their bytes must not change afterwards.
        """
        if (entry := self._objects.get(remote.id)) is None:
            return
        self.link.scheduler.media(entry.lane(kind), header, planes)
        self.link.wake()

    def credit(self, remote: Remote, amount: int) -> None:
        """Lets the shim send `amount` more bytes of messages, or frames of media, to the object."""
        if (entry := self._objects.get(remote.id)) is None or amount <= 0:
            return
        entry.credit += amount
        # Of an object that takes media nothing is under way in bytes: each credit goes at once.
        if entry.credit < CREDIT_STEP and entry.credit < entry.under_way:
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
        entries = [entry for entry in (*self._objects.values(), *self._closing) if entry is not self._root]
        types = Counter(entry.type for entry in entries)
        return Dump(dict(types), sum(len(entry.tasks) for entry in entries), threading.active_count())

    # --- frames

    def frame(self, payload: bytes, binary: bool) -> None:
        """Takes a frame off the link."""
        if not self._greeted:
            self._greet(payload, binary)
            return
        if not binary and is_ack(payload):
            envelope = decode_envelope(payload)
            self.link.peer_acked(envelope.ack if envelope.ack is not UNSET else -1)
            return
        self._inbox.append((payload, binary))
        if not self._starting:
            self._work()

    def lost(self) -> None:
        """The connection ended, and the session with it."""
        self.end()

    def end(self) -> None:
        """Disposes of all that the session made; `ended` resolves then."""
        if self._ending is None:
            self.link.close()
            # Not the session's own task, else it would cancel itself.
            self._ending = self._loop.create_task(self._dispose(), context=Context())

    def _greet(self, payload: bytes, binary: bool) -> None:
        if binary:
            raise ProtocolError("a binary frame before hello")
        if self._secret is not None:
            if not hmac.compare_digest(payload, self._secret.encode()):
                raise ProtocolError("the first frame is not the secret")
            self._secret = None
            return
        self._take_hello(decode_hello(payload))
        self.link.write_now(encode({"hello": {"version": VERSION, "worker": self._info()}}))

    def _take_hello(self, hello: Hello) -> None:
        self._greeted = True
        self.id = hello.session
        self.capabilities = hello.capabilities
        self.limits = hello.limits
        self._executors = Executors(hello.limits.blocking)
        self.link.window = hello.window
        self.link.max_frame = hello.limits.frame

    def _work(self) -> None:
        """Handles frames up to a call that starts; those behind follow once it has, so that frames start in order."""
        self._starting = False
        while self._inbox and not self._starting and self._ending is None:
            payload, binary = self._inbox.popleft()
            try:
                self._handle(payload, binary)
            except ProtocolError as error:
                logger.warning("session %s: %s", self.id, error)
                self.link.refuse(error)
                self.end()
                return
            if is_counted(payload, binary):
                self.link.took(len(payload))

    def _handle(self, payload: bytes, binary: bool) -> None:
        if binary:
            for record in parse_records(payload):
                self._handle_record(record)
            return
        envelope = decode_envelope(payload)
        if envelope.call is not UNSET:
            self._handle_call(envelope.call, envelope)
        elif envelope.new is not UNSET:
            self._handle_new(envelope.new, envelope)
        elif envelope.drop is not UNSET:
            self._handle_drop(envelope.drop)
        else:
            raise ProtocolError(f"neither new, call, drop nor ack: {payload[:80].decode(errors='replace')}")

    def _handle_new(self, id: ObjectId, envelope: Envelope) -> None:
        if not 0 < id < 2**32 or id in self._objects:
            raise ProtocolError(f"new {id}: taken, or not an id")
        if len(self._objects) > 2 * self.limits.objects:
            raise ProtocolError(f"more than {self.limits.objects} objects", CLOSE_LIMIT)
        entry = self._objects[id] = Entry(self, id, envelope.type)
        try:
            entry.remote = self._make(entry, envelope)
        except ProtocolError:
            raise
        except Exception as error:
            entry.poison = self._refusal(error, f"new {envelope.type} {id}")
            self._send({"event": "error", "on": id, "out": entry.poison})

    def _make(self, entry: Entry, envelope: Envelope) -> Remote:
        if len(self._objects) > self.limits.objects + 1:
            raise CallError("OperationError", f"a session has at most {self.limits.objects} objects")
        if (cls := load(envelope.type)) is None:
            raise ProtocolError(f"new {envelope.type[:40]}: no such type")
        params = entry.decode(cls.In, envelope.in_)
        make: Callable[..., Remote] = cls
        return entry.context.run(make, self, entry.id, params)

    def _handle_drop(self, id: ObjectId) -> None:
        if id == 0 or (entry := self._objects.pop(id, None)) is None:
            raise ProtocolError(f"drop {id}: no such object")
        if entry.stream is not None:
            self.link.scheduler.discard(entry.stream)
        self._closing.add(entry)
        task = self._loop.create_task(self._close_entry(entry), context=Context())
        self._drops.add(task)
        task.add_done_callback(self._drops.discard)

    def _handle_record(self, record: Record) -> None:
        if (entry := self._objects.get(record.object)) is None:
            raise ProtocolError(f"a record for object {record.object}, which does not exist")
        if record.kind == MESSAGE:
            entry.under_way += max(1, len(record.payload))
            if entry.under_way > CHANNEL_CREDIT:
                raise ProtocolError(f"object {record.object}: {entry.under_way} bytes, beyond its credit", CLOSE_LIMIT)
        elif record.kind == CREDIT and len(record.payload) != 4:
            raise ProtocolError(f"a credit of {len(record.payload)} bytes; it has 4")
        if entry.remote is None:
            return
        try:
            entry.context.run(entry.remote.receive, record.kind, record.flags, record.payload)
        except Exception as error:
            entry.failed(error)

    # --- calls

    def _handle_call(self, number: int, envelope: Envelope) -> None:
        entry = self._objects.get(envelope.on)
        try:
            if entry is None:
                raise CallError("InvalidStateError", f"no object {envelope.on}")
            if self._calls >= self.limits.pending_calls:
                raise CallError("OperationError", f"{self._calls} calls are pending already")
            row = entry.row(envelope.do)
            params = entry.decode(row.takes, envelope.in_)
        except Exception as error:
            self._reply_error(entry, number, error, envelope.do)
            return
        self._calls += 1
        entry.calls.append(PendingCall(number, row, params))
        if entry.running is None:
            self._start(entry)

    def _start(self, entry: Entry) -> None:
        entry.running = self._loop.create_task(self._run_calls(entry), context=entry.context)
        # create_task runs the call's first step in the next turn: frames behind it wait for that.
        self._starting = True
        self._loop.call_soon(self._work)

    async def _run_calls(self, entry: Entry) -> None:
        """Runs an object's calls one after another, until there is none."""
        running = asyncio.current_task()
        assert running is not None
        try:
            while entry.calls:
                pending = entry.calls.popleft()
                try:
                    out = await self._invoke(entry, pending.row, pending.params)
                except Exception as error:
                    self._reply_error(entry, pending.number, error, pending.row.name)
                except asyncio.CancelledError as error:
                    ended = running.cancelling() > 0
                    self._reply_error(entry, pending.number, _ENDED if ended else error, pending.row.name)
                    if ended:
                        raise
                else:
                    self._reply(entry, {"reply": pending.number, "out": out if out is not None else {}})
                finally:
                    self._calls -= 1
        finally:
            entry.running = None

    @staticmethod
    async def _invoke(entry: Entry, row: Call, params: Struct) -> Struct | None:
        remote = entry.need()
        return await (row.method(remote, params) if row.has_params else row.method(remote))

    def _reply(self, entry: Entry | None, message: dict[str, Any]) -> None:
        """Sends a reply; it stays behind the events of its object, which may themselves wait behind messages."""
        if entry is not None and entry.stream is not None and entry.stream.texts:
            self.link.scheduler.text_in_order(entry.stream, encode(message))
            self.link.wake()
        else:
            self._send(message)

    def _reply_error(self, entry: Entry | None, number: int, error: BaseException, what: str) -> None:
        self._reply(entry, {"reply": number, "error": self._refusal(error, what)})

    def _send(self, message: dict[str, Any]) -> None:
        self.link.scheduler.control(encode(message))
        self.link.wake()

    def _refusal(self, error: BaseException, what: str) -> ErrorInfo:
        if not isinstance(error, CallError):
            logger.warning("session %s: %s", self.id, what, exc_info=error)
        return describe(error, self._debug)

    def report(self, entry: Entry, error: BaseException) -> None:
        """Says that something which nobody awaits failed: as the object's `error`, else in the log."""
        if self._objects.get(entry.id) is entry and entry is not self._root:
            info = self._refusal(error, f"{entry.type} {entry.id}")
            self._send({"event": "error", "on": entry.id, "out": info})
        elif not isinstance(error, asyncio.CancelledError):
            logger.warning("session %s: after %s %d was closed", self.id, entry.type, entry.id, exc_info=error)

    # --- the end

    async def _dispose(self) -> None:
        try:
            entries = [entry for entry in self._objects.values() if entry is not self._root]
            orders = sorted({entry.order for entry in entries})
            self._closing.update(entries)
            self._objects.clear()
            for order in orders:
                await asyncio.gather(*(self._close_entry(entry) for entry in entries if entry.order == order))
            if self._drops:
                await asyncio.wait(self._drops)
            await self._root.cancel_tasks()
        finally:
            self.ended.set_result(None)

    async def _close_entry(self, entry: Entry) -> None:
        """Closes an object, then cancels what it still runs. Errors go to the log: nobody is left to hear them."""
        if entry.running is not None:
            entry.running.cancel()
        for pending in entry.calls:
            self._calls -= 1
            self._reply_error(None, pending.number, _ENDED, pending.row.name)
        entry.calls.clear()
        if entry.remote is not None:
            closing = self._loop.create_task(entry.remote.close(), context=entry.context)
            done, _ = await asyncio.wait([closing], timeout=CLOSE_SECONDS)
            if not done:
                logger.warning("session %s: %s %d did not close", self.id, entry.type, entry.id)
            elif not closing.cancelled() and (error := closing.exception()) is not None:
                logger.warning("session %s: closing %s %d", self.id, entry.type, entry.id, exc_info=error)
        await entry.cancel_tasks()
        self._closing.discard(entry)


_ENDED: Final = CallError("InvalidStateError", "the object was closed")
