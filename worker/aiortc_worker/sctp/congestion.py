"""How much may be in flight: NewReno, with what is known of round trips and socket buffers as a bound.

ECN has no part in it: the marks are in the IP header, which a UDP socket under DTLS neither sets nor shows portably.

@see https://www.rfc-editor.org/rfc/rfc9260#section-7.2
"""

from __future__ import annotations

from typing import Final

BASE: Final = 1189
"Bytes of a packet that every path carries (RFC 8261, section 5, less what DTLS adds)."
INITIAL_WINDOW: Final = 10 * BASE
"Bytes, as TCP begins (RFC 6928)."
BURST: Final = 16
"Packets that a turn may add to what is in flight beside twice what was acknowledged in it (section 6.1, D)."
LEAST_FLIGHT: Final = 64 * BASE
"Bytes that may be in flight whatever the round trip: so many packets a socket's default buffer of 208 KiB holds."
FASTEST: Final = 100_000_000
"Bytes a second: more than this code sends, so what exceeds them in a round trip would only fill queues."


class Congestion:
    """The congestion window of the path."""

    def __init__(self) -> None:
        self.cwnd = INITIAL_WINDOW
        self._ssthresh = 2**62
        self._partial = 0
        "partial_bytes_acked."

    def acked(self, size: int, packet: int) -> None:
        """Grows by what an acknowledgement brought while the window was used up (sections 7.2.1 and 7.2.2).

        There is no limit L to an acknowledgement: peers acknowledge a batch at once, and BURST bounds what follows.
        """
        if self.cwnd <= self._ssthresh:
            self.cwnd += size
            return
        self._partial += min(size, self.cwnd)
        if self._partial >= self.cwnd:
            self._partial -= self.cwnd
            self.cwnd += packet

    def lost(self, packet: int) -> None:
        """Halves, once a round trip (section 7.2.3)."""
        self._ssthresh = max(self.cwnd // 2, 4 * packet)
        self.cwnd = self._ssthresh
        self._partial = 0

    def timed_out(self, packet: int) -> None:
        """Begins again with a packet (section 7.2.3)."""
        self._ssthresh = max(self.cwnd // 2, 4 * packet)
        self.cwnd = packet
        self._partial = 0
