"""DTLS between two sets of transports, and against stock aiortc."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import os
import threading
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvloop
from cryptography import x509
from fakes import FakeSession
from pair import Peer, close, connect, join_dtls, join_ice

from aiortc_worker.compat.dtls import MTU, datagrams
from aiortc_worker.session.remote import CallError
from aiortc_worker.transports.certificate import Certificate, Fingerprint
from aiortc_worker.transports.dtls_transport import DtlsParameters


async def join(a: Peer, b: Peer) -> None:
    await asyncio.gather(a.gather(), b.gather())
    await join_ice(a, b)


def sha(peer_event: Any, algorithm: str) -> str:
    digest = hashlib.new(algorithm.replace("-", ""), x509_der(peer_event.pem)).digest()
    return digest.hex(":").upper()


def x509_der(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-")))


async def test_connected_comes_with_the_peers_certificate() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    await join_dtls(a, b)
    for here, there in ((a, b), (b, a)):
        out = await here.session.state(here.dtls, "connected")
        ready = await there.session.event(there.certificate, "ready")
        assert [base64.b64decode(each) for each in out.remote_certificates] == [x509_der(ready.pem)]
        assert [out.state for out in here.session.outs(here.dtls, "statechange")] == ["connecting", "connected"]
    figures = await a.dtls.getStats()
    assert figures.tls_version in ("DTLSv1.2", "DTLSv1.3")
    assert figures.srtp_cipher == "SRTP_AEAD_AES_256_GCM" or figures.srtp_cipher.startswith("SRTP_")
    await close(a, b)


@pytest.mark.parametrize(("client", "server"), [("RSA", "ECDSA"), ("ECDSA", "RSA"), ("RSA", "RSA")])
async def test_certificates_of_rsa_shake_hands_too(client: str, server: str) -> None:
    a, b = Peer("controlling", algorithm=client), Peer("controlled", algorithm=server)
    sizes: list[int] = []
    for ice in (a.ice, b.ice):
        ice.send = lambda data, send=ice.send: sizes.append(len(data)) or send(data)  # type: ignore[method-assign, misc]
    await join(a, b)
    await join_dtls(a, b)
    await asyncio.gather(*(peer.session.state(peer.dtls, "connected") for peer in (a, b)))
    assert max(sizes) <= MTU
    await close(a, b)


@pytest.mark.parametrize("algorithm", ["sha-256", "SHA-384", "sha-512"])
async def test_a_fingerprint_of_each_hash_is_verified(algorithm: str) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    ready = await b.session.event(b.certificate, "ready")
    value = sha(ready, algorithm.lower()).lower()
    # Another certificate's, of the same hash, does not matter.
    await a.dtls.start(DtlsParameters("client", [Fingerprint(algorithm, "00:11"), Fingerprint(algorithm, value)]))
    await b.dtls.start(DtlsParameters("server", await a.fingerprints()))
    await a.session.state(a.dtls, "connected")
    await close(a, b)


@pytest.mark.parametrize(
    "wrong",
    [
        [Fingerprint("sha-256", ":".join(["00"] * 32))],
        [Fingerprint("sha-1", ":".join(["00"] * 20))],
        [Fingerprint("sha-256", "")],
    ],
)
async def test_a_fingerprint_that_does_not_match_fails_both_ends(wrong: list[Fingerprint]) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    await a.dtls.start(DtlsParameters("client", wrong))
    await b.dtls.start(DtlsParameters("server", await a.fingerprints()))
    out = await a.session.state(a.dtls, "failed")
    assert out.error.error_detail == "fingerprint-failure"
    assert out.error.message
    assert (await b.session.state(b.dtls, "failed")).error.error_detail == "dtls-failure"
    assert a.dtls.send_rtp(b"\x80" + bytes(11)) is False
    await close(a, b)


async def test_two_clients_fail_with_dtls_failure() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    for here, there in ((a, b), (b, a)):
        await here.dtls.start(DtlsParameters("client", await there.fingerprints()))
    out = await a.session.state(a.dtls, "failed")
    assert out.error.error_detail == "dtls-failure"
    await close(a, b)


async def test_a_start_without_a_fingerprint_is_refused() -> None:
    a = Peer("controlling")
    with pytest.raises(CallError):
        await a.dtls.start(DtlsParameters("client", []))
    await close(a)


async def test_rtp_reaches_the_peers_router_and_stop_closes_both() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    packets: list[bytes] = []
    reports: list[bytes] = []
    b.dtls.router.handle_rtp = lambda data, arrival_ms: packets.append(data)  # type: ignore[method-assign]
    b.dtls.router.handle_rtcp = reports.append  # type: ignore[method-assign]
    rtp = bytes.fromhex("80600001000000010000002a") + b"payload"
    rtcp = bytes.fromhex("80c900010000002a")
    assert a.dtls.send_rtp(rtp)
    assert a.dtls.send_rtcp(rtcp)
    await asyncio.sleep(0.05)
    assert packets == [rtp]
    assert reports == [rtcp]
    seen: list[str] = []
    b.dtls.on_state(seen.append)
    await a.dtls.stop()
    await b.session.state(b.dtls, "closed")
    assert seen == ["closed"]
    assert a.dtls.state == "closed"
    assert a.dtls.send_rtp(rtp) is False
    await close(a, b)


@pytest.mark.parametrize("first", [0x80, 0x14], ids=["SRTP", "DTLS"])
async def test_no_datagram_of_the_peers_address_ends_the_transport(first: int) -> None:
    """pylibsrtp's buffer has 1,500 bytes: a longer datagram, which nobody had to authenticate, ended DTLS."""
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    packets: list[bytes] = []
    b.dtls.router.handle_rtp = lambda data, arrival_ms: packets.append(data)  # type: ignore[method-assign]
    for size in (1, 2, 12, 13, 1500, 1501, 9000, 65_000):
        assert a.ice.send(bytes([first, 200]) + bytes(size - 2) if size > 1 else bytes([first]))
        assert a.ice.send(bytes([first]) + bytes(size - 1))
    rtp = bytes.fromhex("80600001000000010000002a") + b"payload"
    assert a.dtls.send_rtp(rtp)
    for _ in range(200):
        if packets:
            break
        await asyncio.sleep(0.01)
    assert packets == [rtp]
    assert b.dtls.state == "connected"
    assert (b.dtls.dtls.unreadable["srtp"] >= 16) is (first == 0x80)
    assert a.dtls.send_rtp(bytes.fromhex("80600002000000010000002a") + bytes(1500)) is False
    await close(a, b)


async def test_a_transport_that_descriptions_end_says_no_goodbye() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    await a.dtls.leave()
    assert a.dtls.state == "closed"
    await asyncio.sleep(0.2)
    assert b.dtls.state == "connected"
    await close(a, b)


async def test_stopping_during_the_handshake_leaves_nothing() -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    await a.dtls.start(DtlsParameters("client", await b.fingerprints()))
    await a.session.state(a.dtls, "connecting")
    await a.dtls.stop()
    assert a.dtls.state == "closed"
    await close(a, b)


@pytest.mark.parametrize("order", ["ice dtls sctp", "dtls ice sctp", "sctp dtls ice", "sctp ice dtls"])
async def test_any_order_of_stops_raises_nothing(order: str, caplog: pytest.LogCaptureFixture) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    channel = a.channel(label="x")
    await connect(a, b)
    await a.session.event(channel, "open")
    channel.receive(1, 0, memoryview(b"x" * 60000))
    for name in order.split():
        await getattr(a, name).stop()
    await b.session.event(b.sctp, "statechange", 2, 5) if order != "ice dtls sctp" else None
    await close(a, b)
    gc.collect()
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_twenty_rounds_leave_no_task_thread_or_socket(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    run(twenty_rounds())


async def twenty_rounds() -> None:
    loop = asyncio.get_running_loop()
    unhandled: list[Any] = []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))

    async def round_trip() -> None:
        a, b = Peer("controlling"), Peer("controlled")
        channel = a.channel(label="x")
        await connect(a, b)
        channel.receive(1, 1, memoryview(b"hello"))
        other = await b.accept()
        await b.session.until(lambda: b.session.messages.get(other))
        await close(a, b)

    await round_trip()
    gc.collect()
    before = (len(asyncio.all_tasks()), threading.active_count(), len(os.listdir("/proc/self/fd")))
    for _ in range(20):
        await round_trip()
    await asyncio.sleep(0.05)
    gc.collect()
    after = (len(asyncio.all_tasks()), threading.active_count(), len(os.listdir("/proc/self/fd")))
    assert after == before
    assert unhandled == []
    assert not [each for each in gc.get_objects() if isinstance(each, Peer)]


async def test_an_expiry_is_kept_and_the_fingerprint_is_the_certificates() -> None:
    session = FakeSession()
    certificate = session.make(Certificate, algorithm="ECDSA", expires=1_999_999_999_123)
    ready = await session.event(certificate, "ready")
    parsed = x509.load_pem_x509_certificate(ready.pem.encode())
    assert ready.expires == int(parsed.not_valid_after_utc.timestamp() * 1000)
    assert ready.expires < 1_999_999_999_123, "at most 365 days"
    assert ready.fingerprints[0].value == sha(ready, "sha-256")
    rsa = session.make(Certificate, algorithm="RSA")
    assert session.outs(rsa, "ready") == [], "the key is made off the loop"
    await session.event(rsa, "ready")
    with pytest.raises(CallError, match="not a time"):
        session.make(Certificate, algorithm="ECDSA", expires=-(10**18))
    await session.close()


def test_a_long_flight_is_cut_between_records() -> None:
    record = b"\x16\xfe\xfd" + bytes(8) + (500).to_bytes(2, "big") + b"x" * 500
    cut = datagrams(record * 5)
    assert b"".join(cut) == record * 5
    assert all(len(each) % len(record) == 0 and len(each) <= MTU for each in cut)
    assert datagrams(record) == [record]


async def test_all_records_of_a_datagram_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    # What SCTP has to say at first is said, and nothing else would bring on the reading of what was left.
    await asyncio.sleep(0.1)
    sent: list[bytes] = []

    def send_run(data: bytes, _size: int) -> int:
        sent.append(data)
        return len(data)

    monkeypatch.setattr(a.ice, "send_run", send_run)
    for packet in (b"one", b"two", b"three"):
        assert a.dtls.dtls.send_packets([packet])
    read: list[bytes] = []
    b.dtls.dtls._data_receiver = cast(Any, SimpleNamespace(take=read.extend))
    b.ice.inbox.put(sent[0] + sent[1])
    b.ice.inbox.put(sent[2])
    await asyncio.sleep(0.05)
    assert read == [b"one", b"two", b"three"]
    await close(a, b)


async def test_a_last_flight_that_got_lost_twice_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Peer("controlling"), Peer("controlled")
    await join(a, b)
    lost: list[bytes] = []
    send = b.ice._send

    async def lossy(data: bytes) -> None:
        if b"\x14\xfe\xfd" in data and len(lost) < 2:
            lost.append(data)
        else:
            await send(data)

    monkeypatch.setattr(b.ice, "_send", lossy)
    await join_dtls(a, b, "client")
    await b.session.state(b.dtls, "connected")
    assert lost, "the server has sent its last flight, and is done"
    await a.session.state(a.dtls, "connected")
    await close(a, b)


@pytest.mark.parametrize("algorithm", ["ECDSA", "RSA"])
async def test_a_certificate_goes_sealed_to_another_session_of_its_token(algorithm: str) -> None:
    here, there, stranger = FakeSession(), FakeSession(), FakeSession()
    stranger.seal_key = bytes(31) + b"x"
    made = here.make(Certificate, algorithm=algorithm)
    ready = await here.event(made, "ready")
    sealed = (await made.seal()).sealed
    again = there.make(Certificate, sealed=sealed)
    assert await there.event(again, "ready") == ready
    key, other = made.identity.result().key, again.identity.result().key
    assert key.private_numbers() == other.private_numbers()
    for wrong in (sealed[:-8] + "AAAAAAA=", "", "no base64", sealed[:20]):
        with pytest.raises(CallError, match="another bridge"):
            there.make(Certificate, sealed=wrong)
    with pytest.raises(CallError, match="another bridge"):
        stranger.make(Certificate, sealed=sealed)
    stranger.seal_key = b""
    with pytest.raises(CallError, match="no secret"):
        stranger.make(Certificate, sealed=sealed)
    assert all(number not in base64.b64decode(sealed) for number in (b"PRIVATE", ready.pem.encode()[28:60]))


async def test_a_certificate_that_is_being_made_is_not_sealed() -> None:
    session = FakeSession()
    certificate = session.make(Certificate, algorithm="RSA")
    with pytest.raises(CallError, match="being made"):
        await certificate.seal()
    await session.close()
