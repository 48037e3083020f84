"""Packets and messages in.

aiortc makes objects of every chunk, sorts all that is out of order for each, and looks through a message's fragments
whenever one arrives. Here a whole message that comes in order is passed on as it is, and no packet can do harm: what
cannot be read is dropped.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.2
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable

from aiortc.rtcsctptransport import (
    CHUNK_TYPES,
    SCTP_DATA_LAST_FRAG,
    SCTP_DATA_UNORDERED,
    AbortChunk,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    InboundStream,
    InitChunk,
    ReconfigChunk,
    RTCSctpTransport,
    SackChunk,
    ShutdownChunk,
)

from ..aiortc_compat import run_now
from ..compat.dtls import DtlsConnection
from .chunk import SEQUENCES, TSNS, WHOLE, InboundChunk
from .large_message import LargeMessage, begun
from .packet import CHUNK, DATA, HEADER, ChunkView, Sack, chunks_of, decode_sack, is_intact
from .strict import check_chunk
from .timers import Timers

logger = logging.getLogger(__name__)

State = RTCSctpTransport.State

CUTTING = (AbortChunk.type, ShutdownChunk.type, ReconfigChunk.type, ForwardTsnChunk.type)
"Chunks that end or skip messages: what is whole goes first."
MOST_CUTTING = 4
"Of these in a packet: a request and a response to reset streams, FORWARD TSN, SHUTDOWN. Each takes time."
IMMEDIATE = 0x08
"Flag of a DATA chunk: its sender waits for the acknowledgement (RFC 7053)."
AHEAD = 2**16 - 1
"TSNs beyond the cumulative one that an acknowledgement can tell of."
WINDOW = 1024 * 1024
"Bytes that the peer may send ahead of what is read, all streams together."
MOST_HELD = 16 * 1024
"Chunks that are kept for others to come: a chunk of one byte takes a hundred times its size, and time to look through."
ASSEMBLED = 256 * 1024
"Bytes of fragments that are kept for the rest of their messages; beyond, the message that comes is passed on in parts."


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
        self._advertised_rwnd = WINDOW
        "The window less what is kept of messages that are incomplete or out of order."
        self._large: LargeMessage | None = None
        self._held = 0
        "Chunks that were kept when this turn began, and those of it."
        self._grown: set[int] = set()
        "Streams on which a message may have become whole in this turn."

    def take(self, packets: Iterable[bytes]) -> None:
        """Takes the packets that arrived together; then ends the turn. Never raises."""
        self._turning = True
        self._full = self._is_full()
        self._held = self._count_held()
        for packet in packets:
            try:
                self._take(packet)
            except ValueError:
                self.malformed += 1
            except Exception:
                self.malformed += 1
                logger.debug("an SCTP packet of %d bytes was dropped", len(packet), exc_info=True)
        self._deliver_grown()
        self._pass_large_on()
        self._taken()
        # Not before: somebody waits for the messages.
        sacks, self._sacks = self._sacks, []
        for packet, view in sacks:
            try:
                self._sacked(decode_sack(packet, view))
            except ValueError:
                self.malformed += 1
            except Exception:
                self.malformed += 1
                logger.debug("a SACK in a packet of %d bytes was dropped", len(packet), exc_info=True)
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

    def _deliver_part(self, large: LargeMessage) -> None:
        raise NotImplementedError

    def _give_up(self, large: LargeMessage) -> None:
        """The rest of a message never comes."""
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
        kinds = [view[0] for view in views]
        if kinds.count(ForwardTsnChunk.type) > 1 or sum(kind in CUTTING for kind in kinds) > MOST_CUTTING:
            raise ValueError("more chunks that end messages than anybody sends")  # All that is kept is looked through.
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
                self._deliver_grown()
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
        if kind in CUTTING:
            self._deliver_grown()
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
        _, _, _, tsn, stream_id, stream_seq, protocol = DATA.unpack_from(packet, start)
        if self._full or (self._is_over_budget() and self._is_beyond_budget(tsn)):
            self._urgent = True  # Not received: the peer sends it again, when there is a window.
            return
        if flags & IMMEDIATE:
            self._urgent = True
        if self._mark_received(tsn):
            return
        data = packet[start + DATA.size : end]
        stream = self._inbound_streams.get(stream_id) or self._get_inbound_stream(stream_id)
        large = self._large
        if large is not None and large.stream_id == stream_id:
            self._take_beside(large, stream, InboundChunk(flags, tsn, stream_id, stream_seq, protocol, data))
            return
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
            _insert(held, chunk)
        self._held += 1
        # The latest fragment of all completes a message only if it is the last of one.
        if not at_end or flags & SCTP_DATA_LAST_FRAG:
            self._grown.add(stream_id)

    def _deliver_grown(self) -> None:
        """Delivers what is whole now: looked for once a turn, or each chunk would cost as much as all that is kept."""
        grown, self._grown = self._grown, set()
        for stream_id in grown:
            if (stream := self._inbound_streams.get(stream_id)) is not None:
                self._deliver_whole(stream)

    def _deliver_whole(self, stream: InboundStream) -> None:
        for message in stream.pop_messages():
            self._advertised_rwnd += len(message[2])
            self._deliver(*message)

    def _count_held(self) -> int:
        if self._advertised_rwnd >= WINDOW:
            return 0
        return sum(len(stream.reassembly) for stream in self._inbound_streams.values())

    def _is_over_budget(self) -> bool:
        return self._advertised_rwnd < -WINDOW or self._held >= MOST_HELD

    def _is_beyond_budget(self, tsn: int) -> bool:
        """Whether a chunk is too much to be kept: what minds the window never is.

        A chunk that closes a gap may free what is held, so it may come for longer.
        """
        closes_gap = self._last_received_tsn is not None and (tsn - self._last_received_tsn) % TSNS == 1
        return not closes_gap or self._advertised_rwnd < -2 * WINDOW or self._held >= 2 * MOST_HELD

    # Large messages

    def _pass_large_on(self) -> None:
        """Passes on what has come of a large message; or begins to, when as much is kept as is worth it."""
        if self._large is None and self._advertised_rwnd < WINDOW - ASSEMBLED and not self._sack_misordered:
            self._begin_large()
        if self._large is not None and self._large.parts:
            self._deliver_part(self._large)

    def _begin_large(self) -> None:
        latest = self._last_received_tsn
        assert latest is not None
        for stream in self._inbound_streams.values():
            if stream.reassembly and stream.reassembly[-1].tsn == latest:
                self._large = begun(stream, latest)
                if self._large is not None:
                    self._drain(self._large, stream)
                return

    def _take_beside(self, large: LargeMessage, stream: InboundStream, chunk: InboundChunk) -> None:
        """Takes a chunk of the stream on which a large message is under way: whatever is not its next waits."""
        self._advertised_rwnd -= len(chunk.user_data)
        self._held += 1
        _insert(stream.reassembly, chunk)
        self._drain(large, stream)

    def _drain(self, large: LargeMessage, stream: InboundStream) -> None:
        """Adds what was held and is next; after the end of the message, goes on with what waited behind it."""
        held = stream.reassembly
        taken = 0
        while taken < len(held) and not large.is_whole and held[taken].tsn == large.next_tsn:
            self._advertised_rwnd += len(held[taken].user_data)
            large.add(held[taken].flags, held[taken].user_data)
            taken += 1
        del held[:taken]
        if not large.is_whole:
            return
        self._large = None
        self._deliver_part(large)
        if large.ordered:
            stream.sequence_number = (stream.sequence_number + 1) % SEQUENCES
        self._deliver_whole(stream)

    def _forget_large(self) -> None:
        large, self._large = self._large, None
        if large is not None:
            self._give_up(large)

    async def _receive_forward_tsn_chunk(self, chunk: ForwardTsnChunk) -> None:  # :1205
        # Before what waits behind the message is delivered.
        if self._large is not None and (chunk.cumulative_tsn - self._large.next_tsn) % TSNS < TSNS // 2:
            self._forget_large()
        await super()._receive_forward_tsn_chunk(chunk)

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


def _insert(held: list[DataChunk], chunk: InboundChunk) -> None:
    """Puts a chunk where its TSN has it."""
    half = TSNS // 2
    held.insert(bisect_left(held, half, key=lambda each: (each.tsn - chunk.tsn + half) % TSNS), chunk)
