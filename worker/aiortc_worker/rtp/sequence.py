"""Numbers that wrap, made to count on."""

from __future__ import annotations


class Unwrapper:
    """Maps a counter of `bits` bits to one that does not wrap, taking each value as the one nearest to the last."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        if self._last is None:
            # One lap up, so that a packet from before the first one stays positive.
            self._last = value + self._size
            return self._last
        delta = (value - self._last) % self._size
        if delta >= self._size // 2:
            delta -= self._size
        unwrapped = self._last + delta
        self._last = max(self._last, unwrapped)
        return unwrapped
