"""Channels over two real connections."""

from __future__ import annotations

import time

import pytest
from pair import Peer, close, connect


def put(channel, data: bytes | str) -> None:
    """What the link does with a message of the shim."""
    payload = data.encode() if isinstance(data, str) else data
    text = 1 if isinstance(data, str) else 0
    pieces = [payload[at : at + 65536] for at in range(0, len(payload), 65536)] or [b""]
    for index, piece in enumerate(pieces):
        more = 2 if index < len(pieces) - 1 else 0
        channel.receive(1, text | more, memoryview(piece))


@pytest.mark.parametrize("ice_role", ["controlling", "controlled"])
@pytest.mark.parametrize("dtls_role", ["client", "server"])
async def test_a_channel_carries_messages_both_ways_whatever_the_roles(ice_role: str, dtls_role: str) -> None:
    a = Peer(ice_role)
    b = Peer("controlled" if ice_role == "controlling" else "controlling")
    started = time.perf_counter()
    channel = a.channel(label="chat")
    await connect(a, b, dtls_role)
    print(f"connected in {1000 * (time.perf_counter() - started):.1f} ms")
    opened = await a.session.event(channel, "open")
    assert opened.stream_id % 2 == (0 if dtls_role == "client" else 1)
    put(channel, "hello")
    put(channel, b"\x00\x01")
    other = await b.accept()
    await b.session.until(lambda: len(b.session.messages.get(other, [])) == 2)
    assert b.session.messages[other] == ["hello", b"\x00\x01"]
    put(other, "")
    put(other, b"")
    put(other, "x" * 262144)
    await a.session.until(lambda: len(a.session.messages.get(channel, [])) == 3)
    assert a.session.messages[channel] == ["", b"", "x" * 262144]
    await close(a, b)
