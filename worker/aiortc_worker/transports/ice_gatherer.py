"""Gathering: each candidate is reported as soon as it is known, host candidates first."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol

from aioice import Candidate, stun
from aioice.ice import StunProtocol

from ..compat.ice import IceConnection
from ..compat.ice_socket import Address
from ..public_address import is_public
from ..session.remote import lacks
from .host_address import host_addresses
from .ice_candidate import ip_version
from .ice_server import Server

if TYPE_CHECKING:
    from ..session.session import Session

UNREACHABLE = 701
"The error code of a server that did not answer (https://www.w3.org/TR/webrtc/#dom-rtcpeerconnectioniceerrorevent-errorcode)."


class GatherSink(Protocol):
    """Who is told of what gathering finds."""

    def candidate_found(self, connection: IceConnection, candidate: Candidate, url: str | None) -> None:
        """A local candidate, and the server that gave it."""

    def host_failed(self, connection: IceConnection, address: str | None, text: str) -> None:
        """A host candidate that could not be had, or all of them."""

    def server_failed(
        self, connection: IceConnection, server: Server, code: int, text: str, base: Candidate | None
    ) -> None:
        """A server that gave none, asked from `base`."""


async def open_hosts(connection: IceConnection, sink: GatherSink) -> None:
    """Binds the host candidates; none where only relayed ones are wanted."""
    if connection.relay_only:
        return
    try:
        addresses = host_addresses(connection.network)
    except OSError as error:
        sink.host_failed(connection, None, f"the interfaces cannot be listed: {error.strerror}")
        return
    if not addresses:
        sink.host_failed(connection, None, "no interface that may be used has an address")
    for address in addresses:
        try:
            candidate = await connection.open_host(address)
        except OSError as error:
            sink.host_failed(connection, address.announced, str(error.strerror))
        else:
            if candidate is not None:
                sink.candidate_found(connection, candidate, None)


async def ask_servers(session: Session, connection: IceConnection, servers: list[Server], sink: GatherSink) -> None:
    """Asks all servers at once, each for at most `timing.gather` seconds."""
    wanted = [server for server in servers if server.kind == "turn" or not connection.relay_only]
    await asyncio.gather(*(_ask(session, connection, server, sink) for server in wanted))


async def _ask(session: Session, connection: IceConnection, server: Server, sink: GatherSink) -> None:
    if not server.usable:
        sink.server_failed(connection, server, UNREACHABLE, "this scheme and transport are not supported", None)
        return
    try:
        addresses = await _resolve(session, connection, server)
    except (OSError, TimeoutError) as error:
        sink.server_failed(connection, server, UNREACHABLE, f"{server.host} cannot be resolved: {error}", None)
        return
    if server.kind == "turn":
        if server.transport == "tcp" and not (is_public(addresses[0]) or "private" in session.capabilities):
            # A connection tells whether somebody listens there, and may carry what a page chose.
            text = f"{server.host} is {addresses[0]}, a private address. {lacks('private')}"
            sink.server_failed(connection, server, UNREACHABLE, text, None)
            return
        await _ask_turn(connection, server, addresses[0], sink)
        return
    ways = [
        (protocol, (address, server.port))
        for protocol in connection.sockets
        for address in addresses
        if ip_version(address) == ip_version(protocol.local_candidate.host)
    ]
    if not ways:
        sink.server_failed(connection, server, UNREACHABLE, "no host candidate can reach the server", None)
    await asyncio.gather(*(_ask_stun(connection, server, *way, sink) for way in ways))


async def _ask_stun(
    connection: IceConnection, server: Server, protocol: StunProtocol, address: Address, sink: GatherSink
) -> None:
    base = protocol.local_candidate
    try:
        candidate = await asyncio.wait_for(connection.reflexive(protocol, address), connection.timing.gather)
    except (stun.TransactionError, TimeoutError, KeyError, OSError) as error:
        sink.server_failed(connection, server, *_reason(error), base)
        return
    if candidate is not None:
        sink.candidate_found(connection, candidate, server.url)


async def _ask_turn(connection: IceConnection, server: Server, address: str, sink: GatherSink) -> None:
    try:
        candidate = await asyncio.wait_for(connection.open_relay(server, address), connection.timing.gather)
    except (stun.TransactionError, TimeoutError, OSError) as error:
        sink.server_failed(connection, server, *_reason(error), None)
        return
    if candidate is not None:
        sink.candidate_found(connection, candidate, server.url)


async def _resolve(session: Session, connection: IceConnection, server: Server) -> list[str]:
    """An address of each IP version that the server has; one for TURN, where aioice speaks IPv4 first."""
    if ip_version(server.host) is not None:
        return [server.host]
    found = await asyncio.wait_for(
        session.run_blocking("dns", socket.getaddrinfo, server.host, server.port), connection.timing.gather
    )
    first = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    ordered = [first[family] for family in (socket.AF_INET, socket.AF_INET6) if family in first]
    if not ordered:
        raise OSError("no address")
    return ordered


def _reason(error: Exception) -> tuple[int, str]:
    if isinstance(error, stun.TransactionFailed) and "ERROR-CODE" in error.response.attributes:
        code, text = error.response.attributes["ERROR-CODE"]
        return code, text
    if isinstance(error, stun.TransactionTimeout | TimeoutError):
        return UNREACHABLE, "the server did not answer in time"
    return UNREACHABLE, str(error) or type(error).__name__
