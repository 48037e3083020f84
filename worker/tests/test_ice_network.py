"""Host candidates of a worker that is told where they may be and what they say."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import ifaddr
import pytest
from fakes import FakeSession
from pair import Peer, close, connect, join_ice

from aiortc_worker.session.wire import Network, decode_hello
from aiortc_worker.transports.host_address import HostAddress, host_addresses
from aiortc_worker.transports.ice_messages import RemoteCandidate, RemoteParameters
from aiortc_worker.transports.ice_server import IceServer

RANGE = (42_000, 42_019)


class Ip(NamedTuple):
    ip: str | tuple[str, int, int]


class Adapter(NamedTuple):
    name: str
    ips: list[Ip]
    nice_name: str = ""


LOOPBACK = Adapter("lo", [Ip("127.0.0.1"), Ip(("::1", 0, 0))])
WIRED = Adapter("eth0", [Ip("192.0.2.7"), Ip(("2001:db8::7", 0, 0)), Ip(("fe80::7", 0, 2))])
BRIDGE = Adapter("docker0", [Ip("172.17.0.1")], "a bridge")


def among(monkeypatch: pytest.MonkeyPatch, *adapters: Adapter) -> None:
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)


def plain(*addresses: str) -> list[HostAddress]:
    return [HostAddress(each, each) for each in addresses]


def peer(role: str, network: Network) -> Peer:
    session = FakeSession()
    session.network = network
    return Peer(role, session=session)


def ends(candidates: list[str]) -> list[tuple[str, int]]:
    return [(each.split()[4], int(each.split()[5])) for each in candidates]


def test_all_interfaces_but_loopback_are_used_unless_some_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    among(monkeypatch, LOOPBACK, WIRED, BRIDGE)
    assert host_addresses(Network()) == plain("192.0.2.7", "2001:db8::7", "172.17.0.1")
    assert host_addresses(Network(interfaces=("eth0",))) == plain("192.0.2.7", "2001:db8::7")
    assert host_addresses(Network(interfaces=("lo", "a bridge"))) == plain("127.0.0.1", "::1", "172.17.0.1")
    assert host_addresses(Network(interfaces=("172.17.0.1",))) == plain("172.17.0.1")
    assert host_addresses(Network(interfaces=("eth1",))) == []


async def test_loopback_is_announced_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    among(monkeypatch, LOOPBACK)
    assert host_addresses(Network()) == plain("127.0.0.1", "::1")
    among(monkeypatch)
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    assert [address for address, _ in ends(a.candidates())] == ["127.0.0.1"]
    await close(a, b)


def test_an_announced_address_stands_for_those_of_its_version_and_others_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    among(monkeypatch, LOOPBACK, WIRED, BRIDGE)
    assert host_addresses(Network(announce=("203.0.113.5",))) == [HostAddress("0.0.0.0", "203.0.113.5")]
    both = Network(announce=("2001:db8::5", "203.0.113.5"))
    assert host_addresses(both) == [HostAddress("0.0.0.0", "203.0.113.5"), HostAddress("::", "2001:db8::5")]
    named = Network(announce=("203.0.113.5",), interfaces=("eth0", "docker0"))
    assert host_addresses(named) == [
        HostAddress("192.0.2.7", "203.0.113.5"),
        HostAddress("172.17.0.1", "203.0.113.5"),
    ]


async def test_peers_meet_at_the_announced_address_within_the_ports(caplog: pytest.LogCaptureFixture) -> None:
    network = Network(udp_ports=RANGE, announce=("127.0.0.1",))
    a, b = peer("controlling", network), peer("controlled", network)
    await connect(a, b)
    for each in (a, b):
        assert [address for address, _ in ends(each.candidates())] == ["127.0.0.1"]
        assert all(RANGE[0] <= port <= RANGE[1] for _, port in ends(each.candidates()))
        stats = await each.ice.getStats()
        assert stats.local_candidates == each.candidates(), "nothing else is open"
        assert stats.selected_pair is not None
    await close(a, b)
    assert not caplog.records


async def test_a_range_without_a_free_port_gives_no_candidate_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        a = peer("controlling", Network(udp_ports=(port, port), announce=("203.0.113.5",)))
        with caplog.at_level(logging.WARNING):
            await a.gather()
        assert a.candidates() == []
        assert f"no UDP port of {port}-{port} can be had at 0.0.0.0" in caplog.text
        await close(a)


async def test_what_named_interfaces_do_not_have_is_not_opened_for_a_loopback_peer() -> None:
    a = peer("controlling", Network(interfaces=("no-such-interface",)))
    await a.gather()
    await a.ice.addRemoteCandidate(RemoteCandidate("candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"))
    assert (await a.ice.getStats()).local_candidates == []
    await close(a)


def test_the_bridge_says_it_in_its_hello() -> None:
    frame = b"""{"hello":{"version":1,"session":"s","network":
        {"udpPorts":[40000,40100],"announce":["203.0.113.5"],"interfaces":["eth0"]}}}"""
    assert decode_hello(frame).network == Network((40_000, 40_100), ("203.0.113.5",), ("eth0",))
    assert decode_hello(b'{"hello":{"version":1}}').network == Network()


async def test_who_has_no_port_says_so_and_fails_as_soon_as_the_peer_has_no_more_candidates() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        a = peer("controlling", Network(udp_ports=(port, port), announce=("203.0.113.5",)))
        b = Peer("controlled")
        await a.gather()
        await b.gather()
        (error,) = a.session.outs(a.ice, "candidateerror")
        assert (error.error_code, error.url, error.address, error.port) == (701, "", "203.0.113.5", None)
        assert error.error_text == f"no UDP port of {port}-{port} can be had at 0.0.0.0: all are in use"
        await a.ice.start(RemoteParameters(b.local.username_fragment, b.local.password))
        await a.ice.addRemoteCandidate(RemoteCandidate(b.candidates()[0]))
        await asyncio.sleep(0.2)
        assert a.session.outs(a.ice, "statechange") == [], "there may be more of them"
        await a.ice.addRemoteCandidate(RemoteCandidate(None))
        await a.session.state(a.ice, "failed", within=2)
        await close(a, b)


@pytest.mark.parametrize(
    ("listed", "host_error"),
    [
        (False, (None, "the interfaces cannot be listed: Too many open files")),
        (True, ("192.0.2.7", "no UDP port can be had at 192.0.2.7: Too many open files")),
    ],
)
async def test_a_process_without_descriptors_gathers_to_the_end_and_says_why(
    listed: bool, host_error: tuple[str | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "stun:192.0.2.1:9"
    a, b = Peer("controlling", ice_params={"ice_servers": [IceServer(urls=[url])]}), Peer("controlled")
    await b.gather()
    if listed:
        among(monkeypatch, Adapter("eth0", [Ip("192.0.2.7")]))
    with no_descriptors():
        await a.gather()
        assert a.candidates() == []
        host, server = a.session.outs(a.ice, "candidateerror")
        assert (host.url, host.error_code, host.address, host.error_text) == ("", 701, *host_error)
        assert (server.url, server.error_code) == (url, 701)
        assert server.error_text == "no host candidate can reach the server"
        await join_ice(a, b)
        await a.session.state(a.ice, "failed", within=2)
    await close(a, b)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leaves no file descriptor to the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in taken:
            os.close(each)
