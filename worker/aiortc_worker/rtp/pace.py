"""How the sound that is given out keeps up with time."""

from __future__ import annotations

from typing import Final

SETTLING: Final = 1.0
"Seconds in which the fastest packet shows when the others should come; then it is looked at so often."
TOLERATED: Final = 0.04
"Seconds that sound may be early or late before it is stretched."
REACHED: Final = 0.005
"Seconds to which it is brought back."
ENOUGH: Final = 10
"Packets of which the fastest tells something."
CALM: Final = 5.0
"Seconds after sound ran out for which it is not hurried: it would soon run out again."


class Pace:
    """Tells when a listener who began with the sound, and waits `patience` seconds, would have run out of it.

    Also by how much sound comes early or late for good, since clocks differ and paths change. All in seconds.
    """

    def __init__(self) -> None:
        self._begun: float | None = None
        "The time of a clock for which the sound that came fastest is neither early nor late."
        self._settled_at = 0.0
        self._given = 0.0
        self._early: float | None = None
        "Of the fastest since it was last looked at."
        self._packets = 0
        "Since then."
        self._looked_at = 0.0
        self._calm_at = 0.0
        self.wished = 0.0
        "What should be put into the sound; cut from it when negative."

    def behind(self, now: float, patience: float) -> float:
        """How much is missing for a listener with `patience`; not positive while there is enough."""
        return now - (self._begun + self._given) - patience if self._begun is not None else 0.0

    def filled(self, seconds: float, now: float) -> None:
        """So much was made up, since nothing had come."""
        self._given += seconds
        self._calm_at = now + CALM

    def stretched(self, seconds: float) -> None:
        """So much of what was wished was done."""
        self.wished -= seconds
        if self._early is not None:
            self._early += seconds

    def came(self, seconds: float, now: float) -> None:
        """So much was given out for packets that came at `now`, stretching included."""
        self._given += seconds
        begun = now - self._given
        if self._begun is None:
            self._begun = begun
            self._settled_at = now + SETTLING
            self._looked_at = self._settled_at + SETTLING
        if now < self._settled_at:
            self._begun = min(self._begun, begun)
            return
        early = self._begun - begun
        self._early = early if self._early is None else max(early, self._early)
        self._packets += 1
        if now >= self._looked_at and self._packets >= ENOUGH:
            self._look(self._early, now)

    def _look(self, early: float, now: float) -> None:
        self._looked_at = now + SETTLING
        self._early = None
        self._packets = 0
        if abs(early) < REACHED or (early > 0 and now < self._calm_at):
            self.wished = 0.0
        elif abs(early) > TOLERATED:
            self.wished = -early
