"""Acknowledgements out: fewer, and on the packets that go anyway.

aiortc acknowledges every packet in a packet of its own. Here, as the RFC has it, at least every second packet, what is
alone a little later, and at once what is out of order, seen before, or beyond the window.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.2
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..compat.dtls import DtlsConnection
from .chunk import TSNS
from .packet import SACK, Sack, encode_sack
from .receiving import WINDOW, Receiving, State

DELAY = 0.02
"Seconds; the RFC allows 0.5, and a sender in slow start waits for it."
GAPS = 200
"Blocks in one acknowledgement, which has to fit into a packet; further ones wait for the next."
DUPLICATES = 32


class Acknowledging(Receiving):
    """Decides when to acknowledge, and how much more to let come."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self._said_window = WINDOW
        self._unsaid = 0
        "Packets with DATA since our latest acknowledgement."
        self._sack_timer: asyncio.TimerHandle | None = None

    def _backlog(self) -> int:
        """Bytes of messages that nobody has read."""
        raise NotImplementedError

    def update_window(self) -> None:
        """Tells the peer of a window that has opened again, if it was told of a much smaller one."""
        # Of more than three quarters none can open by a quarter: what most messages find, cheaply.
        if self._said_window > WINDOW * 3 // 4 or self._association_state is not State.ESTABLISHED:
            return
        if self._window() >= self._said_window + WINDOW // 4:
            self._urgent = True
            self._wake()

    def _is_full(self) -> bool:
        return self._backlog() >= WINDOW

    def _window(self) -> int:
        return max(0, self._advertised_rwnd - self._backlog())

    def _took_data_packet(self) -> None:
        self._unsaid += 1
        if self._urgent:
            # Not once a batch: a sender takes a chunk for lost when three acknowledgements miss it.
            self._acknowledge()

    async def _send_sack(self) -> None:  # :1541
        self._urgent = True
        self._wake()

    def _turn(self) -> None:
        # FORWARD TSN and what else aiortc itself handles say so by a flag.
        if self._sack_needed:
            self._sack_needed = False
            self._urgent = True
        if self._urgent or self._unsaid >= 2:
            self._acknowledge()
        super()._turn()
        if self._unsaid and self._sack_timer is None:
            self._sack_timer = self._clock.call_later(DELAY, self._sack_due)

    def _flush(self) -> None:
        """An acknowledgement that is owed goes with the packet, if there is room in it."""
        if self._unsaid and not self._urgent and self._room >= SACK.size and (self._data or self._control):
            self._acknowledge()
        super()._flush()

    def _acknowledge(self) -> None:
        self._unsaid = 0
        self._urgent = False
        if self._last_received_tsn is None:
            return
        self._said_window = self._window()
        gaps = _blocks(self._last_received_tsn, self._sack_misordered) if self._sack_misordered else []
        sack = Sack(self._last_received_tsn, self._said_window, gaps[:GAPS], self._sack_duplicates[:DUPLICATES])
        self._sack_duplicates.clear()
        self._put(encode_sack(sack), self._control)

    def _sack_due(self) -> None:
        self._sack_timer = None
        if self._unsaid and self._association_state is State.ESTABLISHED:
            self._acknowledge()
            self._turn()

    def _stop_timers(self) -> None:
        if self._sack_timer is not None:
            self._sack_timer.cancel()
            self._sack_timer = None


def _blocks(last: int, beyond: Iterable[int]) -> list[tuple[int, int]]:
    """What has arrived beyond the cumulative TSN, in blocks counted from it."""
    blocks: list[tuple[int, int]] = []
    start = end = 0
    for offset in sorted((tsn - last) % TSNS for tsn in beyond):
        if offset != end + 1 or not end:
            if end:
                blocks.append((start, end))
            start = offset
        end = offset
    if end:
        blocks.append((start, end))
    return blocks
