"""SCTP packets as bytes: one header, one checksum, many chunks.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from google_crc32c import value as crc32c

HEADER = struct.Struct("!HHL")
"Source port, destination port, verification tag; a checksum follows."
CHECKSUM = struct.Struct("<L")
FIRST_CHUNK = HEADER.size + CHECKSUM.size
"Offset of a packet's first chunk, whose first byte is its type."
CHUNK = struct.Struct("!BBH")
"Type, flags, length with this header and without padding."
DATA = struct.Struct("!BBHLHHL")
"Type, flags, length, TSN, stream, sequence number on it, payload protocol."
SACK = struct.Struct("!BBHLLHH")
"Type, flags, length, cumulative TSN, window, number of gap blocks, number of duplicates."

_NO_CHECKSUM = bytes(CHECKSUM.size)


class Sack(NamedTuple):
    """A selective acknowledgement (section 3.3.4)."""

    cumulative_tsn: int
    window: int
    "Bytes."
    gaps: Sequence[tuple[int, int]]
    "First and last TSN of each block that has arrived, counted from the cumulative one."
    duplicates: Sequence[int] = ()


ChunkView = tuple[int, int, int, int]
"Where a chunk lies in a packet: type, flags, start of its header, end without padding."


def seal(source: int, destination: int, tag: int, chunks: Iterable[bytes]) -> bytes:
    """A packet of padded chunks."""
    header = HEADER.pack(source, destination, tag)
    body = b"".join(chunks)
    return header + CHECKSUM.pack(crc32c(header + _NO_CHECKSUM + body)) + body


def is_intact(packet: bytes) -> bool:
    """Whether a packet is long enough, and has the checksum that it says."""
    if len(packet) < FIRST_CHUNK + CHUNK.size:
        return False
    (checksum,) = CHECKSUM.unpack_from(packet, HEADER.size)
    return bool(checksum == crc32c(packet[: HEADER.size] + _NO_CHECKSUM + packet[FIRST_CHUNK:]))


def chunks_of(packet: bytes) -> list[ChunkView]:
    """The chunks of a packet.

    Raises ValueError when a length is impossible: nothing of such a packet is to be trusted.
    """
    found = []
    start, size = FIRST_CHUNK, len(packet)
    while start + CHUNK.size <= size:
        kind, flags, length = CHUNK.unpack_from(packet, start)
        end = start + length
        if length < CHUNK.size or end > size:
            raise ValueError(f"a chunk of {length} bytes")
        found.append((kind, flags, start, end))
        start = (end + 3) & ~3
    return found


def encode_sack(sack: Sack) -> bytes:
    """A SACK chunk."""
    cumulative, window, gaps, duplicates = sack
    length = SACK.size + 4 * (len(gaps) + len(duplicates))
    header = SACK.pack(3, 0, length, cumulative, window, len(gaps), len(duplicates))
    if length == SACK.size:
        return header
    edges = [edge for gap in gaps for edge in gap]
    return header + struct.pack(f"!{len(edges)}H{len(duplicates)}L", *edges, *duplicates)


def decode_sack(packet: bytes, chunk: ChunkView) -> Sack:
    """What a SACK chunk says. Raises ValueError when it is cut short."""
    _, _, start, end = chunk
    if end - start < SACK.size:
        raise ValueError("a SACK that is cut short")
    _, _, _, cumulative, window, count, _ = SACK.unpack_from(packet, start)
    start += SACK.size
    if start + 4 * count > end:
        raise ValueError(f"a SACK of {count} gaps that is cut short")
    edges = struct.unpack_from(f"!{2 * count}H", packet, start)
    return Sack(cumulative, window, list(zip(edges[::2], edges[1::2], strict=True)) if count else ())
