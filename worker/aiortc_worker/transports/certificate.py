"""The certificate by which a peer recognises us."""

from __future__ import annotations

import asyncio
import datetime
import os
from typing import TYPE_CHECKING, ClassVar, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from ..compat.dtls import Identity
from ..session.remote import CallError, ObjectId, Remote, call
from .seal import seal_identity, unseal_identity

if TYPE_CHECKING:
    from ..session.session import Session

VALIDITY = datetime.timedelta(days=30)
"Browsers' default; https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-generatecertificate allows up to 365 days."
LONGEST = datetime.timedelta(days=365)
BACKDATE = datetime.timedelta(days=1)
"So that a peer whose clock is behind accepts it."
RSA_BITS = 2048

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Fingerprint(Struct, frozen=True):
    """An RTCDtlsFingerprint."""

    algorithm: str
    value: str
    "Pairs of upper-case hexadecimal digits, joined by colons."


class CertificateReady(Struct, frozen=True):
    """What the shim may know of a certificate."""

    fingerprints: list[Fingerprint]
    expires: int
    "Milliseconds since the epoch."
    pem: str
    "The certificate, without its key, which leaves the worker only sealed."


class Sealed(Struct, frozen=True):
    """A certificate with its key, for another session of the same token."""

    sealed: str
    "Base64; what is in it only workers of this bridge can read."


class Certificate(Remote):
    """A key and a self-signed certificate; `ready` follows at once for ECDSA, and after some 100 ms for RSA."""

    close_order = 55
    events: ClassVar[dict[str, type[Struct]]] = {"ready": CertificateReady}

    class In(Struct, frozen=True):
        """RTCPeerConnection.generateCertificate's choices."""

        algorithm: Literal["ECDSA", "RSA"] = "ECDSA"
        "ECDSA on P-256, or RSASSA-PKCS1-v1_5 of 2048 bits; SHA-256 both."
        expires: int | None = None
        "Milliseconds since the epoch; at most 365 days ahead, which is where a later time ends."
        sealed: str | None = None
        "What seal() gave in whatever session of this token: the same certificate and key, in place of new ones."

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.identity: asyncio.Future[Identity] = asyncio.get_running_loop().create_future()
        "Cancelled when the certificate is closed before it is ready."
        if params.sealed is not None:
            self._has(unseal_identity(session.seal_key, params.sealed))
            return
        not_after = _not_after(params.expires)
        if params.algorithm == "ECDSA":
            self._issue(ec.generate_private_key(ec.SECP256R1()), not_after)
        else:
            self.spawn(self._issue_rsa(not_after))

    @call
    async def seal(self) -> Sealed:
        """The certificate and its key, sealed; InvalidStateError before `ready`."""
        if not self.identity.done():
            raise CallError("InvalidStateError", "the certificate is being made")
        return Sealed(seal_identity(self.session.seal_key, self.identity.result()))

    async def close(self) -> None:
        """Forgets the key; a transport that uses it keeps it."""
        self.identity.cancel()

    async def _issue_rsa(self, not_after: datetime.datetime) -> None:
        key = await self.session.run_blocking("codec", rsa.generate_private_key, 65537, RSA_BITS)
        self._issue(key, not_after)

    def _issue(self, key: PrivateKey, not_after: datetime.datetime) -> None:
        if not self.identity.done():
            self._has(Identity(key, _self_signed(key, not_after)))

    def _has(self, identity: Identity) -> None:
        certificate = identity.certificate
        self.identity.set_result(identity)
        self.emit(
            "ready",
            CertificateReady(
                fingerprints=[Fingerprint("sha-256", fingerprint(certificate, hashes.SHA256()))],
                expires=int(certificate.not_valid_after_utc.timestamp() * 1000),
                pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
            ),
        )


def fingerprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    """A certificate's fingerprint as SDP writes it (RFC 8122, section 5)."""
    return certificate.fingerprint(algorithm).hex(":").upper()


def _not_after(expires: int | None) -> datetime.datetime:
    now = datetime.datetime.now(tz=datetime.UTC)
    if expires is None:
        return (now + VALIDITY).replace(microsecond=0)
    latest = now + LONGEST
    if expires >= latest.timestamp() * 1000:
        return latest.replace(microsecond=0)
    try:
        # A certificate's times are whole seconds (RFC 5280, section 4.1.2.5).
        return datetime.datetime.fromtimestamp(expires // 1000, tz=datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise CallError("TypeError", f"{expires} is not a time in milliseconds") from None


def _self_signed(key: PrivateKey, not_after: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, os.urandom(16).hex())])
    now = datetime.datetime.now(tz=datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, not_after) - BACKDATE)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
