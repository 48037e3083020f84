"""Many chunks in a packet, and one turn for all that happens at once.

aiortc sends each chunk in a packet of its own, at once. Here what is to be sent waits for the end of a turn: of the
packets that arrived together, or of the event loop's when the application sends. So small messages share packets, and
a batch of packets gets one acknowledgement.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.10
"""

from __future__ import annotations

import asyncio
import logging

from aiortc.rtcsctptransport import (
    SCTP_MAX_PACKET_LENGTH,
    AbortChunk,
    Chunk,
    InitAckChunk,
    InitChunk,
    RTCSctpTransport,
    ShutdownCompleteChunk,
)

from ..compat.dtls import DtlsConnection
from .packet import FIRST_CHUNK, seal

logger = logging.getLogger(__name__)

ALONE = (InitChunk, InitAckChunk, ShutdownCompleteChunk, AbortChunk)
"Chunks that share a packet with no other, and leave at once."


LONG = 8192
"Bytes of a packet that waits for no other: its system call is a small part of it, and the peer can begin with it."


class Bundling(RTCSctpTransport):
    """Sends in turns."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self._dtls = dtls
        self._clock = asyncio.get_running_loop()
        self._control: list[bytes] = []
        "Chunks of the packet that is being filled; they go ahead of its data."
        self._data: list[bytes] = []
        self._packet_size = SCTP_MAX_PACKET_LENGTH
        "Bytes of the longest packet."
        self._room = self._packet_size - FIRST_CHUNK
        "Bytes left in the packet that is being filled."
        self._packets: list[bytes] = []
        "They leave together when the turn ends."
        self._turning = False

    def _wake(self) -> None:
        """Ends this turn when the event loop's ends."""
        if not self._turning:
            self._turning = True
            self._clock.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        # What wants to be sent from now on gets a turn of its own.
        self._turning = False
        self._turn()

    def _turn(self) -> None:
        """Sends what there is to send."""
        self._flush()
        self._leave()

    def _set_packet_size(self, size: int) -> None:
        """Ends the packet that is being filled; from then on packets have at most `size` bytes."""
        self._flush()
        self._wake()
        self._packet_size = size
        self._room = size - FIRST_CHUNK

    def _put(self, chunk: bytes, queue: list[bytes]) -> None:
        """Adds a padded chunk to the packet that is being filled, or to the next one."""
        size = len(chunk)
        if size > self._room:
            self._flush()
        queue.append(chunk)
        self._room -= size

    def _flush(self) -> None:
        """Ends the packet that is being filled."""
        chunks = self._control + self._data
        if not chunks:
            return
        self._control.clear()
        self._data.clear()
        self._room = self._packet_size - FIRST_CHUNK
        assert self._remote_port is not None
        packet = seal(self._local_port, self._remote_port, self._remote_verification_tag, chunks)
        self._packets.append(packet)
        if len(packet) >= LONG:
            self._leave()

    def _leave(self) -> None:
        """Sends the packets of this turn."""
        packets, self._packets = self._packets, []
        if packets and not self._dtls.send_packets(packets):
            logger.debug("not all of %d packets were sent: there is no DTLS, or no path", len(packets))

    async def _send_chunk(self, chunk: Chunk) -> None:  # :1511
        alone = isinstance(chunk, ALONE)
        if alone:
            self._flush()
        self._put(bytes(chunk), self._control)
        if alone:
            self._flush()
            self._leave()
        else:
            self._wake()
