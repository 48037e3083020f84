"""What a peer leaves incomplete costs neither time nor memory beyond a bound, however it is cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest
from sctp_wire import FORWARD_TSN, End, joined, part

from aiortc_worker.sctp.chunk import TSNS, OutboundChunk
from aiortc_worker.sctp.packet import CHUNK, seal
from aiortc_worker.sctp.receiving import MOST_HELD, WINDOW

BATCH = 64
PACKED = 60
"Chunks of one byte that a packet holds."


def packets(end: End, chunks: Iterable[bytes], packed: int = PACKED) -> list[bytes]:
    every = list(chunks)
    tag = end.association._local_verification_tag
    return [seal(5000, 5000, tag, every[at : at + packed]) for at in range(0, len(every), packed)]


def slowest(end: End, arriving: list[bytes]) -> float:
    """Seconds of the longest turn."""
    worst = 0.0
    for at in range(0, len(arriving), BATCH):
        begun = time.process_time()
        end.association.take(arriving[at : at + BATCH])
        worst = max(worst, time.process_time() - begun)
    return worst


def following(end: End) -> int:
    last = end.association._last_received_tsn
    assert last is not None
    return (last + 1) % TSNS


ORDERS: dict[str, tuple[int, Callable[[int], int]]] = {
    "the ends of messages without a beginning": (0x05, lambda index: index),
    "middles that come backwards": (0x04, lambda index: 20_000 - index),
    "ends that come backwards": (0x05, lambda index: 20_000 - index),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_crumbs_of_messages_take_no_time_that_grows_with_what_is_kept(name: str) -> None:
    flags, order = ORDERS[name]
    a, b = await joined()
    first = following(b)
    crumbs = (bytes(OutboundChunk(flags, (first + order(at)) % TSNS, 7, 0, 53, b"x")) for at in range(12_000))
    # A turn has a few hundredths of a second; a search through all that is kept, for each chunk, took 9 to 13.
    assert slowest(b, packets(b, crumbs)) < 3
    part(a, b)


async def test_no_more_chunks_are_kept_than_a_bound_and_what_closes_a_gap_has_room() -> None:
    a, b = await joined()
    first = following(b)
    crumbs = [bytes(OutboundChunk(0x04, (first + at) % TSNS, 7, 0, 53, b"x")) for at in range(1, 3 * MOST_HELD)]
    b.association.take(packets(b, crumbs))
    streams = b.association._inbound_streams
    assert MOST_HELD <= len(streams[7].reassembly) < MOST_HELD + PACKED
    b.association.take(packets(b, [bytes(OutboundChunk(0x03, first, 1, 0, 53, b"closes it"))]))
    assert b.messages == [(1, b"closes it")]
    part(a, b)


async def test_messages_that_become_whole_together_keep_their_order_before_a_skip() -> None:
    a, b = await joined()
    first = following(b)

    def chunk(at: int, flags: int, sequence: int, data: bytes) -> bytes:
        return bytes(OutboundChunk(flags, (first + at) % TSNS, 7, sequence, 53, data))

    skip = CHUNK.pack(FORWARD_TSN, 0, 12) + ((first + 5) % TSNS).to_bytes(4, "big") + bytes([0, 7, 0, 3])
    parts = [chunk(1, 0x01, 0, b"b"), chunk(2, 0x03, 1, b"c"), chunk(0, 0x02, 0, b"a"), chunk(3, 0x03, 2, b"d")]
    b.association.take(packets(b, [*parts, skip, chunk(6, 0x03, 4, b"e")]))
    assert [data for _, data in b.messages] == [b"ab", b"c", b"d", b"e"]
    assert b.association._advertised_rwnd == WINDOW
    part(a, b)


async def test_a_packet_of_many_skips_is_dropped() -> None:
    a, b = await joined()
    first = following(b)
    holes = [bytes(OutboundChunk(0x07, (first + at) % TSNS, 7, 0, 53, b"x")) for at in range(6_000, 40_000)]
    b.association.take(packets(b, holes))
    skips = [CHUNK.pack(FORWARD_TSN, 0, 8) + ((first + at) % TSNS).to_bytes(4, "big") for at in range(BATCH * PACKED)]
    b.association.take(packets(b, skips))
    assert following(b) == first
    assert b.association.malformed == BATCH
    b.association.take(packets(b, skips[:1]))
    assert following(b) == (first + 1) % TSNS
    part(a, b)
