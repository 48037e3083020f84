"""Relayed candidates."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import stun
from pair import Peer, close, connect, put
from turn_server import PASSWORD, USER, TurnServer

from aiortc_worker.session.wire import Network
from aiortc_worker.transports.host_address import host_addresses
from aiortc_worker.transports.ice_server import IceServer
from aiortc_worker.transports.ice_timing import IceTiming
from aiortc_worker.transports.ice_transport import IceTransport


@pytest.fixture
async def server() -> AsyncIterator[TurnServer]:
    server = TurnServer(next(each.bound for each in host_addresses(Network()) if ":" not in each.bound))
    await server.open()
    yield server
    await server.close()


def relayed(server: TurnServer, query: str = "", credential: str = PASSWORD) -> Peer:
    url = f"turn:{server.host}:{server.port}{query}"
    return Peer(
        "controlling",
        ice_params={
            "ice_transport_policy": "relay",
            "ice_servers": [IceServer(urls=[url], username=USER, credential=credential)],
        },
    )


@pytest.mark.parametrize("query", ["", "?transport=udp", "?transport=tcp"])
async def test_a_relay_alone_carries_a_channel(server: TurnServer, query: str) -> None:
    a, b = relayed(server, query), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    assert [each.split()[7] for each in a.candidates()] == ["relay"]
    assert a.session.outs(a.ice, "candidate")[0].url == f"turn:{server.host}:{server.port}{query}"
    pair = (await a.session.state(a.ice, "connected")).selected_pair
    assert "typ relay" in pair.local
    assert "raddr 0.0.0.0" in pair.local, "the relay policy hides our own address"
    other = await b.accept()
    for message in ("text", b"x" * 100_000):
        put(channel, message)
    await b.session.until(lambda: len(b.session.messages.get(other, [])) == 2)
    assert len(server.relays) == 1
    await close(a, b)
    assert server.relays == {}, "the allocation is released"


async def test_a_relay_is_given_each_datagram_of_a_run(server: TurnServer) -> None:
    a, b = relayed(server), Peer("controlled")
    await connect(a, b)
    await asyncio.sleep(0.1)
    sent = [bytes([128, index]) + bytes(1000) for index in range(20)] + [b"\x80end"]
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    b.dtls.router.handle_rtp = lambda data, arrival_ms: heard.put_nowait(data)  # type: ignore[method-assign]
    b.dtls.dtls._rx_srtp = SimpleNamespace(unprotect=bytes)  # type: ignore[assignment]
    before = (await a.ice.getStats()).packets_sent
    assert a.ice.send_run(b"".join(sent), 1002) == sum(map(len, sent))
    async with asyncio.timeout(5):
        assert [await heard.get() for _ in sent] == sent
    assert (await a.ice.getStats()).packets_sent - before == len(sent)
    await close(a, b)


@pytest.mark.parametrize("query", ["?transport=udp", "?transport=tcp"])
async def test_what_a_server_sends_that_is_malformed_is_passed_over(server: TurnServer, query: str) -> None:
    raised: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    # A LIFETIME of three bytes, which aioice's parser answers by struct.error.
    server.noise = struct.pack("!HHI12sHH", 0x0103, 8, stun.COOKIE, bytes(12), 0x000D, 3) + b"abc\0"
    a = relayed(server, query)
    await a.gather()
    assert [each.split()[7] for each in a.candidates()] == ["relay"]
    await close(a)
    assert raised == []


async def test_a_wrong_password_is_an_error_of_the_server(server: TurnServer) -> None:
    a = relayed(server, credential="wrong")
    await a.gather()
    error = a.session.outs(a.ice, "candidateerror")[0]
    assert (error.error_code, error.error_text) == (401, "Unauthorized")
    assert a.candidates() == []
    await close(a)


async def test_a_server_that_dies_does_not_hold_up_the_end(server: TurnServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", IceTiming(gather=0.2))
    a = relayed(server)
    await a.gather()
    assert len(a.candidates()) == 1
    server.silent = True
    started = asyncio.get_running_loop().time()
    await close(a)
    assert asyncio.get_running_loop().time() - started < 2
    b = relayed(server)
    await b.gather()
    assert b.session.outs(b.ice, "candidateerror")[0].error_code == 701
    await close(b)


@pytest.mark.parametrize("query", ["", "?transport=tcp"])
async def test_a_private_server_over_tcp_wants_a_capability(server: TurnServer, query: str) -> None:
    a = relayed(server, query)
    a.session.capabilities = frozenset({"ice"})
    await a.gather()
    if not query:
        assert len(a.candidates()) == 1
    else:
        assert a.candidates() == []
        (error,) = a.session.outs(a.ice, "candidateerror")
        assert (error.error_code, error.url) == (701, f"turn:{server.host}:{server.port}{query}")
        assert f"{server.host}, a private address" in error.error_text
        assert error.error_text.endswith("start the bridge with --allow private")
        assert server.writers == set(), "nobody knocked"
    await close(a)
