"""Which packets are missing, and when to ask for them."""

from __future__ import annotations

from dataclasses import dataclass

RETRY = 0.08
"Seconds between two requests for one packet: the round trip is not known to a receiver."

WIDEST_GAP = 300
"Packets; beyond, nothing is asked for: the path was dead, and what was sent meanwhile is old."

MOST_MISSING = 1000
"Packets, all gaps together, as in libwebrtc; beyond, a keyframe is sooner there than what was lost."


@dataclass
class _Missing:
    since: float
    asked: float | None = None


class NackList:
    """The holes of one stream, by unwrapped sequence number."""

    def __init__(self, give_up: float) -> None:
        self._give_up = give_up
        self._missing: dict[int, _Missing] = {}

    def gap(self, first: int, last: int, now: float) -> bool:
        """Notes that `first` to `last` are missing; False when they are too many to ask for."""
        if last - first >= WIDEST_GAP or len(self._missing) + last - first >= MOST_MISSING:
            self._missing.clear()
            return False
        for sequence in range(first, last + 1):
            self._missing[sequence] = _Missing(now)
        return True

    def arrived(self, sequence: int) -> None:
        self._missing.pop(sequence, None)

    def forget_before(self, sequence: int) -> None:
        """What lies before `sequence` is of no use any more."""
        self._missing = {number: missing for number, missing in self._missing.items() if number >= sequence}

    def clear(self) -> None:
        self._missing.clear()

    def due(self, now: float) -> list[int]:
        """What to ask for now, ascending."""
        due = []
        for sequence, missing in self._missing.items():
            if missing.asked is None or now - missing.asked >= RETRY:
                missing.asked = now
                due.append(sequence)
        return sorted(due)

    def expire(self, now: float) -> int | None:
        """Gives up what has been missing for too long; the highest of it."""
        expired = [number for number, missing in self._missing.items() if now - missing.since >= self._give_up]
        for sequence in expired:
            del self._missing[sequence]
        return max(expired) if expired else None
