"""aiortc's SCTP association without its data channels: streams, messages, resets, and flow control both ways.

What aiortc 1.16.0 does otherwise, by line of `aiortc/rtcsctptransport.py`: it lets an exception on one packet close
the DTLS transport (:956 and :1990), sends without regard to the peer's receive window (:1252), never shrinks its own
for a reader that is slow (:1557), raises when DTLS is gone (:1511), takes an INIT at any time (:1076), and an unknown
stream in a reset as a KeyError (:1891).
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

from aiortc.rtcsctptransport import (
    SCTP_MAX_PACKET_LENGTH,
    USERDATA_MAX_LENGTH,
    AbortChunk,
    Chunk,
    DataChunk,
    InitChunk,
    RTCSctpCapabilities,
    RTCSctpTransport,
    SackChunk,
    parse_packet,
)
from aiortc.utils import uint32_gt

from ..aiortc_compat import run_now
from .dtls import DtlsConnection

logger = logging.getLogger(__name__)

State = RTCSctpTransport.State

FIRST_CHUNK = 12
"Offset of a packet's first chunk, whose first byte is its type."
RTO_INITIAL = 1.0
"Seconds (RFC 9260, section 16); aiortc has RFC 4960's 3."
USER_INITIATED_ABORT = 12
"https://www.rfc-editor.org/rfc/rfc9260#section-3.3.10.12"
SACK_DELAY = 0.02
"Seconds; RFC 9260, section 6.2, allows 0.5, and a sender in slow start waits for it."
MAX_BURST = 4
"Chunks that one call may add to what is in flight (RFC 9260, section 6.1 D)."
MAX_CHUNKS = 256
"Chunks in flight. The congestion window counts their bytes alone: thousands of small ones overrun a socket's buffer."
WINDOW = 1024 * 1024
"Bytes that the peer may send ahead of what is read, all streams together."


class AssociationHandler(Protocol):
    """Who uses an association. Nothing here may wait."""

    def established(self) -> None:
        """Bytes can flow."""

    def ended(self) -> None:
        """The association is over, whoever ended it."""

    def message(self, stream_id: int, protocol: int, data: bytes) -> None:
        """A whole message has arrived."""

    def stream_reset(self, stream_id: int) -> None:
        """The peer sends nothing more on a stream that is in use."""

    def stream_closed(self, stream_id: int) -> None:
        """Both directions of a stream were reset: its number is free."""

    async def writable(self) -> None:
        """The association may have room for more messages."""

    def backlog(self) -> int:
        """Bytes received that nobody has read yet."""


class _Stream:
    """What aiortc asks of the channel of a stream."""

    negotiated = False

    def __init__(self, id: int) -> None:
        self.id = id


class SctpAssociation(RTCSctpTransport):
    """One association. It sends at once when it can; all its sending methods are synchronous."""

    def __init__(self, dtls: DtlsConnection, port: int, handler: AssociationHandler) -> None:
        """Raises aiortc's InvalidStateError when DTLS is closed."""
        super().__init__(dtls, port)
        self.abort_cause: int | None = None
        "Of the peer's ABORT."
        self._handler = handler
        self._rto = RTO_INITIAL
        self._peer_window = 2**32
        self._advertised_rwnd = WINDOW
        self._said_window = WINDOW
        self._resending = False
        "Whether a chunk may be due to be sent again."
        self._unsaid = 0
        "Packets since our latest SACK."
        self._sack_timer: asyncio.TimerHandle | None = None

    @property
    def is_established(self) -> bool:
        """Whether bytes can flow."""
        return self._association_state is State.ESTABLISHED

    @property
    def is_closed(self) -> bool:
        """Whether the association is over, or was never begun."""
        return self._association_state is State.CLOSED

    @property
    def busy(self) -> bool:
        """Whether messages wait for the congestion window; a further one would wait behind them."""
        return bool(self._outbound_queue)

    @property
    def streams(self) -> int:
        """How many streams may be used, once established."""
        return self.maxChannels or 0

    def begin(self, remote_port: int, max_message_size: int) -> None:
        """Sends INIT; both ends do (RFC 8841, section 9.3)."""
        run_now(self.start(RTCSctpCapabilities(maxMessageSize=max_message_size), remote_port))

    def end(self) -> None:
        """Aborts the association, as closing a peer connection does; may be called in any state."""
        run_now(self.stop())

    def lost(self) -> None:
        """Ends the association without a word: there is no transport any more."""
        self._set_state(State.CLOSED)

    async def send(
        self,
        stream_id: int,
        protocol: int,
        data: bytes,
        *,
        ordered: bool = True,
        expiry: float | None = None,
        max_retransmits: int | None = None,
    ) -> None:
        """Sends a message, of which at least a chunk goes at once if the association is not busy.

        `expiry` is in seconds of `time.time()`.
        """
        await self._send(stream_id, protocol, data, expiry=expiry, max_retransmits=max_retransmits, ordered=ordered)

    def use(self, stream_id: int) -> None:
        """From now on `stream_reset` and `stream_closed` tell of this stream."""
        self._data_channel_inbound_reset.discard(stream_id)
        self._data_channel_outbound_reset.discard(stream_id)
        self._data_channels[stream_id] = _Stream(stream_id)  # type: ignore[assignment]

    def reset(self, stream_id: int) -> None:
        """Resets the outgoing direction of a stream, once (RFC 6525, section 5.1.2); nothing should be under way."""
        request = self._reconfig_request
        asked = stream_id in self._reconfig_queue or (request is not None and stream_id in request.streams)
        if asked or stream_id in self._data_channel_outbound_reset:
            return
        self._reconfig_queue.append(stream_id)
        run_now(self._transmit_reconfig())

    def under_way(self, stream_id: int) -> bool:
        """Whether data of a stream is not acknowledged yet."""
        queues = (self._outbound_queue, self._sent_queue)
        return any(chunk.stream_id == stream_id for queue in queues for chunk in queue)

    def update_window(self) -> None:
        """Tells the peer of a window that has opened again, if it was told of a much smaller one."""
        if self.is_established and self._window() >= self._said_window + WINDOW // 4:
            run_now(self._sack_now())

    def figures(self) -> dict[str, Any]:
        """The fields of SctpStats that are SCTP's."""
        return {
            "smoothed_round_trip_time": self._srtt,
            "congestion_window": self._cwnd,
            "receiver_window": self._window(),
            "mtu": SCTP_MAX_PACKET_LENGTH,
            "unacked_data": self._flight_size,
        }

    def _window(self) -> int:
        return max(0, self._advertised_rwnd - self._handler.backlog())

    # Overrides, each with its line in aiortc/rtcsctptransport.py

    async def _handle_data(self, data: bytes) -> None:  # :930
        kind = data[FIRST_CHUNK] if len(data) > FIRST_CHUNK else -1
        if kind == InitChunk.type and self.is_established:
            return  # A late copy: it must not set our counters back (RFC 9260, section 5.2.2).
        if kind == AbortChunk.type:
            self.abort_cause = _cause(data)
        try:
            await super()._handle_data(data)
        except Exception:
            logger.warning("an SCTP packet of %d bytes was dropped", len(data), exc_info=True)

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:  # :1027
        self._handler.message(stream_id, pp_id, data)

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:  # :1183
        if self._handler.backlog() >= WINDOW:
            self._sack_needed = True  # Not received: the peer sends it again, when there is a window.
            return
        await super()._receive_data_chunk(chunk)

    async def _send_sack(self) -> None:  # :1541
        """Every second packet, or a little later; at once when something is out of order (RFC 9260, section 6.2)."""
        self._unsaid += 1
        if self._unsaid < 2 and not self._sack_misordered and not self._sack_duplicates and self.is_established:
            self._sack_needed = False
            if self._sack_timer is None:
                self._sack_timer = asyncio.get_running_loop().call_later(SACK_DELAY, self._sack_due)
            return
        await self._sack_now()

    def _sack_due(self) -> None:
        self._sack_timer = None
        if self._unsaid and self.is_established:
            run_now(self._sack_now())

    async def _sack_now(self) -> None:
        self._unsaid = 0
        if self._sack_timer is not None:
            self._sack_timer.cancel()
            self._sack_timer = None
        reassembled = self._advertised_rwnd
        self._said_window = self._advertised_rwnd = self._window()
        try:
            await super()._send_sack()
        finally:
            self._advertised_rwnd = reassembled

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:  # :1252
        if not uint32_gt(self._last_sacked_tsn, chunk.cumulative_tsn):
            self._peer_window = chunk.advertised_rwnd
        if chunk.gaps:
            self._resending = True
        await super()._receive_sack_chunk(chunk)
        # What was just transmitted may have made room.
        await self._handler.writable()

    async def _transmit(self) -> None:  # :1726
        # One chunk may always go, to find out whether a closed window has opened (RFC 9260, section 6.1).
        window = min(self._cwnd, max(1, self._peer_window))
        if self._resending or self._forward_tsn_chunk is not None:
            await self._retransmit(window)
            return
        # aiortc looks through all that is in flight on each call; where nothing was lost, that is half of its time.
        window = min(window, self._flight_size + MAX_BURST * USERDATA_MAX_LENGTH)
        while self._outbound_queue and self._flight_size < window and len(self._sent_queue) < MAX_CHUNKS:
            chunk = self._outbound_queue.popleft()
            self._sent_queue.append(chunk)
            self._flight_size_increase(chunk)
            chunk._sent_count += 1
            chunk._sent_time = time.time()
            await self._send_chunk(chunk)
            if self._t3_handle is None:
                self._t3_start()

    async def _retransmit(self, window: int) -> None:
        congestion_window, self._cwnd = self._cwnd, window
        try:
            await super()._transmit()
        finally:
            self._cwnd = congestion_window
        self._resending = any(chunk._retransmit for chunk in self._sent_queue)

    def _t3_expired(self) -> None:  # :1687
        self._resending = True
        super()._t3_expired()

    async def _send_chunk(self, chunk: Chunk) -> None:  # :1511
        try:
            await super()._send_chunk(chunk)
        except ConnectionError:
            logger.debug("%s was not sent: there is no DTLS", chunk)

    async def _abort(self) -> None:  # :847
        chunk = AbortChunk()
        chunk.params.append((USER_INITIATED_ABORT, b"closed"))
        await self._send_chunk(chunk)

    def _set_state(self, state: RTCSctpTransport.State) -> None:  # :1566
        before = self._association_state
        super()._set_state(state)
        if state is before:
            return
        if state is State.ESTABLISHED:
            self._handler.established()
        elif state is State.CLOSED:
            if self._sack_timer is not None:
                self._sack_timer.cancel()
            self._handler.ended()

    async def _data_channel_flush(self) -> None:  # :1894
        await self._handler.writable()

    def _data_channel_close(self, channel: _Stream) -> None:  # type: ignore[override]  # :1858
        self._handler.stream_reset(channel.id)

    def _data_channel_closed(self, stream_id: int) -> None:  # :1888
        self._data_channel_inbound_reset.discard(stream_id)
        self._data_channel_outbound_reset.discard(stream_id)
        self._data_channels.pop(stream_id, None)
        self._handler.stream_closed(stream_id)


def _cause(packet: bytes) -> int | None:
    try:
        chunk = parse_packet(packet)[3][0]
    except (ValueError, IndexError):
        return None
    return chunk.params[0][0] if isinstance(chunk, AbortChunk) and chunk.params else None
