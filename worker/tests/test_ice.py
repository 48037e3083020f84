"""ICE between two sets of transports, and against stock aioice."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

import aioice.ice
import pytest
from aioice import Candidate, Connection, stun
from fakes import FakeSession
from pair import Peer, close, connect, credentials, join_ice, restart

from aiortc_worker.compat.ice_socket import IceSocket
from aiortc_worker.session.remote import CallError
from aiortc_worker.session.wire import Network
from aiortc_worker.transports.host_address import host_addresses
from aiortc_worker.transports.ice_messages import RemoteCandidate, RemoteParameters
from aiortc_worker.transports.ice_timing import IceTiming
from aiortc_worker.transports.ice_transport import IceTransport
from aiortc_worker.transports.inbox import BATCH, Inbox

FAST = IceTiming(
    first_retry=0.005,
    consent_interval=0.1,
    consent_answer=0.2,
    consent_expiry=2.0,
    gather=0.3,
    retire=0.2,
    patience=0.5,
    trickle_patience=1.0,
    final_patience=0.2,
)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", FAST)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Cuts every path, and mends it."""
    original = IceSocket.datagram_received
    state = {"cut": False}

    def received(self: IceSocket, data: bytes, addr: tuple[Any, ...]) -> None:
        if not state["cut"]:
            original(self, data, addr)

    monkeypatch.setattr(IceSocket, "datagram_received", received)
    return lambda value: state.update(cut=value)


class Server(asyncio.DatagramProtocol):
    """A STUN server that answers, late or never, with an address that is not the asker's."""

    def __init__(self, delay: float | None) -> None:
        self.delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self.delay is not None:
            asyncio.get_running_loop().call_later(self.delay, self.answer, data, addr)

    def answer(self, data: bytes, addr: tuple[Any, ...]) -> None:
        request = stun.parse_message(data)
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = ("198.51.100.7", addr[1])
        self.transport.sendto(bytes(response), addr)


@pytest.fixture
async def servers() -> AsyncIterator[Callable[..., Any]]:
    opened: list[asyncio.BaseTransport] = []

    async def open_server(delay: float | None) -> str:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Server(delay), local_addr=("127.0.0.1", 0)
        )
        opened.append(transport)
        return f"stun:127.0.0.1:{transport.get_extra_info('sockname')[1]}"

    yield open_server
    for transport in opened:
        transport.close()


def states(peer: Peer) -> list[str]:
    return [out.state for out in peer.session.outs(peer.ice, "statechange")]


async def settled(peer: Peer, within: float = 10) -> None:
    """Waits for the state that nothing follows: `completed`, or `connected` on the controlled side."""

    def is_final() -> bool:
        return states(peer)[-1:] == ["completed" if peer.ice.role == "controlling" else "connected"]

    await peer.session.until(is_final, within)


async def join(a: Peer, b: Peer, **options: Any) -> None:
    await asyncio.gather(a.gather(), b.gather())
    await join_ice(a, b, **options)
    await asyncio.gather(*(settled(peer) for peer in (a, b)))


async def exchange(a: Peer, b: Peer, data: bytes = b"\x80data") -> None:
    for here, there in ((a, b), (b, a)):
        assert here.ice.send(data)
        assert await asyncio.wait_for(there.ice._recv(), 2) == data


async def test_a_state_change_carries_the_pair_that_makes_it_true() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    assert states(a) == ["checking", "connected", "completed"]
    assert states(b) == ["checking", "connected"]
    connected = (await a.session.state(a.ice, "connected")).selected_pair
    assert connected.local in a.candidates()
    await exchange(a, b)
    await close(a, b)
    assert states(a)[-1] == "closed"


async def test_a_selected_pair_names_candidates_as_they_were_written() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    extended = [f"{each} generation 0 ufrag x network-cost 50" for each in b.candidates()]
    b.candidates = lambda: extended  # type: ignore[method-assign]
    await join_ice(a, b)
    pair = (await a.session.state(a.ice, "connected")).selected_pair
    assert pair.remote in extended
    assert pair.local in a.candidates()
    await close(a, b)


async def test_the_first_check_goes_at_once_and_its_answer_ends_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", IceTiming(check_interval=20))
    a, b = Peer("controlling"), Peer("controlled")
    async with asyncio.timeout(5):
        await join(a, b)
    await close(a, b)


async def test_host_candidates_come_at_once_and_others_as_servers_answer(fast: None, servers: Any) -> None:
    slow, silent = await servers(0.1), await servers(None)
    a = Peer("controlling", ice_params={"ice_servers": [{"urls": [slow, silent, "stuns:127.0.0.1"]}]})

    await a.ice.gather()
    await a.session.event(a.ice, "candidate", len(host_addresses(Network())))
    hosts = [each for each in a.candidates() if "typ host" in each]
    assert len(hosts) == len(host_addresses(Network()))
    assert a.ice.gathering_state == "gathering"
    b = Peer("controlled")
    await b.gather()
    await join_ice(a, b)
    await a.session.state(a.ice, "connected")
    assert a.ice.gathering_state == "gathering", "connected before the servers had answered"
    reflexive = await a.session.event(a.ice, "candidate", len(hosts) + 1)
    assert "198.51.100.7" in reflexive.candidate
    assert "typ srflx" in reflexive.candidate
    assert reflexive.url == slow
    await a.session.state(a.ice, "completed")
    errors = {out.url: out for out in a.session.outs(a.ice, "candidateerror")}
    assert errors[silent].error_code == 701
    assert "stuns:127.0.0.1" in errors
    assert [out.state for out in a.session.outs(a.ice, "gatheringstatechange")] == ["gathering", "complete"]
    await close(a, b)


@pytest.fixture(autouse=True)
def _dicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are written as the shim writes them."""
    import msgspec

    original = FakeSession.make

    def make(self: FakeSession, cls: Any, **params: Any) -> Any:
        if "ice_servers" in params:
            from aiortc_worker.transports.ice_server import IceServer

            params["ice_servers"] = msgspec.convert(params["ice_servers"], list[IceServer])
        return original(self, cls, **params)

    monkeypatch.setattr(FakeSession, "make", make)


async def test_without_the_capability_no_server_is_asked(servers: Any) -> None:
    session = FakeSession()
    session.capabilities = frozenset()
    a = Peer("controlling", session=session, ice_params={"ice_servers": [{"urls": [await servers(0)]}]})
    await a.gather()
    assert all("typ host" in each for each in a.candidates())
    assert len(session.outs(a.ice, "candidateerror")) == 1
    await close(a)


async def test_the_relay_policy_opens_no_socket_of_its_own(servers: Any) -> None:
    a = Peer(
        "controlling",
        ice_params={"ice_transport_policy": "relay", "ice_servers": [{"urls": [await servers(0)]}]},
    )
    await a.gather()
    assert a.candidates() == []
    await close(a)


async def test_a_server_url_that_is_none_is_refused() -> None:
    for url in ("http://example.org", "stun:", "stun:a:0", "turn:host:99999", "turn:host?transport=sctp"):
        with pytest.raises(CallError, match="STUN or TURN"):
            Peer("controlling", ice_params={"ice_servers": [{"urls": [url]}]})


async def test_candidates_may_come_before_the_credentials_they_belong_to() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    for here, there in ((a, b), (b, a)):
        for candidate in there.candidates():
            await here.ice.addRemoteCandidate(RemoteCandidate(candidate, there.local.username_fragment))
        await here.ice.addRemoteCandidate(RemoteCandidate(None, there.local.username_fragment))
    for here, there in ((a, b), (b, a)):
        await here.ice.start(RemoteParameters(there.local.username_fragment, there.local.password))
    await asyncio.gather(*(settled(peer) for peer in (a, b)))
    await close(a, b)


async def test_candidates_may_come_after_the_start_and_gathering_last() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    for here, there in ((a, b), (b, a)):
        await here.ice.start(RemoteParameters(there.local.username_fragment, there.local.password))
    await asyncio.gather(a.gather(), b.gather())
    assert states(a) == []
    await asyncio.sleep(0.05)
    for candidate in b.candidates():
        await a.ice.addRemoteCandidate(RemoteCandidate(candidate))
    # b learns of a by its checks alone.
    await asyncio.gather(*(peer.session.state(peer.ice, "connected") for peer in (a, b)))
    await close(a, b)


async def test_a_check_without_a_priority_from_an_unknown_address_holds_up_nothing() -> None:
    """It waits with the early checks, and would end all of them with a KeyError when they begin."""
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    check.attributes["USERNAME"] = f"{a.local.username_fragment}:{b.local.username_fragment}"
    check.attributes["ICE-CONTROLLED"] = 1
    check.add_message_integrity(a.local.password.encode())
    with stranger() as sock:
        sock.sendto(bytes(check), addresses(a)[0])
        for _ in range(500):
            if a.ice._newest._early_checks:
                break
            await asyncio.sleep(0.01)
        assert a.ice._newest._early_checks
        await join_ice(a, b)
        await asyncio.gather(*(peer.session.state(peer.ice, "connected") for peer in (a, b)))
        assert sock.getsockname()[1] not in {each.port for each in a.ice._newest.remote_candidates}
    await close(a, b)


async def test_an_early_check_that_names_another_peer_is_not_heard() -> None:
    a, b, stranger = Peer("controlling"), Peer("controlled"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather(), stranger.gather())
    # The stranger is joined with another transport of a's description, which has the same credentials.
    await stranger.ice.start(RemoteParameters(a.local.username_fragment, a.local.password))
    for candidate in a.candidates():
        await stranger.ice.addRemoteCandidate(RemoteCandidate(candidate))
    connection = a.ice._newest
    for _ in range(500):
        if connection._early_checks:
            break
        await asyncio.sleep(0.01)
    assert connection._early_checks
    await join_ice(a, b)
    await a.session.state(a.ice, "connected")
    ports = {socket.local_candidate.port for socket in stranger.ice._newest.sockets}
    assert ports.isdisjoint(candidate.port for candidate in connection.remote_candidates)
    assert ports.isdisjoint(port for socket in connection.sockets for _, port in socket.checked)  # type: ignore[attr-defined]
    await close(a, b, stranger)


async def test_useless_candidates_are_passed_over_and_garbage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    for useless in (
        "candidate:1 1 tcp 2105458943 192.0.2.1 9 typ host tcptype active",
        "candidate:1 1 udp 2105458943 3f0b8a52-7a3c-4b0f-a9b8-0a5d1a0f2f11.local 5000 typ host",
        "candidate:1 1 udp 2105458943 a.host.example 5000 typ host",
        "candidate:1 2 udp 2105458943 192.0.2.1 5000 typ host",
        "",
    ):
        await a.ice.addRemoteCandidate(RemoteCandidate(useless))
    for garbage in (
        "candidate:",
        "candidate:1 1 udp x 192.0.2.1 5000 typ host",
        "candidate:1 1 udp 1 1.2.3.4 0 typ host",
    ):
        with pytest.raises(CallError) as refused:
            await a.ice.addRemoteCandidate(RemoteCandidate(garbage))
        assert refused.value.name == "OperationError"
    await join_ice(a, b)
    await a.session.state(a.ice, "connected")
    await close(a, b)


async def test_remote_candidates_are_limited() -> None:
    a = Peer("controlling")
    await a.gather()
    for port in range(1, 301):
        await a.ice.addRemoteCandidate(RemoteCandidate(f"candidate:1 1 udp 1 192.0.2.77 {port} typ host"))
        await a.ice.addRemoteCandidate(RemoteCandidate(f"candidate:1 1 udp 1 192.0.2.77 {port} typ host", f"u{port}"))
    assert len((await a.ice.getStats()).remote_candidates) == 100
    await close(a)


async def test_a_role_conflict_is_repaired() -> None:
    a, b = Peer("controlling"), Peer("controlling")
    await join(a, b)
    assert {a.ice.role, b.ice.role} == {"controlling", "controlled"}
    await exchange(a, b)
    await close(a, b)


async def test_a_lite_peer_is_checked_first_and_nominated_then() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b, lite=True)
    await exchange(a, b)
    await close(a, b)


class LitePeer(asyncio.DatagramProtocol):
    """Answers the first check and begins DTLS in the same breath; a nomination it leaves unanswered."""

    def __init__(self, password: str) -> None:
        self.password = password.encode()
        self.answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self.answered:
            return
        self.answered = True
        request = stun.parse_message(data)
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = addr
        response.add_message_integrity(self.password)
        self.transport.sendto(bytes(response), addr)
        self.transport.sendto(b"\x16ClientHello", addr)


@pytest.mark.parametrize("password", ["right" * 5, "wrong" * 5])
async def test_a_peer_is_heard_from_its_first_authenticated_answer_on(password: str) -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: LitePeer(password), local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    a = Peer("controlling")
    await a.gather()
    await a.ice.start(RemoteParameters("lite", "right" * 5, ice_lite=True))
    await a.ice.addRemoteCandidate(RemoteCandidate(f"candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"))
    if password.startswith("right"):
        assert await asyncio.wait_for(a.ice._recv(), 2) == b"\x16ClientHello"
    else:
        await asyncio.sleep(0.3)
        assert a.ice.inbox.packets == 0
        assert (await a.ice.getStats()).strangers > 0
    transport.close()
    await close(a)


async def test_stock_aioice_on_loopback_alone_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    stock = Connection(ice_controlling=False)
    await stock.gather_candidates()
    a = Peer("controlling")
    await a.gather()
    announced = a.candidates()
    await a.ice.start(RemoteParameters(stock.local_username, stock.local_password))
    for candidate in stock.local_candidates:
        await a.ice.addRemoteCandidate(RemoteCandidate("candidate:" + candidate.to_sdp()))
    stock.remote_username, stock.remote_password = a.local.username_fragment, a.local.password
    for each in a.candidates():
        await stock.add_remote_candidate(Candidate.from_sdp(each.removeprefix("candidate:")))
    await stock.add_remote_candidate(None)
    await stock.connect()
    connected = await a.session.state(a.ice, "connected")
    assert " 127.0.0.1 " in connected.selected_pair.remote
    assert a.candidates() == announced, "loopback is used, not announced"
    assert a.ice.send(b"\x80x")
    assert await stock.recv() == b"\x80x"
    await stock.send(b"\x80y")
    assert await a.ice._recv() == b"\x80y"
    await stock.close()
    await close(a)


async def test_a_wrong_password_fails(fast: None) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    b.local = dataclasses.replace(b.local, password="q" * 22) if dataclasses.is_dataclass(b.local) else credentials()
    await a.ice.start(RemoteParameters("wrong", "q" * 22))
    for candidate in b.candidates() or [out.candidate for out in b.session.outs(b.ice, "candidate")]:
        await a.ice.addRemoteCandidate(RemoteCandidate(candidate))
    await a.ice.addRemoteCandidate(RemoteCandidate(None))
    await a.session.state(a.ice, "failed", 3)
    assert states(a) == ["checking", "failed"]
    await close(a, b)


async def test_no_candidates_at_all_fail_after_some_patience(fast: None) -> None:
    a = Peer("controlling")
    await a.gather()
    await a.ice.start(RemoteParameters("abcd", "q" * 22))
    await a.ice.addRemoteCandidate(RemoteCandidate(None))
    await a.session.state(a.ice, "failed", 3)
    await close(a)


async def test_without_an_end_of_candidates_none_that_works_is_disconnected_and_failed_only_later(fast: None) -> None:
    a = Peer("controlling")
    await a.gather()
    await a.ice.start(RemoteParameters("abcd", "q" * 22))
    await a.ice.addRemoteCandidate(RemoteCandidate("candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host"))
    await a.session.state(a.ice, "failed", 5)
    assert states(a) == ["checking", "disconnected", "failed"]
    await close(a)


async def test_a_candidate_that_comes_after_all_others_failed_still_connects(
    fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IceTransport, "timing", dataclasses.replace(FAST, trickle_patience=20.0))
    a, b = Peer("controlling"), Peer("controlled")
    await asyncio.gather(a.gather(), b.gather())
    await a.ice.start(RemoteParameters(b.local.username_fragment, b.local.password))
    await a.ice.addRemoteCandidate(RemoteCandidate("candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host"))
    await a.session.state(a.ice, "disconnected", 5)
    await join_ice(a, b)
    await asyncio.gather(*(settled(peer) for peer in (a, b)))
    assert states(a) == ["checking", "disconnected", "connected", "completed"]
    await exchange(a, b)
    await close(a, b)


async def test_a_path_that_is_cut_is_disconnected_and_comes_back(fast: None, cut: Callable[[bool], None]) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    reading = asyncio.create_task(b.ice._recv())
    cut(True)
    await a.session.state(a.ice, "disconnected", 2)
    assert a.ice.send(b"\x80lost"), "sending goes on, and does not raise"
    await asyncio.sleep(0.02)
    cut(False)
    await a.session.until(lambda: states(a)[-1] == "completed", 2)
    assert states(a)[-3:] == ["disconnected", "connected", "completed"]
    a.ice.send(b"\x80there")
    assert await asyncio.wait_for(reading, 2) == b"\x80there"
    await close(a, b)


async def test_lost_consent_fails_and_a_restart_mends_it(fast: None, cut: Callable[[bool], None]) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    reading = asyncio.create_task(a.ice._recv())
    cut(True)
    await asyncio.gather(*(peer.session.state(peer.ice, "failed", 5) for peer in (a, b)))
    assert states(a)[-2:] == ["disconnected", "failed"]
    assert a.ice.send(b"\x80x") is False
    assert not reading.done(), "reading waits for a restart"
    cut(False)
    await restart(a, b)
    await asyncio.gather(*(settled(peer, 3) for peer in (a, b)))
    assert states(a)[-3:] == ["checking", "connected", "completed"]
    b.ice.send(b"\x80again")
    assert await asyncio.wait_for(reading, 2) == b"\x80again"
    await close(a, b)


async def test_a_restart_under_traffic_loses_no_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", IceTiming(retire=0.2))
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    sent = 0
    received: list[int] = []
    running = True

    async def send() -> None:
        nonlocal sent
        while running:
            assert a.ice.send(b"\x80" + struct.pack("!I", sent))
            sent += 1
            await asyncio.sleep(0.001)

    async def read() -> None:
        while True:
            received.append(struct.unpack("!I", (await b.ice._recv())[1:])[0])

    sending, reading = asyncio.create_task(send()), asyncio.create_task(read())
    for count in range(2, 5):
        pairs = len(a.session.outs(a.ice, "selectedpairchange"))
        await restart(a, b)
        await a.session.until(lambda n=pairs: len(a.session.outs(a.ice, "selectedpairchange")) > n)
        await asyncio.sleep(0.05 * count)
    await asyncio.sleep(0.3)
    running = False
    await sending
    await asyncio.sleep(0.05)
    reading.cancel()
    assert sorted(received) == list(range(sent))
    assert sent > 100
    assert "disconnected" not in states(a)
    await asyncio.sleep(0.3)
    assert len(a.ice._all) == 1, "the replaced connections are closed"
    await close(a, b)


async def test_a_connection_that_was_replaced_still_hears_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IceTransport, "timing", dataclasses.replace(FAST, retire=1.0))
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    old = b.ice._current
    assert old is not None
    await restart(a, b)
    await a.session.event(a.ice, "selectedpairchange")
    await asyncio.sleep(0.1)
    assert old.send_run(b"\x80late", 5)
    assert await asyncio.wait_for(a.ice._recv(), 2) == b"\x80late"
    async with asyncio.timeout(5):
        while old._protocols:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await close(a, b)


async def test_a_restart_that_is_rolled_back_leaves_the_connection() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    before = a.local
    await a.ice.restart(credentials())
    await a.ice.gather()
    await a.ice.restart(before)
    await asyncio.sleep(0.05)
    assert len(a.ice._all) == 1
    await exchange(a, b)
    await close(a, b)


def stranger(family: int = socket.AF_INET) -> socket.socket:
    return socket.socket(family, socket.SOCK_DGRAM)


def addresses(peer: Peer) -> list[tuple[str, int]]:
    return [(each.split()[4], int(each.split()[5])) for each in peer.candidates() if ":" not in each.split()[4]]


async def test_an_empty_datagram_from_a_stranger_leaves_the_connection_open() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    with stranger() as sock:
        for address in addresses(a) + addresses(b):
            sock.sendto(b"", address)
    await asyncio.sleep(0.05)
    assert a.dtls.state == b.dtls.state == "connected"
    assert sum([(await peer.ice.getStats()).strangers for peer in (a, b)]) >= 2
    channel.receive(1, 1, memoryview(b"still here"))
    other = await b.accept()
    await b.session.until(lambda: b.session.messages.get(other) == ["still here"])
    await close(a, b)


async def test_a_malformed_stun_message_costs_its_sender_alone() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    broken = struct.pack("!HHI12s", 1, 8, stun.COOKIE, b"t" * 12) + struct.pack("!HH", 0x8028, 3) + b"abc\0"
    with pytest.raises(struct.error):
        stun.parse_message(broken)
    with stranger() as sock:
        for address in addresses(a):
            sock.sendto(broken, address)
            sock.sendto(b"\0" * 20, address)
            sock.sendto(b"\1", address)
    await asyncio.sleep(0.05)
    assert (await a.ice.getStats()).strangers >= 3
    await exchange(a, b)
    await close(a, b)


async def test_a_flood_from_a_stranger_is_counted_and_goes_nowhere() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    with stranger() as sock:
        for _round in range(50):
            for address in addresses(a):
                for _ in range(100):
                    sock.sendto(b"\x16\xfe\xfd" + b"x" * 1000, address)
            await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    figures = await a.ice.getStats()
    assert figures.strangers > 1000
    assert figures.packets_received == 0
    assert not a.ice.inbox._items
    await exchange(a, b)
    await close(a, b)


async def test_the_inbox_is_bounded_and_counts_what_it_drops() -> None:
    inbox = Inbox(limit=2500)
    for _ in range(5):
        inbox.put(b"x" * 1000)
    assert (inbox.packets, inbox.dropped) == (2, 3)
    await inbox.get()
    inbox.put(b"y" * 1000)
    await inbox.get()
    assert await inbox.get() == b"y" * 1000
    inbox.close()
    inbox.put(b"late")
    with pytest.raises(ConnectionError):
        await inbox.get()


async def test_the_inbox_feeds_a_reader_in_batches_and_has_room_for_as_much_again() -> None:
    inbox = Inbox(limit=100)
    batches: list[list[bytes]] = []
    feeding = asyncio.create_task(inbox.feed(batches.append))
    for _ in range(2):
        for index in range(100):
            inbox.put(bytes([index]))
        await asyncio.sleep(0.01)
        assert list(map(len, batches)) == [BATCH, 100 - BATCH]
        assert b"".join(b"".join(batch) for batch in batches) == bytes(range(100))
        batches.clear()
    inbox.put(b"gone with the inbox")
    inbox.close()
    with pytest.raises(ConnectionError):
        await feeding
    assert (batches, inbox.dropped) == ([], 0)
    with pytest.raises(ConnectionError):
        await inbox.feed(batches.append)


async def test_a_reader_of_the_inbox_is_called_where_it_asked_and_ends_its_feeding_by_raising() -> None:
    inbox = Inbox()
    whose: ContextVar[str] = ContextVar("whose", default="nobody's")
    seen: list[str] = []

    def read(batch: list[bytes]) -> None:
        seen.append(whose.get())
        if b"bad" in batch:
            raise ValueError("a bad batch")

    async def feed() -> None:
        whose.set("the reader's")
        await inbox.feed(read)

    feeding = asyncio.create_task(feed())
    inbox.put(b"before it asked")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    inbox.put(b"bad")
    with pytest.raises(ValueError, match="a bad batch"):
        await asyncio.wait_for(feeding, 5)
    assert seen == ["the reader's", "the reader's"]
    again = asyncio.create_task(feed())
    await asyncio.sleep(0)
    inbox.put(b"unread")
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    await asyncio.sleep(0)
    assert len(seen) == 2
    assert await inbox.get() == b"unread"
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(b"for another")
    assert await asyncio.wait_for(reading, 5) == b"for another"


async def test_a_reader_may_close_the_inbox_and_fail_in_the_same_breath() -> None:
    inbox = Inbox()
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unhandled.append(context))

    def read(_batch: list[bytes]) -> None:
        inbox.close()
        raise ValueError("a bad batch")

    inbox.put(b"bad")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(inbox.feed(read), 5)
    await asyncio.sleep(0)
    assert unhandled == []


async def test_stop_ends_reading_and_sending() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    reading = asyncio.create_task(a.ice._recv())
    await asyncio.sleep(0)
    await a.ice.stop()
    with pytest.raises(ConnectionError):
        await reading
    with pytest.raises(ConnectionError):
        await a.ice._send(b"x")
    assert a.ice.send(b"x") is False
    await a.ice.stop()
    await close(a, b)


async def test_credentials_that_are_none_are_refused() -> None:
    session = FakeSession()
    with pytest.raises(CallError):
        session.make(IceTransport, username_fragment="a b", password="p" * 22, role="controlling")
