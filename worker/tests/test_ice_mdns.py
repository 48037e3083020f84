"""Remote candidates that hide behind an mDNS name."""

from __future__ import annotations

import asyncio

import pytest
from aioice import mdns
from pair import Peer, close

from aiortc_worker.transports.ice_messages import RemoteCandidate, RemoteParameters


async def test_an_mdns_name_is_resolved_and_kept_in_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    host = next(each for each in b.candidates() if ":" not in each.split()[4])
    name = mdns.create_mdns_hostname()
    asked: list[str] = []

    async def resolve(self: mdns.MDnsProtocol, hostname: str, timeout: float | None = 1.0) -> str:  # noqa: ASYNC109
        asked.append(hostname)
        return host.split()[4]

    monkeypatch.setattr(mdns.MDnsProtocol, "resolve", resolve)
    hidden = host.replace(host.split()[4], name)
    await a.ice.start(RemoteParameters(b.local.username_fragment, b.local.password))
    await a.ice.addRemoteCandidate(RemoteCandidate(hidden))
    await a.ice.addRemoteCandidate(RemoteCandidate(None))
    await b.ice.start(RemoteParameters(a.local.username_fragment, a.local.password))
    connected = await a.session.state(a.ice, "connected")
    assert connected.selected_pair.remote == hidden
    assert asked == [name]
    await close(a, b)


async def test_a_name_that_cannot_be_resolved_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused() -> mdns.MDnsProtocol:
        raise OSError("no multicast")

    monkeypatch.setattr(mdns, "create_mdns_protocol", refused)
    a = Peer("controlling")
    await a.gather()
    await a.ice.addRemoteCandidate(RemoteCandidate("candidate:1 1 udp 1 nobody.local 5000 typ host"))
    await a.ice.addRemoteCandidate(RemoteCandidate("candidate:1 1 udp 1 192.0.2.9 5000 typ host"))
    await asyncio.sleep(0)
    assert len((await a.ice.getStats()).remote_candidates) == 1
    await close(a)
