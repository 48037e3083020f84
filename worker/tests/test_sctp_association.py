"""The association by its packets: what shares one, what is acknowledged when, what is sent again."""

from __future__ import annotations

import asyncio
import random

import pytest
from sctp_wire import I_DATA, I_FORWARD_TSN, SACK, End, joined, part

from aiortc_worker.sctp.bundle import RUN
from aiortc_worker.sctp.chunks import HEADER, Chunk, Data, Sack
from aiortc_worker.sctp.chunks import I_DATA as I_DATA_HEADER
from aiortc_worker.sctp.congestion import BASE, INITIAL_WINDOW
from aiortc_worker.sctp.inbound import WINDOW
from aiortc_worker.sctp.packet import decode_packet, encode_packet
from aiortc_worker.sctp.round_trip import RTO_MAX, RTO_MIN


def chunks(packet: bytes) -> list[Chunk]:
    return decode_packet(packet, checksum=False).chunks


def tsns(packet: bytes) -> list[int]:
    return [chunk.tsn for chunk in chunks(packet) if isinstance(chunk, Data)]


def sacks(packets: list[bytes]) -> list[Sack]:
    return [chunk for packet in packets for chunk in chunks(packet) if isinstance(chunk, Sack)]


def to(end: End, *given: bytes) -> bytes:
    return encode_packet(5000, 5000, end.association._core.local_tag, given)


# Bundling


async def test_small_messages_share_packets_that_are_no_longer_than_they_may_be() -> None:
    a, b = await joined()
    for index in range(50):
        a.send(bytes([index]) * 60)
    assert await b.has(50) == [bytes([index]) * 60 for index in range(50)]
    packets = [packet for packet in a.wire.sent if tsns(packet)]
    assert len(packets) == 4, "14 chunks of 80 bytes fit into a packet"
    assert max(map(len, packets)) <= BASE
    part(a, b)


async def test_what_leaves_in_a_turn_is_handed_to_dtls_at_once() -> None:
    a, b = await joined()
    a.wire.batches.clear()
    a.send(b"x" * 8000)
    await b.has(1)
    assert a.wire.batches[0] == 7
    part(a, b)


async def test_a_long_packet_waits_for_no_other() -> None:
    a, b = await joined()
    a.association._core._bundle.resize(16_384)
    a.wire.batches.clear()
    a.send(b"x" * 40_000)
    await b.has(1)
    assert a.wire.batches == [1, 1, 1]
    part(a, b)


async def test_a_run_of_packets_does_not_wait_for_the_end_of_a_long_turn() -> None:
    a, b = await joined()
    a.association._core.transfer.congestion.cwnd = 100 * BASE
    a.wire.batches.clear()
    a.waiting.extend((0, b"x" * 1100) for _ in range(40))
    a.association.wake()
    await b.has(40)
    assert max(a.wire.batches) == RUN
    part(a, b)


async def test_an_acknowledgement_rides_on_data_that_goes_anyway() -> None:
    a, b = await joined()
    a.send(b"ping")
    await b.has(1)
    b.send(b"pong")
    await a.has(1)
    assert b.wire.kinds() == [[SACK, I_DATA]]
    part(a, b)


async def test_every_second_packet_is_acknowledged_and_a_single_one_a_little_later() -> None:
    a, b = await joined()
    a.send(b"one")
    await b.has(1)
    assert b.wire.kinds() == []
    await asyncio.sleep(0.05)
    assert b.wire.kinds() == [[SACK]]
    a.send(b"x" * 2000)
    await b.has(2)
    await asyncio.sleep(0)
    assert b.wire.kinds() == [[SACK]]
    part(a, b)


async def test_messages_go_on_before_packets_are_answered_and_packets_before_they_are_accounted_for() -> None:
    a, b = await joined()
    a.told.clear()
    b.told.clear()
    a.send(b"x" * 2000)
    await b.has(1)
    assert a.told[:3] == ["packet", "packet", "settled"]
    assert b.told == ["message", "taken", "packet", "settled"], "two packets of data are acknowledged at once"
    part(a, b)


async def test_messages_go_on_before_the_acknowledgement_that_came_with_them_is_acted_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = await joined()
    under_way: list[int] = []
    monkeypatch.setattr(a, "taken", lambda: under_way.append(a.association.figures()["unacked_data"]))
    a.send(b"question")
    await b.has(1)
    b.send(b"answer")
    await a.has(1)
    assert b.wire.kinds() == [[SACK, I_DATA]]
    assert under_way == [28], "what it acknowledges counts until the message was passed on"
    assert a.association.figures()["unacked_data"] == 0
    part(a, b)


async def test_a_packet_of_which_a_chunk_cannot_be_read_is_dropped_and_no_other() -> None:
    a, b = await joined()
    a.send(b"question")
    await b.has(1)
    b.wire.held = []
    b.send(b"answer")
    await asyncio.sleep(0.01)
    (packet,) = b.wire.held
    sack, data = chunks(packet)
    short = HEADER.pack(SACK, 0, 12) + sack.encode()[HEADER.size : 12]
    a.wire.arrive(to(a, short, data.encode()), to(a, data.encode()))
    assert await a.has(1) == [b"answer"]
    assert a.association.figures()["unacked_data"] == 28
    assert a.association.malformed == 1
    part(a, b)


# Loss


async def test_what_is_out_of_order_is_acknowledged_at_once_for_each_packet() -> None:
    a, b = await joined()
    a.wire.held = []
    for index in range(6):
        a.send(bytes([index]) * 1100)
    await asyncio.sleep(0.01)
    lost, *others = a.wire.held
    a.wire.held = None
    b.wire.arrive(*others)
    await asyncio.sleep(0.01)
    assert [list(sack.gaps) for sack in sacks(b.wire.sent)][:5] == [[(2, 2)], [(2, 3)], [(2, 4)], [(2, 5)], [(2, 6)]]
    assert await b.has(6, 0.3) == [bytes([index]) * 1100 for index in range(6)], "sent again before T3"
    assert tsns(lost)[0] in [tsn for packet in a.wire.sent[6:] for tsn in tsns(packet)]
    part(a, b)


async def test_a_lost_chunk_is_sent_again_once_a_round_trip_however_many_acknowledgements_miss_it() -> None:
    a, b = await joined()
    a.wire.held, b.wire.held = [], []
    for index in range(10):
        a.send(bytes([index]) * 1100)
    await asyncio.sleep(0.01)
    lost, *others = a.wire.held
    b.wire.arrive(*others)
    await asyncio.sleep(0.01)
    acknowledgements = b.wire.held
    assert len(sacks(acknowledgements)) == 9
    for sack in sacks(acknowledgements):
        # One at a time, as if the path were long.
        a.wire.arrive(to(a, sack.encode()))
        await asyncio.sleep(0.001)
    assert a.wire.held.count(lost) == 2, "sent, and sent again"
    a.wire.release()
    b.wire.release()
    assert len(await b.has(10)) == 10
    part(a, b)


async def test_a_time_out_comes_after_one_probe_and_doubles_up_to_its_limit() -> None:
    a, b = await joined()
    a.send(b"x")
    await b.has(1)
    await asyncio.sleep(0.05)
    assert a.association._core.transfer.recovery.round_trip.rto == RTO_MIN
    a.wire.passes = lambda _: False
    a.send(b"y")
    await asyncio.sleep(1.4)
    assert len([packet for packet in a.wire.sent if tsns(packet)]) == 5, "both messages, a probe, twice again"
    assert a.association._core.transfer.recovery.round_trip.rto == 4 * RTO_MIN < RTO_MAX
    a.wire.passes = lambda _: True
    assert await b.has(2, 5) == [b"x", b"y"]
    part(a, b)


async def test_an_abandoned_message_is_skipped_and_what_follows_arrives() -> None:
    a, b = await joined()
    a.wire.passes = lambda packet: False
    a.send(b"x" * 3000, max_retransmits=0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    a.wire.passes = lambda _: True
    for index in range(5):
        a.send(bytes([index]))
        await asyncio.sleep(0.001)
    assert await b.has(5, 3) == [bytes([index]) for index in range(5)]
    assert any(I_FORWARD_TSN in kinds for kinds in a.wire.kinds())
    part(a, b)


async def test_an_acknowledgement_of_what_was_never_sent_changes_nothing() -> None:
    a, b = await joined()
    beyond = (a.association._core.transfer.outbound.next_tsn + 1000) % 2**32
    a.wire.arrive(to(a, Sack(beyond, 10).encode()))
    await asyncio.sleep(0.01)
    a.send(b"still")
    assert await b.has(1) == [b"still"]
    part(a, b)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_the_wire_does_messages_arrive_once_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    a, b = await joined()
    loop = asyncio.get_running_loop()

    def weather(end: End) -> None:
        send = end.wire.send_data
        other = end.wire.other

        def stormy(data: bytes) -> bool:
            dice = chance.random()
            if dice < 0.05:
                return True
            if dice < 0.15:
                loop.call_later(chance.random() * 0.02, other.arrive, data)
                return True
            if dice < 0.2:
                other.arrive(data)
            return send(data)

        end.wire.send_data = stormy  # type: ignore[method-assign]

    weather(a)
    weather(b)
    sent = [[bytes([n % 251]) * chance.choice((1, 50, 1160, 1161, 5000)) for n in range(150)] for _ in range(2)]
    for stream, messages in enumerate(sent):
        for message in messages:
            a.send(message, stream)
            b.send(message, stream)
    for end in (a, b):
        await end.has(300, 30)
        for stream, messages in enumerate(sent):
            assert [data for of, data in end.messages if of == stream] == messages
    part(a, b)


# Windows


async def test_no_more_is_in_flight_at_first_than_ten_packets() -> None:
    a, b = await joined()
    a.wire.held = []
    a.waiting.extend((0, b"x" * 1156) for _ in range(100))
    a.association.wake()
    await asyncio.sleep(0.01)
    assert len(a.wire.held) == -(-INITIAL_WINDOW // (I_DATA_HEADER.size + 1156))
    a.wire.release()
    await b.has(100)
    part(a, b)


async def test_a_peer_that_is_not_read_is_stopped_and_goes_on_at_once_when_it_is() -> None:
    a, b = await joined()
    a.waiting.extend((0, b"x" * 10_000) for _ in range(300))
    a.association.wake()
    await b.has(20)
    b.unread = WINDOW
    await asyncio.sleep(0.3)
    stopped = len(b.messages)
    assert stopped < 300
    await asyncio.sleep(0.3)
    assert len(b.messages) == stopped, "what exceeds the window is not taken"
    b.unread = 0
    b.association.update_window()
    await b.has(300, 2)
    part(a, b)


async def test_a_window_that_was_half_closed_is_announced_when_it_opens_and_not_twice() -> None:
    a, b = await joined()
    b.unread = WINDOW // 2
    a.send(b"x" * 2000)
    await b.has(1)
    await asyncio.sleep(0.01)
    assert [sack.window for sack in sacks(b.wire.sent)] == [WINDOW // 2]
    b.unread = 0
    for _ in range(2):
        b.association.update_window()
        await asyncio.sleep(0.01)
    assert [sack.window for sack in sacks(b.wire.sent)] == [WINDOW // 2, WINDOW]
    part(a, b)


async def test_what_was_sent_into_a_closed_window_is_sent_again_when_it_opens() -> None:
    a, b = await joined()
    b.unread = WINDOW
    a.send(b"not kept")
    await asyncio.sleep(0.05)
    assert b.messages == []
    # As after a long while of probing.
    a.association._core.transfer.recovery.t3 += RTO_MAX
    b.unread = 0
    b.association.update_window()
    assert await b.has(1, 2) == [b"not kept"]
    part(a, b)


async def test_messages_are_asked_for_only_when_there_is_room() -> None:
    a, b = await joined()
    a.wire.held = []
    a.waiting.extend((0, b"x" * 1000) for _ in range(100))
    a.association.wake()
    await asyncio.sleep(0.01)
    assert len(a.waiting) > 80
    a.wire.release()
    await b.has(100)
    part(a, b)


async def test_packets_that_no_path_takes_are_no_sign_of_a_dead_peer() -> None:
    a, _ = await joined()
    recovery = a.association._core.transfer.recovery
    recovery.errors = 5
    a.wire.send_packets = lambda packets: False  # type: ignore[method-assign]
    a.send(b"into nothing")
    await asyncio.sleep(0.01)
    assert recovery.errors == 0
