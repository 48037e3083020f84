"""SCTP packets as bytes: one header, one checksum, many chunks; read strictly.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from google_crc32c import value as crc32c

from .chunks import (
    ABORT_TYPE,
    COOKIE_ACK,
    COOKIE_ECHO_TYPE,
    DATA,
    ERROR_TYPE,
    FIRST,
    HEADER,
    HEARTBEAT_ACK_TYPE,
    HEARTBEAT_TYPE,
    I_DATA,
    I_SKIPPED,
    INIT,
    INIT_ACK_TYPE,
    INIT_TYPE,
    NOT_OUR_TAG,
    PAD_TYPE,
    RECONFIG_TYPE,
    SACK,
    SACK_TYPE,
    SHUTDOWN_ACK,
    SHUTDOWN_COMPLETE,
    SHUTDOWN_TYPE,
    SKIPPED,
    Abort,
    Chunk,
    CookieEcho,
    Data,
    Error,
    ForwardTsn,
    Heartbeat,
    HeartbeatAck,
    Init,
    InitAck,
    Pad,
    Reconfig,
    Sack,
    Shutdown,
    Simple,
    Unknown,
)
from .parameters import HEARTBEAT_INFO, MalformedPacketError, decode_parameters, decode_reconfiguration

COMMON: Final = struct.Struct("!HHL")
"Source port, destination port, verification tag; a checksum follows."
CHECKSUM: Final = struct.Struct("<L")
FIRST_CHUNK: Final = COMMON.size + CHECKSUM.size
"Offset of a packet's first chunk."

MOST_PARAMETERS: Final = 2
"Of a RE-CONFIG (RFC 6525, section 3.1)."

_NO_CHECKSUM: Final = bytes(CHECKSUM.size)


@dataclass(slots=True)
class Packet:
    """What a packet says."""

    source: int
    destination: int
    tag: int
    chunks: list[Chunk]


def encode_packet(source: int, destination: int, tag: int, chunks: Sequence[bytes], checksum: bool = True) -> bytes:
    """A packet of padded chunks; without a checksum it has 0 instead (RFC 9653)."""
    header = COMMON.pack(source, destination, tag)
    if not checksum:
        return b"".join((header, _NO_CHECKSUM, *chunks))
    packet = b"".join((header, _NO_CHECKSUM, *chunks))
    return b"".join((header, CHECKSUM.pack(crc32c(packet)), *chunks))


def decode_packet(data: bytes, checksum: bool = True) -> Packet:
    """Reads a packet; without `checksum` it may have 0 instead of one.

    Raises MalformedPacketError, and nothing else, when anything in it is not as the RFCs have it.
    """
    size = len(data)
    if size < FIRST_CHUNK + HEADER.size:
        raise MalformedPacketError(f"a packet of {size} bytes")
    if (checksum or data[COMMON.size : FIRST_CHUNK] != _NO_CHECKSUM) and not is_intact(data):
        raise MalformedPacketError("a wrong checksum")
    source, destination, tag = COMMON.unpack_from(data)
    chunks: list[Chunk] = []
    start = FIRST_CHUNK
    while start < size:
        if size - start < HEADER.size:
            raise MalformedPacketError(f"{size - start} bytes after the last chunk")
        kind, flags, length = HEADER.unpack_from(data, start)
        end = start + length
        if length < HEADER.size or end > size:
            raise MalformedPacketError(f"a chunk of {length} bytes")
        # Nearly all there are; the rest go by a table.
        if kind == 0:
            if length < DATA.size:
                raise MalformedPacketError(f"a DATA chunk of {length} bytes")
            _, _, _, tsn, stream, sequence, protocol = DATA.unpack_from(data, start)
            chunks.append(Data(flags, tsn, stream, sequence, protocol, data[start + DATA.size : end]))
        else:
            decode = _DECODERS.get(kind)
            chunks.append(decode(data, start, end) if decode else Unknown(kind, flags, data[start + HEADER.size : end]))
        start = (end + 3) & ~3
    return Packet(source, destination, tag, chunks)


def is_intact(data: bytes) -> bool:
    """Whether a packet has the checksum that it says."""
    (said,) = CHECKSUM.unpack_from(data, COMMON.size)
    return bool(said == crc32c(b"".join((data[: COMMON.size], _NO_CHECKSUM, data[FIRST_CHUNK:]))))


def _i_data(data: bytes, start: int, end: int) -> Chunk:
    if end - start < I_DATA.size:
        raise MalformedPacketError(f"an I-DATA chunk of {end - start} bytes")
    _, flags, _, tsn, stream, _, message, last = I_DATA.unpack_from(data, start)
    first = bool(flags & FIRST)
    payload = data[start + I_DATA.size : end]
    return Data(flags, tsn, stream, message, last if first else 0, payload, 0 if first else last, True)


def _init(data: bytes, start: int, end: int) -> Chunk:
    parameters = decode_parameters(data, start + HEADER.size + INIT.size, end)
    tag, window, outbound, inbound, tsn = INIT.unpack_from(data, start + HEADER.size)
    make = Init if data[start] == INIT_TYPE else InitAck
    return make(tag, window, outbound, inbound, tsn, parameters)


def _sack(data: bytes, start: int, end: int) -> Chunk:
    if end - start < SACK.size:
        raise MalformedPacketError(f"a SACK of {end - start} bytes")
    _, _, length, tsn, window, gaps, duplicates = SACK.unpack_from(data, start)
    if length != SACK.size + 4 * (gaps + duplicates):
        raise MalformedPacketError(f"a SACK of {length} bytes with {gaps} gaps and {duplicates} duplicates")
    if length == SACK.size:
        return Sack(tsn, window)
    edges = struct.unpack_from(f"!{2 * gaps}H", data, start + SACK.size)
    doubled = struct.unpack_from(f"!{duplicates}L", data, start + SACK.size + 4 * gaps)
    return Sack(tsn, window, list(zip(edges[::2], edges[1::2], strict=True)), list(doubled))


def _heartbeat(data: bytes, start: int, end: int) -> Chunk:
    parameters = decode_parameters(data, start + HEADER.size, end)
    if len(parameters) != 1 or parameters[0][0] != HEARTBEAT_INFO:
        raise MalformedPacketError(f"a heartbeat of {len(parameters)} parameters")
    return (Heartbeat if data[start] == HEARTBEAT_TYPE else HeartbeatAck)(parameters[0])


def _abort(data: bytes, start: int, end: int) -> Chunk:
    return Abort(decode_parameters(data, start + HEADER.size, end), bool(data[start + 1] & NOT_OUR_TAG))


def _error(data: bytes, start: int, end: int) -> Chunk:
    return Error(decode_parameters(data, start + HEADER.size, end))


def _shutdown(data: bytes, start: int, end: int) -> Chunk:
    if end - start != HEADER.size + 4:
        raise MalformedPacketError(f"a SHUTDOWN of {end - start} bytes")
    return Shutdown(int.from_bytes(data[start + HEADER.size : end], "big"))


def _cookie_echo(data: bytes, start: int, end: int) -> Chunk:
    return CookieEcho(data[start + HEADER.size : end])


def _simple(data: bytes, start: int, end: int) -> Chunk:
    if end - start != HEADER.size:
        raise MalformedPacketError(f"a chunk of type {data[start]} with {end - start} bytes")
    return Simple(data[start], data[start + 1])


def _forward_tsn(data: bytes, start: int, end: int) -> Chunk:
    interleaved = data[start] == 194
    fields = I_SKIPPED if interleaved else SKIPPED
    at = start + HEADER.size + 4
    if end < at or (end - at) % fields.size:
        raise MalformedPacketError(f"a FORWARD TSN of {end - start} bytes")
    tsn = int.from_bytes(data[at - 4 : at], "big")
    if interleaved:
        skipped = [(stream, mid, bool(flags & 1)) for stream, flags, mid in fields.iter_unpack(data[at:end])]
    else:
        skipped = [(stream, sequence, False) for stream, sequence in fields.iter_unpack(data[at:end])]
    return ForwardTsn(tsn, skipped, interleaved)


def _reconfig(data: bytes, start: int, end: int) -> Chunk:
    parameters = decode_parameters(data, start + HEADER.size, end)
    if not 0 < len(parameters) <= MOST_PARAMETERS:
        raise MalformedPacketError(f"{len(parameters)} parameters in a RE-CONFIG")
    found = map(decode_reconfiguration, parameters)
    return Reconfig([each for each in found if each is not None])


def _pad(data: bytes, start: int, end: int) -> Chunk:
    return Pad(end - start - HEADER.size)


_DECODERS: Final[dict[int, Callable[[bytes, int, int], Chunk]]] = {
    INIT_TYPE: _init,
    INIT_ACK_TYPE: _init,
    SACK_TYPE: _sack,
    HEARTBEAT_TYPE: _heartbeat,
    HEARTBEAT_ACK_TYPE: _heartbeat,
    ABORT_TYPE: _abort,
    SHUTDOWN_TYPE: _shutdown,
    SHUTDOWN_ACK: _simple,
    ERROR_TYPE: _error,
    COOKIE_ECHO_TYPE: _cookie_echo,
    COOKIE_ACK: _simple,
    SHUTDOWN_COMPLETE: _simple,
    64: _i_data,
    RECONFIG_TYPE: _reconfig,
    PAD_TYPE: _pad,
    192: _forward_tsn,
    194: _forward_tsn,
}
