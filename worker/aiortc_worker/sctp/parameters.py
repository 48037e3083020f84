"""Parameters and error causes: a type, a length, a value, padding to four bytes.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3.2.1
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

HEADER: Final = struct.Struct("!HH")
"Type, length with this header and without padding."

HEARTBEAT_INFO: Final = 1
STATE_COOKIE: Final = 7
UNRECOGNIZED: Final = 8
OUTGOING_RESET: Final = 13
RECONFIG_RESPONSE: Final = 16
ZERO_CHECKSUM_ACCEPTABLE: Final = 0x8001
"https://www.rfc-editor.org/rfc/rfc9653#section-4"
SUPPORTED_EXTENSIONS: Final = 0x8008
"https://www.rfc-editor.org/rfc/rfc5061#section-4.2.7"
FORWARD_TSN_SUPPORTED: Final = 0xC000
"https://www.rfc-editor.org/rfc/rfc3758#section-3.1"

STALE_COOKIE: Final = 3
UNRECOGNIZED_CHUNK: Final = 6
NO_USER_DATA: Final = 9
USER_INITIATED_ABORT: Final = 12
PROTOCOL_VIOLATION: Final = 13
"https://www.rfc-editor.org/rfc/rfc9260#section-3.3.10"

Parameter = tuple[int, bytes]
"A type and its value, without padding."

_REQUEST: Final = struct.Struct("!LLL")
_RESPONSE: Final = struct.Struct("!LL")


class MalformedPacketError(ValueError):
    """What a packet says of itself is impossible. Nothing of such a packet is acted on."""


@dataclass(slots=True)
class OutgoingReset:
    """An Outgoing SSN Reset Request (RFC 6525, section 4.1)."""

    request: int
    response: int
    last_tsn: int
    streams: list[int]
    "Empty for all."

    def encode(self) -> Parameter:
        """The parameter of a RE-CONFIG chunk."""
        fields = _REQUEST.pack(self.request, self.response, self.last_tsn)
        return OUTGOING_RESET, fields + struct.pack(f"!{len(self.streams)}H", *self.streams)


@dataclass(slots=True)
class ReconfigResponse:
    """A Re-configuration Response (RFC 6525, section 4.4)."""

    request: int
    result: int

    def encode(self) -> Parameter:
        """The parameter of a RE-CONFIG chunk."""
        return RECONFIG_RESPONSE, _RESPONSE.pack(self.request, self.result)


@dataclass(slots=True)
class OtherRequest:
    """A request that is refused: to reset incoming streams or TSNs, or to add streams (RFC 6525, section 4)."""

    kind: int
    request: int

    def encode(self) -> Parameter:
        """The parameter of a RE-CONFIG chunk, without what is not read here."""
        return self.kind, self.request.to_bytes(4, "big")


Reconfiguration = OutgoingReset | ReconfigResponse | OtherRequest


def encode_parameters(parameters: list[Parameter]) -> bytes:
    """Parameters in a row; the last one without its padding, which is its chunk's."""
    out = bytearray()
    for kind, value in parameters:
        out += bytes(-len(out) % 4)
        out += HEADER.pack(kind, HEADER.size + len(value))
        out += value
    return bytes(out)


def decode_parameters(data: bytes, at: int, end: int) -> list[Parameter]:
    """The parameters between two offsets.

    Raises MalformedPacketError when a length is less than its own header's or reaches beyond the end.
    """
    if at > end:
        raise MalformedPacketError("a chunk without its fixed fields")
    found = []
    while at < end:
        if end - at < HEADER.size:
            raise MalformedPacketError(f"{end - at} bytes after the last parameter")
        kind, length = HEADER.unpack_from(data, at)
        if length < HEADER.size or at + length > end:
            raise MalformedPacketError(f"a parameter of {length} bytes")
        found.append((kind, data[at + HEADER.size : at + length]))
        at += (length + 3) & ~3
    return found


def decode_reconfiguration(parameter: Parameter) -> Reconfiguration | None:
    """A parameter of a RE-CONFIG chunk; None when its type is unknown. Raises MalformedPacketError."""
    kind, value = parameter
    if kind == OUTGOING_RESET:
        if len(value) < _REQUEST.size or len(value) % 2:
            raise MalformedPacketError(f"an outgoing reset request of {len(value)} bytes")
        streams = struct.unpack_from(f"!{(len(value) - _REQUEST.size) // 2}H", value, _REQUEST.size)
        request, response, last_tsn = _REQUEST.unpack_from(value)
        return OutgoingReset(request, response, last_tsn, list(streams))
    if kind == RECONFIG_RESPONSE:
        if len(value) not in (_RESPONSE.size, 16):
            raise MalformedPacketError(f"a re-configuration response of {len(value)} bytes")
        request, result = _RESPONSE.unpack_from(value)
        return ReconfigResponse(request, result)
    if kind in (14, 15, 17, 18):
        if len(value) < 4:
            raise MalformedPacketError(f"a request of {len(value)} bytes")
        return OtherRequest(kind, int.from_bytes(value[:4], "big"))
    return None
