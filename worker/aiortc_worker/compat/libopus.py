"""The decoder of the libopus that PyAV is linked with: it conceals and repairs, and PyAV's decoder cannot be told to.

libavcodec hands every packet to opus_multistream_decode with decode_fec 0, and takes an empty packet for the end
(FFmpeg 8.0, libavcodec/libopusdec.c:158). So libopus's public functions are called by ctypes. They are found through
PyAV's extension module, since the loader looks a symbol up in all that a library depends on, wherever the wheel keeps
it. Windows looks in the library alone: there, and where libopus is older than 1.5, `is_available()` is False.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from typing import Final

import numpy as np
from av.audio import codeccontext
from numpy.typing import NDArray

LONGEST: Final = 0.12
"Seconds of sound in a packet at most (RFC 6716, section 3.2.5)."
STEP: Final = 400
"A second has so many of the steps in which the decoder makes sound without a packet."


@cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(codeccontext.__file__)
        pointer, integer = ctypes.c_void_p, ctypes.c_int
        library.opus_decoder_create.argtypes = [ctypes.c_int32, integer, ctypes.POINTER(integer)]
        library.opus_decoder_create.restype = pointer
        library.opus_decoder_destroy.argtypes = [pointer]
        library.opus_decoder_destroy.restype = None
        library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]
        library.opus_packet_has_lbrr.argtypes = [ctypes.c_char_p, ctypes.c_int32]
        library.opus_packet_get_samples_per_frame.argtypes = [ctypes.c_char_p, ctypes.c_int32]
    except (OSError, AttributeError):
        return None
    return library


def is_available() -> bool:
    """Whether there is a libopus to call."""
    return _library() is not None


class LibopusDecoder:
    """An OpusDecoder of libopus; samples come as rows of `channels` each."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        library = _library()
        if library is None:
            raise OSError("PyAV has no libopus that can be called")
        error = ctypes.c_int()
        self._library = library
        self._decoder = library.opus_decoder_create(sample_rate, channels, ctypes.byref(error))
        if not self._decoder:
            raise ValueError(f"libopus makes no decoder for {sample_rate} Hz, {channels} channels: {error.value}")
        weakref.finalize(self, library.opus_decoder_destroy, self._decoder)
        self._sample_rate = sample_rate
        self._buffer = np.empty((int(sample_rate * LONGEST), channels), np.int16)

    def decode(self, data: bytes) -> NDArray[np.int16]:
        """The sound of a packet. Raises ValueError when it is none."""
        return self._decode(data, len(self._buffer), repairs=False)

    def conceal(self, count: int) -> NDArray[np.int16]:
        """What may have followed: `count` samples, at most what a packet has."""
        return self._decode(None, self._whole_steps(count), repairs=False)[:count]

    def repair(self, data: bytes) -> NDArray[np.int16]:
        """The frame before `data`, from the coarse copy that `data` carries of it."""
        return self._decode(data, self._frame_length(data), repairs=True)

    def repairable(self, data: bytes) -> int:
        """How many samples before it `data` carries a copy of: those of a frame, or 0."""
        return self._frame_length(data) if self._library.opus_packet_has_lbrr(data, len(data)) == 1 else 0

    def _decode(self, data: bytes | None, count: int, repairs: bool) -> NDArray[np.int16]:
        size = len(data) if data is not None else 0
        made = self._library.opus_decode(self._decoder, data, size, self._buffer.ctypes.data, count, int(repairs))
        if made < 0:
            raise ValueError(f"libopus: error {made}")
        return self._buffer[:made].copy()

    def _frame_length(self, data: bytes) -> int:
        return int(self._library.opus_packet_get_samples_per_frame(data, self._sample_rate))

    def _whole_steps(self, count: int) -> int:
        step = self._sample_rate // STEP
        return min(len(self._buffer), -(-count // step) * step)
