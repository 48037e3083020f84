"""Channels over two real connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from compiled_marks import replaces_a_method
from fakes import quotas
from pair import Peer, close, connect, put, restart

from aiortc_worker.compat.ice_socket import IceSocket
from aiortc_worker.session.remote import CallError
from aiortc_worker.transports.data_channel import DataChannel
from aiortc_worker.transports.ice_timing import IceTiming
from aiortc_worker.transports.ice_transport import IceTransport


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Loses a share of the datagrams, at random but the same each time."""
    original = IceSocket.datagram_received
    state = {"loss": 0.0}
    chance = random.Random(1)

    def received(self: IceSocket, data: bytes, addr: tuple[Any, ...]) -> None:
        if data[0] < 4 or chance.random() >= state["loss"]:
            original(self, data, addr)

    monkeypatch.setattr(IceSocket, "datagram_received", received)
    return lambda loss: state.update(loss=loss)


async def pair(**options: Any) -> tuple[Peer, Peer, DataChannel, DataChannel]:
    """A channel from a to b, open at both ends."""
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(**{"label": "x", **options})
    await connect(a, b)
    await a.session.event(channel, "open")
    other = await b.accept()
    await b.session.event(other, "open")
    return a, b, channel, other


async def arrived(peer: Peer, channel: DataChannel, count: int, within: float = 10) -> list[bytes | str]:
    await peer.session.until(lambda: len(peer.session.messages.get(channel, [])) >= count, within)
    return peer.session.messages[channel]


@pytest.mark.parametrize("ice_role", ["controlling", "controlled"])
@pytest.mark.parametrize("dtls_role", ["client", "server"])
async def test_a_channel_carries_messages_both_ways_whatever_the_roles(ice_role: str, dtls_role: str) -> None:
    a = Peer(ice_role)
    b = Peer("controlled" if ice_role == "controlling" else "controlling")
    channel = a.channel(label="chat")
    await connect(a, b, dtls_role)
    opened = await a.session.event(channel, "open")
    assert opened.stream_id % 2 == (0 if dtls_role == "client" else 1)
    put(channel, "hello")
    put(channel, b"\x00\x01")
    other = await b.accept()
    assert await arrived(b, other, 2) == ["hello", b"\x00\x01"]
    for message in ("", b"", "x" * 262144, "grüße"):
        put(other, message)
    assert await arrived(a, channel, 4) == ["", b"", "x" * 262144, "grüße"]
    await close(a, b)


async def test_what_arrives_goes_on_at_once() -> None:
    a, b, channel, other = await pair()
    for count in (1, 2):
        put(channel, "x")
        await arrived(b, other, count)
        assert b.session.flushed == count
    await close(a, b)


async def test_nothing_is_open_before_bytes_can_flow() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    put(channel, "early")
    await asyncio.sleep(0.01)
    assert a.session.outs(channel, "open") == []
    assert a.session.credits == {}
    await connect(a, b)
    await a.session.event(channel, "open")
    other = await b.accept()
    assert await arrived(b, other, 1) == ["early"]
    assert a.session.credits[channel] == [5]
    await close(a, b)


async def test_what_a_channel_is_reaches_the_peer_in_bytes_not_characters() -> None:
    label, protocol = "ñandú 🦤" * 3, "протокол"
    for options in (
        {},
        {"ordered": False},
        {"max_retransmits": 0},
        {"max_packet_life_time": 0, "ordered": False},
        {"max_packet_life_time": 1500},
    ):
        a, b, channel, _ = await pair(label=label, protocol=protocol, **options)
        offered = b.session.outs(b.sctp, "datachannel")[0]
        assert (offered.label, offered.protocol) == (label, protocol)
        assert offered.ordered is options.get("ordered", True)
        assert offered.max_retransmits == options.get("max_retransmits")
        assert offered.max_packet_life_time == options.get("max_packet_life_time")
        put(channel, "goes")
        other = next(each for each in b.session.objects.values() if isinstance(each, DataChannel))
        assert await arrived(b, other, 1) == ["goes"]
        await close(a, b)


async def test_identifiers_follow_the_dtls_role_and_skip_what_is_taken() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b, "client")
    taken = a.channel(negotiated=True, stream_id=2)
    mine = [a.channel(label=str(index)) for index in range(3)]
    theirs = b.channel(label="b")
    assert [(await a.session.event(each, "open")).stream_id for each in mine] == [0, 4, 6]
    assert (await a.session.event(taken, "open")).stream_id == 2
    assert (await b.session.event(theirs, "open")).stream_id == 1
    with pytest.raises(CallError) as refused:
        a.channel(negotiated=True, stream_id=2)
    assert refused.value.name == "OperationError"
    await close(a, b)


async def test_when_identifiers_run_out_the_channel_fails_and_no_other() -> None:
    a, b, channel, other = await pair()
    a.sctp._association._core._handshake.agreement.outbound_streams = 4
    second, third = a.channel(label="fits"), a.channel(label="does not")
    beyond = a.channel(negotiated=True, stream_id=77)
    await a.session.event(second, "open")
    for failing in (third, beyond):
        out = await a.session.event(failing, "close")
        assert out.error.error_detail == "data-channel-failure"
    put(channel, "lives")
    assert await arrived(b, other, 1) == ["lives"]
    await close(a, b)


async def test_a_negotiated_channel_made_late_misses_nothing() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    first = a.channel(negotiated=True, stream_id=9, label="n")
    put(first, "one")
    put(first, b"two")
    await asyncio.sleep(0.05)
    second = b.channel(negotiated=True, stream_id=9, label="n")
    assert await arrived(b, second, 2) == ["one", b"two"]
    put(second, "three")
    assert await arrived(a, first, 1) == ["three"]
    assert b.session.outs(b.sctp, "datachannel") == []
    await close(a, b)


async def test_a_channel_that_is_accepted_late_misses_nothing() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    sent = [bytes([index]) * 10000 for index in range(20)]
    for message in sent:
        put(channel, message)
    await channel.close()
    await asyncio.sleep(0.2)
    other = await b.accept()
    await b.session.event(other, "close")
    assert b.session.messages[other] == sent
    assert [name for remote, name, _ in b.session.events if remote is other] == ["open", "closing", "close"]
    await a.session.event(channel, "close")
    await close(a, b)


@replaces_a_method
async def test_close_delivers_what_was_sent_and_then_frees_the_stream() -> None:
    a, b, channel, other = await pair()
    answers: list[int] = []
    resets = b.sctp._association._core.transfer.resets
    answer = resets._take_request

    def noted(request: Any) -> Any:
        response = answer(request)
        answers.append(response.result)
        return response

    resets._take_request = noted  # type: ignore[method-assign]
    sent = [bytes([index]) * 50000 for index in range(20)]
    for message in sent:
        put(channel, message)
    await channel.close()
    put(channel, "too late")
    await asyncio.gather(a.session.event(channel, "close"), b.session.event(other, "close"))
    assert b.session.messages[other] == sent
    assert b.session.outs(other, "closing") != []
    assert a.session.outs(channel, "closing") == []
    assert a.session.outs(channel, "close")[0].error is None
    assert set(answers) == {1}, "performed at once: the reset did not overtake the data"
    again = a.channel(label="again")
    assert (await a.session.event(again, "open")).stream_id == 0
    put(again, "on the same stream")
    assert await arrived(b, await b.accept(2), 1) == ["on the same stream"]
    await close(a, b)


async def test_streams_may_be_used_again_and_again() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    for count in range(1, 31):
        channel = a.channel(label=str(count))
        assert (await a.session.event(channel, "open")).stream_id == 0
        other = await b.accept(count)
        put(channel, str(count))
        assert await arrived(b, other, 1) == [str(count)]
        closing = [[channel], [other], [channel, other]][count % 3]
        await asyncio.gather(*(each.close() for each in closing))
        await asyncio.gather(a.session.event(channel, "close"), b.session.event(other, "close"))
    await asyncio.sleep(0.05)
    for peer in (a, b):
        resets = peer.sctp._association._core.transfer.resets
        assert not resets._used | resets._reset_in | resets._reset_out
        assert not peer.sctp._channels
    await close(a, b)


async def test_both_may_close_at_once() -> None:
    a, b, channel, other = await pair()
    await asyncio.gather(channel.close(), other.close())
    await asyncio.gather(a.session.event(channel, "close"), b.session.event(other, "close"))
    await close(a, b)


async def test_closing_before_the_connection_is_the_end_of_it() -> None:
    a = Peer("controlling")
    channel = a.channel(label="x")
    await channel.close()
    assert (await a.session.event(channel, "close")).error is None
    await close(a)


async def test_an_abort_closes_channels_with_its_cause_and_a_stop_without() -> None:
    a, b, channel, other = await pair()
    await a.sctp.stop()
    assert a.session.outs(channel, "close")[0].error is None
    out = await b.session.event(other, "close")
    assert out.error.error_detail == "sctp-failure"
    assert out.error.sctp_cause_code == 12
    assert (await b.session.state(b.sctp, "closed")) is not None
    await close(a, b)


async def test_dtls_gone_closes_channels_with_an_error() -> None:
    a, b, channel, other = await pair()
    await b.dtls.stop()
    for peer, each in ((a, channel), (b, other)):
        assert (await peer.session.event(each, "close")).error.error_detail == "sctp-failure"
    put(channel, "nowhere")
    await close(a, b)


async def test_channels_take_turns() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    big, small = a.channel(label="big"), a.channel(label="small")
    await connect(a, b)
    first, second = await b.accept(1), await b.accept(2)
    await a.session.event(small, "open")
    order: list[str] = []
    deliver = b.session.send_message

    def noted(remote: Any, payload: bytes, flags: int) -> None:
        order.append("big" if remote is first else "small")
        deliver(remote, payload, flags)

    b.session.send_message = noted  # type: ignore[method-assign]
    for _ in range(10):
        put(big, b"x" * 100_000)
    for _ in range(5):
        put(small, "y")
    await arrived(b, first, 10)
    assert await arrived(b, second, 5) == ["y"] * 5
    assert order.index("small") <= 3, order
    assert order[-1] == "big"
    await close(a, b)


async def test_an_unordered_channel_keeps_order_until_its_open_is_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    queued: list[bool] = []
    queue = a.sctp._association.queue

    def noted(*args: Any, ordered: bool, **options: Any) -> None:
        queued.append(ordered)
        queue(*args, ordered=ordered, **options)

    monkeypatch.setattr(a.sctp._association, "queue", noted)
    channel = a.channel(label="unordered", ordered=False)
    put(channel, "right behind the OPEN")
    other = await b.accept()
    await arrived(b, other, 1)
    stream = (await a.session.event(channel, "open")).stream_id
    await a.session.until(lambda: a.sctp._channels[stream].acknowledged)
    put(channel, "after the ACK")
    assert await arrived(b, other, 2) == ["right behind the OPEN", "after the ACK"]
    assert queued == [True, True, False], "the OPEN, and what was sent before and after its ACK"
    await close(a, b)


async def test_credit_is_given_as_bytes_leave_and_not_before() -> None:
    a, b, channel, other = await pair()
    a.session.credits.clear()
    for size in (0, 1000, 200_000):
        put(channel, b"x" * size)
    await a.session.until(lambda: channel in a.session.credits)
    assert a.session.credits[channel] == [1001], "the large message has not left yet"
    await a.session.until(lambda: sum(a.session.credits[channel]) == 201_001)
    await arrived(b, other, 3)
    await close(a, b)


async def test_a_slow_link_stops_the_peer_and_loses_nothing() -> None:
    a, b, channel, other = await pair()
    b.session.stalled = True
    total = 200
    sent = [index.to_bytes(2, "big") * 10_000 for index in range(total)]
    for message in sent:
        put(channel, message)
    await b.session.until(lambda: b.session.waiting.get(other, 0) > 900_000, 20)
    await asyncio.sleep(0.5)
    behind = b.session.waiting[other]
    assert behind < 1_200_000
    assert (await b.sctp.getStats()).receiver_window < 30_000
    assert (await a.sctp.getStats()).unacked_data < 20_000, "the peer minds the window, and asks with one chunk"
    await asyncio.sleep(0.5)
    assert b.session.waiting[other] < behind + 30_000, "the peer has stopped"
    b.session.drain()
    assert await arrived(b, other, total, 30) == sent
    await close(a, b)


async def test_messages_survive_loss_in_order(lossy: Callable[[float], None]) -> None:
    a, b, channel, other = await pair()
    lossy(0.03)
    sent = [index.to_bytes(2, "big") * random.Random(index).randrange(1, 3000) for index in range(150)]
    for message in sent:
        put(channel, message)
    assert await arrived(b, other, len(sent), 30) == sent
    lossy(0)
    await close(a, b)


@pytest.mark.parametrize(
    "options", [{"max_retransmits": 0, "ordered": False}, {"max_packet_life_time": 0}, {"max_retransmits": 0}]
)
async def test_unreliable_messages_may_be_lost_and_nothing_waits_for_them(
    lossy: Callable[[float], None], options: dict[str, Any]
) -> None:
    a, b, channel, other = await pair(**options)
    lossy(0.3)
    for index in range(100):
        put(channel, str(index))
        await asyncio.sleep(0.002)
    lossy(0)
    await asyncio.sleep(1.5)
    put(channel, "last")
    await b.session.until(lambda: "last" in b.session.messages.get(other, []), 5)
    got = b.session.messages[other]
    assert 20 < len(got) < 100
    assert len(set(got)) == len(got)
    await close(a, b)


async def test_a_restart_under_traffic_loses_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", IceTiming(retire=0.2))
    a, b, channel, other = await pair()
    sent = 0
    running = True

    async def send() -> None:
        nonlocal sent
        while running:
            put(channel, str(sent))
            sent += 1
            await asyncio.sleep(0.002)

    sending = asyncio.create_task(send())
    for _ in range(3):
        pairs = len(a.session.outs(a.ice, "selectedpairchange"))
        await restart(a, b)
        await a.session.until(lambda n=pairs: len(a.session.outs(a.ice, "selectedpairchange")) > n)
        await asyncio.sleep(0.1)
    running = False
    await sending
    assert await arrived(b, other, sent) == [str(index) for index in range(sent)]
    await close(a, b)


async def test_a_message_beyond_what_the_peer_takes_is_refused_alone() -> None:
    a, b, channel, other = await pair()
    a.sctp.max_message_size = 1000
    put(channel, b"x" * 1001)
    assert a.session.outs(channel, "error")[0].name == "TypeError"
    put(channel, b"x" * 1000)
    assert await arrived(b, other, 1) == [b"x" * 1000]
    assert sum(a.session.credits[channel]) == 2001
    await close(a, b)


async def test_a_message_beyond_what_we_take_closes_its_channel_alone() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    b.sctp._inbound.limit = 200_000
    first, second = a.channel(label="1"), a.channel(label="2")
    await connect(a, b)
    one, two = await b.accept(1), await b.accept(2)
    stream = (await a.session.event(first, "open")).stream_id
    a.sctp._association.send(stream, 53, b"x" * 200_001)
    out = await b.session.event(one, "close")
    assert out.error.error_detail == "data-channel-failure"
    put(second, "lives")
    assert await arrived(b, two, 1) == ["lives"]
    await close(a, b)


@pytest.mark.parametrize(
    "options",
    [
        {"label": "é" * 32768},
        {"protocol": "x" * 65536},
        {"max_retransmits": 1, "max_packet_life_time": 1},
        {"max_retransmits": 65536},
        {"max_packet_life_time": -1},
        {"negotiated": True},
        {"negotiated": True, "stream_id": 65535},
        {"accept": True, "stream_id": 4},
    ],
)
async def test_bad_channels_are_refused(options: dict[str, Any]) -> None:
    a = Peer("controlling")
    with pytest.raises(CallError):
        a.channel(**options)
    await close(a)


async def test_figures_count_messages_and_their_bytes() -> None:
    a, b, channel, other = await pair()
    put(channel, "abc")
    put(channel, "")
    await arrived(b, other, 2)
    sent, received = await channel.getStats(), await other.getStats()
    assert (sent.messages_sent, sent.bytes_sent) == (2, 3)
    assert (received.messages_received, received.bytes_received) == (2, 3)
    await close(a, b)


async def test_a_clock_that_is_put_forward_ends_no_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    a, b, channel, other = await pair(max_packet_life_time=5000)
    # The first fills the association, so that the others wait in the channel and in it.
    for number in range(40):
        put(channel, bytes([number]) * 60_000)
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    put(channel, "the last")
    messages = await arrived(b, other, 41)
    assert [message[:1] for message in messages] == [bytes([n]) for n in range(40)] + ["t"]
    await close(a, b)


async def test_a_peer_has_as_many_channels_as_the_quota_says_and_one_that_closes_makes_room() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    b.session.quotas = quotas(peer_channels=3)
    theirs = [a.channel(label=str(number)) for number in range(5)]
    await connect(a, b)
    for channel in theirs[3:]:
        await a.session.event(channel, "close")
    offered = [out.label for out in b.session.outs(b.sctp, "datachannel")]
    assert offered == ["0", "1", "2"]
    assert b.session.quotas.peer_channels.refused == 2
    # Those that it has, and our own, go on.
    accepted = await b.accept(1)
    put(theirs[0], "still here")
    assert await arrived(b, accepted, 1) == ["still here"]
    own = b.channel(label="own")
    await b.session.event(own, "open")
    await theirs[0].close()
    await a.session.event(theirs[0], "close")
    await b.session.event(accepted, "close")
    await a.session.event(a.channel(label="another"), "open")
    await b.session.event(b.sctp, "datachannel", 4)
    await close(a, b)


async def test_a_channel_that_closed_before_it_was_accepted_counts_until_it_is() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    b.session.quotas = quotas(peer_channels=1)
    first = a.channel(label="first")
    await connect(a, b)
    await a.session.event(first, "open")
    await b.session.event(b.sctp, "datachannel")
    await first.close()
    await a.session.event(first, "close")
    await a.session.event(a.channel(label="second"), "close")
    accepted = await b.accept(1)
    await b.session.event(accepted, "close")
    await a.session.event(a.channel(label="third"), "open")
    assert (await b.session.event(b.sctp, "datachannel", 2)).label == "third"
    await close(a, b)
