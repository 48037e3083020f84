"""Acknowledgements in: what has arrived, what is lost, and how fast to go.

aiortc scans all that is in flight several times for an acknowledgement with gaps, sends a lost chunk again after every
third one until it is acknowledged, and takes a round trip from the oldest chunk, which waited longest for its
acknowledgement.

@see https://www.rfc-editor.org/rfc/rfc9260#section-7.2
"""

from __future__ import annotations

from collections.abc import Sequence

from aiortc.utils import uint32_gt, uint32_gte

from .chunk import TSNS, OutboundChunk
from .packet import Sack
from .sending import Sending

GROWTH = 4
"Packets that one acknowledgement may add to the congestion window: the L of section 7.2.1, as peers delay theirs."
MISSES = 3
"Reports of a chunk as missing after which it is lost."


class Congestion(Sending):
    """Acts on acknowledgements."""

    def _sacked(self, sack: Sack) -> None:  # :1252
        cumulative = sack.cumulative_tsn
        advance = (cumulative - self._last_sacked_tsn) % TSNS
        if advance > (self._next_to_send() - 1 - self._last_sacked_tsn) % TSNS:
            return  # Older than one that we had, or of what was never sent.
        used_up = self._flight_size >= self._cwnd
        opened = self._peer_window < self._packet_size <= sack.window
        self._peer_window = sack.window
        self._last_sacked_tsn = cumulative
        acked_bytes = self._take_off(cumulative)
        advanced = acked_bytes > 0
        lost = False
        if sack.gaps or self._has_islands:
            gap_bytes, lost = self._look_at_gaps(cumulative, sack.gaps)
            acked_bytes += gap_bytes
        self._adjust(cumulative, acked_bytes if advanced and used_up else 0, lost)
        if opened and not advanced:
            self._send_all_again()
        if not self._sent_queue:
            self._t3_stop()
        elif advanced:
            self._t3_restart()
        self._advance_peer_ack_point()

    _has_islands = False
    "Whether a chunk is acknowledged that is not below the cumulative TSN."

    def _take_off(self, cumulative: int) -> int:
        """Forgets what is acknowledged for good; returns the bytes of it that were news."""
        sent = self._sent_queue
        bytes_acked = 0
        latest = None
        while sent and (cumulative - sent[0].tsn) % TSNS < TSNS // 2:
            chunk = sent.popleft()
            if not chunk._acked:
                bytes_acked += chunk._book_size
                latest = chunk
            if chunk._in_flight:
                chunk._in_flight = False
                self._flight_size -= chunk._book_size
        if latest is not None and latest._sent_count == 1 and latest._sent_time is not None:
            self._update_rto(self._clock.time() - latest._sent_time)
        return bytes_acked

    def _look_at_gaps(self, cumulative: int, gaps: Sequence[tuple[int, int]]) -> tuple[int, bool]:
        """Marks what has arrived out of order; returns the bytes of it that are news, and whether something is lost."""
        bytes_acked = 0
        newest = 0
        missing: list[tuple[int, OutboundChunk]] = []
        blocks = iter(sorted(gaps))
        start, end = next(blocks, (0, 0))
        self._has_islands = False
        for chunk in self._sent_queue:
            assert isinstance(chunk, OutboundChunk)
            offset = (chunk.tsn - cumulative) % TSNS
            while end and offset > end:
                start, end = next(blocks, (0, 0))
            if not end and not chunk._acked:
                break
            if end and offset >= start:
                self._has_islands = True
                if not chunk._acked:
                    chunk._acked = True
                    chunk._retransmit = False
                    bytes_acked += chunk._book_size
                    newest = offset
                self._flight_size_decrease(chunk)
            else:
                chunk._acked = False  # Unless it was always so, the peer has thought better of it.
                missing.append((offset, chunk))
        lost = [chunk for offset, chunk in missing if offset < newest and self._is_lost(chunk, cumulative + newest)]
        return bytes_acked, bool(lost)

    def _is_lost(self, chunk: OutboundChunk, newest_tsn: int) -> bool:
        """Counts a report of a chunk as missing, if what has just arrived was sent after it was sent last."""
        if chunk._retransmit or chunk._abandoned:
            return False
        if chunk.resent_before >= 0 and not uint32_gte(newest_tsn % TSNS, chunk.resent_before):
            return False
        chunk._misses += 1
        if chunk._misses < MISSES:
            return False
        chunk._misses = 0
        self._flight_size_decrease(chunk)
        if not self._maybe_abandon(chunk):
            chunk._retransmit = True
            self._resending = True
        return True

    def _send_all_again(self) -> None:
        """A closed window has opened: what was sent into it was not kept, and T3 would be long in finding out."""
        for chunk in self._sent_queue:
            if not chunk._acked and not chunk._abandoned:
                chunk._retransmit = self._resending = True
                self._flight_size_decrease(chunk)

    def _adjust(self, cumulative: int, grown: int, lost: bool) -> None:
        if self._fast_recovery_exit is not None:
            if not uint32_gte(cumulative, self._fast_recovery_exit):
                return
            self._fast_recovery_exit = None
        if lost:
            self._ssthresh = max(self._cwnd // 2, 4 * self._packet_size)
            self._cwnd = self._ssthresh
            self._partial_bytes_acked = 0
            self._fast_recovery_exit = (self._next_to_send() - 1) % TSNS  # type: ignore[assignment]
            self._fast_recovery_transmit = True
        elif grown and self._cwnd <= self._ssthresh:
            self._cwnd += min(grown, GROWTH * self._packet_size)
        elif grown:
            self._partial_bytes_acked += grown
            if self._partial_bytes_acked >= self._cwnd:
                self._partial_bytes_acked -= self._cwnd
                self._cwnd += self._packet_size

    def _advance_peer_ack_point(self) -> None:
        """Lets the peer skip what was abandoned (RFC 3758, section 3.5); most associations never abandon anything."""
        abandoned = self._forward_tsn_streams or (self._sent_queue and self._sent_queue[0]._abandoned)
        if abandoned or uint32_gt(self._advanced_peer_ack_tsn, self._last_sacked_tsn):
            self._update_advanced_peer_ack_point()
        else:
            self._advanced_peer_ack_tsn = self._last_sacked_tsn
