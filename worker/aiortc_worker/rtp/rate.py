"""What bitrate an encoder is told: seldom another one, since another one costs a keyframe."""

from __future__ import annotations

RISE, RISE_AFTER = 1.25, 4.0
FALL, FALL_AFTER = 0.8, 1.0
"Factors from which on a change is worth its keyframe, and seconds that the last change must lie back."


class RateKeeper:
    """Follows a granted bitrate in steps of 20 to 25 %, quicker down than up."""

    def __init__(self) -> None:
        self.bitrate = 0
        "Bits per second; 0 before the first."
        self._changed = 0.0

    def take(self, granted: int, maximum: int, now: float) -> int:
        """The bitrate to encode at, `granted` by the allocation and never above `maximum`."""
        if self._worth(granted, maximum, now - self._changed):
            self.bitrate = granted
            self._changed = now
        return self.bitrate

    def _worth(self, granted: int, maximum: int, since: float) -> bool:
        if self.bitrate == 0 or self.bitrate > maximum:
            return True
        if granted < self.bitrate * FALL:
            return since >= FALL_AFTER
        reached = granted >= maximum and granted > self.bitrate
        return since >= RISE_AFTER and (reached or granted > self.bitrate * RISE)


def default_bitrate(width: int, height: int) -> int:
    """Bits per second that a picture without maxBitrate may take: 0.4 Mb/s at QVGA, 1.1 at VGA, 2.5 at 720p."""
    return max(100_000, int(2_500_000 * (width * height / (1280 * 720)) ** 0.75))
