"""What statistics say of how well pictures are sent: how many a second, and what keeps them from being better."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

Limitation = Literal["none", "cpu", "bandwidth"]

SECOND: Final = 1.0
MOST: Final = 1000
"Frames a second that are told apart."
LOWERED: Final = 0.95
"The part of what an encoding could use below which it is limited by bandwidth."


class FrameRate:
    """Counts the frames of the last second."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=MOST)

    def count(self, now: float) -> None:
        self._at.append(now)

    def of(self, now: float) -> int:
        """Frames in the second before `now`."""
        while self._at and self._at[0] <= now - SECOND:
            self._at.popleft()
        return len(self._at)


class BusyShare:
    """The share of frames that found the encoders busy, of some twenty."""

    WEIGHT = 0.05
    MUCH = 0.1

    def __init__(self) -> None:
        self._share = 0.0

    def came(self, was_busy: bool) -> None:
        self._share += (was_busy - self._share) * self.WEIGHT

    @property
    def is_much(self) -> bool:
        """Whether so many are dropped that it is seen."""
        return self._share > self.MUCH


class QualityLimitation:
    """What limits an encoding, and for how long each has.

    @see https://www.w3.org/TR/webrtc-stats/#dom-rtcoutboundrtpstreamstats-qualitylimitationreason
    """

    def __init__(self) -> None:
        self.reason: Limitation = "none"
        self._seconds: dict[str, float] = {"none": 0.0, "cpu": 0.0, "bandwidth": 0.0, "other": 0.0}
        self._since: float | None = None

    def take(self, reason: Limitation, now: float) -> None:
        """Goes on with `reason`; the first call begins the count."""
        self._pass_to(now)
        self._since = now
        self.reason = reason

    def durations(self, now: float) -> dict[str, float]:
        """Seconds of each reason up to `now`."""
        self._pass_to(now)
        return dict(self._seconds)

    def _pass_to(self, now: float) -> None:
        if self._since is not None:
            self._seconds[self.reason] += now - self._since
            self._since = now


def limitation(granted: int, maximum: int, is_busy: bool) -> Limitation:
    """Of an encoding that is granted so much of what it could use, both in bits per second."""
    if is_busy:
        return "cpu"
    return "bandwidth" if granted < maximum * LOWERED else "none"
