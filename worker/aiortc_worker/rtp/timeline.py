"""RTP timestamps that go on whatever happens to what they stamp."""

from __future__ import annotations

LEAP = 1.0
"Seconds that a source may run ahead of the clock before it counts as another one."


class Timeline:
    """Maps the positions of one source after another to timestamps that only grow.

    Within a source, timestamps keep its exact distances. A new source, or one that jumps, goes on where time has got
    to since the last timestamp. Nothing here wraps: who writes a header takes 32 bits.
    """

    def __init__(self, clock_rate: int, origin: int = 0) -> None:
        self.clock_rate = clock_rate
        self._offset = 0
        self._epoch: object = None
        self._position = 0
        self._last = origin
        self._at: float | None = None

    @property
    def started(self) -> bool:
        return self._at is not None

    def map(self, epoch: object, position: int, now: float, step: int = 1) -> int:
        """The timestamp of what lies at `position` (units of the clock rate) of the source `epoch`, seen at `now`.

        It is at least `step` more than the one before: what a packet of sound lasts.
        """
        if epoch != self._epoch or not self._follows(position, now, step):
            self._offset = self._resume(now, step) - position
        self._epoch = epoch
        self._position = position
        self._last = position + self._offset
        self._at = now
        return self._last

    def at(self, now: float) -> int:
        """The timestamp that belongs to `now`, for a sender report."""
        return self._last if self._at is None else self._last + round((now - self._at) * self.clock_rate)

    def change_clock(self, clock_rate: int) -> None:
        """Goes on at another clock rate, after a codec change."""
        if clock_rate != self.clock_rate:
            self.clock_rate = clock_rate
            self._epoch = None

    def _follows(self, position: int, now: float, step: int) -> bool:
        if self._at is None:
            return False
        ahead = position - self._position
        return step <= ahead <= (now - self._at + LEAP) * self.clock_rate

    def _resume(self, now: float, step: int) -> int:
        if self._at is None:
            return self._last
        return self._last + max(step, round((now - self._at) * self.clock_rate))
