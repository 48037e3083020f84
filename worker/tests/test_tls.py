"""Servers whose certificate a private CA has signed."""

from __future__ import annotations

import asyncio
import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from media_session import http_file
from pair import Peer, close
from turn_server import PASSWORD, USER, TurnServer

from aiortc_worker.session.remote import CallError
from aiortc_worker.tls import client_context
from aiortc_worker.transports.ice_server import IceServer

BODY = b"served over TLS"


class Authority:
    """A CA that nobody knows: `file` has its certificate, `server` is the context of turn.example at 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "private CA")])
        authority = _certificate(name, name, key, key, x509.BasicConstraints(ca=True, path_length=None))
        self.file = folder / "ca.pem"
        self.file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        names = x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("turn.example")]
        )
        chain = folder / "server.pem"
        chain.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + _certificate(subject, name, own, key, names).public_bytes(serialization.Encoding.PEM)
        )
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(chain)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256())


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    client_context.cache_clear()
    yield Authority(tmp_path)
    client_context.cache_clear()


@pytest.fixture
def origin(authority: Authority) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    server.socket = authority.server.wrap_socket(server.socket, server_side=True)
    # A client that does not trust it goes away in the middle.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_of_a_server_of_an_unknown_ca_is_not_read(origin: str) -> None:
    with pytest.raises(CallError, match="certificate verify failed") as raised:
        http_file(f"{origin}/file", allow_private=True)
    assert raised.value.name == "NotReadableError"


@pytest.mark.parametrize("variable", ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])
def test_a_file_of_a_server_of_a_private_ca_is_read_when_a_variable_names_the_ca(
    origin: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.file))
    with http_file(f"{origin}/file", allow_private=True) as file:
        assert file.read() == BODY


def test_an_extra_ca_comes_beside_those_of_the_system(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {certificate["serialNumber"] for certificate in client_context().get_ca_certs()}
    client_context.cache_clear()
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(authority.file))
    both = {certificate["serialNumber"] for certificate in client_context().get_ca_certs()}
    assert both > known
    assert len(both) == len(known) + 1


def test_an_extra_ca_that_is_not_there_is_ignored_with_a_warning(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(authority.file.parent / "none.pem"))
    client_context()
    assert "none.pem, which is ignored: " in caplog.text


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_relay_of_a_private_ca_is_used_when_the_variable_names_the_ca(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    if trusted:
        monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(authority.file))
    server = TurnServer("127.0.0.1")
    await server.open(tls=authority.server)
    url = f"turns:{server.host}:{server.port}"
    servers = [IceServer(urls=[url], username=USER, credential=PASSWORD)]
    peer = Peer("controlling", ice_params={"ice_transport_policy": "relay", "ice_servers": servers})
    await peer.gather()
    assert [each.split()[7] for each in peer.candidates()] == (["relay"] if trusted else [])
    errors = [error.error_text for error in peer.session.outs(peer.ice, "candidateerror")]
    assert trusted or "certificate verify failed" in errors[0]
    await close(peer)
    await server.close()


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("name", ["turn.example", "another.example"])
def test_a_relay_over_tls_is_reached_where_its_name_was_resolved_once(
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    name: str,
) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(authority.file))
    asked = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    async def gather() -> tuple[list[str], list[str]]:
        server = TurnServer("127.0.0.1")
        await server.open(tls=authority.server)
        monkeypatch.setattr("aiortc_worker.transports.ice_gatherer.socket.getaddrinfo", resolve)
        servers = [IceServer(urls=[f"turns:{name}:{server.port}"], username=USER, credential=PASSWORD)]
        peer = Peer("controlling", ice_params={"ice_transport_policy": "relay", "ice_servers": servers})
        await peer.gather()
        errors = [error.error_text for error in peer.session.outs(peer.ice, "candidateerror")]
        kinds = [each.split()[7] for each in peer.candidates()]
        await close(peer)
        await server.close()
        return kinds, errors

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        kinds, errors = runner.run(gather())
    assert asked == [name]
    assert kinds == (["relay"] if name == "turn.example" else [])
    assert name == "turn.example" or "Hostname mismatch" in errors[0]
