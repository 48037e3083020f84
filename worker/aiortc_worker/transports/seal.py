"""A certificate's key on its way from one session of a shim to another: the shim carries what it cannot read."""

from __future__ import annotations

import base64
import os
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from ..compat.dtls import Identity
from ..session.remote import CallError

NONCE: Final = 12
PURPOSE: Final = b"aiortc-shim certificate"
"Authenticated with it, so that nothing else which is sealed with the same key is taken for a certificate."


class _Pair(Struct, frozen=True, array_like=True):
    """In DER."""

    key: bytes
    certificate: bytes


def seal_identity(secret: bytes, identity: Identity) -> str:
    """Key and certificate, encrypted (AES-256-GCM) for the sessions that know `secret`.

    Raises CallError NotSupportedError when the bridge gave this session no secret.
    """
    der, pkcs8 = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    key = identity.key.private_bytes(der, pkcs8, serialization.NoEncryption())
    pair = _Pair(key, identity.certificate.public_bytes(der))
    nonce = os.urandom(NONCE)
    return base64.b64encode(nonce + _cipher(secret).encrypt(nonce, msgspec.msgpack.encode(pair), PURPOSE)).decode()


def unseal_identity(secret: bytes, sealed: str) -> Identity:
    """What seal_identity() was given.

    Raises CallError: OperationError when it was sealed with another secret, or is nothing sealed.
    """
    try:
        whole = base64.b64decode(sealed, validate=True)
        opened = _cipher(secret).decrypt(whole[:NONCE], whole[NONCE:], PURPOSE)
        pair = msgspec.msgpack.decode(opened, type=_Pair)
    except (InvalidTag, ValueError, msgspec.MsgspecError):
        raise CallError(
            "OperationError", "this certificate was made behind another bridge, or for another token"
        ) from None
    key = serialization.load_der_private_key(pair.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return Identity(key, x509.load_der_x509_certificate(pair.certificate))


def _cipher(secret: bytes) -> AESGCM:
    if not secret:
        raise CallError("NotSupportedError", "the bridge gave its sessions no secret to seal keys with")
    return AESGCM(secret)
