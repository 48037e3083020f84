"""An encoded frame."""

from __future__ import annotations

from dataclasses import dataclass


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
