"""Chunks as values: each knows its bytes; `packet.py` reads them.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3.3
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import ClassVar, Final

from .parameters import Parameter, Reconfiguration, encode_parameters

HEADER: Final = struct.Struct("!BBH")
"Type, flags, length with this header and without padding."
DATA: Final = struct.Struct("!BBHLHHL")
"Type, flags, length, TSN, stream, sequence number on it, payload protocol."
I_DATA: Final = struct.Struct("!BBHLHHLL")
"Type, flags, length, TSN, stream, reserved, message, payload protocol or fragment (RFC 8260, section 2.1)."
SACK: Final = struct.Struct("!BBHLLHH")
"Type, flags, length, cumulative TSN, window, number of gap blocks, number of duplicates."
INIT: Final = struct.Struct("!LLHHL")
SKIPPED: Final = struct.Struct("!HH")
I_SKIPPED: Final = struct.Struct("!HHL")

LAST: Final = 1
"Flag of a DATA chunk: the last fragment of its message (E)."
FIRST: Final = 2
"The first one (B)."
WHOLE: Final = FIRST | LAST
UNORDERED: Final = 4
IMMEDIATE: Final = 8
"The sender waits for the acknowledgement (RFC 7053)."
NOT_OUR_TAG: Final = 1
"Flag of ABORT and SHUTDOWN COMPLETE: the verification tag is the receiver's own, reflected (T)."

PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")
"By a length modulo 4."


def _chunk(kind: int, flags: int, body: bytes) -> bytes:
    return HEADER.pack(kind, flags, HEADER.size + len(body)) + body + PADDING[len(body) & 3]


@dataclass(slots=True)
class Data:
    """DATA, or with `interleaved` I-DATA (RFC 8260, section 2.1)."""

    flags: int
    tsn: int
    stream: int
    sequence: int
    "The stream sequence number; of I-DATA the message identifier."
    protocol: int
    "Of I-DATA, 0 in all fragments but the first."
    payload: bytes
    fragment: int = 0
    "The fragment sequence number of I-DATA."
    interleaved: bool = False

    @property
    def kind(self) -> int:
        """Its type."""
        return 64 if self.interleaved else 0

    def encode(self) -> bytes:
        """With padding."""
        data = self.payload
        size = len(data)
        if self.interleaved:
            last = self.protocol if self.flags & FIRST else self.fragment
            fields = (64, self.flags, I_DATA.size + size, self.tsn, self.stream, 0, self.sequence, last)
            return I_DATA.pack(*fields) + data + PADDING[size & 3]
        length = DATA.size + size
        head = DATA.pack(0, self.flags, length, self.tsn, self.stream, self.sequence, self.protocol)
        return head + data + PADDING[size & 3]


@dataclass(slots=True)
class Init:
    """INIT."""

    kind: ClassVar[int] = 1
    tag: int
    window: int
    outbound_streams: int
    inbound_streams: int
    tsn: int
    parameters: list[Parameter]

    def encode(self) -> bytes:
        """With padding."""
        fields = (self.tag, self.window, self.outbound_streams, self.inbound_streams, self.tsn)
        return _chunk(self.kind, 0, INIT.pack(*fields) + encode_parameters(self.parameters))


@dataclass(slots=True)
class InitAck(Init):
    """INIT ACK."""

    kind: ClassVar[int] = 2


@dataclass(slots=True)
class Sack:
    """A selective acknowledgement (section 3.3.4)."""

    kind: ClassVar[int] = 3
    tsn: int
    "The cumulative one."
    window: int
    "Bytes."
    gaps: list[tuple[int, int]] = field(default_factory=list)
    "First and last TSN of each block that has arrived, counted from the cumulative one."
    duplicates: list[int] = field(default_factory=list)

    def encode(self) -> bytes:
        """With padding."""
        gaps, duplicates = self.gaps, self.duplicates
        length = SACK.size + 4 * (len(gaps) + len(duplicates))
        head = SACK.pack(3, 0, length, self.tsn, self.window, len(gaps), len(duplicates))
        if length == SACK.size:
            return head
        edges = [edge for gap in gaps for edge in gap]
        return head + struct.pack(f"!{len(edges)}H{len(duplicates)}L", *edges, *duplicates)


@dataclass(slots=True)
class Heartbeat:
    """HEARTBEAT: its one parameter comes back as it is."""

    kind: ClassVar[int] = 4
    info: Parameter

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters([self.info]))


@dataclass(slots=True)
class HeartbeatAck(Heartbeat):
    """HEARTBEAT ACK."""

    kind: ClassVar[int] = 5


@dataclass(slots=True)
class Abort:
    """ABORT."""

    kind: ClassVar[int] = 6
    causes: list[Parameter]
    reflected: bool = False
    "Whether the verification tag is the receiver's own (the T bit)."

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, NOT_OUR_TAG if self.reflected else 0, encode_parameters(self.causes))


@dataclass(slots=True)
class Shutdown:
    """SHUTDOWN."""

    kind: ClassVar[int] = 7
    tsn: int
    "The cumulative one."

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, self.tsn.to_bytes(4, "big"))


@dataclass(slots=True)
class Error:
    """ERROR."""

    kind: ClassVar[int] = 9
    causes: list[Parameter]

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters(self.causes))


@dataclass(slots=True)
class CookieEcho:
    """COOKIE ECHO."""

    kind: ClassVar[int] = 10
    cookie: bytes

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, self.cookie)


@dataclass(slots=True)
class Simple:
    """SHUTDOWN ACK, COOKIE ACK or SHUTDOWN COMPLETE, which have no fields."""

    kind: int
    flags: int = 0

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, self.flags, b"")


SHUTDOWN_ACK: Final = 8
COOKIE_ACK: Final = 11
SHUTDOWN_COMPLETE: Final = 14


@dataclass(slots=True)
class ForwardTsn:
    """FORWARD TSN (RFC 3758, section 3.2), or with `interleaved` I-FORWARD-TSN (RFC 8260, section 2.3)."""

    tsn: int
    "The new cumulative one."
    skipped: list[tuple[int, int, bool]]
    "A stream, the greatest sequence number or message identifier skipped on it, whether of unordered messages."
    interleaved: bool = False

    @property
    def kind(self) -> int:
        """Its type."""
        return 194 if self.interleaved else 192

    def encode(self) -> bytes:
        """With padding."""
        out = bytearray(self.tsn.to_bytes(4, "big"))
        for stream, sequence, unordered in self.skipped:
            fields = I_SKIPPED.pack(stream, unordered, sequence) if self.interleaved else SKIPPED.pack(stream, sequence)
            out += fields
        return _chunk(self.kind, 0, bytes(out))


@dataclass(slots=True)
class Reconfig:
    """RE-CONFIG (RFC 6525, section 3.1)."""

    kind: ClassVar[int] = 130
    parameters: list[Reconfiguration]

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters([each.encode() for each in self.parameters]))


@dataclass(slots=True)
class Pad:
    """PAD (RFC 4820, section 3): `size` bytes that say nothing."""

    kind: ClassVar[int] = 0x84
    size: int

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, bytes(self.size))


@dataclass(slots=True)
class Unknown:
    """A chunk of a type that is not known here: the upper two bits of which say what becomes of it (section 3.2)."""

    kind: int
    flags: int
    body: bytes

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, self.flags, self.body)


Chunk = (
    Data
    | Init
    | Sack
    | Heartbeat
    | Abort
    | Shutdown
    | Error
    | CookieEcho
    | Simple
    | ForwardTsn
    | Reconfig
    | Pad
    | Unknown
)
