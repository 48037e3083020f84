"""What an association tells whoever drives it, in the order in which it happened."""

from __future__ import annotations

from typing import NamedTuple


class Established(NamedTuple):
    """Bytes can flow."""


class Restarted(NamedTuple):
    """The peer has begun anew: streams and numbers are as at the beginning, what was under way is lost."""


class Ended(NamedTuple):
    """The association is over."""

    cause: int | None = None
    "Of the peer's ABORT (RFC 9260, section 3.3.10)."
    reason: str = ""
    "Where no peer has said so."


class Message(NamedTuple):
    """A whole message has arrived."""

    stream: int
    protocol: int
    data: bytes


class Part(NamedTuple):
    """A part of a large message; nothing else of its stream is told until its last part, or `GivenUp`."""

    stream: int
    protocol: int
    data: bytes
    first: bool
    last: bool


class GivenUp(NamedTuple):
    """The rest of a message of which parts were told never comes."""

    stream: int


class StreamReset(NamedTuple):
    """The peer sends nothing more on a stream that is in use."""

    stream: int


class StreamClosed(NamedTuple):
    """Both directions of a stream in use were reset: its number is free."""

    stream: int


class KeepWhole(NamedTuple):
    """From now on datagrams may not be fragmented on their way, or may again."""

    whole: bool


Event = Established | Restarted | Ended | Message | Part | GivenUp | StreamReset | StreamClosed | KeepWhole
