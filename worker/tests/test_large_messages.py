"""Messages that no side keeps whole: they are sent and passed on in parts."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from pair import Peer, close, connect, put
from sctp_wire import I_FORWARD_TSN, End, joined, part

from aiortc_worker.sctp.handshake import EVERYTHING, INTERLEAVING
from aiortc_worker.sctp.inbound import WINDOW
from aiortc_worker.sctp.reassembly import ASSEMBLED
from aiortc_worker.session.wire import FRAGMENT, MESSAGE, MORE, Limits
from aiortc_worker.transports.data_channel import GATHERED, DataChannel
from aiortc_worker.transports.sctp_association import SctpAssociation

MIB = 1024 * 1024


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


# The association


def queue(end: End, *parts: bytes, stream: int = 0, **options: Any) -> bool:
    """Sends the parts of a message that go on, or end with the last if `last` is not False."""
    last = options.pop("last", True)
    taken = True
    for index, data in enumerate(parts):
        more = not last or index < len(parts) - 1
        settings = {"ordered": True, "expiry": None, "max_retransmits": None, **options}
        taken = end.association.queue(stream, 53, data, more=more, **settings)
    end.association.wake()
    return taken


async def test_a_large_message_is_passed_on_while_it_arrives_and_a_small_one_when_it_is_whole() -> None:
    a, b = await joined()
    held = []
    b.taken = lambda: held.append(WINDOW - b.association.figures()["receiver_window"])  # type: ignore[method-assign]
    small, large = content(ASSEMBLED - 10_000), content(4 * MIB)
    a.send(small)
    assert await b.has(1) == [small]
    assert not b.told.count("part")
    a.send(large)
    assert (await b.has(2))[1] == large
    assert b.told.count("part") > 10
    assert max(held) < ASSEMBLED + 200_000
    assert b.association.figures()["receiver_window"] == WINDOW
    part(a, b)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ordered", [True, False])
async def test_whatever_the_wire_does_large_and_small_messages_arrive_once(seed: int, ordered: bool) -> None:
    chance = random.Random(seed)
    a, b = await joined()
    loop = asyncio.get_running_loop()
    deliver, other = a.wire.send_data, b.wire

    def stormy(data: bytes) -> bool:
        dice = chance.random()
        if dice < 0.03:
            return True
        if dice < 0.1:
            loop.call_later(chance.random() * 0.02, other.arrive, data)
            return True
        return deliver(data)

    a.wire.send_data = stormy  # type: ignore[method-assign]
    sizes = [chance.choice((10, 3000, 200_000, 400_000, 900_000)) for _ in range(12)]
    sent = [(index % 2, content(size, index)) for index, size in enumerate(sizes)]
    for stream, data in sent:
        a.send(data, stream, ordered=ordered)
    await b.has(len(sent), 60)
    if ordered:
        for stream in (0, 1):
            got = [data for of, data in b.messages if of == stream]
            assert got == [data for of, data in sent if of == stream]
    assert sorted(b.messages) == sorted(sent)
    assert b.association.figures()["receiver_window"] == WINDOW
    part(a, b)


async def test_a_window_that_a_gap_has_closed_opens_when_the_gap_closes() -> None:
    a, b = await joined()
    large = content(3 * MIB)
    lost = 0

    def passes(packet: bytes) -> bool:
        # The tenth packet of the message, until nothing else is left to send.
        nonlocal lost
        lost += 1
        return lost != 10

    a.wire.passes = passes
    a.send(large)
    a.send(b"behind", 1)
    assert sorted(await b.has(2, 20), key=len) == [b"behind", large]
    part(a, b)


async def test_a_message_is_sent_in_parts_that_come_one_by_one_with_tsns_in_a_row() -> None:
    a, b = await joined()
    pieces = [content(5000, index) for index in range(3)]
    for index, piece in enumerate(pieces):
        queue(a, piece, last=index == 2)
        await asyncio.sleep(0.01)
        assert len(b.messages) == (index == 2)
    queue(a, b"next")
    assert await b.has(2) == [b"".join(pieces), b"next"]
    part(a, b)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("size", [2000, 500_000])
async def test_a_message_given_up_in_the_middle_is_void_and_what_follows_arrives(ordered: bool, size: int) -> None:
    a, b = await joined()
    queue(a, content(size), last=False, ordered=ordered)
    await asyncio.sleep(0.1)
    a.association.abandon(0)
    for index in range(3):
        queue(a, bytes([index]), ordered=ordered)
    assert await b.has(3) == [b"\0", b"\1", b"\2"]
    assert any(I_FORWARD_TSN in kinds for kinds in a.wire.kinds())
    assert b.told.count("given up") == (size > ASSEMBLED), "only of what has been passed on"
    assert b.parts == {}
    await asyncio.sleep(0.1)
    assert not a.association.under_way(0)
    part(a, b)


async def test_the_rest_of_a_message_that_may_not_be_sent_again_is_dropped_with_it() -> None:
    a, b = await joined()
    a.wire.passes = lambda packet: False
    queue(a, content(3000), last=False, max_retransmits=0)
    await asyncio.sleep(0.01)
    a.wire.passes = lambda _: True
    await asyncio.sleep(1.2)
    assert not queue(a, content(3000), last=False, max_retransmits=0)
    queue(a, b"next")
    assert await b.has(1) == [b"next"]
    part(a, b)


async def test_a_stream_that_is_reset_in_the_middle_of_a_message_keeps_no_other_from_being_passed_on() -> None:
    a, b = await joined()
    for end in (a, b):
        end.association.use(4)
    queue(a, content(400_000), last=False, stream=4)
    await asyncio.sleep(0.2)
    assert b.parts
    a.association._core.transfer.outbound._unfinished.clear()
    a.association.reset(4)
    await asyncio.sleep(0.2)
    assert (b.resets, b.parts) == ([4], {})
    large = content(2 * MIB)
    queue(a, large, stream=6)
    assert await b.has(1) == [large]
    part(a, b)


# Channels


async def channels(*labels: str) -> tuple[Peer, Peer, list[DataChannel], list[DataChannel]]:
    a, b = Peer("controlling"), Peer("controlled")
    ours = [a.channel(label=label) for label in labels]
    await connect(a, b)
    for peer in (a, b):
        peer.sctp.max_message_size = 0
    theirs = [await b.accept(index + 1) for index in range(len(ours))]
    await asyncio.gather(*(a.session.event(each, "open") for each in ours))
    return a, b, ours, theirs


def give(channel: DataChannel, data: bytes, more: bool) -> None:
    channel.receive(MESSAGE, MORE if more else 0, memoryview(data))


async def give_by_credit(peer: Peer, channel: DataChannel, data: bytes) -> None:
    """As a shim does: with no more than 256 KiB ahead of its credit."""
    given = 0
    before = sum(peer.session.credits.get(channel, []))
    for start in range(0, len(data), FRAGMENT):
        piece = data[start : start + FRAGMENT]
        credit = given + len(piece) - 256 * 1024 + before
        await peer.session.until(lambda: sum(peer.session.credits.get(channel, [])) >= credit)  # noqa: B023
        give(channel, piece, start + FRAGMENT < len(data))
        given += len(piece)


async def arrived(peer: Peer, channel: DataChannel, count: int, within: float = 20) -> list[bytes | str]:
    await peer.session.until(lambda: len(peer.session.messages.get(channel, [])) >= count, within)
    return peer.session.messages[channel]


@pytest.mark.parametrize("size", [256 * 1024 + 1, 8 * MIB])
async def test_a_message_larger_than_a_shims_credit_goes_and_what_follows_too(size: int) -> None:
    a, b, [channel], [other] = await channels("x")
    message = content(size)
    await give_by_credit(a, channel, message)
    put(channel, "small")
    assert await arrived(b, other, 2) == [message, "small"]
    await a.session.until(lambda: sum(a.session.credits[channel]) == size + 5)
    await channel.close()
    await asyncio.gather(a.session.event(channel, "close"), b.session.event(other, "close"))
    sent, received = await channel.getStats(), await other.getStats()
    assert (
        (sent.messages_sent, sent.bytes_sent) == (received.messages_received, received.bytes_received) == (2, size + 5)
    )
    await close(a, b)


async def test_a_link_that_does_not_drain_stops_a_large_message() -> None:
    a, b, [channel], [other] = await channels("x")
    b.session.stalled = True
    message = content(6 * MIB)
    giving = asyncio.create_task(give_by_credit(a, channel, message))
    await b.session.until(lambda: b.session.waiting.get(other, 0) > 900_000)
    await asyncio.sleep(0.5)
    assert b.session.waiting[other] < 1_300_000
    assert not giving.done()
    b.session.drain()
    await giving
    assert await arrived(b, other, 1) == [message]
    await close(a, b)


@pytest.fixture
def _without_interleaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with every peer that does not know I-DATA."""
    monkeypatch.setattr(SctpAssociation, "known", EVERYTHING & ~INTERLEAVING)


@pytest.mark.usefixtures("_without_interleaving")
async def test_channels_take_turns_between_large_messages() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    giving = asyncio.create_task(give_by_credit(a, big, content(2 * MIB)))
    await a.session.until(lambda: sum(a.session.credits.get(big, [])) > 0)
    put(small, "between")
    await giving
    give(big, content(GATHERED), more=True)
    assert await arrived(b, second, 1) == ["between"], "the second large message has not ended"
    assert len(b.session.messages[first]) == 1
    give(big, b"end", more=False)
    await arrived(b, first, 2)
    await close(a, b)


@pytest.mark.usefixtures("_without_interleaving")
async def test_nothing_is_sent_in_the_middle_of_a_message_whose_rest_is_not_here_yet() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    give(big, content(GATHERED), more=True)
    await a.session.until(lambda: sum(a.session.credits.get(big, [])) == GATHERED)
    put(small, "behind")
    await asyncio.sleep(0.1)
    assert second not in b.session.messages
    give(big, b"end", more=False)
    assert await arrived(b, second, 1) == ["behind"]
    assert len((await arrived(b, first, 1))[0]) == GATHERED + 3
    await close(a, b)


@pytest.mark.usefixtures("_without_interleaving")
async def test_of_a_message_whose_turn_had_not_come_when_its_channel_was_dropped_nothing_is_sent() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    give(small, content(GATHERED), more=True)
    await a.session.until(lambda: sum(a.session.credits.get(small, [])) == GATHERED)
    put(big, "whole")
    give(big, content(ASSEMBLED + GATHERED), more=True)
    await big.close()
    give(small, b"end", more=False)
    await asyncio.gather(a.session.event(big, "close"), b.session.event(first, "close"))
    assert (b.session.messages[first], len(b.session.records[first])) == (["whole"], 1)
    assert await arrived(b, second, 1)
    await close(a, b)


@pytest.mark.usefixtures("_without_interleaving")
async def test_a_channel_opened_during_a_large_message_waits_for_its_end() -> None:
    a, b, [big], [first] = await channels("big")
    give(big, content(GATHERED), more=True)
    await a.session.until(lambda: big in a.session.credits)
    late = a.channel(label="late")
    await asyncio.sleep(0.05)
    put(late, "hello")
    assert len(b.session.outs(b.sctp, "datachannel")) == 1
    give(big, b"end", more=False)
    other = await b.accept(2)
    assert await arrived(b, other, 1) == ["hello"]
    assert len((await arrived(b, first, 1))[0]) == GATHERED + 3
    await close(a, b)


async def test_a_large_message_keeps_no_other_channel_waiting_where_both_ends_know_i_data() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    give(big, content(600_000), more=True)
    await a.session.until(lambda: sum(a.session.credits.get(big, [])) == 600_000)
    put(small, "between")
    assert await arrived(b, second, 1) == ["between"]
    late = a.channel(label="late")
    put(late, "hello")
    assert await arrived(b, await b.accept(3), 1) == ["hello"]
    assert first not in b.session.messages
    give(big, b"end", more=False)
    assert await arrived(b, first, 1) == [content(600_000) + b"end"]
    await close(a, b)


async def test_two_large_messages_at_a_time_may_be_given_up_one_by_one() -> None:
    a, b, [big, other], [first, second] = await channels("big", "other")
    give(big, content(600_000), more=True)
    give(other, content(700_000), more=True)
    await b.session.until(lambda: b.session.parts.get(first) and b.session.parts.get(second))
    await big.close()
    await asyncio.gather(a.session.event(big, "close"), b.session.event(first, "close"))
    give(other, b"end", more=False)
    assert await arrived(b, second, 1) == [content(700_000) + b"end"]
    assert first not in b.session.messages
    again = a.channel(label="again")
    assert (await a.session.event(again, "open")).stream_id == 0
    put(again, "on the same stream")
    assert await arrived(b, await b.accept(3), 1) == ["on the same stream"]
    await close(a, b)


@pytest.mark.usefixtures("_without_interleaving")
async def test_a_channel_opened_and_closed_during_a_large_message_opens_and_closes_at_the_peer() -> None:
    a, b, [big], _ = await channels("big")
    give(big, content(GATHERED), more=True)
    await a.session.until(lambda: big in a.session.credits)
    late = a.channel(label="late")
    await a.session.event(late, "open")
    await late.close()
    await asyncio.sleep(0.05)
    give(big, b"end", more=False)
    other = await b.accept(2)
    await asyncio.gather(a.session.event(late, "close"), b.session.event(other, "close"))
    await close(a, b)


async def test_a_channel_dropped_in_the_middle_of_a_message_closes_and_others_live() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    give(big, content(600_000), more=True)
    await b.session.until(lambda: b.session.parts.get(first))
    await big.close()
    await asyncio.gather(a.session.event(big, "close"), b.session.event(first, "close"))
    assert first not in b.session.messages
    put(small, "lives")
    assert await arrived(b, second, 1) == ["lives"]
    await close(a, b)


async def test_a_channel_that_the_peer_closes_in_the_middle_of_a_message_closes() -> None:
    a, b, [big, small], [first, second] = await channels("big", "small")
    give(big, content(600_000), more=True)
    await b.session.until(lambda: b.session.parts.get(first))
    await first.close()
    await asyncio.gather(a.session.event(big, "close"), b.session.event(first, "close"))
    give(big, b"too late", more=False)
    put(small, "lives")
    assert await arrived(b, second, 1) == ["lives"]
    await close(a, b)


async def test_a_large_message_beyond_the_limit_closes_its_channel_alone() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    b.sctp._inbound.limit = 1_000_000
    first, second = a.channel(label="1"), a.channel(label="2")
    await connect(a, b)
    a.sctp.max_message_size = 0
    one, two = await b.accept(1), await b.accept(2)
    await a.session.event(first, "open")
    put(first, content(1_000_000))
    assert len((await arrived(b, one, 1))[0]) == 1_000_000
    put(first, content(1_000_001))
    out = await b.session.event(one, "close")
    assert out.error.error_detail == "data-channel-failure"
    assert len(b.session.messages[one]) == 1
    put(second, "lives")
    assert await arrived(b, two, 1) == ["lives"]
    await close(a, b)


async def test_a_message_that_outlives_its_lifetime_in_the_middle_is_given_up_alone() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x", max_packet_life_time=200)
    await connect(a, b)
    a.sctp.max_message_size = 0
    other = await b.accept()
    await a.session.event(channel, "open")
    give(channel, content(500_000), more=True)
    await b.session.until(lambda: b.session.parts.get(other))
    await asyncio.sleep(0.3)
    give(channel, b"too late", more=True)
    give(channel, b"too late", more=False)
    put(channel, "next")
    assert await arrived(b, other, 1) == ["next"]
    await a.session.until(lambda: sum(a.session.credits[channel]) == 500_000 + 16 + 4)
    await close(a, b)


async def test_a_message_that_grows_beyond_what_the_peer_takes_is_given_up_alone() -> None:
    a, b, [channel], [other] = await channels("x")
    a.sctp.max_message_size = 500_000
    for more in (True, True, False):
        give(channel, content(200_000), more)
    assert [out.name for out in a.session.outs(channel, "error")] == ["TypeError"]
    put(channel, "next")
    assert await arrived(b, other, 1) == ["next"]
    await a.session.until(lambda: sum(a.session.credits[channel]) == 600_004)
    await close(a, b)


async def test_a_large_message_for_a_channel_that_is_accepted_late_is_whole() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    a.sctp.max_message_size = 0
    await a.session.event(channel, "open")
    message = content(900_000)
    put(channel, message)
    await asyncio.sleep(0.3)
    assert await arrived(b, await b.accept(), 1) == [message]
    await close(a, b)


def test_a_shim_may_always_send_what_must_be_gathered() -> None:
    assert GATHERED < 256 * 1024 - FRAGMENT
    assert ASSEMBLED < WINDOW // 2
    assert Limits().message == 64 * MIB
