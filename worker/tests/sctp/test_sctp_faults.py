"""What a peer or a path could once do to an association: cost it time or memory, kill it or bring it back to life.

Costs are compared by size: twice as much may take twice as long and some, not four times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from compiled_marks import replaces_a_method
from sctp_network import End, Network, joined, pair

from aiortc_worker.sctp.chunks import FIRST, LAST, UNORDERED, WHOLE, CookieEcho, Data, ForwardTsn, Sack
from aiortc_worker.sctp.events import Ended
from aiortc_worker.sctp.handshake import FORWARD_TSN, MAX_INIT_RETRANSMITS, RECONFIG
from aiortc_worker.sctp.inbound import AHEAD, WINDOW
from aiortc_worker.sctp.packet import decode_packet, encode_packet
from aiortc_worker.sctp.recovery import MAX_RETRANS

PLAIN = FORWARD_TSN | RECONFIG
PACKED = 60
"Chunks of one byte that a packet holds."
BATCH = 64


def packets(end: End, chunks: Iterable[Any], packed: int = PACKED) -> list[bytes]:
    every = [chunk.encode() for chunk in chunks]
    tag = end.association.local_tag
    return [encode_packet(5000, 5000, tag, every[at : at + packed]) for at in range(0, len(every), packed)]


def take(end: End, arriving: list[bytes]) -> None:
    """In batches; what is told is thrown away."""
    for at in range(0, len(arriving), BATCH):
        end.association.receive(arriving[at : at + BATCH], end.network.now)
        end.association.flush(end.network.now)
        end.association.events.clear()


def following(end: End) -> int:
    return end.association.transfer.inbound.cumulative + 1


def held(end: End) -> int:
    return end.association.transfer.inbound.reassembly.held


def seconds(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


# Memory


@pytest.mark.parametrize("flags", [FIRST, 0, LAST, FIRST | UNORDERED, UNORDERED, LAST | UNORDERED])
@pytest.mark.parametrize("gap", [0, 1])
def test_a_peer_that_completes_no_message_fills_no_memory(flags: int, gap: int) -> None:
    _network, _a, b = joined(known=PLAIN)
    first = following(b)
    crumbs = (Data(flags, first + gap + at, at % 500, 0, 53, bytes(1100)) for at in range(50_000))
    take(b, packets(b, crumbs, 1))
    assert held(b) <= 3 * WINDOW + 2000
    assert b.association.transfer.inbound.window == 0


def test_messages_before_their_turn_fill_no_memory() -> None:
    _network, _a, b = joined(known=PLAIN)
    first = following(b)
    take(b, packets(b, (Data(WHOLE, first + at, 1, 1 + at, 53, bytes(1100)) for at in range(30_000)), 1))
    assert WINDOW < held(b) <= 3 * WINDOW + 2000


def test_chunks_of_a_byte_count_what_they_take() -> None:
    _network, _a, b = joined(known=PLAIN)
    first = following(b)
    take(b, packets(b, (Data(0, first + 1 + at, 1, 0, 53, b"x") for at in range(60_000))))
    reassembly = b.association.transfer.inbound.reassembly
    assert len(reassembly._starts) + sum(len(run.pieces) for run in reassembly._starts.values()) < 40_000


def test_a_full_end_takes_what_closes_its_gap() -> None:
    network, _a, b = joined(known=PLAIN)
    first = following(b)
    take(b, packets(b, (Data(WHOLE, first + 1 + at, 1, 1 + at, 53, bytes(1100)) for at in range(5000)), 1))
    assert held(b) > 2 * WINDOW
    b.association.receive(packets(b, [Data(WHOLE, first, 1, 0, 53, b"closes it")]), network.now)
    assert len(b.association.events) > 1000
    assert held(b) == 0


# Time


def crumbs(flags: int, order: Callable[[int], int]) -> Callable[[End, int], list[bytes]]:
    def made(end: End, count: int) -> list[bytes]:
        first = following(end)
        return packets(end, (Data(flags, first + order(at), 7, 0, 53, b"x") for at in range(count)))

    return made


def behind_a_hole(end: End, count: int) -> list[bytes]:
    first = following(end)
    messages = [Data(WHOLE, first + at, 7, at, 53, b"x") for at in range(1, count)]
    return packets(end, [*messages, Data(WHOLE, first, 7, 0, 53, b"x")])


def skips(end: End, count: int) -> list[bytes]:
    """Holes everywhere, and a FORWARD TSN for each."""
    first = following(end)
    every: list[Any] = [Data(0, first + 2 * at + 1, 7, 0, 53, b"x") for at in range(count // 2)]
    every += [ForwardTsn(first + 2 * at, [(7, at, False)]) for at in range(count // 2)]
    return packets(end, every)


ARRIVING: dict[str, Callable[[End, int], list[bytes]]] = {
    "unordered ends of messages without a beginning": crumbs(UNORDERED | LAST, lambda at: at),
    "middles that come backwards": crumbs(0, lambda at: 20_000 - at),
    "every second middle, then the others": crumbs(0, lambda at: (2 * at) % 16_001),
    "messages behind a hole that closes": behind_a_hole,
    "skips": skips,
}


@pytest.mark.parametrize("name", ARRIVING)
def test_what_arrives_costs_the_same_however_much_is_held(name: str) -> None:
    def cost(count: int) -> float:
        best = float("inf")
        for _ in range(3):
            _, _, b = joined(known=PLAIN)
            arriving = ARRIVING[name](b, count)
            best = min(best, seconds(lambda: take(b, arriving)))  # noqa: B023
        return best

    assert cost(16_000) < 4 * 2.5 * cost(4_000)


def in_flight(count: int, **options: Any) -> tuple[Network, End, End]:
    """An end with so many chunks in flight, of which nothing arrives."""
    network, a, b = joined(known=PLAIN)
    transfer = a.association.transfer
    transfer.congestion.cwnd = transfer.peer_window = 2**40
    transfer.recovery.round_trip.shortest = 1.0
    a.link.dead = True
    for _ in range(count):
        a.association.send(7, 53, b"x", **options)
    transfer._flight_limit = lambda acked: 2**40  # type: ignore[method-assign]
    a.association.flush(network.now)
    assert len(transfer.outbound.outstanding) == count
    return network, a, b


def sack_costs(count: int, sacks: int = 50) -> float:
    """Of acknowledgements that each tell of one chunk more beyond a hole."""
    network, a, _ = in_flight(count + sacks + 2)
    base = a.association.transfer.outbound.cumulative
    arriving = [packets(a, [Sack(base, 2**31, [(2, count + at)])]) for at in range(sacks)]
    a.association.receive(arriving[0], network.now + 0.01)
    a.association.flush(network.now + 0.01)

    def rest() -> None:
        for each in arriving[1:]:
            a.association.receive(each, network.now + 0.01)
            a.association.flush(network.now + 0.01)

    return seconds(rest)


@replaces_a_method
def test_an_acknowledgement_costs_the_same_with_many_chunks_beyond_a_hole_as_with_few() -> None:
    assert min(sack_costs(16_000) for _ in range(3)) < 4 * min(sack_costs(100) for _ in range(3))


@replaces_a_method
def test_a_time_out_of_many_messages_that_have_expired_costs_each_once() -> None:
    def cost(count: int) -> float:
        _network, a, _ = in_flight(count, expiry=1000.1)
        due = a.association.transfer.recovery.t3
        return seconds(lambda: a.association.timeout(max(due, 1001.0)))

    assert min(cost(16_000) for _ in range(3)) < 4 * 2.5 * min(cost(4_000) for _ in range(3))


# Life and death


def test_a_cookie_that_is_replayed_after_the_end_brings_nothing_back() -> None:
    network, a, b = pair()
    a.begin()
    b.association.listen(5000)
    network.run(1)
    (echo,) = [packet for packet in a.link.sent if isinstance(decode_packet(packet, False).chunks[0], CookieEcho)]
    assert b.association.is_established
    a.emit(a.association.abort())
    network.run(1)
    assert b.ended == Ended(12, "the peer has aborted the association")
    sent = len(b.link.sent)
    b.arrive(echo)
    network.run(60)
    assert not b.association.is_established
    assert len(b.link.sent) == sent
    assert b.events.count(b.ended) == 1


def test_an_init_is_sent_again_with_backoff_and_for_minutes() -> None:
    network, a, _b = pair()
    a.link.dead = True
    a.begin()
    network.run(1000, lambda: a.ended is not None)
    assert len(a.link.sent) == 1 + MAX_INIT_RETRANSMITS
    assert a.ended == Ended(None, "the peer does not answer")
    assert network.now - 1000 == pytest.approx(1 + 2 + 4 + 8 + 16 + 32 + 60 * 3)


def test_a_peer_that_comes_minutes_late_is_met_at_once_by_its_own_init() -> None:
    network, a, b = pair()
    a.begin()
    b.link.dead = a.link.dead = True
    network.run(100)
    b.link.dead = a.link.dead = False
    b.begin()
    assert network.run(5, lambda: a.association.is_established and b.association.is_established) < 0.1


def test_an_association_without_a_path_waits_for_one() -> None:
    network, a, _ = joined()
    now = network.now
    a.association.send(3, 53, b"later")
    a.association.reset(4)
    for _ in range(5 * MAX_RETRANS):
        assert a.association.flush(now), "it goes on trying"
        a.association.unsent()
        now = a.association.deadline
        a.association.timeout(now)
    assert now - network.now > 100
    assert not a.association.is_over


def test_an_association_whose_path_is_dead_ends() -> None:
    network, a, b = joined()
    b.link.dead = a.link.dead = True
    a.send(b"into nothing")
    network.run(300, lambda: a.ended is not None)
    assert a.ended == Ended(None, "the peer is unreachable")
    sent = [packet for packet in a.link.sent if isinstance(decode_packet(packet, False).chunks[0], Data)]
    assert len(sent) == 1 + MAX_RETRANS
    before = len(a.link.sent)
    network.run(1000)
    assert len(a.link.sent) == before


def test_a_peer_that_answers_with_a_closed_window_is_not_dead() -> None:
    network, a, b = joined()
    b.unread = WINDOW
    before = a.association.transfer.congestion.cwnd
    a.send(b"waits")
    network.run(600)
    assert a.ended is None
    assert a.association.transfer.congestion.cwnd >= before, "probes are no losses"
    b.unread = 0
    b.association.transfer.inbound.backlog = 0
    assert b.association.has_opened()
    b.flush()
    assert network.run(5, lambda: bool(b.messages)) < 0.5, "sent again at once"


def test_expiry_is_by_the_time_that_is_given() -> None:
    network, a, b = joined()
    a.link.dead = True
    a.send(b"old", expiry=network.now + 0.3)
    network.run(0.1)
    a.send(b"kept", expiry=network.now + 1000)
    network.run(2)
    a.link.dead = False
    network.run(10)
    assert b.data == [b"kept"]


# Speed


def transferred(megabytes: float, **link: Any) -> float:
    """Seconds that so much takes, in messages of 16 KiB."""
    network, a, b = joined(**link)
    count = int(megabytes * 1e6 / 16384)
    for _ in range(count):
        a.send(bytes(16384))
    return network.run(600, lambda: len(b.messages) == count)


def test_a_long_path_is_filled_though_all_acknowledgements_come_at_once() -> None:
    # 16 packets a round trip were 216 kB/s; what the receiver's window allows are 10 MB/s.
    assert transferred(20, delay=0.05) < 20 / 5


def test_a_long_path_with_losses_is_used_by_half_of_what_newreno_can() -> None:
    # MSS / (RTT * sqrt(2p / 3)) with a packet of 1,189 bytes, 100 ms and 0.1 %: 460 kB/s (RFC 5348, section 3.1).
    assert transferred(5, delay=0.05, loss=0.001) < 5 / 0.23


def test_the_tail_of_a_burst_is_found_lost_before_the_time_out() -> None:
    network, a, b = joined()
    a.send(b"measures the round trip")
    network.run(1)
    a.link.dead = True
    a.send(b"lost")
    network.run(0.01)
    a.link.dead = False
    assert network.run(5, lambda: len(b.messages) == 2) < 0.15


def test_what_is_reordered_by_less_than_a_round_trip_is_not_sent_again_for_long() -> None:
    network, a, b = joined(delay=0.05, jitter=0.01)
    for _ in range(300):
        a.send(bytes(1100))
    network.run(30, lambda: len(b.messages) == 300)
    sent = [packet for packet in a.link.sent if isinstance(decode_packet(packet, False).chunks[0], Data)]
    assert len(sent) < 300 * 1.1


def test_another_path_is_learnt_anew() -> None:
    network, a, b = joined(delay=0.001, largest=16_384)
    for _ in range(100):
        a.send(bytes(16_000))
    network.run(5)
    round_trip = a.association.transfer.recovery.round_trip
    assert round_trip.shortest < 0.01
    assert a.association.packet_size == 16_384
    for end in (a, b):
        end.association.path_changed()
        end.link.delay = 0.1
    assert a.association.packet_size < 1200
    assert a.association.transfer.recovery.round_trip.shortest >= 1
    for _ in range(100):
        a.send(bytes(16_000))
    assert network.run(60, lambda: len(b.messages) == 200) < 4
    assert a.association.transfer.recovery.round_trip.shortest > 0.19


def test_no_more_can_be_acknowledged_than_a_sack_tells_of() -> None:
    _network, _a, b = joined(known=PLAIN)
    first = following(b)
    take(b, packets(b, [Data(WHOLE, first + AHEAD, 1, 0, 53, b"x"), Data(WHOLE, first + AHEAD - 1, 1, 1, 53, b"y")]))
    beyond = b.association.transfer.inbound._beyond
    assert beyond.ends == [first + AHEAD - 1]
