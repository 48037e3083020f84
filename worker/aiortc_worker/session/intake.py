"""What a session does with the frames of its shim: hello first, then each in order."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from .calls import Calls
from .entry import Entry
from .registry import knows, load
from .remote import CallError, ObjectId, Remote
from .wire import (
    CLOSE_LIMIT,
    CREDIT,
    MESSAGE,
    MORE,
    VERSION,
    Envelope,
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

if TYPE_CHECKING:
    from .session import Session

CHANNEL_CREDIT: Final = 256 * 1024
"Bytes of messages that a shim may have under way on one channel."


class Intake:
    """Takes the frames off a link. Of what a shim may do wrong, only what is not of the protocol ends the session."""

    def __init__(
        self, session: Session, info: Callable[[], WorkerInfo], secret: str | None, warm: asyncio.Future[None] | None
    ) -> None:
        self.calls = Calls(session)
        self._session = session
        self._info = info
        self._secret = secret
        self._greeted = False
        self._inbox: deque[tuple[bytes, bool]] = deque()
        self._waiting = False
        "Whether frames wait: for the types to be imported, or for a call to start."
        if warm is not None and not warm.done():
            self._waiting = True
            warm.add_done_callback(lambda _: self._work())

    def frame(self, payload: bytes, binary: bool) -> None:
        """Takes a frame off the link."""
        if not self._greeted:
            self._greet(payload, binary)
            return
        if not binary and is_ack(payload):
            envelope = decode_envelope(payload)
            self._session.link.peer_acked(envelope.ack if envelope.ack is not UNSET else -1)
            return
        self._inbox.append((payload, binary))
        if not self._waiting:
            self._work()

    def lost(self) -> None:
        """The connection ended, and the session with it."""
        self._session.end()

    def _greet(self, payload: bytes, binary: bool) -> None:
        if binary:
            raise ProtocolError("a binary frame before hello")
        if self._secret is not None:
            if not hmac.compare_digest(payload, self._secret.encode()):
                raise ProtocolError("the first frame is not the secret")
            self._secret = None
            return
        self._session.begin(decode_hello(payload))
        self._greeted = True
        self._session.link.write_now(encode({"hello": {"version": VERSION, "worker": self._info()}}))

    def _work(self) -> None:
        """Handles frames up to a call that starts; those behind follow once it has, so that frames start in order."""
        self._waiting = False
        session = self._session
        while self._inbox and not self._waiting and not session.is_ending:
            payload, binary = self._inbox.popleft()
            try:
                self._handle(payload, binary)
            except ProtocolError as error:
                session.link.refuse(error)
                session.end()
                return
            if is_counted(payload, binary):
                session.link.took(len(payload))

    def _handle(self, payload: bytes, binary: bool) -> None:
        if binary:
            for record in parse_records(payload):
                self._take_record(record)
            return
        envelope = decode_envelope(payload)
        if envelope.call is not UNSET:
            entry = self._session.objects.get(envelope.on)
            self._waiting = self.calls.take(envelope.call, envelope, entry, self._work)
        elif envelope.new is not UNSET:
            self._make(envelope.new, envelope)
        elif envelope.drop is not UNSET:
            self._session.drop(envelope.drop)
        else:
            raise ProtocolError("a text frame that is neither new, call, drop nor ack")

    def _make(self, id: ObjectId, envelope: Envelope) -> None:
        objects = self._session.objects
        if not 0 < id < 2**32 or id in objects:
            raise ProtocolError(f"new {id}: taken, or not an id")
        # Refused creations are kept too, since calls on them are refused with their error.
        if self._own_objects > 2 * self._session.limits.objects:
            raise ProtocolError(f"more than {self._session.limits.objects} objects", CLOSE_LIMIT)
        if not knows(envelope.type):
            raise ProtocolError(f"new {id}: no such type")
        entry = objects[id] = Entry(self._session, id, envelope.type)
        try:
            self._construct(entry, envelope)
        except Exception as error:
            entry.poison = self._session.describe(error, f"new {envelope.type} {id}")
            self._session.reply(None, {"event": "error", "on": id, "out": entry.poison})

    @property
    def _own_objects(self) -> int:
        return len(self._session.objects) - self._session.peers_objects

    def _construct(self, entry: Entry, envelope: Envelope) -> None:
        limit = self._session.limits.objects
        cls = load(envelope.type)
        params = entry.decode(cls.In, envelope.in_)
        is_peers = cls.is_peers(params)
        if not is_peers and self._own_objects > limit + 1:
            raise CallError("OperationError", f"a session has at most {limit} objects")
        make: Callable[..., Remote] = cls
        entry.remote = entry.context.run(make, self._session, entry.id, params)
        entry.is_peers = is_peers
        self._session.peers_objects += is_peers

    def _take_record(self, record: Record) -> None:
        entry = self._session.objects.get(record.object)
        if entry is None:
            raise ProtocolError(f"a record for object {record.object}, which does not exist")
        if record.kind == MESSAGE:
            cost = max(1, len(record.payload))
            entry.under_way += cost
            entry.unfinished = entry.unfinished + cost if record.flags & MORE else 0
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
