"""A peer that is replaced by another: DTLS, SCTP and channels go on with the new one."""

from __future__ import annotations

import asyncio

import pytest
from pair import Peer, close, connect, credentials, join_ice, put

from aiortc_worker.session.wire import FRAGMENT, MESSAGE, MORE
from aiortc_worker.transports.certificate import Certificate
from aiortc_worker.transports.data_channel import DataChannel
from aiortc_worker.transports.dtls_transport import DtlsParameters, DtlsTransport
from aiortc_worker.transports.ice_messages import RemoteCandidate, RemoteParameters
from aiortc_worker.transports.sctp_transport import SctpParameters, SctpPath, SctpTransport


async def meet(a: Peer, c: Peer, restarts: bool, a_role: str = "client") -> None:
    """What an offer of a's comes to that c, which is new, has answered."""
    if restarts:
        a.local = credentials()
        await a.ice.restart(a.local)
        await a.gather()
    await c.gather()
    await join_ice(a, c)
    await shake(a, c, a_role)


async def shake(a: Peer, c: Peer, a_role: str = "client") -> None:
    c_role = "server" if a_role == "client" else "client"
    await a.dtls.start(DtlsParameters(a_role, await c.fingerprints()))  # type: ignore[arg-type]
    await c.dtls.start(DtlsParameters(c_role, await a.fingerprints()))  # type: ignore[arg-type]
    for peer in (a, c):
        await peer.sctp.start(SctpParameters(5000, 262144))


async def arrives(sender: DataChannel, peer: Peer, receiver: DataChannel, text: str) -> None:
    put(sender, text)
    await peer.session.until(lambda: text in peer.session.messages.get(receiver, []))


def states(peer: Peer, transport: DtlsTransport | SctpTransport) -> list[str]:
    return [out.state for out in peer.session.outs(transport, "statechange")]


@pytest.mark.parametrize("restarts", [True, False])
async def test_channels_go_on_with_a_peer_that_has_come_instead(restarts: bool) -> None:
    a, b, c = Peer("controlling"), Peer("controlled"), Peer("controlled")
    agreed, announced = (
        a.channel(negotiated=True, stream_id=100, label="agreed"),
        a.channel(label="announced", ordered=False),
    )
    await connect(a, b)
    await b.accept()
    theirs = b.channel(label="theirs")
    accepted = await a.accept()
    await b.session.event(theirs, "open")
    there = c.channel(negotiated=True, stream_id=100)
    await meet(a, c, restarts)
    await a.session.state(a.dtls, "connected")
    await arrives(agreed, c, there, "to c")
    await arrives(there, a, agreed, "to a")
    other = await c.accept()
    assert c.session.outs(c.sctp, "datachannel")[0].label == "announced"
    await arrives(announced, c, other, "in band")
    await arrives(other, a, announced, "and back")
    closed = await a.session.event(accepted, "close")
    assert closed.error.message == "the peer that had opened the channel was replaced"
    new = c.channel(label="new")
    await arrives(new, a, await a.accept(2), "opened by c")
    assert states(a, a.dtls) == ["connecting", "connected", "new", "connecting", "connected"]
    assert states(a, a.sctp) == ["connected", "connecting", "connected"]
    # Who was left was told so.
    await b.session.state(b.dtls, "closed")
    assert a.ice.state in ("connected", "completed")
    await close(a, b, c)


async def test_a_message_that_had_begun_goes_to_nobody_and_what_follows_arrives_whole() -> None:
    a, b, c = Peer("controlling"), Peer("controlled"), Peer("controlled")
    channel = a.channel(negotiated=True, stream_id=100)
    b.channel(negotiated=True, stream_id=100)
    await connect(a, b)
    begun = b"x" * (8 * FRAGMENT)
    for start in range(0, len(begun), FRAGMENT):
        channel.receive(MESSAGE, MORE, memoryview(begun)[start : start + FRAGMENT])
    await a.session.until(lambda: sum(a.session.credits.get(channel, [])) > 0)
    there = c.channel(negotiated=True, stream_id=100)
    await meet(a, c, restarts=True)
    channel.receive(MESSAGE, 0, memoryview(b"the end of it"))
    await arrives(channel, c, there, "after")
    assert c.session.messages[there] == ["after"]
    assert sum(a.session.credits[channel]) == len(begun) + len("the end of it") + len("after")
    await close(a, b, c)


async def test_the_same_path_may_lead_to_another_peer() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(negotiated=True, stream_id=100)
    await connect(a, b)
    # b's ICE goes on; what is above it is made anew.
    await b.sctp.close()
    await b.dtls.close()
    await a.session.event(channel, "close")
    b.certificate = b.session.make(Certificate, algorithm="ECDSA")
    b.dtls = b.session.make(DtlsTransport, ice=b.ice.id, certificate=b.certificate.id)
    b.sctp = b.session.make(SctpTransport, dtls=b.dtls.id)
    await shake(a, b, "server")
    await a.session.until(lambda: states(a, a.sctp).count("connected") == 2)
    # The association of before was aborted, and its channels are closed; others can be made.
    assert states(a, a.sctp) == ["connected", "closed", "connecting", "connected"]
    mine, there = (peer.channel(negotiated=True, stream_id=101) for peer in (a, b))
    await arrives(mine, b, there, "x")
    assert a.ice.state in ("connected", "completed")
    await close(a, b)


async def test_a_channel_whose_stream_is_now_the_peers_to_open_closes_with_an_error() -> None:
    a, b, c = Peer("controlling"), Peer("controlled"), Peer("controlled")
    channel = a.channel(label="of a client")
    await connect(a, b, "client")
    await a.session.event(channel, "open")
    await meet(a, c, restarts=True, a_role="server")
    closed = await a.session.event(channel, "close")
    assert closed.error.message == "stream 0 is the new peer's to open"
    await a.session.state(a.dtls, "connected")
    await close(a, b, c)


async def test_messages_that_were_not_sent_go_to_the_new_peer_and_all_are_credited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b, c = Peer("controlling"), Peer("controlled"), Peer("controlled")
    channel = a.channel(negotiated=True, stream_id=100)
    b.channel(negotiated=True, stream_id=100)
    there = c.channel(negotiated=True, stream_id=100)
    await connect(a, b)
    await a.session.event(channel, "open")
    # b hears nothing more, so that only what fits into the association's window leaves.
    b.ice._newest.mute()
    monkeypatch.setattr(b.ice.inbox, "put", lambda data: None)
    size, count = 1_000, 200
    for index in range(count):
        put(channel, bytes([index]) * size)
    await a.session.until(lambda: channel in a.session.credits)
    await meet(a, c, restarts=True)
    await a.session.until(lambda: sum(a.session.credits[channel]) == size * count)
    await c.session.until(lambda: bytes([count - 1]) * size in c.session.messages.get(there, []))
    received = [message[0] for message in c.session.messages[there]]
    assert received == list(range(count - len(received), count))
    assert len(received) < count
    await close(a, b, c)


async def test_a_peer_that_never_comes_ends_in_failed() -> None:
    a, b, c = Peer("controlling"), Peer("controlled"), Peer("controlled")
    await connect(a, b)
    await a.ice.start(RemoteParameters(c.local.username_fragment, c.local.password))
    await a.ice.addRemoteCandidate(RemoteCandidate(None, c.local.username_fragment))
    await a.dtls.start(DtlsParameters("client", await c.fingerprints()))
    await a.session.state(a.ice, "checking")
    await a.session.state(a.ice, "failed", within=30)
    await close(a, b, c)


async def test_peers_that_replace_each_other_before_they_are_reached_leave_the_last() -> None:
    a, b, c, d = Peer("controlling"), Peer("controlled"), Peer("controlled"), Peer("controlled")
    channel = a.channel(negotiated=True, stream_id=100)
    there = d.channel(negotiated=True, stream_id=100)
    await connect(a, b)
    await asyncio.gather(c.gather(), d.gather())
    for peer in (c, d):
        await join_ice(a, peer)
        await shake(a, peer)
    await arrives(channel, d, there, "x")
    await close(a, b, c, d)


async def test_a_transport_is_followed_once_however_often_the_association_moves() -> None:
    a = Peer("controlling")
    first = a.dtls
    second = a.session.make(DtlsTransport, ice=a.ice.id, certificate=a.certificate.id)
    for transport in [second, first] * 20:
        await a.sctp.move(SctpPath(transport.id))
    assert [len(transport._listeners) for transport in (first, second)] == [1, 1]
    await a.session.close()
