"""NTP time, as RTCP and the header extensions write it."""

from __future__ import annotations

import time

NTP_OFFSET = 2_208_988_800
"Seconds from the NTP epoch, 1900, to the Unix epoch."


def ntp(at: float | None = None) -> int:
    """`at` (Unix seconds, now when None) as a 64-bit NTP timestamp (RFC 3550, section 4)."""
    seconds = (time.time() if at is None else at) + NTP_OFFSET
    return int(seconds * (1 << 32))


def ntp_middle(at: float | None = None) -> int:
    """The middle 32 bits: units of 1/65536 s, as LSR and DLSR count."""
    return ntp(at) >> 16 & 0xFFFFFFFF


def abs_send_time() -> int:
    """24 bits, units of 2^-18 s (http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time)."""
    return ntp() >> 14 & 0xFFFFFF


def unix_ms(ntp_timestamp: int) -> float:
    """Milliseconds since the Unix epoch of a 64-bit NTP timestamp."""
    return (ntp_timestamp / (1 << 32) - NTP_OFFSET) * 1000
