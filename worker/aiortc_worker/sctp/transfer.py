"""An association once both ends know of each other: acknowledgements, data and stream resets, both ways.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6
"""

from __future__ import annotations

from collections.abc import Callable

from .bundle import Bundle
from .chunks import SACK, ForwardTsn, Reconfig, Sack
from .congestion import BASE, BURST, FASTEST, LEAST_FLIGHT, Congestion
from .cookie import Agreement
from .events import Event
from .handshake import INTERLEAVING, PADDING
from .inbound import DELAY, Inbound
from .outbound import Outbound
from .path_probing import BLACK_HOLE
from .recovery import MAX_RETRANS, Recovery
from .resets import Resets


class Transfer:
    """What an association moves. A peer that begins anew gets another."""

    def __init__(self, events: list[Event], agreed: Agreement, bundle: Bundle) -> None:
        interleaved = bool(agreed.extensions & INTERLEAVING)
        self.inbound = Inbound(events, agreed.peer_tsn, interleaved)
        self.outbound = Outbound(agreed.local_tsn, interleaved)
        self.recovery = Recovery(self.outbound)
        self.congestion = Congestion()
        self.resets = Resets(events, self.inbound, self.outbound, agreed.local_tsn, agreed.peer_tsn)
        self.peer_window = agreed.peer_window
        "Bytes that the peer takes."
        self.failure = ""
        "Why the association cannot go on; empty while it can."
        self.to_base = False
        "Whether long packets get lost on the path."
        self._bundle = bundle
        self._sacks: list[Sack] = []
        "Acknowledgements that were not acted on yet."
        self._timeouts = 0
        "In a row, with long packets."
        if agreed.extensions & PADDING:
            # Another of us, which is quick to acknowledge.
            self.recovery.ack_delay = 2 * DELAY

    # In

    def took_packet(self, now: float) -> None:
        """Ends a packet with data."""
        self.resets.progress()
        self.inbound.took_packet(now)
        if self.inbound.urgent:
            # Not once a batch: a sender may take a chunk for lost when three acknowledgements miss it.
            self._acknowledge()

    def take_sack(self, chunk: Sack) -> None:
        """Keeps an acknowledgement for the end of the turn."""
        self._sacks.append(chunk)

    def take_forward_tsn(self, chunk: ForwardTsn) -> None:
        """Skips what the peer has given up."""
        if chunk.interleaved == self.outbound.interleaved:
            self.inbound.skip(chunk)
            self.resets.progress()

    def take_reconfig(self, chunk: Reconfig) -> None:
        """Resets streams as the peer asks, and answers."""
        answer = self.resets.take(chunk)
        if answer is not None:
            self._bundle.add_control(answer)

    # Out

    def flush(self, now: float, more: Callable[[], bool]) -> None:
        """Acts on acknowledgements, and fills packets; `more` is asked for a further message while there is room."""
        acked = self._take_sacks(now) if self._sacks else 0
        bundle, inbound, outbound = self._bundle, self.inbound, self.outbound
        if inbound.is_due:
            self._acknowledge()
        if self.resets.due:
            bundle.add_control(self.resets.request(now, self.recovery.round_trip.rto))
        sent = self._send_data(now, acked, more)
        if outbound.gave_up and outbound.advance():
            bundle.add_control(outbound.forward_tsn())
        if inbound.packets and bundle.room >= SACK.size and (bundle.data or bundle.control):
            self._acknowledge()  # There is room in a packet that goes anyway.
        self.recovery.arm(now, sent)

    def abandon(self, stream: int) -> None:
        """Gives up the message of a stream whose last part was not queued (RFC 3758, section 3.5)."""
        message = self.outbound.unfinished(stream)
        self.outbound.abandon(stream)
        if message is not None:
            for chunk in self.outbound.of(message):
                self.recovery.leave(chunk)

    def path_changed(self) -> None:
        """Another path: its round trips and its windows are others."""
        self._timeouts = 0
        self.to_base = False
        self.recovery.path_changed()
        self.congestion = Congestion()

    def unsent(self) -> None:
        """Forgets time-outs: nothing was sent that could have been answered."""
        self.recovery.errors = self.resets.errors = 0

    def _acknowledge(self) -> None:
        self._bundle.add_control(self.inbound.sack())

    def _take_sacks(self, now: float) -> int:
        """Acts on acknowledgements in their order; returns the bytes that they brought."""
        sacks, self._sacks = self._sacks, []
        recovery, congestion = self.recovery, self.congestion
        total = 0
        was_used_up = recovery.flight >= congestion.cwnd
        for sack in sacks:
            window = self.peer_window
            cumulative = self.outbound.cumulative
            if not recovery.take(sack, now):
                continue
            size = self._bundle.size
            self.peer_window = sack.window
            total += recovery.acked
            advanced = self.outbound.cumulative > cumulative
            if advanced:
                self._timeouts = 0
            if sack.window < size:
                recovery.errors = 0  # It answers, and takes nothing (section 6.1, A).
            self._answer_loss()
            if was_used_up and advanced and not recovery.recovering:
                congestion.acked(recovery.acked, size)
            if window < size <= sack.window and not advanced:
                recovery.send_again(now)
        self.outbound.gave_up = self.outbound.advance()
        return total

    def _answer_loss(self) -> None:
        if self.recovery.lost and self.recovery.begin_recovery():
            self.congestion.lost(self._bundle.size)

    def _send_data(self, now: float, acked: int, more: Callable[[], bool]) -> bool:
        """Sends what is lost, then what is new, within the windows; whether there was any."""
        recovery, outbound, bundle = self.recovery, self.outbound, self._bundle
        limit = self._flight_limit(acked)
        if recovery.probe_due:
            limit = max(limit, recovery.flight + 1)
        any_sent = False
        while recovery.flight < limit or recovery.must_resend:
            chunk = recovery.next_lost() if recovery.resend else None
            if chunk is None:
                if recovery.flight >= limit or not (outbound.waiting or more()):
                    break
                chunk = outbound.next_chunk()
                if chunk is None:
                    continue
            recovery.must_resend = False
            recovery.sent(chunk, now)
            bundle.add_data(outbound.encode(chunk))
            any_sent = True
        recovery.must_resend = False
        if recovery.probe_due:
            recovery.probe_due = False
            if not any_sent and (chunk := recovery.tail(now)) is not None:
                recovery.sent(chunk, now)
                bundle.add_data(outbound.encode(chunk))
                any_sent = True
        return any_sent

    def _flight_limit(self, acked: int) -> int:
        """Bytes that may be in flight now. One chunk may always go, to find out whether a closed window has opened."""
        recovery = self.recovery
        useful = max(LEAST_FLIGHT, int(FASTEST * recovery.round_trip.shortest), 4 * self._bundle.size)
        burst = recovery.flight + 2 * acked + max(BURST * BASE, 4 * self._bundle.size)
        return min(self.congestion.cwnd, max(1, self.peer_window), useful, burst)

    # Time

    @property
    def deadline(self) -> float:
        """When `timeout` is due."""
        return min(self.recovery.deadline(), self.inbound.deadline, self.resets.deadline)

    def timeout(self, now: float) -> None:
        """Acts on what is due."""
        recovery = self.recovery
        if self.inbound.deadline <= now:
            self.inbound.urgent = True
        if recovery.reordering_deadline <= now:
            recovery.lost = False
            recovery.find_lost(now)
            self._answer_loss()
        if recovery.probe_deadline <= now:
            recovery.probe()
        if recovery.t3 <= now:
            self._t3_expired(now)
        if self.resets.deadline <= now:
            self.resets.timed_out()
            if self.resets.errors > MAX_RETRANS:
                self.failure = "the peer does not answer a stream reset"

    def _t3_expired(self, now: float) -> None:
        recovery = self.recovery
        if recovery.errors >= MAX_RETRANS:
            self.failure = "the peer is unreachable"
            return
        # A closed window keeps nothing: what is sent into it is a probe, and no path is to blame (section 6.1, A).
        if self.peer_window >= self._bundle.size:
            self._note_timeout()
            self.congestion.timed_out(self._bundle.size)
        recovery.timed_out(now)
        self.outbound.gave_up = self.outbound.advance()

    def _note_timeout(self) -> None:
        if self._bundle.size > BASE:
            self._timeouts += 1
            self.to_base = self._timeouts >= BLACK_HOLE
