"""How much a transport may send, and which encoding gets how much of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from .delay import DelayEstimator
from .transport_cc import Arrival, unpack

START = 1_000_000
"Bits per second to start with unless the peer says otherwise."

TRIED = 1.25
"How much more is tried each second while nothing has been congested."

FLOOR = 100_000
"Bits per second below which no estimate falls."

HISTORY = 4096
"Packets sent that feedback may still speak of: some 10 s at 4 Mb/s."

LOSS_WINDOW = 1.0
"Seconds over which loss is taken."

ROOM = 1.2
"How much more than its minimum a suspended flow must be offered: each return costs a keyframe."

LOSS_TOLERATED = 0.10
LOSS_CLEAN = 0.02


@dataclass(eq=False)
class Flow:
    """An encoding's wish, and what the allocator gives it. Bits per second."""

    layer: int
    "The lowest is served first; audio is -1."
    minimum: int
    "Less than this is of no use: the flow gets 0 then, but the lowest layer, which always goes on."
    maximum: int
    active: bool = False
    granted: int = 0
    suspended: bool = False
    "Whether it was granted nothing last: it comes back only when there is room to stay."


class Bandwidth:
    """One estimate and one allocation for all that a transport sends.

    Delay comes from transport-wide feedback, as in draft-ietf-rmcat-gcc-02, section 5; loss as in its section 6.
    """

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.start = START
        "Bits per second until the first feedback tells more, and at least while nothing has been congested."
        self.limited = False
        "Whether the peer feeds back at all: without transport-cc and REMB every flow gets its maximum."
        self._delay = DelayEstimator()
        self._sent: OrderedDict[int, tuple[float, int]] = OrderedDict()
        self._next = 0
        self._remb: int | None = None
        self._by_delay: int | None = None
        self._by_loss: int | None = None
        self._congested = False
        self._untried: int | None = None
        self._tried_at = 0.0
        self._window = _LossWindow()

    @property
    def estimate(self) -> int | None:
        """Bits per second that the path is thought to carry; None when nothing is known of it."""
        known = [bitrate for bitrate in (self._by_delay, self._by_loss, self._remb) if bitrate is not None]
        return max(FLOOR, min(known)) if known else None

    def add(self, flow: Flow) -> None:
        """Counts `flow` in; again, when it has changed."""
        if flow not in self.flows:
            self.flows.append(flow)
        self.allocate()

    def remove(self, flow: Flow) -> None:
        if flow in self.flows:
            self.flows.remove(flow)
            self.allocate()

    def next_sequence(self, size: int, now: float) -> int:
        """The transport-wide sequence number of a packet of `size` bytes that leaves now."""
        sequence = self._next
        self._next = (sequence + 1) & 0xFFFF
        self._sent[sequence] = (now, size)
        if len(self._sent) > HISTORY:
            self._sent.popitem(last=False)
        return sequence

    def feedback(self, data: bytes, now: float) -> None:
        """Takes a transport-wide feedback message; one that cannot be parsed is ignored."""
        try:
            told = unpack(data)
        except ValueError:
            return
        for arrival in told.received:
            self._acknowledge(arrival, now)
        for missing in told.missing:
            self._window.lost.update(filter(self._sent.__contains__, missing))
        self._take_loss(now)
        self.allocate()

    def remb(self, bitrate: int) -> None:
        """Takes what the receiver thinks that the path carries (draft-alvestrand-rmcat-remb-03)."""
        self._remb = bitrate
        self.allocate()

    def allocate(self) -> None:
        """Shares the estimate: sound first, then the lowest layer of every sender, then the next."""
        active = [flow for flow in self.flows if flow.active]
        for flow in self.flows:
            flow.granted = 0
        if not self.limited:
            for flow in active:
                flow.granted = flow.maximum
            return
        left = self.estimate or self.start
        for layer in sorted({flow.layer for flow in active}):
            left -= _share(left, [flow for flow in active if flow.layer == layer], always=layer <= 0)

    def _acknowledge(self, arrival: Arrival, now: float) -> None:
        # Only the first word on a packet counts; feedback may repeat itself.
        sent = self._sent.pop(arrival.sequence, None)
        if sent is None:
            return
        self._window.lost.discard(arrival.sequence)
        at, size = sent
        self._window.received(size)
        estimate = self._delay.add(at, arrival.at, size)
        if estimate is None:
            return
        self._congested = self._congested or self._delay.overused
        # Until the path has shown a limit there is none to stay below: start as TCP does, not 8 % a second.
        self._by_delay = (
            estimate if self._congested else max(estimate, self._try(now), int(1.5 * self._delay.throughput))
        )

    def _try(self, now: float) -> int:
        """Grows towards what all flows wish: simple pictures use less than they may, and so never try the path for
        the layers above them."""
        wished = sum(flow.maximum for flow in self.flows if flow.active)
        elapsed = min(1.0, now - self._tried_at) if self._tried_at else 0.0
        self._tried_at = now
        self._untried = int(min(max(self.start, wished), (self._untried or self.start) * TRIED**elapsed))
        return self._untried

    def _take_loss(self, now: float) -> None:
        window = self._window
        elapsed = now - window.since
        if window.since and (elapsed < LOSS_WINDOW or window.count + len(window.lost) < 20):
            return
        if window.since:
            self._by_loss = self._loss_limit(window.fraction, int(window.size * 8 / elapsed))
        for sequence in window.lost:
            self._sent.pop(sequence, None)
        self._window = _LossWindow(since=now)

    def _loss_limit(self, fraction: float, received: int) -> int | None:
        if fraction > LOSS_TOLERATED:
            self._congested = True
            rate = min(self._by_loss or received, received)
            return max(FLOOR, int(rate * (1 - 0.5 * fraction)))
        if self._by_loss is None:
            return None
        if fraction > LOSS_CLEAN:
            return self._by_loss
        # Grown past what delay allows: loss limits no more.
        grown = int(self._by_loss * 1.08)
        return None if self._by_delay is not None and grown > self._by_delay else grown


class _LossWindow:
    """What feedback said within one window."""

    def __init__(self, since: float = 0.0) -> None:
        self.since = since
        self.count = 0
        self.size = 0
        self.lost: set[int] = set()

    def received(self, size: int) -> None:
        self.count += 1
        self.size += size

    @property
    def fraction(self) -> float:
        return len(self.lost) / max(1, self.count + len(self.lost))


def _share(left: int, flows: Iterable[Flow], always: bool) -> int:
    """Shares `left` among flows of one layer, each at most its maximum; what they took."""
    taken = 0
    waiting = sorted(flows, key=lambda flow: flow.maximum)
    while waiting:
        flow = waiting.pop(0)
        share = max(0, left - taken) // (len(waiting) + 1)
        granted = min(flow.maximum, share)
        if granted < min(flow.maximum, int(flow.minimum * (ROOM if flow.suspended else 1))):
            granted = flow.minimum if always else 0
        flow.granted = granted
        flow.suspended = granted == 0
        taken += granted
    return taken
