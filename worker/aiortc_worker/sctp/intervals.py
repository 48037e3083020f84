"""A set of numbers that lie mostly side by side."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class Intervals:
    """First and last numbers of what is in the set, in order; none touches the next.

    To add costs a binary search and the numbers' move in memory, however many there are.
    """

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, first: int, last: int) -> Sequence[tuple[int, int]]:
        """Adds numbers; returns those that are news, as intervals."""
        starts, ends = self.starts, self.ends
        at = bisect_left(ends, first - 1)
        behind = bisect_right(starts, last + 1)
        if at == behind:
            starts.insert(at, first)
            ends.insert(at, last)
            return ((first, last),)
        if behind - at == 1 and starts[at] <= first and last <= ends[at]:
            return ()
        news = []
        unknown = first
        for index in range(at, behind):
            if starts[index] > unknown:
                news.append((unknown, starts[index] - 1))
            unknown = max(unknown, ends[index] + 1)
        if unknown <= last:
            news.append((unknown, last))
        starts[at:behind] = [min(first, starts[at])]
        ends[at:behind] = [max(last, ends[behind - 1])]
        return news

    def cut(self, last: int) -> int:
        """Takes all up to a number out, and what follows it without a gap; returns the last one taken, or `last`."""
        starts, ends = self.starts, self.ends
        covered = bisect_right(starts, last + 1)
        if covered:
            last = max(last, ends[covered - 1])
            del starts[:covered], ends[:covered]
        return last

    def clear(self) -> None:
        """Takes all out."""
        self.starts.clear()
        self.ends.clear()
