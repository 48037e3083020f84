"""The SCTP transport: an association over DTLS, and the data channels on its streams."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Struct

from ..bad_packets import BadPackets
from ..session.remote import CallError, ObjectId, Remote, call, names
from ..weak import weakly
from .channel import Channel, ChannelFailure, ChannelOwner
from .channel_inbound import ChannelInbound
from .channel_scheduler import ChannelScheduler
from .dcep import ACK, ACK_TYPE, DCEP, OPEN_TYPE, ChannelOpen, decode_open, encode_open
from .dtls_transport import DtlsState, DtlsTransport
from .sctp_association import SctpAssociation

if TYPE_CHECKING:
    from ..session.session import Session

logger = logging.getLogger(__name__)

SctpState = Literal["connecting", "connected", "closed"]
STREAMS = 65535
"Stream identifiers are 0 to 65534 (RFC 8832, section 6)."


class SctpStateChange(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A state of RTCSctpTransportState."""

    state: SctpState
    max_channels: int | None = None


class ChannelOffered(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A channel that the peer has opened."""

    stream_id: int
    label: str
    protocol: str
    ordered: bool
    max_retransmits: int | None = None
    max_packet_life_time: int | None = None


class SctpParameters(Struct, frozen=True, rename="camel"):
    """What the peer's description has."""

    remote_port: int
    max_message_size: int
    "Bytes; 0 is no limit."


class SctpPath(Struct, frozen=True):
    """What an association runs over."""

    dtls: Annotated[ObjectId, names("DtlsTransport")]


class SctpStats(Struct, frozen=True, rename="camel"):
    """What the association goes by."""

    state: SctpState
    smoothed_round_trip_time: float | None
    "Seconds."
    congestion_window: int
    receiver_window: int
    mtu: int
    unacked_data: int
    "Bytes."


class SctpTransport(Remote):
    """One association at a time. It begins when `start` was called and DTLS has connected, and anew when DTLS does."""

    close_order = 20
    events: ClassVar[dict[str, type[Struct]]] = {"statechange": SctpStateChange, "datachannel": ChannelOffered}

    class In(Struct, frozen=True):
        """What it runs over."""

        dtls: Annotated[ObjectId, names("DtlsTransport")]
        port: int = 5000

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        if not 0 < params.port < 65536:
            raise CallError("TypeError", f"port {params.port} is not between 1 and 65535")
        self.dtls = session.get(params.dtls, DtlsTransport)
        self._port = params.port
        if self.dtls.state == "closed":
            raise CallError("InvalidStateError", "the DTLS transport is closed")
        self._association = SctpAssociation(self.dtls.dtls, params.port, self)
        self.state: SctpState = "connecting"
        self.max_message_size = 65536
        "What the peer takes; 0 is no limit. Without word from it, 64 KiB (RFC 8841, section 6.1)."
        self._parameters: SctpParameters | None = None
        self._scheduler = ChannelScheduler(self._association)
        self._inbound = ChannelInbound(session, self._association)
        self._channels: dict[int, Channel] = {}
        self._unnumbered: list[Channel] = []
        "Ours, before the association is established and their streams can be chosen."
        self._offered: dict[int, deque[Channel]] = {}
        self._peers: set[Channel] = set()
        "Opened by the peer and not closed, or not accepted yet."
        self._stopping = False
        self._bad_packets = BadPackets(f"SctpTransport {id}", weakly(self._count_malformed))
        self._followed: set[DtlsTransport] = set()
        self._follow(self.dtls)

    # Calls

    @call
    async def start(self, params: SctpParameters) -> None:
        """Begins the association as soon as there is DTLS; called again, takes the new limit of messages."""
        if not 0 < params.remote_port < 65536 or params.max_message_size < 0:
            raise CallError("TypeError", f"port {params.remote_port}, message size {params.max_message_size}")
        self.max_message_size = params.max_message_size
        is_first, self._parameters = self._parameters is None, params
        if is_first and self.dtls.state != "new":
            self._dtls_changed(self.dtls.state)

    @call
    async def move(self, params: SctpPath) -> None:
        """Goes on over another DTLS transport to the same peer, as when sections are bundled that were not."""
        dtls = self.session.get(params.dtls, DtlsTransport)
        if dtls is self.dtls or self._stopping:
            return
        self.dtls = dtls
        self._follow(dtls)
        if dtls.state != "connected":
            # Another peer has come there at the same time.
            self._begin_anew()
        elif self.state != "closed":
            self._association.move(dtls.dtls)
            self._begin()

    @call
    async def stop(self) -> None:
        """Aborts the association; its channels close without an error."""
        if self.state == "closed":
            return
        self._stopping = True
        self._association.end()
        self.ended()

    @call
    async def getStats(self) -> SctpStats:
        """What the association goes by."""
        return SctpStats(state=self.state, **self._association.figures())

    async def close(self) -> None:
        """Aborts the association."""
        await self.stop()
        self._bad_packets.close()

    def _count_malformed(self) -> dict[str, int]:
        return {"sctp": self._association.malformed}

    # What DataChannel uses

    def create(self, options: ChannelOpen, negotiated: bool, stream_id: int | None, owner: ChannelOwner) -> Channel:
        """A channel of ours; without `stream_id` it gets one when the association is established.

        Raises CallError: OperationError when the stream is in use, InvalidStateError when the transport is closed.
        """
        if self.state == "closed":
            raise CallError("InvalidStateError", "the SCTP transport is closed")
        channel = Channel(options, negotiated, stream_id, owner=owner, acknowledged=negotiated)
        if stream_id is None:
            self._unnumbered.append(channel)
        elif stream_id in self._channels:
            raise CallError("OperationError", f"stream {stream_id} is in use")
        else:
            self._channels[stream_id] = channel
        return channel

    def accept(self, stream_id: int) -> Channel:
        """The channel that the peer has opened on a stream. Raises CallError NotFoundError when there is none."""
        offered = self._offered.get(stream_id)
        if not offered:
            raise CallError("NotFoundError", f"the peer has opened no channel on stream {stream_id}")
        channel = offered.popleft()
        if not offered:
            del self._offered[stream_id]
        if channel.state == "closed":
            self._peers.discard(channel)
        return channel

    def created(self, channel: Channel) -> None:
        """Opens a channel of ours at once when there is an association; its owner is known to the session by now."""
        if channel.state == "connecting" and self._association.is_established:
            self._open(channel)

    def attached(self, channel: Channel, owner: ChannelOwner) -> None:
        """Tells the owner of a channel that the peer has opened what it has missed, and everything from now on."""
        channel.owner = owner
        assert channel.stream_id is not None
        owner.opened(channel.stream_id)
        self._inbound.release(channel)
        if channel.state == "closing":
            owner.peer_closing()
        elif channel.state == "closed":
            owner.peer_closing()
            self._part(channel)

    def send(self, channel: Channel, data: bytes, text: bool, first: bool, last: bool) -> bool:
        """Queues a message, or the next part of one; False when the channel takes none any more."""
        if channel.state not in ("connecting", "open"):
            return False
        self._scheduler.push(channel, channel.part(data, text, first, last))
        return True

    def cut(self, channel: Channel) -> None:
        """Gives up the message of which the last part was not sent."""
        self._scheduler.cut(channel)

    def close_channel(self, channel: Channel) -> None:
        """Closes a channel when what it was given is sent."""
        if channel.state == "connecting":
            self._forget(channel, None)
        elif channel.state == "open":
            channel.state = "closing"
            self._scheduler.finish(channel)

    # What the association tells

    def established(self) -> None:
        """Opens the channels that waited for it, in the order in which they were made."""
        self._set_state("connected")
        for channel in [*self._channels.values(), *self._unnumbered]:
            if channel.state == "connecting":
                self._open(channel)

    def restarted(self) -> None:
        """The peer has begun anew (RFC 9260, section 5.2.4, A): its channels are other ones, as another peer's are."""
        self._start_over()
        self.established()

    def ended(self) -> None:
        """Closes all channels."""
        if self.state == "closed":
            return
        self._set_state("closed")
        failure = self._failure()
        for channel in [*self._channels.values(), *self._unnumbered]:
            self._forget(channel, failure)

    def refill(self) -> bool:
        """Queues the next message, if there is one."""
        return self._scheduler.refill()

    def settled(self) -> None:
        """Tells channels what has left."""
        self._scheduler.settled()

    def backlog(self) -> int:
        """Bytes that the link has not taken, or that no object of the shim's is there for."""
        return self._inbound.backlog()

    def message(self, stream_id: int, protocol: int, data: bytes) -> None:
        """Passes a message to its channel, or acts on it."""
        channel = self._channels.get(stream_id)
        if protocol == DCEP:
            self._establish(stream_id, channel, data)
        elif not self._inbound.message(stream_id, channel, protocol, data) and channel is not None:
            self._refuse(channel)

    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None:
        """Passes a part of a large message to its channel; of a stream that has none yet, such a message is lost."""
        channel = self._channels.get(stream_id)
        if channel is not None and not self._inbound.part(channel, protocol, data, first=first, last=last):
            self._refuse(channel)

    def given_up(self, stream_id: int) -> None:
        """Voids the parts of a large message whose rest never comes."""
        channel = self._channels.get(stream_id)
        if channel is not None:
            self._inbound.given_up(channel)

    def taken(self) -> None:
        """Passes messages on at once: what SCTP has to answer takes its time, and can follow."""
        self.session.flush()
        self._inbound.flushed()

    def stream_reset(self, stream_id: int) -> None:
        """The peer closes a channel: so do we (RFC 8831, section 6.7)."""
        channel = self._channels.get(stream_id)
        if channel is None:
            self._association.reset(stream_id)
            return
        if channel.state in ("connecting", "open"):
            channel.state = "closing"
            if channel.owner is not None:
                channel.owner.peer_closing()
        self._scheduler.discard(channel)
        self._association.reset(stream_id)

    def stream_closed(self, stream_id: int) -> None:
        """A channel is closed at both ends."""
        self._inbound.forget(stream_id)
        channel = self._channels.get(stream_id)
        if channel is not None and not self._association.is_closed:
            self._forget(channel, channel.failure)

    # Channels

    def _open(self, channel: Channel) -> None:
        stream_id = self._number(channel)
        if stream_id is None:
            self._forget(channel, ChannelFailure("data-channel-failure", "no stream identifier is free"))
            return
        channel.stream_id = stream_id
        channel.state = "open"
        self._channels[stream_id] = channel
        self._association.use(stream_id)
        if not channel.negotiated:
            self._scheduler.control(stream_id, encode_open(channel.options))
        if channel.owner is not None:
            channel.owner.opened(stream_id)
        self._inbound.adopt(channel)
        self._scheduler.opened(channel)

    def _number(self, channel: Channel) -> int | None:
        """Even for a DTLS client, odd for a server (RFC 8832, section 6)."""
        streams = min(STREAMS, self._association.streams)
        if channel.stream_id is not None:
            return channel.stream_id if channel.stream_id < streams else None
        self._unnumbered.remove(channel)
        return next((id for id in range(self.dtls.role == "server", streams, 2) if id not in self._channels), None)

    def _establish(self, stream_id: int, channel: Channel | None, data: bytes) -> None:
        kind = data[0] if data else -1
        if kind == ACK_TYPE and channel is not None:
            channel.acknowledged = True
        elif kind == OPEN_TYPE and channel is None:
            self._offer(stream_id, data)
        else:
            # An OPEN on a stream in use is void: the channel that has it goes on.
            logger.debug("a DCEP message on stream %d was ignored", stream_id, extra={"kind": "dcep-ignored"})

    def _offer(self, stream_id: int, data: bytes) -> None:
        self._association.use(stream_id)
        try:
            options = decode_open(data)
        except ValueError as error:
            logger.debug(
                "the peer's channel on stream %d is refused: %s", stream_id, error, extra={"kind": "dcep-ignored"}
            )
            self._association.reset(stream_id)
            return
        quota = self.session.quotas.peer_channels
        if len(self._peers) >= quota.limit:
            quota.refuse()
            self._association.reset(stream_id)
            return
        channel = Channel(options, by_peer=True, stream_id=stream_id, state="open")
        self._channels[stream_id] = channel
        self._peers.add(channel)
        self._offered.setdefault(stream_id, deque()).append(channel)
        self._scheduler.control(stream_id, ACK)
        self.emit(
            "datachannel",
            ChannelOffered(
                stream_id,
                options.label,
                options.protocol,
                options.ordered,
                options.max_retransmits,
                options.max_packet_life_time,
            ),
        )
        self._inbound.adopt(channel)

    def _refuse(self, channel: Channel) -> None:
        """Closes a channel whose peer has sent more than was announced."""
        assert channel.stream_id is not None
        message = f"the peer sends a message of more than {self._inbound.limit} bytes"
        channel.failure = ChannelFailure("data-channel-failure", message)
        channel.state = "closing"
        self._scheduler.discard(channel)
        self._association.reset(channel.stream_id)

    def _forget(self, channel: Channel, failure: ChannelFailure | None) -> None:
        self._scheduler.discard(channel)
        self._inbound.left(channel)
        if channel in self._unnumbered:
            self._unnumbered.remove(channel)
        if channel.stream_id is not None and self._channels.get(channel.stream_id) is channel:
            del self._channels[channel.stream_id]
        # One that the shim has not accepted yet is still kept.
        if channel.stream_id is None or channel not in self._offered.get(channel.stream_id, ()):
            self._peers.discard(channel)
        channel.state = "closed"
        channel.failure = failure
        self._part(channel)

    def _part(self, channel: Channel) -> None:
        """Tells the owner that the channel is over and lets go of it; it keeps the channel, for its counters."""
        owner, channel.owner = channel.owner, None
        if owner is not None:
            owner.closed(channel.failure)

    # States

    def _follow(self, dtls: DtlsTransport) -> None:
        if dtls in self._followed:
            return
        self._followed.add(dtls)

        def state_changed(state: DtlsState) -> None:
            if dtls is self.dtls:
                self._dtls_changed(state)

        def route_changed() -> None:
            if dtls is self.dtls:
                self._association.route_changed()

        dtls.on_state(state_changed)
        dtls.ice.on_route(route_changed)

    def _begin_anew(self) -> None:
        """Another peer has come: its association is another (RFC 8841, section 9.3), over which our channels go on.

        A negotiated channel does so at once. One that we had opened is announced to the new peer. What the peer before
        had opened, or somebody was closing, is over; so is a channel whose stream is now the peer's to open.
        """
        self._association.leave()
        self._association = SctpAssociation(self.dtls.dtls, self._port, self)
        self._start_over()
        if self.state != "connecting":
            self._set_state("connecting")

    def _start_over(self) -> None:
        self._scheduler.move(self._association)
        self._inbound.move(self._association)
        self._peers.clear()
        self._offered.clear()
        for channel in tuple(self._channels.values()):
            self._inbound.given_up(channel)
            if channel.state == "closing":
                self._forget(channel, channel.failure)
            elif failure := self._outdated(channel):
                self._forget(channel, failure)
            else:
                channel.state = "connecting"
                channel.acknowledged = channel.negotiated

    def _outdated(self, channel: Channel) -> ChannelFailure | None:
        if channel.negotiated or channel.stream_id is None:
            return None
        if channel.by_peer:
            return ChannelFailure("sctp-failure", "the peer that had opened the channel was replaced")
        # Even for a DTLS client, odd for a server (RFC 8832, section 6).
        if channel.stream_id % 2 != (self.dtls.role == "server"):
            return ChannelFailure("sctp-failure", f"stream {channel.stream_id} is the new peer's to open")
        return None

    def _dtls_changed(self, state: DtlsState) -> None:
        if state == "new" and not self._stopping:
            self._begin_anew()
        elif state == "connected":
            self._begin()
        elif state in ("closed", "failed") and self.state != "closed":
            self._association.lost()
            self.ended()

    def _begin(self) -> None:
        ready = self.dtls.state == "connected" and self.state == "connecting" and self._association.is_closed
        if ready and self._parameters is not None:
            # In the same step: the DTLS pump has not begun, so the peer's INIT finds a receiver.
            self._association.begin(self._parameters.remote_port)

    def _set_state(self, state: SctpState) -> None:
        self.state = state
        connected = state == "connected"
        self.emit("statechange", SctpStateChange(state, self._association.streams if connected else None))

    def _failure(self) -> ChannelFailure | None:
        if self._stopping:
            return None
        if self.dtls.state in ("closed", "failed"):
            return ChannelFailure("sctp-failure", f"the DTLS transport is {self.dtls.state}")
        reason = self._association.end_reason or "the association has ended"
        return ChannelFailure("sctp-failure", reason, self._association.abort_cause)
