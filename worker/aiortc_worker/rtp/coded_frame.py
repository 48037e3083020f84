"""An encoded frame, and what its first packet says of it."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc.codecs.vpx import VpxPayloadDescriptor

NAL_IDR, NAL_SPS, NAL_STAP_A, NAL_FU_A = 5, 7, 24, 28


@dataclass(frozen=True)
class CodedFrame:
    """All payloads of a timestamp, joined."""

    timestamp: int
    "32 bits, as in the packets."
    payload_type: int
    data: bytes
    keyframe: bool
    packets: int = 1
    after_loss: bool = False
    "Whether packets before it never came; else what its timestamp leaves out was not sent."


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
        kind = payload[1] & 0x1F if payload[1] & 0x80 else 0
    return kind in (NAL_SPS, NAL_IDR)
