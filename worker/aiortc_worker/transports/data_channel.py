"""A data channel: the shim's RTCDataChannel owns one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Struct

from ..session.remote import CallError, Empty, ErrorInfo, ObjectId, Remote, call, names
from ..session.wire import MESSAGE, MORE, TEXT
from .channel import ChannelFailure
from .dcep import LONGEST_NAME, ChannelOpen
from .sctp_transport import STREAMS, SctpTransport

if TYPE_CHECKING:
    from ..session.session import Session


GATHERED = 128 * 1024
"""Bytes of a message that are here when it begins to be sent before it is whole.

From then on the association's other channels wait for its end, which a smaller message need not make them do. A shim
must be able to send as much without credit.
"""


class ChannelOpened(Struct, frozen=True, rename="camel"):
    """Bytes can flow."""

    stream_id: int


class ChannelError(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An RTCError of a channel."""

    error_detail: str
    message: str
    sctp_cause_code: int | None = None


class ChannelClosed(Struct, frozen=True, omit_defaults=True):
    """The channel is over; with an error, unless somebody closed it."""

    error: ChannelError | None = None


class DataChannelStats(Struct, frozen=True, rename="camel"):
    """Counters since the channel was made."""

    messages_sent: int
    bytes_sent: int
    messages_received: int
    bytes_received: int


class DataChannel(Remote):
    """A data channel of an SCTP transport."""

    close_order = 30
    events: ClassVar[dict[str, type[Struct]]] = {"open": ChannelOpened, "closing": Empty, "close": ChannelClosed}

    class In(Struct, frozen=True, rename="camel"):
        """As createDataChannel has it, or as the peer has opened it."""

        transport: Annotated[ObjectId, names("SctpTransport")]
        label: str = ""
        "At most 65535 bytes of UTF-8; so is `protocol`."
        protocol: str = ""
        ordered: bool = True
        max_retransmits: int | None = None
        max_packet_life_time: int | None = None
        "Milliseconds."
        negotiated: bool = False
        stream_id: int | None = None
        "0 to 65534; needed when negotiated or accepted, and else chosen here unless the shim has."
        accept: bool = False
        "Whether the peer has opened it: `datachannel` has told."

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        _check(params)
        self._transport = session.get(params.transport, SctpTransport)
        # What is told waits until the session knows this object.
        loop = asyncio.get_running_loop()
        if params.accept and params.stream_id is not None:
            self._channel = self._transport.accept(params.stream_id)
            loop.call_soon(self._transport.attached, self._channel, self)
        else:
            options = ChannelOpen(
                params.label, params.protocol, params.ordered, params.max_retransmits, params.max_packet_life_time
            )
            self._channel = self._transport.create(options, params.negotiated, params.stream_id, self)
            loop.call_soon(self._transport.created, self._channel)
        self._parts: list[bytes] = []
        "Fragments of the message that is coming, not given to the transport yet."
        self._size = 0
        "Bytes that have come of it."
        self._begun = False
        "Whether the transport has a part of it."
        self._refused = False
        "Whether it is larger than the peer accepts."

    @classmethod
    def is_peers(cls, params: In) -> bool:
        """Channels of a peer are bounded by their connection, or they would use up the objects of the application."""
        return params.accept

    # What the shim sends

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        """Takes a message, or a fragment of one."""
        if kind != MESSAGE:
            raise CallError("NotSupportedError", f"a data channel takes no records of kind {kind}")
        if flags & MORE or self._size:
            self._receive_fragment(payload, bool(flags & TEXT), bool(flags & MORE))
        elif self._is_too_large(len(payload)):
            self.sent(len(payload))
        else:
            self._send(bytes(payload), bool(flags & TEXT), True, True)

    def _receive_fragment(self, payload: memoryview, text: bool, more: bool) -> None:
        """Sends a message when it is whole; a large one in parts."""
        if not payload:
            raise CallError("TypeError", "an empty fragment")
        self._parts.append(bytes(payload))
        self._size += len(payload)
        if self._refused or self._is_too_large(self._size):
            self._refuse()
        elif not more or self._begun or self._size >= GATHERED:
            first, self._begun = not self._begun, more
            self._send(self._take_parts(), text, first, not more)
        if not more:
            self._size = 0
            self._refused = False

    def _send(self, data: bytes, text: bool, first: bool, last: bool) -> None:
        if not self._transport.send(self._channel, data, text, first, last):
            self.sent(len(data) or 1)

    def _is_too_large(self, size: int) -> bool:
        limit = self._transport.max_message_size
        if not limit or size <= limit:
            return False
        self.emit("error", ErrorInfo("TypeError", f"a message of {size} bytes; the peer accepts {limit}"))
        return True

    def _refuse(self) -> None:
        """Sends nothing more of a message, and makes the peer forget what was sent of it."""
        self._refused = True
        self.sent(len(self._take_parts()))
        if self._begun:
            self._begun = False
            self._transport.cut(self._channel)

    def _take_parts(self) -> bytes:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        return data

    @call
    async def close(self) -> None:
        """Resets the outgoing stream when all messages are sent; `close` follows when the peer has reset its own.

        @see https://www.rfc-editor.org/rfc/rfc8831#section-6.7
        """
        self._transport.close_channel(self._channel)

    @call
    async def getStats(self) -> DataChannelStats:
        """The channel's counters."""
        channel = self._channel
        return DataChannelStats(
            channel.messages_sent, channel.bytes_sent, channel.messages_received, channel.bytes_received
        )

    # What the transport tells

    def opened(self, stream_id: int) -> None:
        """Reports that bytes can flow."""
        self.emit("open", ChannelOpened(stream_id))

    def delivered(self, data: bytes, flags: int) -> None:
        """Sends a message down. Text is passed on as it came: the shim decodes it, with replacement characters."""
        self.session.send_message(self, data, flags)

    def sent(self, cost: int) -> None:
        """Gives credit for what has left; the session gathers it into records."""
        self.session.credit(self, cost)

    def peer_closing(self) -> None:
        """Reports that the peer closes the channel."""
        self.emit("closing", Empty())

    def closed(self, failure: ChannelFailure | None) -> None:
        """Reports the end."""
        error = None if failure is None else ChannelError(failure.detail, failure.message, failure.cause)
        self.emit("close", ChannelClosed(error))


def _check(params: DataChannel.In) -> None:
    """Raises CallError TypeError for what createDataChannel refuses."""
    if max(len(params.label.encode()), len(params.protocol.encode())) > LONGEST_NAME:
        raise CallError("TypeError", f"a label or protocol of more than {LONGEST_NAME} bytes of UTF-8")
    if params.max_retransmits is not None and params.max_packet_life_time is not None:
        raise CallError("TypeError", "maxRetransmits and maxPacketLifeTime exclude each other")
    for value in (params.max_retransmits, params.max_packet_life_time):
        if value is not None and not 0 <= value < 65536:
            raise CallError("TypeError", f"{value} is not between 0 and 65535")
    if (params.negotiated or params.accept) and params.stream_id is None:
        raise CallError("TypeError", "a negotiated channel needs a stream identifier")
    if params.stream_id is not None and not 0 <= params.stream_id < STREAMS:
        raise CallError("TypeError", f"stream {params.stream_id} is not between 0 and {STREAMS - 1}")
