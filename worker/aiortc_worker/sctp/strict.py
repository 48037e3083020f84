"""Control chunks, checked before aiortc reads them.

aiortc's `decode_params` never ends on a parameter of length 0, and reads one that is cut short as if it were whole. In
what passes here every length lies inside the one around it: reading takes time and memory in proportion to the bytes.

@see https://www.rfc-editor.org/rfc/rfc9260#section-3.2.1
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from .packet import CHUNK, ChunkView

PARAMETER: Final = struct.Struct("!HH")
"Type, length with this header and without padding."

HEADERS: Final = {1: 16, 2: 16, 4: 0, 5: 0, 6: 0, 9: 0, 130: 0}
"Bytes before the parameters of INIT, INIT ACK, HEARTBEAT, HEARTBEAT ACK, ABORT, ERROR and RE-CONFIG."
SIZES: Final = {7: 4, 8: 0, 11: 0, 14: 0}
"Bytes of SHUTDOWN, SHUTDOWN ACK, COOKIE ACK and SHUTDOWN COMPLETE, which have no parameters."

HEARTBEAT: Final = 4
RECONFIG: Final = 130
FORWARD_TSN: Final = 192
MOST_PARAMETERS: Final = {HEARTBEAT: 1, RECONFIG: 2}
"A HEARTBEAT has its information alone (section 3.3.5); RE-CONFIG's limit is RFC 6525's, section 3.1."

RESET_OUT: Final = 13
RECONFIG_SIZES: Final = {RESET_OUT: 12, 16: 8, 17: 8}
"Least bytes of an outgoing reset request, a response, and a request to add streams (RFC 6525, section 4)."


def check_chunk(packet: bytes, view: ChunkView) -> None:
    """Raises ValueError when a control chunk is not as its type has it; unknown types pass, for nobody reads them."""
    kind, _, start, end = view
    at = start + CHUNK.size
    if (size := SIZES.get(kind)) is not None and end - at != size:
        raise ValueError(f"a chunk of type {kind} with {end - at} bytes; {size} expected")
    if kind == FORWARD_TSN and (end - at < 4 or (end - at) % 4):
        raise ValueError(f"a FORWARD TSN of {end - at} bytes")
    if (header := HEADERS.get(kind)) is not None:
        _check_parameters(kind, list(parameters(packet, at + header, end)))


def parameters(packet: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """The type and size of each parameter's value between two offsets.

    Raises ValueError when a length is less than its own header's or reaches beyond the end.
    """
    if at > end:
        raise ValueError("a chunk without its fixed fields")
    while at < end:
        if end - at < PARAMETER.size:
            raise ValueError(f"{end - at} bytes after the last parameter")
        kind, length = PARAMETER.unpack_from(packet, at)
        if length < PARAMETER.size or at + length > end:
            raise ValueError(f"a parameter of {length} bytes")
        yield kind, length - PARAMETER.size
        at += (length + 3) & ~3


def _check_parameters(chunk: int, found: list[tuple[int, int]]) -> None:
    if len(found) > MOST_PARAMETERS.get(chunk, len(found)):
        raise ValueError(f"{len(found)} parameters in a chunk of type {chunk}")
    if chunk != RECONFIG:
        return
    for kind, size in found:
        if size < RECONFIG_SIZES.get(kind, 0) or (kind == RESET_OUT and size % 2):
            raise ValueError(f"a parameter of type {kind} with {size} bytes")
