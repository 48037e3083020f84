"""An association without data channels: streams, messages, resets, and flow control both ways.

What aiortc 1.16.0 does otherwise: it lets an exception on one packet close the DTLS transport (:956 and :1990), raises
when DTLS is gone (:1511), takes an INIT at any time (:1076), and an unknown stream in a reset as a KeyError (:1891).
"""

from __future__ import annotations

import weakref
from typing import Any, Protocol

from aiortc import rtcsctptransport
from aiortc.rtcsctptransport import AbortChunk, RTCSctpCapabilities, RTCSctpTransport

from ..aiortc_compat import run_now
from ..compat.clocks import use_monotonic
from ..compat.dtls import DtlsConnection
from .large_message import LargeMessage
from .path_mtu import PathMtu
from .receiving import State

use_monotonic(rtcsctptransport)

USER_INITIATED_ABORT = 12
"https://www.rfc-editor.org/rfc/rfc9260#section-3.3.10.12"


class AssociationHandler(Protocol):
    """Who uses an association. Nothing here may wait."""

    def established(self) -> None:
        """Bytes can flow."""

    def ended(self) -> None:
        """The association is over, whoever ended it."""

    def message(self, stream_id: int, protocol: int, data: bytes) -> None:
        """A whole message has arrived."""

    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None:
        """A part of a message has arrived that is too large to be kept until it is whole.

        Nothing else of its stream is told until its last part, or `given_up`.
        """

    def given_up(self, stream_id: int) -> None:
        """The rest of a message of which parts have arrived never comes."""

    def taken(self) -> None:
        """The messages that arrived together have all been told of."""

    def stream_reset(self, stream_id: int) -> None:
        """The peer sends nothing more on a stream that is in use."""

    def stream_closed(self, stream_id: int) -> None:
        """Both directions of a stream were reset: its number is free."""

    def refill(self) -> bool:
        """All that was queued has left, and there is room: queues a further message, or returns False."""

    def settled(self) -> None:
        """A turn ends: nothing more can go in it."""

    def backlog(self) -> int:
        """Bytes received that nobody has read yet."""


class _Nobody:
    """The handler of an association that was left."""

    def established(self) -> None: ...
    def ended(self) -> None: ...
    def message(self, stream_id: int, protocol: int, data: bytes) -> None: ...
    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None: ...
    def given_up(self, stream_id: int) -> None: ...
    def taken(self) -> None: ...
    def stream_reset(self, stream_id: int) -> None: ...
    def stream_closed(self, stream_id: int) -> None: ...
    def settled(self) -> None: ...

    def refill(self) -> bool:
        return False

    def backlog(self) -> int:
        return 0


class _Stream:
    """What aiortc asks of the channel of a stream."""

    negotiated = False

    def __init__(self, id: int) -> None:
        self.id = id


class SctpAssociation(PathMtu):
    """One association. None of its methods waits."""

    def __init__(self, dtls: DtlsConnection, port: int, handler: AssociationHandler) -> None:
        """Raises aiortc's InvalidStateError when DTLS is closed."""
        super().__init__(dtls, port)
        # The handler owns the association.
        self._handler: AssociationHandler = weakref.proxy(handler)

    @property
    def is_established(self) -> bool:
        """Whether bytes can flow."""
        return self._association_state is State.ESTABLISHED

    @property
    def is_closed(self) -> bool:
        """Whether the association is over, or was never begun."""
        return self._association_state is State.CLOSED

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

    def move(self, dtls: DtlsConnection) -> None:
        """Goes on over another DTLS association with the same peer; what is under way is sent again."""
        if not self.is_closed:
            self.transport._unregister_data_receiver(self)
            dtls._register_data_receiver(self)
        self.setTransport(dtls)
        self._dtls = dtls
        self.route_changed()

    def leave(self) -> None:
        """Ends the association without a word to anybody, its handler included."""
        self._handler = _Nobody()
        self._set_state(State.CLOSED)

    def wake(self) -> None:
        """Asks for `refill` when the turn ends, if there is room."""
        self._wake()

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

    def figures(self) -> dict[str, Any]:
        """The fields of SctpStats that are SCTP's."""
        return {
            "smoothed_round_trip_time": self._srtt,
            "congestion_window": self._cwnd,
            "receiver_window": self._window(),
            "mtu": self._packet_size,
            "unacked_data": self._flight_size,
        }

    def _refill(self) -> bool:
        return self._handler.refill()

    def _settle(self) -> None:
        self._handler.settled()

    def _deliver(self, stream_id: int, protocol: int, data: bytes) -> None:
        self._handler.message(stream_id, protocol, data)

    def _deliver_part(self, large: LargeMessage) -> None:
        first = large.is_first
        data = large.take_parts()
        self._handler.part(large.stream_id, large.protocol, data, first=first, last=large.is_whole)

    def _give_up(self, large: LargeMessage) -> None:
        if not large.is_first:
            self._handler.given_up(large.stream_id)

    def _taken(self) -> None:
        self._handler.taken()

    def _backlog(self) -> int:
        return self._handler.backlog()

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
            # The window that the peer's INIT has, where aiortc keeps it.
            self._peer_window = self._ssthresh
            self._look_for_larger()
            self._handler.established()
            self._wake()
        elif state is State.CLOSED:
            self._stop_timers()
            self.transport._unregister_data_receiver(self)
            self._handler.ended()

    async def _data_channel_flush(self) -> None:  # :1894
        """Channels are the handler's."""

    def _data_channel_close(self, channel: _Stream) -> None:  # type: ignore[override]  # :1858
        if self._large is not None and self._large.stream_id == channel.id:
            self._forget_large()
        self._handler.stream_reset(channel.id)

    def _data_channel_closed(self, stream_id: int) -> None:  # :1888
        self._data_channel_inbound_reset.discard(stream_id)
        self._data_channel_outbound_reset.discard(stream_id)
        self._data_channels.pop(stream_id, None)
        self._handler.stream_closed(stream_id)
