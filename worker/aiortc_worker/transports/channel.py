"""A data channel as the association sees it: a stream, what it is to send, what nobody has taken from it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from .dcep import BINARY, BINARY_EMPTY, STRING, STRING_EMPTY, ChannelOpen

ChannelState = Literal["connecting", "open", "closing", "closed"]


@dataclass(frozen=True)
class ChannelFailure:
    """Why a channel closed, when nobody asked it to."""

    detail: str
    "An RTCErrorDetailType."
    message: str
    cause: int | None = None
    "Of the SCTP ABORT, if there was one."


class ChannelOwner(Protocol):
    """The remote object of a channel."""

    def opened(self, stream_id: int) -> None:
        """Bytes can flow."""

    def delivered(self, data: bytes, flags: int) -> None:
        """A message has arrived, or a part of one; `flags` are those of a record on the wire."""

    def sent(self, cost: int) -> None:
        """A message that counted `cost` has left for the network, or was given up."""

    def peer_closing(self) -> None:
        """The peer closes the channel."""

    def closed(self, failure: ChannelFailure | None) -> None:
        """The channel is over."""


class Part(NamedTuple):
    """A message to send, or a part of a large one."""

    protocol: int
    "SCTP's payload protocol identifier."
    data: bytes
    cost: int
    "What it counts in bufferedAmount and credit: its bytes, an empty one 1."
    size: int
    "Its bytes, as the application counts them."
    expiry: float | None
    "In seconds of `time.monotonic()`."
    first: bool
    last: bool


@dataclass(eq=False)
class Channel:
    """One channel; it has a stream once the association is established, and an owner once the shim knows it."""

    options: ChannelOpen
    negotiated: bool = False
    stream_id: int | None = None
    state: ChannelState = "connecting"
    owner: ChannelOwner | None = None
    failure: ChannelFailure | None = None
    by_peer: bool = False
    "Opened by the peer's DATA_CHANNEL_OPEN."
    acknowledged: bool = True
    "False until the peer has answered our DATA_CHANNEL_OPEN: till then messages are ordered (RFC 8832, section 6)."
    outbound: deque[Part] = field(default_factory=deque)
    expiry: float | None = None
    "Of the message that was given last."
    skipping: bool = False
    "Whether the message at the head of `outbound` was given up after its first part."
    arriving: int | None = None
    "Bytes that have arrived of a message which comes in parts, while one does."
    held: list[tuple[bytes, int]] = field(default_factory=list)
    "Messages and their flags, for an owner to come."
    held_bytes: int = 0
    messages_sent: int = 0
    bytes_sent: int = 0
    messages_received: int = 0
    bytes_received: int = 0

    def part(self, data: bytes, text: bool, first: bool, last: bool) -> Part:
        """A message for the association, or a part of one.

        SCTP has no empty message, so an identifier says it (RFC 8831, section 6.6).
        """
        life = self.options.max_packet_life_time
        if first and life is not None:
            self.expiry = time.monotonic() + life / 1000
        size = len(data)
        if not size:
            return Part(STRING_EMPTY if text else BINARY_EMPTY, b"\0", 1, 0, self.expiry, first, last)
        return Part(STRING if text else BINARY, data, size, size, self.expiry, first, last)

    def expired(self, part: Part) -> bool:
        """Whether its lifetime has passed before it was sent. A lifetime of 0 still means one transmission."""
        return bool(self.options.max_packet_life_time) and part.expiry is not None and part.expiry < time.monotonic()

    @property
    def must_order(self) -> bool:
        """Whether the next message goes in order."""
        return self.options.ordered or not self.acknowledged

    def hold(self, data: bytes, flags: int) -> None:
        """Keeps a message for an owner to come."""
        self.held.append((data, flags))
        self.held_bytes += len(data) or 1

    def release(self) -> list[tuple[bytes, int]]:
        """What was kept, which is kept no longer."""
        held, self.held, self.held_bytes = self.held, [], 0
        return held
