"""Larger packets, where the path carries them: on loopback, and in networks with jumbo frames.

aiortc's packets have at most 1,189 bytes, which every path carries. Here the peer is asked for an echo of a packet as
long as the network interface takes, with fragmentation forbidden; when it comes back, packets may be as long. Only a
peer that says that it knows PAD chunks is asked: aiortc would take a packet of more than 1,500 bytes for several.

@see https://www.rfc-editor.org/rfc/rfc8899#section-6.2
@see https://www.rfc-editor.org/rfc/rfc8261#section-5
"""

from __future__ import annotations

import asyncio
import os

from aiortc.rtcsctptransport import SCTP_MAX_PACKET_LENGTH as BASE
from aiortc.rtcsctptransport import SCTP_SUPPORTED_CHUNK_EXT, Chunk, HeartbeatAckChunk, HeartbeatChunk

from ..compat.dtls import DtlsConnection
from .congestion import Congestion
from .packet import CHUNK, FIRST_CHUNK, seal
from .receiving import State

PAD = 0x84
"https://www.rfc-editor.org/rfc/rfc4820#section-3"
ETHERNET = 1384
"Bytes of a packet that fits, with what is around it, into 1,500: tried where an interface takes more than the path."
PROBES = 3
"Packets of one length that may get lost before it is given up (MAX_PROBES)."
PROBE_SECONDS = 1.0
"PROBE_TIMER, which is not to be less."
HEARTBEAT_INFO = 1
"https://www.rfc-editor.org/rfc/rfc9260#section-3.3.5"
BLACK_HOLE = 2
"Time-outs in a row, with nothing acknowledged between them, after which the path is no longer believed."


class PathMtu(Congestion):
    """Looks for a larger packet, and returns to the base when larger ones get lost."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self._lengths: list[int] = []
        "To be tried, the best first."
        self._probes = 0
        "Of the first of them, sent so far."
        self._probe_key = b""
        self._probe_timer: asyncio.TimerHandle | None = None
        self._timeouts = 0
        "In a row."

    def route_changed(self) -> None:
        """Another path carries the packets from now on: begins at the base again."""
        self._stop_probing()
        self._to_base()
        self._look_for_larger()

    def _look_for_larger(self) -> None:
        largest = self._dtls.largest_packet & ~3
        if self._association_state is not State.ESTABLISHED or PAD not in self._remote_extensions or largest <= BASE:
            return
        self._lengths = sorted({largest, min(largest, ETHERNET)}, reverse=True)
        self._dtls.keep_whole(True)
        self._send_probe()

    def _send_probe(self) -> None:
        self._probe_timer = self._clock.call_later(PROBE_SECONDS, self._probe_lost)
        self._probes += 1
        self._probe_key = os.urandom(8)
        heartbeat = HeartbeatChunk()
        heartbeat.params = [(HEARTBEAT_INFO, self._probe_key)]
        echo = bytes(heartbeat)
        padding = self._lengths[0] - FIRST_CHUNK - len(echo)
        pad = CHUNK.pack(PAD, 0, padding) + bytes(padding - CHUNK.size)
        assert self._remote_port is not None
        packet = seal(self._local_port, self._remote_port, self._remote_verification_tag, [echo, pad])
        self._dtls.send_data(packet)

    def _probe_lost(self) -> None:
        if self._probes >= PROBES:
            self._probes = 0
            self._lengths.pop(0)
        if self._lengths:
            self._send_probe()
        else:
            self._stop_probing()
            self._dtls.keep_whole(False)

    async def _receive_chunk(self, chunk: Chunk) -> None:  # :1033
        if isinstance(chunk, HeartbeatAckChunk):
            self._take_echo(chunk)
        else:
            await super()._receive_chunk(chunk)

    def _take_echo(self, chunk: HeartbeatAckChunk) -> None:
        if self._lengths and (HEARTBEAT_INFO, self._probe_key) in chunk.params:
            self._set_packet_size(self._lengths[0])
            self._stop_probing()

    def _stop_probing(self) -> None:
        self._lengths = []
        self._probes = 0
        if self._probe_timer is not None:
            self._probe_timer.cancel()
            self._probe_timer = None

    def _to_base(self) -> None:
        """What was cut into longer chunks already may be fragmented on its way."""
        if self._packet_size > BASE:
            self._set_packet_size(BASE)
        self._dtls.keep_whole(False)

    def _t3_expired(self) -> None:  # :1687
        # A closed window keeps nothing, however short: the path is not to blame.
        if self._packet_size > BASE and self._peer_window >= self._packet_size:
            self._timeouts += 1
            if self._timeouts == BLACK_HOLE:
                self._to_base()
        super()._t3_expired()

    def _take_off(self, cumulative: int) -> int:
        acked = super()._take_off(cumulative)
        if acked:
            self._timeouts = 0
        return acked

    def _set_extensions(self, params: list[tuple[int, bytes]]) -> None:  # :907
        super()._set_extensions(params)
        kind, known = params[-1]
        assert kind == SCTP_SUPPORTED_CHUNK_EXT
        params[-1] = (kind, known + bytes([PAD]))

    def _stop_timers(self) -> None:
        super()._stop_timers()
        self._stop_probing()
