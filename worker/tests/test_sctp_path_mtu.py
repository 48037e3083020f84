"""Packets longer than every path carries: where they are tried, and what becomes of messages when they get lost."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from collections.abc import Callable

import pytest
from media_session import wait_for
from pair import Peer, close, connect, restart
from sctp_wire import End, joined, part

from aiortc_worker.compat import ice
from aiortc_worker.sctp import handshake, path_probing
from aiortc_worker.sctp.chunks import HeartbeatAck
from aiortc_worker.sctp.congestion import BASE
from aiortc_worker.sctp.inbound import WINDOW
from aiortc_worker.sctp.packet import encode_packet
from aiortc_worker.sctp.parameters import HEARTBEAT_INFO
from aiortc_worker.sctp.path_probing import ETHERNET, PROBES
from aiortc_worker.transports import path_mtu as interface

LONGEST = 16384


def mtu(end: End) -> int:
    found = end.association.figures()["mtu"]
    assert isinstance(found, int)
    return found


async def found(end: End, size: int) -> None:
    await wait_for(lambda: mtu(end) == size)


class Path:
    """Carries packets of up to so many bytes, and keeps the lengths of those that it does not."""

    def __init__(self, carries: int) -> None:
        self.carries = carries
        self.lost: list[int] = []

    def __call__(self, packet: bytes) -> bool:
        if len(packet) <= self.carries:
            return True
        self.lost.append(len(packet))
        return False


async def on(largest: int, path: Callable[[bytes], bool] | None = None, seconds: float = 0.05) -> tuple[End, End]:
    """Two ends whose interfaces take packets of `largest` bytes; the path from the first carries what `path` says."""
    path_probing.PROBE_SECONDS = seconds
    a, b = End("client"), End("server")
    for end in (a, b):
        end.wire.largest_packet = largest
    a.wire.passes = path or a.wire.passes
    return await joined(a, b)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_probing, "PROBE_SECONDS", path_probing.PROBE_SECONDS)


async def messages_pass(a: End, b: End, count: int = 30) -> None:
    chance = random.Random(7)
    sent = [chance.randbytes(chance.choice([3, 900, 5000, 40_000])) for _ in range(count)]
    before = len(b.messages)
    for data in sent:
        a.send(data)
    assert (await b.has(before + count))[before:] == sent


async def test_packets_are_as_long_as_the_interface_takes_once_the_peer_has_echoed_one() -> None:
    a, b = await on(LONGEST)
    assert (mtu(a), mtu(b)) == (LONGEST, LONGEST)
    await messages_pass(a, b)
    assert max(map(len, a.wire.sent)) == LONGEST
    assert a.wire.whole
    part(a, b)


async def test_a_path_narrower_than_the_interface_gets_the_next_length() -> None:
    path = Path(1400)
    a, b = await on(LONGEST, path)
    await found(a, ETHERNET)
    assert path.lost == [LONGEST] * PROBES
    await messages_pass(a, b)
    part(a, b)


async def test_a_path_that_carries_the_base_alone_keeps_it_and_may_fragment_again() -> None:
    path = Path(BASE)
    a, b = await on(9000, path)
    assert a.wire.whole
    await wait_for(lambda: not a.wire.whole)
    assert mtu(a) == BASE
    await messages_pass(a, b)
    assert path.lost == [9000] * PROBES + [ETHERNET] * PROBES
    part(a, b)


async def test_a_probe_that_gets_lost_is_sent_again() -> None:
    lost: list[int] = []

    def passes(packet: bytes) -> bool:
        if len(packet) == LONGEST and len(lost) < 2:
            lost.append(len(packet))
            return False
        return True

    a, b = await on(LONGEST, passes)
    await found(a, LONGEST)
    assert len(lost) == 2
    part(a, b)


async def test_a_peer_that_does_not_say_that_it_knows_padding_is_sent_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(handshake._CHUNKS, 0x84)
    a, b = await on(LONGEST)
    await messages_pass(a, b)
    assert not a.wire.whole
    assert max(map(len, a.wire.sent)) <= BASE
    part(a, b)


async def test_an_interface_that_takes_no_more_than_the_base_is_not_tried() -> None:
    for largest in (0, BASE):
        a, b = await on(largest)
        assert not a.wire.whole
        assert mtu(a) == BASE
        part(a, b)


async def test_a_path_that_stops_to_carry_long_packets_is_noticed_and_loses_no_message() -> None:
    a, b = await on(LONGEST)
    assert mtu(a) == LONGEST
    # A router that drops what it may not cut.
    a.wire.passes = lambda packet: len(packet) <= BASE or not a.wire.whole
    await messages_pass(a, b, count=8)
    assert mtu(a) == BASE
    part(a, b)


async def test_a_closed_window_is_not_taken_for_a_narrow_path() -> None:
    a, b = await on(LONGEST)
    a.send(b"measures the round trip")
    await b.has(1)
    b.unread = WINDOW
    for _ in range(4):
        a.send(b"x" * 40_000)
    # T3 goes off after 0.4 s, and again after 0.8 s.
    await asyncio.sleep(2)
    assert mtu(a) == LONGEST
    b.unread = 0
    b.association.update_window()
    assert (await b.has(5))[1:] == [b"x" * 40_000] * 4
    part(a, b)


async def test_a_packet_lost_now_and_then_is_not_taken_for_a_narrow_path() -> None:
    a, b = await on(LONGEST)
    a.send(b"measures the round trip")
    await b.has(1)
    await asyncio.sleep(0.1)
    for count in (2, 3):
        path = Path(0)
        a.wire.passes = path
        a.send(b"x" * 10_000)
        await wait_for(lambda: path.lost)  # noqa: B023
        a.wire.passes = Path(LONGEST)
        # Nothing but T3 finds that out.
        await b.has(count)
        await asyncio.sleep(0.1)
    assert mtu(a) == LONGEST
    part(a, b)


async def test_another_path_begins_at_the_base_and_is_probed() -> None:
    a, b = await on(LONGEST)
    a.wire.passes = lambda packet: len(packet) <= 1400 or not a.wire.whole
    for _ in range(4):
        a.send(b"x" * 40_000)
    a.association.route_changed()
    assert mtu(a) == BASE
    await found(a, ETHERNET)
    assert await b.has(4) == [b"x" * 40_000] * 4
    part(a, b)


async def test_an_echo_that_was_not_asked_for_changes_nothing() -> None:
    a, b = await on(0)
    guessed = HeartbeatAck((HEARTBEAT_INFO, b"guessed!")).encode()
    packet = encode_packet(5000, 5000, a.association._core.local_tag, [guessed])
    a.association.take([packet])
    assert mtu(a) == BASE
    a.wire.largest_packet = LONGEST
    a.wire.passes = Path(BASE)
    a.association.route_changed()
    await asyncio.sleep(0.01)
    a.association.take([packet])
    assert mtu(a) == BASE
    part(a, b)


async def test_an_association_that_ends_while_it_probes_leaves_no_timer() -> None:
    path = Path(BASE)
    a, b = await on(LONGEST, path)
    part(a, b)
    lost = len(path.lost)
    assert 0 < lost < 2 * PROBES
    await asyncio.sleep(0.2)
    assert len(path.lost) == lost


@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells")
async def test_transports_on_loopback_find_the_longest_record_and_look_again_after_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    await wait_for(lambda: all(peer.sctp._association.figures()["mtu"] == LONGEST for peer in (a, b)))
    monkeypatch.setattr(ice, "largest_datagram", lambda *_: 0)
    await restart(a, b)
    await wait_for(lambda: all(peer.sctp._association.figures()["mtu"] == BASE for peer in (a, b)))
    await close(a, b)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells")
def test_the_interface_is_asked_and_what_cannot_be_reached_is_0() -> None:
    assert interface.largest_datagram("127.0.0.1", 9) > LONGEST
    assert interface.largest_datagram("nowhere.invalid", 9) == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        interface.keep_whole(bound, True)
        assert bound.getsockopt(socket.IPPROTO_IP, 10) == 3
        interface.keep_whole(bound, False)
        assert bound.getsockopt(socket.IPPROTO_IP, 10) == 1
    interface.keep_whole(bound, True)


def test_no_option_is_set_where_its_number_means_another(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bound:
        family = socket.AF_INET

        def setsockopt(self, *options: int) -> None:
            raise AssertionError(options)

    monkeypatch.setattr(sys, "platform", "darwin")
    interface.keep_whole(Bound(), False)  # type: ignore[arg-type]
    assert interface.largest_datagram("127.0.0.1", 9) == 0
