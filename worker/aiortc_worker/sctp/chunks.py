"""Chunks as values: each knows its bytes; `packet.py` reads them.

Those of which every packet has some have an `__init__` of their own, which mypyc compiles.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3.3
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

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

INIT_TYPE: Final = 1
INIT_ACK_TYPE: Final = 2
SACK_TYPE: Final = 3
HEARTBEAT_TYPE: Final = 4
HEARTBEAT_ACK_TYPE: Final = 5
ABORT_TYPE: Final = 6
SHUTDOWN_TYPE: Final = 7
ERROR_TYPE: Final = 9
COOKIE_ECHO_TYPE: Final = 10
RECONFIG_TYPE: Final = 130
PAD_TYPE: Final = 0x84
"Types of chunks."

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


@dataclass(slots=True, init=False)
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
    fragment: int
    "The fragment sequence number of I-DATA."
    interleaved: bool

    def __init__(
        self,
        flags: int,
        tsn: int,
        stream: int,
        sequence: int,
        protocol: int,
        payload: bytes,
        fragment: int = 0,
        interleaved: bool = False,
    ) -> None:
        self.flags = flags
        self.tsn = tsn
        self.stream = stream
        self.sequence = sequence
        self.protocol = protocol
        self.payload = payload
        self.fragment = fragment
        self.interleaved = interleaved

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

    tag: int
    window: int
    outbound_streams: int
    inbound_streams: int
    tsn: int
    parameters: list[Parameter]

    @property
    def kind(self) -> int:
        """Its type."""
        return INIT_TYPE

    def encode(self) -> bytes:
        """With padding."""
        fields = (self.tag, self.window, self.outbound_streams, self.inbound_streams, self.tsn)
        return _chunk(self.kind, 0, INIT.pack(*fields) + encode_parameters(self.parameters))


@dataclass(slots=True)
class InitAck(Init):
    """INIT ACK."""

    @property
    def kind(self) -> int:
        """Its type."""
        return INIT_ACK_TYPE


@dataclass(slots=True, init=False)
class Sack:
    """A selective acknowledgement (section 3.3.4)."""

    tsn: int
    "The cumulative one."
    window: int
    "Bytes."
    gaps: list[tuple[int, int]]
    "First and last TSN of each block that has arrived, counted from the cumulative one."
    duplicates: list[int]

    def __init__(
        self,
        tsn: int,
        window: int,
        gaps: list[tuple[int, int]] | None = None,
        duplicates: list[int] | None = None,
    ) -> None:
        self.tsn = tsn
        self.window = window
        self.gaps = gaps or []
        self.duplicates = duplicates or []

    @property
    def kind(self) -> int:
        """Its type."""
        return SACK_TYPE

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

    info: Parameter

    @property
    def kind(self) -> int:
        """Its type."""
        return HEARTBEAT_TYPE

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters([self.info]))


@dataclass(slots=True)
class HeartbeatAck(Heartbeat):
    """HEARTBEAT ACK."""

    @property
    def kind(self) -> int:
        """Its type."""
        return HEARTBEAT_ACK_TYPE


@dataclass(slots=True)
class Abort:
    """ABORT."""

    causes: list[Parameter]
    reflected: bool = False
    "Whether the verification tag is the receiver's own (the T bit)."

    @property
    def kind(self) -> int:
        """Its type."""
        return ABORT_TYPE

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, NOT_OUR_TAG if self.reflected else 0, encode_parameters(self.causes))


@dataclass(slots=True)
class Shutdown:
    """SHUTDOWN."""

    tsn: int
    "The cumulative one."

    @property
    def kind(self) -> int:
        """Its type."""
        return SHUTDOWN_TYPE

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, self.tsn.to_bytes(4, "big"))


@dataclass(slots=True)
class Error:
    """ERROR."""

    causes: list[Parameter]

    @property
    def kind(self) -> int:
        """Its type."""
        return ERROR_TYPE

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters(self.causes))


@dataclass(slots=True)
class CookieEcho:
    """COOKIE ECHO."""

    cookie: bytes

    @property
    def kind(self) -> int:
        """Its type."""
        return COOKIE_ECHO_TYPE

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

    parameters: list[Reconfiguration]

    @property
    def kind(self) -> int:
        """Its type."""
        return RECONFIG_TYPE

    def encode(self) -> bytes:
        """With padding."""
        return _chunk(self.kind, 0, encode_parameters([each.encode() for each in self.parameters]))


@dataclass(slots=True)
class Pad:
    """PAD (RFC 4820, section 3): `size` bytes that say nothing."""

    size: int

    @property
    def kind(self) -> int:
        """Its type."""
        return PAD_TYPE

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
