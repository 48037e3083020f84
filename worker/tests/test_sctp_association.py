"""The association by its packets: what shares one, what is acknowledged when, what is sent again."""

from __future__ import annotations

import asyncio
import random

import pytest
from aiortc.rtcsctptransport import SCTP_MAX_PACKET_LENGTH
from hypothesis import given
from hypothesis import strategies as st
from sctp_wire import DATA, FORWARD_TSN, SACK, End, joined, part

from aiortc_worker.sctp.acknowledging import WINDOW
from aiortc_worker.sctp.packet import CHUNK, HEADER, Sack, chunks_of, decode_sack, encode_sack, is_intact, seal
from aiortc_worker.sctp.packet import DATA as DATA_HEADER
from aiortc_worker.sctp.sending import INITIAL_WINDOW
from aiortc_worker.sctp.timers import RTO_MAX, RTO_MIN


def tsns(packet: bytes) -> list[int]:
    return [DATA_HEADER.unpack_from(packet, start)[3] for kind, _, start, _ in chunks_of(packet) if kind == DATA]


def sacks(packets: list[bytes]) -> list[Sack]:
    return [decode_sack(packet, chunk) for packet in packets for chunk in chunks_of(packet) if chunk[0] == SACK]


# Packets


@given(st.lists(st.binary(max_size=60).map(lambda body: body + bytes(-len(body) % 4)), min_size=1, max_size=5))
def test_a_packet_is_read_as_it_was_sealed(bodies: list[bytes]) -> None:
    chunks = [bytes([200 + i, 0, 0, 4 + len(body)]) + body for i, body in enumerate(bodies)]
    packet = seal(5000, 5001, 77, chunks)
    assert is_intact(packet)
    assert [packet[start:end] for _, _, start, end in chunks_of(packet)] == chunks
    assert not is_intact(packet[:-1] + bytes([packet[-1] ^ 1]))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(1, 65535), st.integers(1, 65535)), max_size=20),
    st.lists(st.integers(0, 2**32 - 1), max_size=5),
)
def test_an_acknowledgement_is_read_as_it_was_written(
    tsn: int, window: int, gaps: list[tuple[int, int]], duplicates: list[int]
) -> None:
    packet = seal(1, 2, 3, [encode_sack(Sack(tsn, window, gaps, duplicates))])
    (read,) = sacks([packet])
    assert (read.cumulative_tsn, read.window, list(read.gaps)) == (tsn, window, gaps)


@given(st.binary(max_size=200))
def test_no_bytes_make_reading_a_packet_fail_otherwise_than_by_value_error(data: bytes) -> None:
    try:
        for chunk in chunks_of(data):
            decode_sack(data, chunk)
    except ValueError:
        return


# Bundling


async def test_small_messages_share_packets_that_are_no_longer_than_they_may_be() -> None:
    a, b = await joined()
    for index in range(50):
        a.send(bytes([index]) * 60)
    assert await b.has(50) == [bytes([index]) * 60 for index in range(50)]
    packets = [packet for packet in a.wire.sent if tsns(packet)]
    assert len(packets) == 4, "14 to 15 chunks of 76 bytes fit into a packet"
    assert max(map(len, packets)) <= SCTP_MAX_PACKET_LENGTH
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
    a.association._set_packet_size(16_384)
    await asyncio.sleep(0)
    a.wire.batches.clear()
    a.send(b"x" * 40_000)
    await b.has(1)
    assert a.wire.batches == [1, 1, 1]
    part(a, b)


async def test_an_acknowledgement_rides_on_data_that_goes_anyway() -> None:
    a, b = await joined()
    a.send(b"ping")
    await b.has(1)
    b.send(b"pong")
    await a.has(1)
    assert b.wire.kinds() == [[SACK, DATA]]
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
    assert b.wire.kinds() == [[SACK, DATA]]
    assert under_way == [24], "what it acknowledges counts until the message was passed on"
    assert a.association.figures()["unacked_data"] == 0
    part(a, b)


async def test_an_acknowledgement_that_cannot_be_read_takes_nothing_with_it() -> None:
    a, b = await joined()
    a.send(b"question")
    await b.has(1)
    b.wire.held = []
    b.send(b"answer")
    await asyncio.sleep(0.01)
    (packet,) = b.wire.held
    (_, _, start, end), (_, _, data, _) = chunks_of(packet)
    short = CHUNK.pack(SACK, 0, 12) + packet[start + CHUNK.size : end - 4]
    a.wire.arrive(seal(5000, 5000, HEADER.unpack_from(packet)[2], [short, packet[data:]]))
    assert await a.has(1) == [b"answer"]
    assert a.association.figures()["unacked_data"] == 24
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
        tag = a.association._local_verification_tag
        a.wire.arrive(seal(5000, 5000, tag, [encode_sack(sack)]))
        await asyncio.sleep(0.001)
    assert a.wire.held.count(lost) == 2, "sent, and sent again"
    a.wire.release()
    b.wire.release()
    assert len(await b.has(10)) == 10
    part(a, b)


async def test_a_time_out_doubles_up_to_its_limit() -> None:
    a, b = await joined()
    a.send(b"x")
    await b.has(1)
    await asyncio.sleep(0.05)
    assert a.association._rto == RTO_MIN
    a.wire.passes = lambda _: False
    a.send(b"y")
    await asyncio.sleep(1.4)
    assert len([packet for packet in a.wire.sent if tsns(packet)]) == 4, "the message, twice again"
    assert a.association._rto == 4 * RTO_MIN < RTO_MAX
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
    assert any(FORWARD_TSN in kinds for kinds in a.wire.kinds())
    part(a, b)


async def test_an_acknowledgement_of_what_was_never_sent_changes_nothing() -> None:
    a, b = await joined()
    tag = a.association._local_verification_tag
    beyond = (a.association._local_tsn + 1000) % 2**32
    b.wire.other.arrive(seal(5000, 5000, tag, [encode_sack(Sack(beyond, 10, []))]))
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
    a.waiting.extend((0, b"x" * 1160) for _ in range(100))
    a.association.wake()
    await asyncio.sleep(0.01)
    assert len(a.wire.held) == -(-INITIAL_WINDOW // 1176)
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
    a.association._rto = RTO_MAX
    a.association._t3_restart()
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
