"""An SCTP association without I/O: packets and the time go in, packets, events and the next deadline come out.

`receive` takes packets, `flush` ends the turn: it acts on acknowledgements, which can wait until what has arrived was
passed on, and sends. The clock is whoever's drives it, in seconds that only grow; it may sleep until `deadline`.

@see https://www.rfc-editor.org/rfc/rfc9260
@see https://www.rfc-editor.org/rfc/rfc8831
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from .bundle import Bundle
from .chunks import (
    COOKIE_ACK,
    SHUTDOWN_ACK,
    SHUTDOWN_COMPLETE,
    Abort,
    Chunk,
    CookieEcho,
    Data,
    Error,
    ForwardTsn,
    Heartbeat,
    HeartbeatAck,
    Init,
    InitAck,
    Reconfig,
    Sack,
    Shutdown,
    Simple,
    Unknown,
)
from .congestion import BASE
from .events import Ended, Established, Event, Restarted
from .handshake import (
    CLOSED,
    COOKIE_ECHOED,
    ESTABLISHED,
    EVERYTHING,
    PADDING,
    ZERO_CHECKSUM,
    Handshake,
)
from .packet import FIRST_CHUNK, Packet, decode_packet
from .parameters import NO_USER_DATA, UNRECOGNIZED_CHUNK, USER_INITIATED_ABORT, MalformedPacketError, Parameter
from .path_probing import PathProbing
from .recovery import MAX_RETRANS
from .transfer import Transfer

SHUTDOWN_PENDING: Final = 4
SHUTDOWN_SENT: Final = 5
SHUTDOWN_RECEIVED: Final = 6
SHUTDOWN_ACK_SENT: Final = 7
"States (section 4) after those of the handshake."


def _nothing() -> bool:
    return False


class Association:
    """One association."""

    def __init__(self, port: int, entropy: Callable[[int], bytes], known: int = EVERYTHING) -> None:
        """`entropy` gives so many random bytes; `known` are extensions of `handshake`."""
        self.events: list[Event] = []
        "What has happened; whoever drives takes it."
        self.malformed = 0
        "Packets that were dropped for what they say of themselves."
        self.is_over = False
        self.largest = 0
        "Bytes of the longest packet that the interface takes; 0 where nobody knows."
        self._bundle = Bundle(port)
        self._entropy = entropy
        self._handshake = Handshake(entropy, known)
        self._knows_zero = bool(known & ZERO_CHECKSUM)
        self._probing = PathProbing(self.events, entropy)
        self._shutdown_deadline = inf
        self._shutdown_errors = 0
        self._begin_transfer()

    def _begin_transfer(self) -> None:
        """Begins with what both ends have agreed on (section 5.2.4, A, for a peer that begins anew)."""
        agreed = self._handshake.agreement
        self.transfer = Transfer(self.events, agreed, self._bundle)
        self._bundle.tag = agreed.peer_tag
        self._bundle.checksum = not agreed.extensions & ZERO_CHECKSUM

    # What it is

    @property
    def state(self) -> int:
        """A state of section 4, as `handshake` and this file number them."""
        return self._handshake.state

    @property
    def is_established(self) -> bool:
        """Whether messages can be sent."""
        return self._handshake.state == ESTABLISHED

    @property
    def streams(self) -> int:
        """How many streams may be used in both directions, once established."""
        agreed = self._handshake.agreement
        return min(agreed.outbound_streams, agreed.inbound_streams)

    @property
    def interleaves(self) -> bool:
        """Whether messages of several streams may be sent at a time (RFC 8260)."""
        return self.transfer.outbound.interleaved

    @property
    def local_tag(self) -> int:
        """The verification tag of the packets that are for us."""
        return self._handshake.agreement.local_tag

    @property
    def packet_size(self) -> int:
        """Bytes of the longest packet."""
        return self._bundle.size

    @property
    def deadline(self) -> float:
        """When `timeout` is due; infinity for never."""
        if self.is_over:
            return inf
        return min(
            self._handshake.deadline,
            self.transfer.deadline,
            self._probing.deadline,
            self._shutdown_deadline,
        )

    # What its user does

    def begin(self, remote_port: int, now: float) -> list[bytes]:
        """Sends INIT; both ends may (section 5.2.1)."""
        self._bundle.remote_port = remote_port
        self._bundle.add_alone(self._handshake.begin(now).encode(), 0)
        return self._bundle.take()

    def listen(self, remote_port: int) -> None:
        """Waits for the peer's INIT."""
        self._bundle.remote_port = remote_port

    def send(
        self,
        stream: int,
        protocol: int,
        data: bytes,
        ordered: bool = True,
        expiry: float = inf,
        limit: int = -1,
        more: bool = False,
    ) -> bool:
        """Queues a message for the next `flush`, or with `more` a part of one that is not the last.

        `data` is not empty; `expiry` is on the clock of `now`; `limit` is how often a fragment may be sent again, -1
        for ever. Between parts only other streams may send, and only if `interleaves`. Returns False when the message
        was given up meanwhile.
        """
        room = self._bundle.size - FIRST_CHUNK
        return self.transfer.outbound.queue(room, stream, protocol, data, ordered, expiry, limit, more)

    def abandon(self, stream: int) -> None:
        """Gives up the message of a stream whose last part was not sent (RFC 3758, section 3.5)."""
        self.transfer.abandon(stream)

    def use(self, stream: int) -> None:
        """From now on `StreamReset` and `StreamClosed` tell of a stream."""
        self.transfer.resets.use(stream)

    def reset(self, stream: int) -> None:
        """Resets the outgoing direction of a stream at the next `flush`; nothing of it should be under way."""
        self.transfer.resets.reset(stream)

    def abort(self, reason: bytes = b"") -> list[bytes]:
        """Ends the association, and tells the peer (section 9.1); may be called in any state."""
        if self.state >= COOKIE_ECHOED:
            self._abort([(USER_INITIATED_ABORT, reason)])
        self._end(Ended())
        return self._bundle.take()

    def lose(self) -> None:
        """Ends the association without a word: nothing carries it any more."""
        self._end(Ended())

    def shutdown(self) -> None:
        """Ends the association when all that was sent is acknowledged (section 9.2)."""
        if self.state == ESTABLISHED:
            self._handshake.state = SHUTDOWN_PENDING
            self.transfer.outbound.drop_unfinished()

    def path_changed(self) -> None:
        """Another path carries the packets: forgets what the one before has taught."""
        self._probing.stop()
        self._to_base()
        self.transfer.path_changed()
        if self.is_established:
            self._look_for_longer()

    def unsent(self) -> None:
        """No path took the packets of a turn: that they are not answered says nothing of the peer.

        ICE tells when a path is dead, and a restart may bring another one after any time.
        """
        self.transfer.unsent()

    def has_opened(self) -> bool:
        """Whether the peer should be told of a window that has opened again; then `flush` tells it."""
        opened = self.is_established and self.transfer.inbound.has_opened()
        self.transfer.inbound.urgent = self.transfer.inbound.urgent or opened
        return opened

    # Packets in

    def receive(self, packets: Iterable[bytes], now: float) -> None:
        """Takes the packets that arrived together. Never raises; `flush` must follow."""
        for data in packets:
            if self.is_over:
                return
            try:
                packet = decode_packet(data, not self._knows_zero)
            except MalformedPacketError:
                self.malformed += 1
                continue
            self._take_packet(packet, now)
        self.transfer.inbound.reassembly.pass_on()

    def _take_packet(self, packet: Packet, now: float) -> None:
        chunks, tag = packet.chunks, packet.tag
        if packet.destination != self._bundle.port or not self._may_take(chunks, tag):
            return
        with_data = False
        may_have_data = self.state in (ESTABLISHED, SHUTDOWN_PENDING, SHUTDOWN_SENT)
        for chunk in chunks:
            if isinstance(chunk, Data):
                if not may_have_data:
                    continue
                if not chunk.payload:
                    self._fail((NO_USER_DATA, chunk.tsn.to_bytes(4, "big")), "a DATA chunk without data")
                    return
                self.transfer.inbound.take(chunk)
                with_data = True
            elif isinstance(chunk, Sack):
                self.transfer.take_sack(chunk)
            elif self._take_control(chunk, tag, now) and not self.is_over:
                may_have_data = self.state in (ESTABLISHED, SHUTDOWN_PENDING, SHUTDOWN_SENT)
            else:
                break
        if with_data and not self.is_over:
            self.transfer.took_packet(now)

    def _may_take(self, chunks: list[Chunk], tag: int) -> bool:
        """Whether a packet has the tag that it must (section 8.5)."""
        own = self._handshake.agreement
        first = chunks[0]
        if isinstance(first, Init) and not isinstance(first, InitAck):
            return tag == 0 and len(chunks) == 1
        if isinstance(first, CookieEcho):
            return True  # It has a tag of its own, which is compared.
        if isinstance(first, Abort) or (isinstance(first, Simple) and first.kind == SHUTDOWN_COMPLETE):
            reflected = first.reflected if isinstance(first, Abort) else bool(first.flags & 1)
            return tag == (own.peer_tag if reflected else own.local_tag) and tag != 0
        return tag == own.local_tag

    def _take_control(self, chunk: Chunk, tag: int, now: float) -> bool:
        """Acts on a chunk; False when the rest of its packet is not to be looked at."""
        if isinstance(chunk, Unknown):
            if chunk.kind & 0x40:
                self._put(Error([(UNRECOGNIZED_CHUNK, chunk.encode())]).encode())
            return bool(chunk.kind & 0x80)
        if isinstance(chunk, InitAck):
            self._take_init_ack(chunk, now)
        elif isinstance(chunk, Init):
            answer = self._handshake.init(chunk, now)
            self._bundle.add_alone(answer.encode(), chunk.tag)
        elif isinstance(chunk, CookieEcho):
            return self._take_cookie_echo(chunk, tag, now)
        elif isinstance(chunk, Abort):
            self._end(Ended(chunk.causes[0][0] if chunk.causes else None, "the peer has aborted the association"))
        elif isinstance(chunk, Simple):
            self._take_simple(chunk)
        elif isinstance(chunk, Error):
            self._take_error(chunk, now)
        elif self.state >= ESTABLISHED:
            self._take_established(chunk, now)
        return True

    def _take_established(self, chunk: Chunk, now: float) -> None:
        """Acts on a chunk that an association must be there for."""
        if isinstance(chunk, HeartbeatAck):
            if size := self._probing.take(chunk.info[1]):
                self._bundle.resize(size)
            self.transfer.recovery.errors = 0
        elif isinstance(chunk, Heartbeat):
            self._put(HeartbeatAck(chunk.info).encode())
        elif isinstance(chunk, ForwardTsn):
            self.transfer.take_forward_tsn(chunk)
        elif isinstance(chunk, Reconfig):
            self.transfer.take_reconfig(chunk)
        elif isinstance(chunk, Shutdown):
            self._take_shutdown(chunk, now)

    # The handshake

    def _take_init_ack(self, chunk: InitAck, now: float) -> None:
        echo = self._handshake.init_ack(chunk, now)
        if echo is not None:
            self._bundle.tag = self._handshake.agreement.peer_tag
            self._bundle.add_alone(echo.encode(), self._handshake.agreement.peer_tag)

    def _take_cookie_echo(self, chunk: CookieEcho, tag: int, now: float) -> bool:
        before = self.state
        answer, peer_tag, restarted = self._handshake.cookie_echo(chunk, tag, now)
        if answer is None:
            return False
        if isinstance(answer, Error):
            self._bundle.add_alone(answer.encode(), peer_tag)
            return False
        if restarted:
            self._handshake.established()
            self._begin_transfer()
            self.events.append(Restarted())
        self._put(answer.encode())
        if before < ESTABLISHED:
            self._establish()
        return True

    def _take_simple(self, chunk: Simple) -> None:
        state = self.state
        if chunk.kind == COOKIE_ACK and state == COOKIE_ECHOED:
            self._establish()
        elif chunk.kind == SHUTDOWN_ACK and state in (SHUTDOWN_SENT, SHUTDOWN_ACK_SENT):
            self._bundle.add_alone(Simple(SHUTDOWN_COMPLETE).encode(), self._bundle.tag, self._bundle.checksum)
            self._end(Ended())
        elif chunk.kind == SHUTDOWN_COMPLETE and state == SHUTDOWN_ACK_SENT:
            self._end(Ended())

    def _take_error(self, chunk: Error, now: float) -> None:
        """A cookie that was too old is asked for again (section 5.2.6)."""
        if self.state == COOKIE_ECHOED and any(kind == 3 for kind, _ in chunk.causes):
            self._bundle.add_alone(self._handshake.begin(now).encode(), 0)

    def _establish(self) -> None:
        self._handshake.established()
        self._begin_transfer()
        self.events.append(Established())
        self._look_for_longer()

    def _look_for_longer(self) -> None:
        if self._handshake.agreement.extensions & PADDING:
            self._probing.look(self.largest)

    # The end

    def _take_shutdown(self, chunk: Shutdown, now: float) -> None:
        self.transfer.take_sack(Sack(chunk.tsn, self.transfer.peer_window))
        if self.state in (ESTABLISHED, SHUTDOWN_PENDING):
            self._handshake.state = SHUTDOWN_RECEIVED
            self.transfer.outbound.drop_unfinished()
        elif self.state == SHUTDOWN_SENT:
            self._send_shutdown_ack(now)

    def _go_on_shutting_down(self, now: float) -> None:
        if self.state not in (SHUTDOWN_PENDING, SHUTDOWN_RECEIVED) or not self.transfer.outbound.is_idle:
            return
        if self.state == SHUTDOWN_RECEIVED:
            self._send_shutdown_ack(now)
        else:
            self._handshake.state = SHUTDOWN_SENT
            self._put(Shutdown(self.transfer.inbound.cumulative & 0xFFFFFFFF).encode())
            self._shutdown_deadline = now + self.transfer.recovery.round_trip.rto

    def _send_shutdown_ack(self, now: float) -> None:
        self._handshake.state = SHUTDOWN_ACK_SENT
        self._put(Simple(SHUTDOWN_ACK).encode())
        self._shutdown_deadline = now + self.transfer.recovery.round_trip.rto

    def _shutdown_timed_out(self, now: float) -> None:
        self._shutdown_errors += 1
        if self._shutdown_errors > MAX_RETRANS:
            self._fail((USER_INITIATED_ABORT, b""), "the peer does not answer SHUTDOWN")
            return
        self.transfer.recovery.round_trip.back_off()
        if self.state == SHUTDOWN_SENT:
            self._put(Shutdown(self.transfer.inbound.cumulative & 0xFFFFFFFF).encode())
        else:
            self._put(Simple(SHUTDOWN_ACK).encode())
        self._shutdown_deadline = now + self.transfer.recovery.round_trip.rto

    def _fail(self, cause: Parameter, reason: str) -> None:
        self._abort([cause])
        self._end(Ended(None, reason))

    def _abort(self, causes: list[Parameter]) -> None:
        self._bundle.add_alone(Abort(causes).encode(), self._bundle.tag, self._bundle.checksum)

    def _end(self, ended: Ended) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._handshake.state = CLOSED
        self._probing.stop()
        self.events.append(ended)

    # Packets out

    def flush(
        self,
        now: float,
        more: Callable[[], bool] = _nothing,
        leave: Callable[[list[bytes]], None] | None = None,
    ) -> list[bytes]:
        """Ends a turn: acts on acknowledgements, sends what may be sent, and returns the packets.

        `more` is asked while there is room: it queues a further message, or returns False. `leave` is given packets
        before the turn ends: a run of them, or a long one.
        """
        self._bundle.leave = leave
        self._fill(now, more)
        self._bundle.leave = None
        return self._bundle.take()

    def _fill(self, now: float, more: Callable[[], bool]) -> None:
        if self.is_over or self.state < ESTABLISHED:
            self._bundle.close()
            return
        if self._probing.due:
            self._bundle.add_together(self._probing.probe(now))
        self.transfer.flush(now, more if self.state == ESTABLISHED else _nothing)
        if self.state != ESTABLISHED:
            self._go_on_shutting_down(now)
        self._bundle.close()

    def timeout(self, now: float) -> None:
        """Acts on what is due; `flush` must follow."""
        if self.is_over:
            return
        if self._handshake.deadline <= now:
            self._handshake_timed_out(now)
        self.transfer.timeout(now)
        if self.transfer.to_base:
            self.transfer.to_base = False
            self._to_base()
        if self.transfer.failure:
            self._fail((USER_INITIATED_ABORT, b""), self.transfer.failure)
            return
        if self._probing.deadline <= now:
            self._probing.timed_out()
        if self._shutdown_deadline <= now:
            self._shutdown_timed_out(now)

    def _handshake_timed_out(self, now: float) -> None:
        again = self._handshake.timed_out(now)
        if again is None:
            self._end(Ended(None, "the peer does not answer"))
        else:
            tag = self._handshake.agreement.peer_tag if isinstance(again, CookieEcho) else 0
            self._bundle.add_alone(again.encode(), tag)

    def _to_base(self) -> None:
        """What was cut into longer chunks already may be fragmented on its way."""
        if self._bundle.size > BASE:
            self._bundle.resize(BASE)
        self._probing.keep_whole(False)

    def _put(self, chunk: bytes) -> None:
        self._bundle.add_control(chunk)
