"""A code burnt into pictures that survives VP8 and H264 at a low bitrate, scaling and cropping of a few pixels.

The upper six tenths of the picture are 8 columns and 6 rows of cells, black for 0 and white for 1, row by row:

    rows 1, 2: `code`, 16 bits, most significant first
    rows 3, 4: `counter`, 16 bits: the number of the frame, modulo 65536
    rows 5, 6: CRC-16/CCITT-FALSE of the four bytes before

Neither an all-black nor an all-white picture is valid, whatever the code. `demo/verify/pictureCode.ts` reads it too.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

COLUMNS: Final = 8
ROWS: Final = 6
BAND: Final = 0.6
"The part of the picture's height that the cells take, from its top."
BLACK: Final = 16
WHITE: Final = 235
CLEAR: Final = 40
"How far from mid-grey the mean of a cell must be to be read."

Luma = NDArray[np.uint8]
Bits = NDArray[Any]


class PictureCode(NamedTuple):
    code: int
    counter: int


def encode(code: int, counter: int) -> Bits:
    """The cells, ROWS by COLUMNS, of 0 and 1."""
    payload = (code & 0xFFFF).to_bytes(2, "big") + (counter & 0xFFFF).to_bytes(2, "big")
    checked = payload + _crc(payload).to_bytes(2, "big")
    return np.unpackbits(np.frombuffer(checked, np.uint8)).reshape(ROWS, COLUMNS)


def decode(luma: Luma) -> PictureCode | None:
    """Reads the code of a picture's Y plane, `height` by `width`; None when there is none, or it is not clear."""
    means = _cell_means(luma)
    middle = (BLACK + WHITE) / 2
    if np.abs(means - middle).min() < CLEAR:
        return None
    checked = np.packbits(means > middle).tobytes()
    if _crc(checked[:4]) != int.from_bytes(checked[4:], "big"):
        return None
    return PictureCode(int.from_bytes(checked[:2], "big"), int.from_bytes(checked[2:4], "big"))


def cell_edges(width: int, height: int) -> tuple[list[int], list[int]]:
    """Where columns and rows begin, in pixels; each with one more entry for where the last one ends."""
    columns = [width * i // COLUMNS for i in range(COLUMNS + 1)]
    return columns, [round(height * BAND * i / ROWS) for i in range(ROWS + 1)]


def _cell_means(luma: Luma) -> NDArray[np.float64]:
    """Means of the inner half of each cell: its edges are where codecs and scalers blur."""
    height, width = luma.shape
    columns, rows = cell_edges(width, height)
    means = [
        [_inner(luma, rows[row], rows[row + 1], columns[column], columns[column + 1]) for column in range(COLUMNS)]
        for row in range(ROWS)
    ]
    return np.array(means)


def _inner(luma: Luma, top: int, bottom: int, left: int, right: int) -> float:
    y, x = (bottom - top) // 4, (right - left) // 4
    return float(luma[top + y : max(bottom - y, top + y + 1), left + x : max(right - x, left + x + 1)].mean())


def _crc(payload: bytes) -> int:
    return binascii.crc_hqx(payload, 0xFFFF)
