"""The retransmission timer and its time-out.

aiortc cancels and sets its timer on every acknowledgement; here a deadline moves and the timer looks at it when it
fires. aiortc's time-out has a minimum of 1 s, no back-off, and a first value of 3 s.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.3
"""

from __future__ import annotations

from ..compat.dtls import DtlsConnection
from .bundling import Bundling

RTO_INITIAL = 1.0
"Seconds (section 16); aiortc has RFC 4960's 3."
RTO_MIN = 0.4
"Seconds. Above the 200 ms for which peers delay acknowledgements, with room for a round trip."
RTO_MAX = 5.0
"Seconds. ICE's consent ends what stays dead; a path that comes back should not wait for the 60 s of section 16."


class Timers(Bundling):
    """T3, cheap."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self._rto = RTO_INITIAL
        self._t3_deadline: float | None = None
        "In the event loop's time."
        self.shortest_round_trip = RTO_INITIAL
        "Seconds; the least that was measured."

    def _update_rto(self, R: float) -> None:  # noqa: N803  # :1844
        super()._update_rto(R)
        self.shortest_round_trip = min(self.shortest_round_trip, R)
        assert self._srtt is not None
        assert self._rttvar is not None
        self._rto = max(RTO_MIN, min(self._srtt + 4 * self._rttvar, RTO_MAX))

    def _t3_start(self) -> None:  # :1715
        self._t3_restart()

    def _t3_restart(self) -> None:  # :1708
        deadline = self._t3_deadline = self._clock.time() + self._rto
        if self._t3_handle is not None and self._t3_handle.when() > deadline:
            # Set when the time-out was longer.
            self._t3_handle.cancel()
            self._t3_handle = None
        if self._t3_handle is None:
            self._t3_handle = self._clock.call_at(deadline, self._t3_due)

    def _t3_stop(self) -> None:
        """Nothing is outstanding; the timer finds that out when it fires."""
        self._t3_deadline = None

    def _t3_cancel(self) -> None:  # :1720
        self._t3_deadline = None
        super()._t3_cancel()

    def _t3_due(self) -> None:
        self._t3_handle = None
        if self._t3_deadline is None:
            return
        if self._t3_deadline > self._clock.time():
            self._t3_handle = self._clock.call_at(self._t3_deadline, self._t3_due)
            return
        self._t3_deadline = None
        self._rto = min(2 * self._rto, RTO_MAX)
        self._t3_expired()
