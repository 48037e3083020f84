"""Payloads of video packets to what a decoder takes, in time in proportion to their bytes.

aiortc adds up the units of an H264 aggregate, so that one packet of 32,000 empty ones copies a gigabyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiortc.codecs.vpx import VpxPayloadDescriptor

START_CODE: Final = b"\0\0\0\1"
NAL_IDR, NAL_SPS, NAL_STAP_A, NAL_FU_A = 5, 7, 24, 28
FIRST_FRAGMENT: Final = 0x80
VP8_KEYFRAME_HEADER: Final = 10
"Bytes: tag, start code, width and height."
VP8_SIDES: Final = 1 << 14
"Width and height have 14 bits each; two more tell of scaling."


def depayload(codec: str, payload: bytes) -> bytes:
    """The part of a frame of `codec`, `vp8` or `h264`, in a payload. Raises ValueError when it is malformed."""
    if codec == "vp8":
        return VpxPayloadDescriptor.parse(payload)[1]
    return b"".join(_h264_units(payload))


def _h264_units(payload: bytes) -> Iterator[bytes]:
    """NAL units with their start codes, or the continuation of one (RFC 6184, section 5.2)."""
    if len(payload) < 2:
        raise ValueError(f"an H264 payload of {len(payload)} bytes")
    kind = payload[0] & 0x1F
    if 0 < kind < NAL_STAP_A:
        yield START_CODE
        yield payload
    elif kind == NAL_STAP_A:
        yield from _aggregated(payload)
    elif kind == NAL_FU_A:
        if payload[1] & FIRST_FRAGMENT:
            yield START_CODE
            yield bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
        yield payload[2:]
    else:
        raise ValueError(f"an H264 payload of type {kind}")


def _aggregated(payload: bytes) -> Iterator[bytes]:
    at, end = 1, len(payload)
    while at < end:
        size = int.from_bytes(payload[at : at + 2], "big")
        at += 2
        if at + size > end:
            raise ValueError("an H264 aggregate that is cut short")
        if size:
            yield START_CODE
            yield payload[at : at + size]
        at += size


def vp8_pixels(frame: bytes) -> int:
    """How many pixels a VP8 frame makes its decoder allocate: 0 unless it is a keyframe (RFC 6386, section 9.1)."""
    if len(frame) < VP8_KEYFRAME_HEADER or frame[0] & 1:
        return 0
    return int.from_bytes(frame[6:8], "little") % VP8_SIDES * (int.from_bytes(frame[8:10], "little") % VP8_SIDES)


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether a decoder of `codec` can begin with the frame whose first payload this is."""
    return _vp8_starts(payload) if codec == "vp8" else _h264_starts(payload)


def _vp8_starts(payload: bytes) -> bool:
    """RFC 7741: the start of partition 0, and the inverse key frame flag of the VP8 header is clear."""
    try:
        descriptor, data = VpxPayloadDescriptor.parse(payload)
    except ValueError:
        return False
    return bool(descriptor.partition_start and descriptor.partition_id == 0 and data and not data[0] & 1)


def _h264_starts(payload: bytes) -> bool:
    """RFC 6184: parameter sets or an IDR slice, alone, first of an aggregate, or at the start of fragments."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == NAL_STAP_A and len(payload) > 3:
        kind = payload[3] & 0x1F
    elif kind == NAL_FU_A:
        kind = payload[1] & 0x1F if payload[1] & FIRST_FRAGMENT else 0
    return kind in (NAL_SPS, NAL_IDR)
