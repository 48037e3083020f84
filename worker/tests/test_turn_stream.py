"""A TURN server's stream, cut anywhere, and what is no stream of a TURN server."""

from __future__ import annotations

import struct
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiortc_worker.compat.servers import TurnOverTcp, TurnOverUdp
from aiortc_worker.transports.turn_stream import TurnStream


def channel_data(data: bytes, number: int = 0x4000) -> bytes:
    return struct.pack("!HH", number, len(data)) + data + bytes(-len(data) % 4)


def stun(words: int) -> bytes:
    return struct.pack("!HH16s", 0x0101, 4 * words, b"c" * 16) + bytes(4 * words)


@given(
    st.lists(st.binary(max_size=9).map(channel_data) | st.integers(0, 3).map(stun), max_size=6),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_however_a_stream_is_cut_its_messages_are_the_same(messages: list[bytes], cuts: list[int]) -> None:
    data, stream, found, at = b"".join(messages), TurnStream(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += list(stream.messages(data[at:cut]))
        at = max(at, cut)
    assert found == messages


@pytest.mark.parametrize("begin", [b"\x80\0\0\0", b"\xc0\0\0\0", b"\0\1\0\2"])
def test_what_begins_neither_kind_is_refused_and_what_came_before_is_told(begin: bytes) -> None:
    stream, found = TurnStream(), []
    with pytest.raises(ValueError, match="begins neither"):
        found.extend(stream.messages(begin))
    taken = iter(TurnStream().messages(channel_data(b"first") + begin))
    assert next(taken) == channel_data(b"first")
    with pytest.raises(ValueError, match="begins neither"):
        next(taken)


def test_a_read_of_empty_messages_is_not_copied_for_each() -> None:
    data = channel_data(b"") * 65_536
    best = float("inf")
    for _ in range(3):
        begun = time.thread_time()
        assert sum(1 for _ in TurnStream().messages(data)) == 65_536
        best = min(best, time.thread_time() - begun)
    # 0.03 s; aioice took 0.3 s for the same, and four times that for twice as much.
    assert best < len(data) / 1024 * 0.001


class Transport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def client(kind: type[Any]) -> Any:
    client = kind(("192.0.2.1", 3478), username="u", password="p", lifetime=600, channel_refresh_time=500)
    client.transport = Transport()
    client.channel_to_peer[0x4000] = ("192.0.2.2", 9)
    heard: list[tuple[bytes, Any]] = []
    client.receiver = type("Receiver", (), {"datagram_received": lambda _, data, addr: heard.append((data, addr))})()
    client.heard = heard
    return client


MALFORMED = struct.pack("!HHI12sHH", 0x0101, 8, 0x2112A442, bytes(12), 0x0024, 3) + b"abc\0"


def test_a_malformed_datagram_of_a_server_is_counted_and_nothing_else() -> None:
    udp = client(TurnOverUdp)
    for data in (MALFORMED, b"", b"\x40", b"\x80\0\0\0"):
        udp.datagram_received(data, udp.server)
    udp.datagram_received(channel_data(b"after"), udp.server)
    assert udp.malformed == 4
    assert udp.heard == [(b"after", ("192.0.2.2", 9))]


def test_a_malformed_message_of_a_stream_is_passed_over_and_nonsense_ends_the_connection() -> None:
    tcp = client(TurnOverTcp)
    tcp.data_received(MALFORMED + channel_data(b"after"))
    assert (tcp.malformed, tcp.heard) == (1, [(b"after", ("192.0.2.2", 9))])
    assert not tcp.transport.aborted
    tcp.data_received(b"\xff" * 8)
    assert tcp.transport.aborted
