"""Packets and messages in.

aiortc makes objects of every chunk, sorts all that is out of order for each, and looks through a message's fragments
whenever one arrives. Here a whole message that comes in order is passed on as it is, and no packet can do harm: what
cannot be read is dropped.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.2
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiortc.rtcsctptransport import (
    CHUNK_TYPES,
    SCTP_DATA_LAST_FRAG,
    SCTP_DATA_UNORDERED,
    AbortChunk,
    Chunk,
    DataChunk,
    InitChunk,
    RTCSctpTransport,
    SackChunk,
)

from ..aiortc_compat import run_now
from ..compat.dtls import DtlsConnection
from .chunk import SEQUENCES, TSNS, WHOLE, InboundChunk
from .packet import CHUNK, DATA, HEADER, ChunkView, Sack, chunks_of, decode_sack, is_intact
from .strict import check_chunk
from .timers import Timers

logger = logging.getLogger(__name__)

State = RTCSctpTransport.State

IMMEDIATE = 0x08
"Flag of a DATA chunk: its sender waits for the acknowledgement (RFC 7053)."
AHEAD = 2**16 - 1
"TSNs beyond the cumulative one that an acknowledgement can tell of."


class Receiving(Timers):
    """Takes packets in batches."""

    def __init__(self, dtls: DtlsConnection, port: int) -> None:
        super().__init__(dtls, port)
        self.abort_cause: int | None = None
        "Of the peer's ABORT."
        self.malformed = 0
        "Packets, and acknowledgements in them, that were dropped for what they say of themselves."
        self._full = False
        "Whether what is received is not read, so that nothing more can be kept."
        self._urgent = False
        "Whether the acknowledgement must not wait."
        self._sacks: list[tuple[bytes, ChunkView]] = []
        "Acknowledgements that were not acted on yet: their packets, and where they lie in them."

    def take(self, packets: Iterable[bytes]) -> None:
        """Takes the packets that arrived together; then ends the turn. Never raises."""
        self._turning = True
        self._full = self._is_full()
        for packet in packets:
            try:
                self._take(packet)
            except ValueError:
                self.malformed += 1
            except Exception:
                logger.warning("an SCTP packet of %d bytes was dropped", len(packet), exc_info=True)
        self._taken()
        # Not before: somebody waits for the messages.
        sacks, self._sacks = self._sacks, []
        for packet, view in sacks:
            try:
                self._sacked(decode_sack(packet, view))
            except ValueError:
                self.malformed += 1
            except Exception:
                logger.warning("a SACK in a packet of %d bytes was dropped", len(packet), exc_info=True)
        self._end_turn()

    async def _handle_data(self, data: bytes) -> None:  # :930
        self.take((data,))

    # What the layers above add

    def _is_full(self) -> bool:
        raise NotImplementedError

    def _sacked(self, sack: Sack) -> None:
        raise NotImplementedError

    def _deliver(self, stream_id: int, protocol: int, data: bytes) -> None:
        raise NotImplementedError

    def _taken(self) -> None:
        """All that arrived together was delivered."""

    # A packet

    def _take(self, packet: bytes) -> None:
        if not is_intact(packet):
            return
        views = chunks_of(packet)
        tag = HEADER.unpack_from(packet)[2]
        if tag != self._local_verification_tag and not (tag == 0 and self._is_init(views)):
            return
        held_data = False
        for view in views:
            kind = view[0]
            if kind == DataChunk.type:
                held_data = True
                self._take_data(packet, view)
            elif kind == SackChunk.type:
                self._sacks.append((packet, view))
            elif kind != InitChunk.type or tag == 0:
                self._take_other(packet, view)
        if held_data:
            if self._reconfig_deferred is not None:
                run_now(self._reset_deferred_streams())
            self._took_data_packet()

    def _is_init(self, views: list[ChunkView]) -> bool:
        """Whether it is an INIT, which has no tag, is alone, and is void once there is an association.

        A late copy must not set our counters back (section 5.2.2).
        """
        return [view[0] for view in views] == [InitChunk.type] and self._association_state is not State.ESTABLISHED

    def _take_other(self, packet: bytes, view: ChunkView) -> None:
        kind, flags, start, end = view
        chunk_class = CHUNK_TYPES.get(kind)
        if chunk_class is None:
            return
        check_chunk(packet, view)
        chunk: Chunk = chunk_class(flags=flags, body=packet[start + CHUNK.size : end])
        if isinstance(chunk, AbortChunk):
            self.abort_cause = chunk.params[0][0] if chunk.params else None
        run_now(self._receive_chunk(chunk))  # :1033

    def _took_data_packet(self) -> None:
        """A packet with DATA was taken: it wants an acknowledgement."""
        self._sack_needed = True

    # Data

    def _take_data(self, packet: bytes, view: ChunkView) -> None:
        _, flags, start, end = view
        if end - start <= DATA.size or self._last_received_tsn is None:
            return  # No user data (section 3.3.1), or no association yet.
        if self._full:
            self._urgent = True  # Not received: the peer sends it again, when there is a window.
            return
        _, _, _, tsn, stream_id, stream_seq, protocol = DATA.unpack_from(packet, start)
        if flags & IMMEDIATE:
            self._urgent = True
        if self._mark_received(tsn):
            return
        data = packet[start + DATA.size : end]
        stream = self._inbound_streams.get(stream_id) or self._get_inbound_stream(stream_id)
        if flags & WHOLE == WHOLE and not stream.reassembly:
            if flags & SCTP_DATA_UNORDERED:
                self._deliver(stream_id, protocol, data)
                return
            if stream_seq == stream.sequence_number:
                stream.sequence_number = (stream_seq + 1) % SEQUENCES
                self._deliver(stream_id, protocol, data)
                return
        chunk = InboundChunk(flags, tsn, stream_id, stream_seq, protocol, data)
        self._advertised_rwnd -= len(data)
        held = stream.reassembly
        at_end = not held or (tsn - held[-1].tsn) % TSNS < TSNS // 2
        if at_end:
            held.append(chunk)
        else:
            stream.add_chunk(chunk)
        # The latest fragment of all completes a message only if it is the last of one.
        if not at_end or flags & SCTP_DATA_LAST_FRAG:
            for message in stream.pop_messages():
                self._advertised_rwnd += len(message[2])
                self._deliver(*message)

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:  # :1027
        self._deliver(stream_id, pp_id, data)

    def _mark_received(self, tsn: int) -> bool:  # :1002
        """Counts a TSN in; True when it was there before, or is out of all bounds."""
        last = self._last_received_tsn
        assert last is not None
        ahead = (tsn - last) % TSNS
        beyond = self._sack_misordered
        if ahead == 1:
            last = tsn
            if beyond:
                self._urgent = True
            while beyond and (following := (last + 1) % TSNS) in beyond:
                beyond.discard(following)
                last = following
            self._last_received_tsn = last
            return False
        self._urgent = True
        if tsn in beyond or ahead == 0 or ahead > TSNS // 2:
            self._sack_duplicates.append(tsn)
            return True
        if ahead > AHEAD:
            return True
        beyond.add(tsn)
        return False
