"""What is acknowledged, what is lost, and when to find out.

A chunk is lost when one that was sent after it has arrived, and a round trip and some have passed since it was sent
(RACK); what nothing was sent after is found by a probe (TLP); T3 is for the rest. What was sent is looked through in
the order of time, each chunk once: no acknowledgement costs more for what is in flight.

@see https://www.rfc-editor.org/rfc/rfc8985
@see https://www.rfc-editor.org/rfc/rfc9260#section-6.3.3
"""

from __future__ import annotations

import heapq
from collections import deque
from math import inf
from typing import Final

from .chunks import Sack
from .intervals import Intervals
from .numbers import unwrap
from .outbound import Outbound, OutboundChunk
from .round_trip import RoundTrip

MAX_RETRANS: Final = 10
"Time-outs in a row after which the peer is unreachable (Association.Max.Retrans, section 16)."
REORDERED: Final = 3
"Packets that must have overtaken a chunk before it is taken for lost at once (DupThresh of RFC 8985, section 6.2)."
MOST_PATIENCE: Final = 16
"Quarters of a round trip that may be waited for what was overtaken."
ACK_DELAY: Final = 0.2
"Seconds for which a peer may keep an acknowledgement: usrsctp and dcSCTP have so many."
ROUNDING: Final = 1e-6
"Seconds by which sums of times may differ."


class Recovery:
    """The state of what is in flight."""

    def __init__(self, outbound: Outbound) -> None:
        self.flight = 0
        "Bytes."
        self.round_trip = RoundTrip()
        self.errors = 0
        "Time-outs in a row."
        self.ack_delay = ACK_DELAY
        self.t3 = inf
        self.reordering_deadline = inf
        "When what was overtaken is lost."
        self.probe_deadline = inf
        "When the tail is probed."
        self.probe_due = False
        self.must_resend = False
        "Whether a packet goes again whatever the window (section 7.2.4, 3)."
        self.resent_first = False
        "Whether the earliest chunk was sent again, so that T3 begins anew."
        self.acked = 0
        "Bytes that the latest acknowledgement brought."
        self.advanced = False
        "Whether it moved the cumulative TSN."
        self.lost = False
        "Whether something sent before is now known to be lost."
        self._outbound = outbound
        self._blocks = Intervals()
        "What has arrived beyond the cumulative TSN."
        self._blocked = 0
        "Bytes of it."
        self._sent: deque[tuple[float, OutboundChunk]] = deque()
        "In the order of time; what was sent again since, or is acknowledged, is void."
        self.resend: list[int] = []
        "A heap of TSNs that are lost."
        self._newest = (-1.0, -1)
        "When the latest of what has arrived was sent, and its TSN."
        self._delay = 0.0
        "Seconds that it took."
        self._highest = -1
        "TSN that has arrived."
        self._reordered = False
        self._patience = 1
        self._exit = -1
        "TSN whose acknowledgement ends fast recovery."
        self._probed = -1
        "TSN that was sent again as a probe of the tail."
        self._probed_at = 0.0

    # Sending

    def sent(self, chunk: OutboundChunk, now: float) -> None:
        """Notes that a chunk leaves."""
        chunk.sends += 1
        chunk.sent_at = now
        chunk.in_flight = True
        self.flight += chunk.size
        self._sent.append((now, chunk))

    def next_lost(self) -> OutboundChunk | None:
        """The earliest chunk to be sent again."""
        outstanding = self._outbound.outstanding
        while self.resend:
            chunk = outstanding.get(heapq.heappop(self.resend))
            if chunk is not None and not chunk.acked and not chunk.in_flight and not chunk.is_abandoned:
                self.resent_first = self.resent_first or chunk.tsn == self._outbound.cumulative + 1
                return chunk
        return None

    def put_back(self, chunk: OutboundChunk) -> None:
        """Keeps a chunk of `next_lost` for later: there is no room."""
        heapq.heappush(self.resend, chunk.tsn)

    def tail(self, now: float) -> OutboundChunk | None:
        """The chunk that was sent last, to be sent again as a probe (RFC 8985, section 7.3)."""
        for chunk in reversed(self._outbound.outstanding.values()):
            if chunk.in_flight:
                self.flight -= chunk.size
                self._probed = chunk.tsn
                self._probed_at = now
                return chunk
            if chunk.acked:
                return None
        return None

    @property
    def recovering(self) -> bool:
        """Whether fast recovery goes on (section 7.2.4)."""
        return self._exit > self._outbound.cumulative

    def arm(self, now: float, sent: bool) -> None:
        """Sets the timers at the end of a turn, in which something was `sent` or not."""
        if not self._outbound.outstanding:
            self.t3 = self.probe_deadline = inf
            return
        if self.t3 == inf or self.advanced or self.resent_first:
            self.t3 = now + self.round_trip.rto
        if sent or self.advanced:
            self.probe_deadline = self._probe_time(now)
        self.advanced = self.resent_first = False

    def _probe_time(self, now: float) -> float:
        smoothed = self.round_trip.smoothed
        if smoothed is None or self._probed >= 0 or self.errors or self.resend or self.recovering:
            return inf
        due = now + 2 * smoothed + self.ack_delay
        return due if due < self.t3 else inf

    # Acknowledgements

    def take(self, sack: Sack, now: float) -> bool:
        """Acts on an acknowledgement; `acked`, `advanced` and `lost` say what it brought. False when it is void."""
        outbound = self._outbound
        cumulative = unwrap(sack.tsn, outbound.cumulative)
        self.acked = 0
        self.lost = False
        if cumulative < outbound.cumulative or cumulative >= outbound.next_tsn:
            return False  # Older than one that we had, or of what was never sent.
        newest: OutboundChunk | None = None
        if cumulative > outbound.cumulative:
            newest = self._take_off(cumulative)
        if sack.gaps:
            newest = self._look_at_gaps(cumulative, sack.gaps, newest)
        if newest is not None:
            self.errors = 0
            self._arrived(newest, now)
        if 0 <= self._probed <= cumulative:
            self._probe_arrived(sack, now)
        if sack.duplicates and self._reordered:
            self._patience = min(self._patience + 1, MOST_PATIENCE)
        if self._sent:
            self.find_lost(now)
        return True

    def _take_off(self, cumulative: int) -> OutboundChunk | None:
        """Forgets what is acknowledged for good; returns what of it was news and sent last."""
        outbound = self._outbound
        pop = outbound.outstanding.pop
        newest: OutboundChunk | None = None
        acked = 0
        highest = self._highest
        for tsn in range(outbound.cumulative + 1, cumulative + 1):
            chunk = pop(tsn)
            if chunk.acked:
                self._blocked -= chunk.size
                continue
            chunk.acked = True
            acked += chunk.size
            if chunk.in_flight:
                chunk.in_flight = False
                self.flight -= chunk.size
            if chunk.sends and (newest is None or chunk.sent_at >= newest.sent_at):
                newest = chunk
            if tsn < highest and chunk.sends == 1:
                self._reordered = True
        outbound.cumulative = cumulative
        self.acked = acked
        self.advanced = True
        if self._blocks.starts:
            self._blocks.cut(cumulative)
        return newest

    def _look_at_gaps(
        self, cumulative: int, gaps: list[tuple[int, int]], newest: OutboundChunk | None
    ) -> OutboundChunk | None:
        """Marks what has arrived out of order, and is news; returns what was sent last of all that is."""
        outstanding = self._outbound.outstanding
        last = self._outbound.next_tsn - 1
        for start, end in gaps:
            if not 1 < start <= end or cumulative + end > last:
                continue  # No such block can be.
            for first, behind in self._blocks.add(cumulative + start, cumulative + end):
                for tsn in range(first, behind + 1):
                    chunk = outstanding[tsn]
                    chunk.acked = True
                    self.acked += chunk.size
                    self._blocked += chunk.size
                    if chunk.in_flight:
                        chunk.in_flight = False
                        self.flight -= chunk.size
                    if chunk.sends and (newest is None or chunk.sent_at >= newest.sent_at):
                        newest = chunk
                    if tsn < self._highest and chunk.sends == 1:
                        self._reordered = True
        if self._blocks.ends:
            self._highest = max(self._highest, self._blocks.ends[-1])
        return newest

    def _arrived(self, chunk: OutboundChunk, now: float) -> None:
        """Takes the round trip, and what was sent last of all that has arrived (RFC 8985, section 6.2, step 2)."""
        seconds = now - chunk.sent_at
        if chunk.sends == 1:
            self.round_trip.measured(seconds)
        elif seconds < self.round_trip.shortest:
            return  # Of which transmission nobody knows.
        self._delay = seconds
        self._newest = max(self._newest, (chunk.sent_at, chunk.tsn))

    def find_lost(self, now: float) -> None:
        """Looks for what was overtaken and is late (RFC 8985, section 6.2, step 5)."""
        sent, newest = self._sent, self._newest
        patience = self._delay + self._reordering_window()
        self.reordering_deadline = inf
        while sent:
            at, chunk = sent[0]
            if chunk.in_flight and chunk.sent_at == at:
                if (at, chunk.tsn) > newest:
                    return
                if at + patience > now + ROUNDING:
                    self.reordering_deadline = at + patience
                    return
                self._lose(chunk, now)
                self.lost = True
            sent.popleft()

    def _reordering_window(self) -> float:
        """Seconds to wait for what was overtaken (RFC 8985, section 6.2, step 4)."""
        if not self._reordered and (self.recovering or self._blocked >= REORDERED * 1100):
            return 0.0
        return min(self._patience * self.round_trip.shortest / 4, self.round_trip.smoothed or 0.0)

    def _lose(self, chunk: OutboundChunk, now: float) -> None:
        chunk.in_flight = False
        self.flight -= chunk.size
        message = chunk.message
        if message is None or not message.is_over(chunk.sends, now):
            heapq.heappush(self.resend, chunk.tsn)
        elif not message.abandoned:
            self.abandoned(chunk)

    def abandoned(self, chunk: OutboundChunk) -> None:
        """Gives up the message of a chunk; what of it was queued and not sent is dropped when its turn comes."""
        message = chunk.message
        assert message is not None
        message.abandoned = self._outbound.gave_up = True
        for each in self._outbound.of(message):
            self.leave(each)

    def leave(self, chunk: OutboundChunk) -> None:
        """Takes a chunk that was given up out of flight."""
        if chunk.in_flight:
            chunk.in_flight = False
            self.flight -= chunk.size

    def begin_recovery(self) -> bool:
        """Begins fast recovery unless it goes on already; then the window is to be halved."""
        if self.recovering:
            return False
        self._exit = self._outbound.next_tsn - 1
        self.must_resend = True
        return True

    def _probe_arrived(self, sack: Sack, now: float) -> None:
        """The tail is acknowledged; a probe that repaired a loss counts as one (RFC 8985, section 7.4.2)."""
        was_late = now - self._probed_at < self.round_trip.shortest
        if not was_late and (self._probed & 0xFFFFFFFF) not in sack.duplicates:
            self.lost = True
        self._probed = -1

    # Time

    def deadline(self) -> float:
        """When `timed_out`, `find_lost` or the probe is due."""
        return min(self.t3, self.reordering_deadline, self.probe_deadline)

    def probe(self) -> None:
        """The tail was not acknowledged in time: the next turn sends a packet whatever the window."""
        self.probe_deadline = inf
        self.probe_due = True

    def timed_out(self, now: float) -> None:
        """T3 has expired: all that is not acknowledged for good goes again (section 6.3.3).

        What was acknowledged in gap blocks may have been thrown away (section 6.2), so it counts as lost until the
        peer says again that it has it.
        """
        self.errors += 1
        self.round_trip.back_off()
        self.t3 = self.probe_deadline = self.reordering_deadline = inf
        self._exit = self._probed = -1
        self._highest = -1
        self._newest = (-1.0, -1)
        self._blocks.clear()
        self._blocked = 0
        self._sent.clear()
        self.resend.clear()
        for chunk in self._outbound.outstanding.values():
            chunk.acked = False
            if chunk.in_flight:
                chunk.in_flight = False
                self.flight -= chunk.size
            message = chunk.message
            if message is None or not message.is_over(chunk.sends, now):
                self.resend.append(chunk.tsn)
            elif not message.abandoned:
                self.abandoned(chunk)

    def path_changed(self) -> None:
        """Another path: its round trips are others."""
        self.round_trip = RoundTrip()
        self.errors = 0
        self._reordered = False
        self._patience = 1
        self._delay = 0.0

    def send_again(self, now: float) -> None:
        """A closed window has opened: what was sent into it was not kept, and T3 would be long in finding out."""
        wait = self.round_trip.smoothed or 0.0
        for chunk in self._outbound.outstanding.values():
            if chunk.in_flight and chunk.sent_at + wait <= now:
                self._lose(chunk, now)
