"""aiortc's DTLS transport, with the peer checked as RFC 8122 says and nothing that one packet can bring down.

What aiortc 1.16.0 does otherwise, by line of `aiortc/rtcdtlstransport.py`: it offers ECDSA suites only (:204), wants
every fingerprint to match (:448), sends what OpenSSL has written in one datagram of 1,500 bytes whatever its records
are (:747), raises and catches an exception for every packet that OpenSSL has no answer to (:748), and closes itself
when what is above fails on a packet (:579).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import pylibsrtp
from aiortc import clock
from aiortc.rtcdtlstransport import (
    X509_DIGEST_ALGORITHMS,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
    certificate_digest,
)
from aiortc.rtp import is_rtcp
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL
from OpenSSL._util import ffi, lib
from OpenSSL.crypto import X509

from ..transports.udp_socket import runs
from ..weak import weakly

logger = logging.getLogger(__name__)

CIPHERS = b":".join(
    f"ECDHE-{key}-{suite}".encode()
    for suite in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for key in ("ECDSA", "RSA")
)
RECORD = 2**14 + 256
"Bytes of the longest DTLS record."
RECORD_PAYLOAD = 2**14
"Bytes that a DTLS record holds (RFC 6347, section 4.1)."
RECORD_OVERHEAD = 13 + 16 + 20 + 16
"Bytes of its header, and of what CBC adds at most: a vector, an authentication code, padding. Others add less."
MTU = 1200
"Bytes of a DTLS datagram: what every path carries (RFC 8261, section 5, has 1,200 too)."
SRTP_ERRORS = (pylibsrtp.Error, ValueError)
"pylibsrtp raises ValueError for what is longer than its buffer of 1,500 bytes, before it has authenticated anything."
APPLICATION_DATA = 23
"Type of a DTLS record that holds what the peer sends, and not what OpenSSL answers itself (RFC 5246, section 6.2.1)."
RECORD_HEADER = struct.Struct("!BHHHIH")
"Type, version, epoch, sequence number in two parts, length (RFC 6347, section 4.1)."


FLIGHT = ffi.new("char[]", 2**16)
"Takes the records that leave in one system call. One for all connections: what is in it is copied out at once."


class Path(Protocol):
    """What DTLS wants of ICE."""

    @property
    def role(self) -> str: ...
    @property
    def state(self) -> str: ...

    def send(self, data: bytes) -> bool: ...
    def send_run(self, data: bytes, size: int) -> int: ...
    def largest_datagram(self) -> int: ...
    def keep_whole(self, whole: bool) -> None: ...
    async def _send(self, data: bytes) -> None: ...
    async def _recv(self) -> bytes: ...
    async def feed(self, reader: Callable[[list[bytes]], None]) -> None: ...


class PacketHandler(Protocol):
    """Who takes what SRTP has decrypted; neither may raise."""

    def handle_rtp(self, data: bytes, arrival_ms: int) -> None: ...
    def handle_rtcp(self, data: bytes) -> None: ...


class _DataReceiver:
    """Who takes what DTLS has decrypted."""

    def __init__(self, take: Callable[[list[bytes]], None]) -> None:
        self.take = take

    async def _handle_data(self, data: bytes) -> None:
        """Takes what comes with the end of the handshake (aiortc/rtcdtlstransport.py:665): the peer's INIT, mostly."""
        self.take([data])


def _verify(openssl: SSL.Connection, certificate: X509, _error: int, depth: int, _ok: int) -> bool:
    """Whether a handshake may go on with a certificate of the peer: what its DtlsConnection says."""
    verify: Callable[[X509, int], bool] = openssl.get_app_data()
    return verify(certificate, depth)


VERIFIER = SSL._VerifyHelper(_verify)
"One for all (OpenSSL/SSL.py:497): its callback refers to itself, so that each would be garbage for the collector."


class Identity(RTCCertificate):
    """A key and its certificate, of ECDSA or RSA."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        # aiortc only hands the key on to OpenSSL (aiortc/rtcdtlstransport.py:203).
        super().__init__(key, certificate)  # type: ignore[arg-type]
        self.key, self.certificate = key, certificate

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        """As aiortc/rtcdtlstransport.py:194, with `VERIFIER`, since pyOpenSSL's set_verify makes a cycle each time."""
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_TICKET)
        lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, VERIFIER.callback)
        context.use_certificate(self._cert)
        context.use_privatekey(self._key)
        context.set_cipher_list(CIPHERS)
        context.set_tlsext_use_srtp(b":".join(profile.openssl_profile for profile in srtp_profiles))
        return context


class DtlsConnection(RTCDtlsTransport):
    """One DTLS association over a path that may come and go."""

    def __init__(self, path: Path, packets: PacketHandler, on_state: Callable[[], None]) -> None:
        super().__init__(path, [_NoIdentity()])  # type: ignore[arg-type]
        self.failure: tuple[str, str] | None = None
        "An RTCErrorDetailType and a message, when the state is `failed`."
        self._expected: list[RTCDtlsFingerprint] = []
        self._path = path
        self._packets = packets
        self._on_state = on_state
        self._pump: asyncio.Future[None] | None = None
        self._record = ffi.new("char[]", RECORD)
        self._burst: list[bytes] = []
        "SRTP packets that wait for the last one of their frame."
        self._muted = False
        self.unreadable = Counter[str]()
        "Datagrams dropped, by protocol."
        self._data_receiver: _DataReceiver | None = None

    async def run(self, role: str, identity: Identity, fingerprints: list[tuple[str, str]]) -> None:
        """Shakes hands and, when that succeeds, begins to pump; the state says how it went."""
        self._set_role(role)
        self._RTCDtlsTransport__local_certificate = identity
        self._expected = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in fingerprints]
        await self.start(RTCDtlsParameters(fingerprints=self._expected))
        self._pump = self._task
        if self._pump is not None:
            self._pump.add_done_callback(_retrieve)
        elif self._state is State.FAILED:
            await self._say_goodbye()

    async def end(self) -> None:
        """Says goodbye to the peer and stops the pump; may be called in any state."""
        await self.stop()
        if self._pump is not None:
            await asyncio.wait([self._pump])
            # A cancelled task keeps its frames, and they this object.
            self._pump = None
        self._set_state(State.CLOSED)

    def mute(self) -> None:
        """Sends nothing more, a goodbye neither."""
        self._muted = True

    def silence(self) -> None:
        """Reports no state any more."""
        self._on_state = _nothing

    async def _say_goodbye(self) -> None:
        """Tells the peer, which may believe that it is connected, that we have failed."""
        with contextlib.suppress(ConnectionError):
            with contextlib.suppress(SSL.Error):
                self._openssl.shutdown()
            # An alert, too, that OpenSSL has written.
            await self._write_ssl()

    @property
    def _openssl(self) -> SSL.Connection:
        """There from `start` on (aiortc/rtcdtlstransport.py:519)."""
        assert self._ssl is not None
        return self._ssl

    @property
    def peer_certificates(self) -> list[bytes]:
        """The DER of the peer's certificates, its own first."""
        if self._ssl is None or (own := self._ssl.get_peer_certificate(as_cryptography=True)) is None:
            return []
        # A server's chain leaves the peer's own certificate out (SSL_get_peer_cert_chain).
        chain = [each for each in self._ssl.get_peer_cert_chain(as_cryptography=True) or [] if each != own]
        return [certificate.public_bytes(serialization.Encoding.DER) for certificate in [own, *chain]]

    @property
    def cipher(self) -> str | None:
        """OpenSSL's name of the cipher suite."""
        return self._ssl.get_cipher_name() if self._ssl is not None else None

    @property
    def version(self) -> str | None:
        """The protocol's version, `DTLSv1.2`."""
        return self._ssl.get_protocol_version_name() if self._ssl is not None else None

    @property
    def srtp_profile(self) -> str | None:
        """OpenSSL's name of the SRTP protection profile."""
        return self._ssl.get_selected_srtp_profile().decode() if self._ssl is not None else None

    def protect(self, data: bytes, rtcp: bool, more: bool = False) -> bool:
        """Encrypts and sends a packet; False when it cannot go. Never raises (aiortc/rtcdtlstransport.py:711).

        With `more` it waits for the next one, which follows at once, and goes with it.
        """
        if self._state is not State.CONNECTED:
            return False
        try:
            protected = self._tx_srtp.protect_rtcp(data) if rtcp else self._tx_srtp.protect(data)
        except SRTP_ERRORS:
            if not more:
                self._send_burst()
            return False
        if not self._burst and not more:
            return self._path.send(protected)
        self._burst.append(protected)
        return more or self._send_burst()

    def _send_burst(self) -> bool:
        burst, self._burst = self._burst, []
        flights = [(b"".join(run), len(run[0])) for run in runs(burst, 0)]
        return all([self._path.send_run(flight, size) == len(flight) for flight, size in flights])

    async def _do_handshake(self) -> None:
        # aiortc/rtcdtlstransport.py:411; OpenSSL then fragments flights that a certificate of RSA makes too long.
        self._openssl.set_ciphertext_mtu(MTU)
        # Refused within the handshake (aiortc/rtcdtlstransport.py:536 does so after it), the peer is alerted and fails.
        self._openssl.set_app_data(weakly(self._verify))
        await super()._do_handshake()

    def _verify(self, certificate: X509, depth: int) -> bool:
        """Compares with the fingerprints of the strongest algorithm given (RFC 8122, section 5)."""
        if depth > 0:
            return True
        given = [(each.algorithm.lower(), each.value.upper()) for each in self._expected]
        supported = [algorithm for algorithm in reversed(X509_DIGEST_ALGORITHMS) if algorithm in dict(given)]
        if not supported:
            names = ", ".join(sorted(dict(given))) or "none"
            return self._refuse(f"no fingerprint by an algorithm that is supported ({names})")
        if (supported[0], certificate_digest(certificate.to_cryptography(), supported[0])) not in given:
            return self._refuse("the peer's certificate does not have the fingerprint that was signalled")
        return True

    def _refuse(self, message: str) -> Literal[False]:
        self.failure = ("fingerprint-failure", message)
        return False

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:  # noqa: N803
        """`_verify` has done so."""

    def _set_state(self, state: State) -> None:
        """Reports a state; `closed` and `failed` are final (aiortc/rtcdtlstransport.py:726)."""
        if state is self._state or self._state in (State.CLOSED, State.FAILED):
            return
        if state is State.FAILED and self.failure is None:
            self.failure = ("dtls-failure", "the DTLS handshake failed")
        self._state = state
        self._on_state()

    def send_packets(self, packets: Sequence[bytes]) -> bool:
        """Encrypts and sends packets in their order, each in a datagram; False when not all can go.

        Never raises (aiortc/rtcdtlstransport.py:704).
        """
        if self._state is not State.CONNECTED:
            return False
        return all([self._send_records(run) for run in runs(packets, RECORD_OVERHEAD)])

    def _send_records(self, run: Sequence[bytes]) -> bool:
        """Encrypts packets of one size, whose records have one size, too, and sends them together."""
        openssl = self._openssl
        ssl = openssl._ssl
        written = True
        for packet in run:
            if lib.SSL_write(ssl, packet, len(packet)) <= 0:
                lib.ERR_clear_error()
                written = False
                break
        length = lib.BIO_read(openssl._from_ssl, FLIGHT, len(FLIGHT))
        if length <= 0:
            return False
        records = ffi.buffer(FLIGHT, length)[:]
        size = RECORD_HEADER.size + RECORD_HEADER.unpack_from(records)[5]
        return self._path.send_run(records, size) == length and written

    def give_data(self, receiver: Callable[[list[bytes]], None] | None) -> None:
        """Says who takes the packets that arrive together; it may not raise (aiortc/rtcdtlstransport.py:679)."""
        self._data_receiver = None if receiver is None else _DataReceiver(receiver)

    @property
    def largest_packet(self) -> int:
        """Bytes of the longest packet that a datagram may hold on the way to the peer; 0 when nobody knows."""
        return min(RECORD_PAYLOAD, max(0, self._path.largest_datagram() - RECORD_OVERHEAD))

    def keep_whole(self, whole: bool) -> None:
        """Forbids that datagrams are fragmented on the way to the peer, or allows it again."""
        self._path.keep_whole(whole)

    async def _recv_next(self) -> None:
        """Takes a datagram of the handshake, then all that ever arrives (aiortc/rtcdtlstransport.py:626)."""
        if self._RTCDtlsTransport__handshake_done:  # type: ignore[attr-defined]
            await self._path.feed(self._take)
        else:
            with contextlib.suppress(ValueError):  # Of SRTP that is too long (aiortc/rtcdtlstransport.py:674).
                await super()._recv_next()

    def _take(self, datagrams: list[bytes]) -> None:
        """Takes what arrived together, without an exception a packet (aiortc/rtcdtlstransport.py:658)."""
        packets: list[bytes] = []
        try:
            for datagram in datagrams:
                first = datagram[0]
                if 19 < first < 64:
                    self._decrypt(datagram, packets)
                elif 127 < first < 192:
                    self._unprotect(datagram)
                else:
                    self.unreadable["unknown"] += 1
        finally:
            if packets and (receiver := self._data_receiver) is not None:
                receiver.take(packets)
        for datagram in self._written():
            self._path.send(datagram)

    def _decrypt(self, datagram: bytes, packets: list[bytes]) -> None:
        """Adds what the records of a datagram hold. Raises ConnectionError when the peer has said goodbye."""
        openssl, record = self._openssl, self._record
        ssl = openssl._ssl
        before = len(packets)
        lib.BIO_write(openssl._into_ssl, datagram, len(datagram))
        while (length := lib.SSL_read(ssl, record, RECORD)) > 0:
            packets.append(ffi.buffer(record, length)[:])
            if _is_one_record(datagram):
                return
        error = lib.SSL_get_error(ssl, length)
        lib.ERR_clear_error()
        if error == lib.SSL_ERROR_ZERO_RETURN:
            raise ConnectionError("the peer has closed DTLS")
        if datagram[0] == APPLICATION_DATA and len(packets) == before:
            self.unreadable["dtls"] += 1

    def _unprotect(self, datagram: bytes) -> None:
        if self._rx_srtp is None:
            return
        arrival_ms = clock.current_ms()
        rtcp = is_rtcp(datagram)
        try:
            packet = self._rx_srtp.unprotect_rtcp(datagram) if rtcp else self._rx_srtp.unprotect(datagram)
        except SRTP_ERRORS:
            self.unreadable["srtp"] += 1
            return
        if rtcp:
            self._packets.handle_rtcp(packet)
        else:
            self._packets.handle_rtp(packet, arrival_ms)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self._packets.handle_rtp(data, arrival_time_ms)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self._packets.handle_rtcp(data)

    async def _write_ssl(self) -> None:
        """Sends what OpenSSL has written, records whole (aiortc/rtcdtlstransport.py:742)."""
        for datagram in self._written():
            await self._path._send(datagram)

    def _written(self) -> list[bytes]:
        """What OpenSSL wants sent, in datagrams."""
        pending = lib.BIO_get_mem_data(self._openssl._from_ssl, ffi.NULL)
        return datagrams(self._openssl.bio_read(pending)) if pending > 0 and not self._muted else []


class _NoIdentity(RTCCertificate):
    """Stands in until the certificate is there; `run` replaces it (aiortc/rtcdtlstransport.py:383)."""

    def __init__(self) -> None:
        pass


def _is_one_record(datagram: bytes) -> bool:
    """Whether a datagram ends with its first record."""
    size = len(datagram) - RECORD_HEADER.size
    return size >= 0 and size == RECORD_HEADER.unpack_from(datagram)[5]


def datagrams(flight: bytes) -> list[bytes]:
    """A flight of DTLS records in datagrams of whole records, of at most MTU bytes unless one record is longer."""
    if len(flight) <= MTU:
        return [flight]
    out: list[bytes] = []
    start = end = 0
    while end + RECORD_HEADER.size <= len(flight):
        length = RECORD_HEADER.size + RECORD_HEADER.unpack_from(flight, end)[5]
        if end > start and end + length - start > MTU:
            out.append(flight[start:end])
            start = end
        end += length
    out.append(flight[start:])
    return out


def _nothing() -> None:
    pass


def _retrieve(pump: asyncio.Future[None]) -> None:
    if not pump.cancelled() and pump.exception() is not None:
        logger.error("a DTLS pump ended", exc_info=pump.exception(), extra={"kind": "pump-ended"})
