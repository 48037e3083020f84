"""What leaves in one turn leaves together: packets of SCTP as records of DTLS, and those of a frame as SRTP."""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair import Peer, close, connect, restart

from aiortc_worker.compat import dtls
from aiortc_worker.compat.dtls import RECORD_OVERHEAD
from aiortc_worker.rtp.outbound_stream import OutboundStream
from aiortc_worker.transports.udp_socket import LONGEST, SEGMENTS, runs


@settings(max_examples=200)
@given(st.lists(st.integers(1, 2000) | st.sampled_from([1189, 1150, 16_384]), max_size=200), st.sampled_from([0, 65]))
def test_runs_are_of_one_size_and_no_longer_than_one_system_call_sends(sizes: list[int], overhead: int) -> None:
    packets = [index.to_bytes(2, "big") * (size // 2 + 1) for index, size in enumerate(sizes)]
    cut = [list(run) for run in runs(packets, overhead)]
    assert [packet for run in cut for packet in run] == packets
    for run in cut:
        assert len({len(packet) for packet in run[:-1]}) <= 1
        assert len(run[-1]) <= len(run[0])
        assert len(run) <= SEGMENTS
        assert sum(len(packet) + overhead for packet in run) <= LONGEST
    # None is cut for nothing: the next packet would be too long, too much, or follows a shorter one.
    for run, after in itertools.pairwise(cut):
        full = (len(run) + 1) * (len(run[0]) + overhead) > LONGEST or len(run) == SEGMENTS
        assert full or len(after[0]) > len(run[0]) or len(run[-1]) < len(run[0])


def watch_runs(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Datagrams and bytes of what a peer's ICE transport is given from now on."""
    original, seen = peer.ice.send_run, []

    def send_run(data: bytes, size: int) -> int:
        seen.append((-(-len(data) // size), len(data)))
        return original(data, size)

    monkeypatch.setattr(peer.ice, "send_run", send_run)
    return seen


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES128-SHA"])
async def test_packets_of_one_size_leave_together_and_arrive_as_they_were(
    suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dtls, "CIPHERS", f"ECDHE-ECDSA-{suite}".encode())
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    await asyncio.sleep(0.1)
    assert a.dtls.dtls.cipher == f"ECDHE-ECDSA-{suite}"
    read: list[bytes] = []
    b.dtls.dtls._data_receiver = cast(Any, SimpleNamespace(take=read.extend))
    before, heard = await a.ice.getStats(), (await b.ice.getStats()).packets_received
    seen = watch_runs(a, monkeypatch)
    packets = [os.urandom(size) for size in [1189] * 70 + [100, 300, 300, 299, 16_384] + [16_000] * 5]
    assert a.dtls.dtls.send_packets(packets)
    await asyncio.sleep(0.1)
    assert read == packets
    assert seen[0][0] == LONGEST // (1189 + RECORD_OVERHEAD), "as many as are sure to fit into one call"
    assert [count for count, _ in seen[1:]] == [71 - seen[0][0], 3, 2, 4]
    after = await a.ice.getStats()
    assert after.packets_sent - before.packets_sent == len(packets)
    assert after.bytes_sent - before.bytes_sent == sum(size for _, size in seen)
    assert (await b.ice.getStats()).packets_received - heard == len(packets)
    await close(a, b)


def rtp(sequence: int, size: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, 1, 42) + bytes(size)


async def test_the_packets_of_a_frame_leave_with_its_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    await asyncio.sleep(0.1)
    heard: list[bytes] = []
    b.dtls.router.handle_rtp = lambda data, arrival_ms: heard.append(data)  # type: ignore[method-assign]
    seen = watch_runs(a, monkeypatch)
    frame = [rtp(1, 1100), rtp(2, 1100), rtp(3, 1100), rtp(4, 200)]
    for packet in frame[:-1]:
        assert a.dtls.send_rtp(packet, more=True)
    await asyncio.sleep(0.05)
    assert (seen, heard) == ([], [])
    assert a.dtls.send_rtp(frame[-1])
    assert a.dtls.send_rtp(alone := rtp(5, 300))
    await asyncio.sleep(0.05)
    assert heard == [*frame, alone]
    assert [count for count, _ in seen] == [4, 1]
    await close(a, b)


async def test_a_last_packet_that_cannot_be_encrypted_takes_no_other_with_it() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    heard: list[bytes] = []
    b.dtls.router.handle_rtp = lambda data, arrival_ms: heard.append(data)  # type: ignore[method-assign]
    assert a.dtls.send_rtp(rtp(1, 100), more=True)
    assert a.dtls.send_rtp(b"\x80") is False
    await asyncio.sleep(0.05)
    assert heard == [rtp(1, 100)]
    await close(a, b)


async def test_a_path_that_changes_within_a_frame_carries_all_of_it() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    heard: list[bytes] = []
    b.dtls.router.handle_rtp = lambda data, arrival_ms: heard.append(data)  # type: ignore[method-assign]
    frame = [rtp(sequence, 1000) for sequence in range(1, 6)]
    for packet in frame[:3]:
        assert a.dtls.send_rtp(packet, more=True)
    old = a.ice._current
    await restart(a, b)
    await a.session.event(a.ice, "selectedpairchange")
    assert old is not None
    assert a.ice._current is not old
    old.mute()
    assert a.dtls.send_rtp(frame[3], more=True)
    assert a.dtls.send_rtp(frame[4])
    await asyncio.sleep(0.05)
    assert heard == frame
    await close(a, b)


async def test_without_a_path_all_of_a_batch_counts_as_not_sent() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    await asyncio.sleep(0.1)
    assert a.ice._current is not None
    before = await a.ice.getStats()
    a.ice._current.mute()
    assert a.dtls.dtls.send_packets([bytes(1000)] * 9) is False
    for more in (True, True, False):
        a.dtls.send_rtp(rtp(more, 100), more=more)
    after = await a.ice.getStats()
    assert after.packets_discarded_on_send - before.packets_discarded_on_send >= 9 + 3
    assert (after.packets_sent, after.bytes_sent) == (before.packets_sent, before.bytes_sent)
    await close(a, b)


def test_a_stream_says_of_each_packet_whether_more_of_its_frame_follow() -> None:
    said: list[tuple[int, int, bool]] = []

    def transmit(packet: Any, more: bool) -> int:
        said.append((len(packet.payload), packet.marker, more))
        return len(packet.payload)

    stream = OutboundStream(1, None, transmit)
    stream.send([b"x" * 1000, b"y" * 1000, b"z" * 10], timestamp=0)
    stream.send([b"sound"], timestamp=960)
    assert said == [(1000, 0, True), (1000, 0, True), (10, 1, False), (5, 1, False)]
