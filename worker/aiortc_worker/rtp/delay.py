"""aiortc's delay-based estimator, made safe for clocks that jump and for silences."""

from __future__ import annotations

from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator

SILENCE = 2.0
"Seconds. aiortc's rate counter walks through every millisecond that passed, so that a long silence stalls the loop."


class DelayEstimator:
    """Estimates what a path carries from when packets left and when they came.

    `left` and `came` are seconds of two clocks that need not agree.
    """

    def __init__(self) -> None:
        self._made: RemoteBitrateEstimator | None = None
        self._last: tuple[float, float] | None = None
        self._overused = False

    @property
    def _estimator(self) -> RemoteBitrateEstimator:
        """Made on first use: it has a thousand objects, and most transports never carry media."""
        if self._made is None:
            self._made = RemoteBitrateEstimator()
        return self._made

    @property
    def overused(self) -> bool:
        """Whether the queue on the path was seen to grow since this was last asked."""
        overused, self._overused = self._overused, False
        return overused

    @property
    def throughput(self) -> int:
        """Bits per second that came within the last second."""
        if self._last is None:
            return 0
        return self._estimator.incoming_bitrate.rate(int(self._last[1] * 1000)) or 0

    def add(self, left: float, came: float, size: int) -> int | None:
        """Takes a packet of `size` bytes; gives a new estimate in bits per second when there is one."""
        if self._last is not None and self._jumped(left - self._last[0], came - self._last[1]):
            self._restart()
        self._last = (left, came) if self._last is None else (left, max(came, self._last[1]))
        update = self._estimator.add(
            arrival_time_ms=int(self._last[1] * 1000),
            abs_send_time=int(left * (1 << 18)) & 0xFFFFFF,
            payload_size=size,
            ssrc=0,
        )
        if self._estimator.detector.state() == BandwidthUsage.OVERUSING:
            self._overused = True
        return update[0] if update is not None else None

    def _jumped(self, sent: float, arrived: float) -> bool:
        return arrived > SILENCE or arrived < -SILENCE or abs(sent) > SILENCE

    def _restart(self) -> None:
        """Begins anew, but from the estimate that it had: a pause says nothing of the path."""
        control = self._estimator.rate_control
        self._made = None
        self._last = None
        if control.current_bitrate_initialized:
            self._estimator.rate_control.current_bitrate = control.current_bitrate
            self._estimator.rate_control.current_bitrate_initialized = True
