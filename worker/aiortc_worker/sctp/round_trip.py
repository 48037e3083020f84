"""How long a round trip takes, and how long to wait for one.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.3.1
"""

from __future__ import annotations

from typing import Final

RTO_INITIAL: Final = 1.0
"Seconds (section 16)."
RTO_MIN: Final = 0.4
"Seconds. Above the 200 ms for which peers delay acknowledgements, with room for a round trip."
RTO_MAX: Final = 5.0
"Seconds. ICE's consent ends what stays dead; a path that comes back should not wait for the 60 s of section 16."
ALPHA: Final = 1 / 8
BETA: Final = 1 / 4


class RoundTrip:
    """What was measured on the path."""

    def __init__(self) -> None:
        self.rto = RTO_INITIAL
        self.smoothed: float | None = None
        "SRTT; None before there is one."
        self.shortest = RTO_INITIAL
        self._variation = 0.0

    def measured(self, seconds: float) -> None:
        """Takes a measurement of what was sent once (Karn)."""
        self.shortest = min(self.shortest, seconds)
        if self.smoothed is None:
            self.smoothed = seconds
            self._variation = seconds / 2
        else:
            self._variation += BETA * (abs(self.smoothed - seconds) - self._variation)
            self.smoothed += ALPHA * (seconds - self.smoothed)
        self.rto = min(max(self.smoothed + 4 * self._variation, RTO_MIN), RTO_MAX)

    def back_off(self) -> None:
        """Doubles the time-out (section 6.3.3, E2)."""
        self.rto = min(2 * self.rto, RTO_MAX)
