"""Compound RTCP packets, part by part: what is malformed is dropped alone, and what nobody uses is not read.

@see https://www.rfc-editor.org/rfc/rfc3550#section-6.1
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from aiortc.rtp import RTCP_BYE, RTCP_PSFB, RTCP_RR, RTCP_RTPFB, RTCP_SR, AnyRtcpPacket, RtcpPacket

from . import transport_cc

HEADER_SIZE: Final = 4
USED: Final = frozenset({RTCP_SR, RTCP_RR, RTCP_BYE, RTCP_RTPFB, RTCP_PSFB})
REMB: Final = b"REMB"
LARGEST_BITRATE: Final = 2**48
"Bits per second: more than any path, and few enough digits for JSON. A REMB can say 2**81."


class RtcpPart(NamedTuple):
    """One packet of a compound."""

    kind: int
    format: int
    "Of feedback; of the others how many reports or sources there are."
    data: bytes
    "With its header."

    @property
    def is_transport_cc(self) -> bool:
        """Whether it is transport-wide feedback, which aiortc would take for a NACK."""
        return self.kind == RTCP_RTPFB and self.format == transport_cc.FORMAT


def parts_of(data: bytes) -> Iterator[RtcpPart]:
    """The packets of a compound that somebody uses. Raises ValueError where a length is impossible."""
    at, end = 0, len(data)
    while at < end:
        if end - at < HEADER_SIZE:
            raise ValueError(f"{end - at} bytes behind the last RTCP packet")
        following = at + HEADER_SIZE + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] >> 6 != 2 or following > end:
            raise ValueError(f"{end - at} bytes that are no RTCP packet")
        if data[at + 1] in USED:
            yield RtcpPart(data[at + 1], data[at] & 0x1F, data[at:following])
        at = following


def parse_part(part: RtcpPart) -> AnyRtcpPacket:
    """A packet that is no transport-wide feedback. Raises ValueError when it is malformed."""
    (packet,) = RtcpPacket.parse(part.data)
    return packet


def remb_bitrate(fci: bytes) -> int | None:
    """Bits per second in application-layer feedback; None when it is no REMB (draft-alvestrand-rmcat-remb-03, 2.2).

    Raises ValueError when it is cut short.
    """
    if fci[:4] != REMB:
        return None
    if len(fci) < 8 or len(fci) < 8 + 4 * fci[4]:
        raise ValueError(f"a REMB of {len(fci)} bytes")
    mantissa = int.from_bytes(fci[5:8], "big") & 0x3FFFF
    return min(LARGEST_BITRATE, mantissa << (fci[5] >> 2))
