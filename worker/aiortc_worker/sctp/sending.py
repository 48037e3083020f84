"""Data out: what is under way, and how much more may be.

aiortc counts payload alone, so that thousands of small messages in flight overrun a socket's buffer; it sends without
regard to the peer's window, and looks through all that is in flight whenever it sends. Here a chunk counts what it
takes in a packet, the peer's window is minded, and messages are taken from their channels when there is room, not
before.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.1
"""

from __future__ import annotations

from itertools import chain

from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG, SCTP_DATA_LAST_FRAG, SCTP_DATA_UNORDERED
from aiortc.rtcsctptransport import SCTP_MAX_PACKET_LENGTH as PACKET

from ..compat.dtls import DtlsConnection
from .acknowledging import Acknowledging
from .chunk import SEQUENCES, TSNS, OutboundChunk, fragments
from .packet import DATA, FIRST_CHUNK
from .receiving import State

INITIAL_WINDOW = 10 * PACKET
"Bytes, as TCP begins (RFC 6928); aiortc has 3 packets."
BURST = 16 * PACKET
"Bytes that one turn may add to what is in flight, or four packets; an acknowledgement covers many packets here."
LEAST_FLIGHT = 64 * PACKET
"Bytes that may be in flight whatever the round trip: so many packets a socket's default buffer of 208 KiB holds."
FASTEST = 100_000_000
"Bytes a second: more than this code sends, so what exceeds them in a round trip would only fill queues."


class Sending(Acknowledging):
    """Sends within the windows."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self._cwnd = INITIAL_WINDOW
        self._peer_window = 2**32
        self._resending = False
        "Whether a chunk may be due to be sent again."
        self._unfinished: OutboundChunk | None = None
        "The latest fragment of a message whose rest is still to be queued."

    def send(
        self,
        stream_id: int,
        protocol: int,
        data: bytes,
        *,
        ordered: bool = True,
        expiry: float | None = None,
        max_retransmits: int | None = None,
    ) -> None:
        """Sends a message when this turn ends, or when there is room; parameters as `queue` has them."""
        self.queue(stream_id, protocol, data, ordered=ordered, expiry=expiry, max_retransmits=max_retransmits)
        self._wake()

    def queue(
        self,
        stream_id: int,
        protocol: int,
        data: bytes,
        *,
        ordered: bool,
        expiry: float | None,
        max_retransmits: int | None,
        more: bool = False,
    ) -> bool:
        """Queues a message in the course of `_refill`; with `more`, the part of one that further calls go on with.

        `data` is not empty; `expiry` is in seconds of `time.monotonic()`. Until the last part nothing else may be
        queued: the TSNs of a message are consecutive (section 6.9). Returns False when the message was given up
        meanwhile.
        """
        unfinished = self._unfinished
        if unfinished is None:
            sequence = self._outbound_stream_seq.get(stream_id, 0) if ordered else 0
            if ordered:
                self._outbound_stream_seq[stream_id] = (sequence + 1) % SEQUENCES
        elif unfinished._abandoned:
            self.abandon()
            return False
        else:
            sequence, ordered = unfinished.stream_seq, not unfinished.flags & SCTP_DATA_UNORDERED
        tsn = self._local_tsn
        chunks = fragments(
            tsn,
            stream_id,
            sequence,
            protocol,
            data,
            most=(self._packet_size - FIRST_CHUNK - DATA.size) & ~3,
            ordered=ordered,
            expiry=expiry,
            max_retransmits=max_retransmits,
            position=(0 if unfinished else SCTP_DATA_FIRST_FRAG) | (0 if more else SCTP_DATA_LAST_FRAG),
        )
        self._local_tsn = (tsn + len(chunks)) % TSNS
        self._outbound_queue.extend(chunks)
        self._unfinished = chunks[-1] if more else None
        return True

    def abandon(self) -> None:
        """Gives up the message whose last part was not queued (RFC 3758, section 3.5)."""
        last, self._unfinished = self._unfinished, None
        if last is None:
            return
        for chunk in chain(reversed(self._outbound_queue), reversed(self._sent_queue)):
            chunk._abandoned = True
            chunk._retransmit = False
            self._flight_size_decrease(chunk)
            if chunk.flags & SCTP_DATA_FIRST_FRAG:
                break
        # A last fragment that is never sent: peers take the beginning of a message right behind a middle for an error.
        flags = last.flags & SCTP_DATA_UNORDERED | SCTP_DATA_LAST_FRAG
        end = OutboundChunk(flags, self._local_tsn, last.stream_id, last.stream_seq, last.protocol, b"")
        end._abandoned = True
        self._local_tsn = (self._local_tsn + 1) % TSNS
        self._outbound_queue.append(end)
        self._update_advanced_peer_ack_point()
        self._wake()

    def under_way(self, stream_id: int) -> bool:
        """Whether data of a stream is not acknowledged yet."""
        queues = (self._outbound_queue, self._sent_queue)
        return any(chunk.stream_id == stream_id for queue in queues for chunk in queue)

    def _refill(self) -> bool:
        """Queues a further message, if there is one."""
        raise NotImplementedError

    def _settle(self) -> None:
        """All that could go has gone."""

    def _turn(self) -> None:
        established = self._association_state is State.ESTABLISHED
        if established:
            self._send_data()
        super()._turn()
        if established:
            # After the packet, which somebody waits for.
            if self._sent_queue:
                self._t3_ensure()
            self._settle()

    async def _transmit(self) -> None:  # :1726
        self._wake()

    def _flight_limit(self) -> int:
        """Bytes that may be in flight now. One chunk may always go, to find out whether a closed window has opened."""
        useful = max(LEAST_FLIGHT, int(FASTEST * self.shortest_round_trip))
        burst = max(BURST, 4 * self._packet_size)
        return min(self._cwnd, max(1, self._peer_window), useful, self._flight_size + burst)

    def _send_data(self) -> None:
        limit = self._flight_limit()
        now = self._clock.time()
        if self._forward_tsn_chunk is not None:
            self._put(bytes(self._forward_tsn_chunk), self._control)
            self._forward_tsn_chunk = None
            self._t3_ensure()
        if self._resending:
            self._resend(limit, now)
        queue, sent, data = self._outbound_queue, self._sent_queue, self._data
        while self._flight_size < limit and not self._resending and (queue or self._refill()):
            chunk = queue.popleft()
            sent.append(chunk)
            if chunk._abandoned:
                continue  # With the rest of its message, before it was ever sent.
            chunk._in_flight = True
            chunk._sent_count = 1
            chunk._sent_time = now
            self._flight_size += chunk._book_size
            self._put(bytes(chunk), data)

    def _resend(self, limit: int, now: float) -> None:
        """Sends again what was lost, oldest first."""
        first = True
        for chunk in self._sent_queue:
            if chunk._retransmit:
                if self._fast_recovery_transmit:
                    self._fast_recovery_transmit = False
                elif self._flight_size >= limit:
                    return
                self._flight_size_increase(chunk)
                assert isinstance(chunk, OutboundChunk)
                chunk._misses = 0
                chunk._retransmit = False
                chunk._sent_count += 1
                chunk._sent_time = now
                chunk.resent_before = self._next_to_send()
                self._put(bytes(chunk), self._data)
                if first:
                    self._t3_restart()
            first = False
        self._resending = False

    def _next_to_send(self) -> int:
        return self._outbound_queue[0].tsn if self._outbound_queue else self._local_tsn

    def _t3_ensure(self) -> None:
        if self._t3_deadline is None:
            self._t3_restart()

    def _t3_expired(self) -> None:  # :1687
        """Sends again what the peer has not acknowledged, a packet at first."""
        for chunk in tuple(self._sent_queue):
            if not chunk._acked and not self._maybe_abandon(chunk):
                chunk._retransmit = True
            self._flight_size_decrease(chunk)
        self._resending = True
        self._update_advanced_peer_ack_point()
        self._fast_recovery_exit = None
        self._partial_bytes_acked = 0
        self._ssthresh = max(self._cwnd // 2, 4 * self._packet_size)
        self._cwnd = self._packet_size
        self._turn()
