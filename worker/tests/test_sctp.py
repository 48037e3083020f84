"""The association: what a peer may do wrong, and stock aiortc as a peer."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from aiortc import RTCDataChannel, RTCDataChannelParameters, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcsctptransport import InitChunk, RTCSctpCapabilities, serialize_packet
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from hypothesis import given
from hypothesis import strategies as st
from pair import Peer, close, connect, put

from aiortc_worker.session.remote import CallError
from aiortc_worker.transports.certificate import Fingerprint
from aiortc_worker.transports.dcep import DCEP, ChannelOpen, decode_open, encode_open
from aiortc_worker.transports.dtls_transport import DtlsParameters
from aiortc_worker.transports.ice_messages import RemoteCandidate, RemoteParameters
from aiortc_worker.transports.sctp_transport import SctpParameters, SctpTransport


@given(
    label=st.text(),
    protocol=st.text(),
    ordered=st.booleans(),
    limit=st.none() | st.tuples(st.booleans(), st.integers(0, 65535)),
)
def test_an_open_is_read_as_it_was_written(
    label: str, protocol: str, ordered: bool, limit: tuple[bool, int] | None
) -> None:
    retransmits = limit[1] if limit and limit[0] else None
    lifetime = limit[1] if limit and not limit[0] else None
    channel = ChannelOpen(label, protocol, ordered, retransmits, lifetime)
    encoded = encode_open(channel)
    assert decode_open(encoded) == channel
    with pytest.raises(ValueError, match="bytes"):
        decode_open(encoded[: len(encoded) - 1] if label or protocol else encoded[:11])


@given(st.binary(max_size=40))
def test_no_bytes_make_reading_an_open_fail_otherwise_than_by_value_error(data: bytes) -> None:
    try:
        decode_open(data)
    except ValueError:
        return


async def working(a: Peer, b: Peer, count: int) -> None:
    """A new channel works from a to b."""
    channel = a.channel(label="works")
    other = await b.accept(count)
    put(channel, "still")
    await b.session.until(lambda: b.session.messages.get(other) == ["still"])


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("!BBHLHH", 3, 0, 0, 0, 2, 0) + b"\xff\xfe",
        struct.pack("!BBHLHH", 3, 0, 0, 0, 200, 0) + b"ab",
        b"\x03",
        b"\x02",
        b"\x07what",
        b"\x00",
    ],
)
async def test_an_establishment_that_is_none_costs_its_stream_alone(data: bytes) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    a.sctp._association.send(20, DCEP, data)
    await asyncio.sleep(0.02)
    assert b.dtls.state == "connected"
    await working(a, b, 1)
    await close(a, b)


async def test_a_channel_whose_open_cannot_be_read_is_closed_at_its_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    bad = struct.pack("!BBHLHH", 3, 0, 0, 0, 2, 0) + b"\xff\xfe"
    with monkeypatch.context() as patch:
        patch.setattr("aiortc_worker.transports.sctp_transport.encode_open", lambda _: bad)
        channel = a.channel(label="bad")
        assert (await a.session.event(channel, "close")).error is None
    assert not b.session.outs(b.sctp, "datachannel")
    await working(a, b, 1)
    await close(a, b)


async def test_an_open_on_a_stream_in_use_leaves_its_channel() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="first")
    await connect(a, b)
    other = await b.accept()
    stream = (await a.session.event(channel, "open")).stream_id
    for _ in range(2):
        a.sctp._association.send(stream, DCEP, encode_open(ChannelOpen("second", "")))
    put(channel, "first lives")
    await b.session.until(lambda: b.session.messages.get(other) == ["first lives"])
    assert len(b.session.outs(b.sctp, "datachannel")) == 1
    await working(a, b, 2)
    await close(a, b)


async def test_an_init_that_comes_with_the_end_of_the_dtls_handshake_is_taken() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    for peer in (a, b):
        # Else connecting takes T1's second.
        assert peer.sctp._association._core._handshake._retransmits == 0
    await close(a, b)


async def test_text_that_is_not_utf8_is_passed_on_as_it_came() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    other = await b.accept()
    got: list[tuple[bytes, bool]] = []
    b.session.send_message = lambda remote, payload, text: got.append((payload, text))  # type: ignore[method-assign]
    channel.receive(1, 1, memoryview(b"\xff\xfe"))
    await asyncio.sleep(0.05)
    assert got == [(b"\xff\xfe", True)]
    assert other in b.session.objects.values()
    await close(a, b)


async def test_packets_that_are_none_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    association = b.sctp._association
    tag = association._core.local_tag
    late = InitChunk()
    late.initiate_tag, late.advertised_rwnd, late.initial_tsn = 1, 1000, 99
    late.outbound_streams = late.inbound_streams = 1
    reset = struct.pack("!BBH", 130, 0, 10) + struct.pack("!HH", 13, 6) + b"xx" + b"\0\0"
    for packet in (
        b"",
        b"x" * 12,
        b"x" * 100,
        serialize_packet(5000, 5000, 0, late),
        _with_checksum(struct.pack("!HHLL", 5000, 5000, tag, 0) + reset),
    ):
        association.take([packet])
    await working(a, b, 1)
    await close(a, b)


def _with_checksum(packet: bytes) -> bytes:
    from google_crc32c import value

    return packet[:8] + struct.pack("<L", value(packet[:8] + bytes(4) + packet[12:])) + packet[12:]


async def test_the_flush_after_dtls_is_gone_raises_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    unhandled: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    await a.session.event(channel, "open")
    for _ in range(10):
        put(channel, b"x" * 100_000)
    await a.dtls.dtls.end()
    put(channel, "after")
    a.sctp._association.send(0, 53, b"after")
    await asyncio.sleep(0.05)
    await close(a, b)
    assert unhandled == []
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


async def test_the_figures_of_an_association() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    assert a.session.outs(a.sctp, "statechange")[0].max_channels == 65535
    figures = await a.sctp.getStats()
    assert figures.state == "connected"
    assert figures.congestion_window > 1000
    await a.sctp.start(SctpParameters(5000, 1234))
    assert a.sctp.max_message_size == 1234
    with pytest.raises(CallError):
        await a.sctp.start(SctpParameters(0, 0))
    await a.dtls.stop()
    with pytest.raises(CallError) as refused:
        a.session.make(SctpTransport, dtls=a.dtls.id)
    assert refused.value.name == "InvalidStateError"
    await close(a, b)


@pytest.mark.parametrize("role", ["client", "server"])
async def test_stock_aiortc_is_a_peer(role: str) -> None:
    a = Peer("controlling" if role == "client" else "controlled")
    gatherer = RTCIceGatherer(iceServers=[])
    ice = RTCIceTransport(gatherer)
    ice._connection.ice_controlling = role != "client"
    certificate = RTCCertificate.generateCertificate()
    dtls = RTCDtlsTransport(ice, [certificate])
    dtls._set_role("server" if role == "client" else "client")
    sctp = RTCSctpTransport(dtls)
    ours, theirs = a.channel(label="ours"), RTCDataChannel(sctp, RTCDataChannelParameters(label="theirs"))
    offered: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
    echoed: list[Any] = []

    @sctp.on("datachannel")
    def on_channel(channel: RTCDataChannel) -> None:
        channel.on("message", lambda data: (echoed.append(data), channel.send(data)))
        offered.set_result(channel)

    await asyncio.gather(a.gather(), gatherer.gather())
    local = gatherer.getLocalParameters()
    await a.ice.start(RemoteParameters(local.usernameFragment or "", local.password or ""))
    for candidate in gatherer.getLocalCandidates():
        await a.ice.addRemoteCandidate(RemoteCandidate("candidate:" + candidate_to_sdp(candidate)))
    await a.ice.addRemoteCandidate(RemoteCandidate(None))
    for each in a.candidates():
        await ice.addRemoteCandidate(candidate_from_sdp(each.removeprefix("candidate:")))
    await ice.addRemoteCandidate(None)
    fingerprints = [Fingerprint(each.algorithm, each.value) for each in certificate.getFingerprints()]
    await a.dtls.start(DtlsParameters(role, fingerprints))  # type: ignore[arg-type]
    await a.sctp.start(SctpParameters(5000, 262144))

    async def stock() -> None:
        await ice.start(RTCIceParameters(a.local.username_fragment, a.local.password))
        expected = [RTCDtlsFingerprint(each.algorithm, each.value) for each in await a.fingerprints()]
        await dtls.start(RTCDtlsParameters(fingerprints=expected))
        await sctp.start(RTCSctpCapabilities(maxMessageSize=262144), 5000)

    await asyncio.gather(stock(), a.session.event(ours, "open"))
    sent = ["text", "", b"", b"x" * 200_000]
    for message in sent:
        put(ours, message)
    await a.session.until(lambda: len(a.session.messages.get(ours, [])) == 4)
    assert a.session.messages[ours] == sent == echoed
    other = await a.accept()
    assert a.session.outs(a.sctp, "datachannel")[0].label == "theirs"
    put(other, "hello")
    closed = asyncio.Event()
    theirs.on("close", closed.set)
    await other.close()
    await asyncio.wait_for(closed.wait(), 5)
    await a.session.event(other, "close")
    (await offered).close()
    await a.session.event(ours, "close")
    await sctp.stop()
    await dtls.stop()
    await ice.stop()
    await a.session.state(a.dtls, "closed")
    await close(a)
