"""The STUN and TURN servers of a configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9a-fA-F:.]+\]|[^\s:/?#\[\]@]+)"
    r"(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?",
    re.IGNORECASE,
)


class IceServer(Struct, frozen=True):
    """An RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


@dataclass(frozen=True)
class Server:
    """One server, by one of the URLs that name it."""

    url: str
    kind: Literal["stun", "turn"]
    host: str
    port: int
    transport: Literal["udp", "tcp"]
    tls: bool
    username: str | None = None
    credential: str | None = None

    @property
    def usable(self) -> bool:
        """Whether aioice can reach it: it has no STUN over TLS, and no TURN over DTLS."""
        return not self.tls if self.kind == "stun" else not (self.tls and self.transport == "udp")


def parse_server(url: str, server: IceServer) -> Server:
    """The server that `url` names.

    Raises ValueError when it is no STUN or TURN URL.
    @see https://www.rfc-editor.org/rfc/rfc7064 and https://www.rfc-editor.org/rfc/rfc7065
    """
    match = URL.fullmatch(url)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise ValueError(f"{url!r} is not the URL of a STUN or TURN server")
    scheme = match["scheme"].lower()
    tls = scheme.endswith("s")
    transport = (match["transport"] or ("tcp" if tls else "udp")).lower()
    return Server(
        url=url,
        kind="turn" if scheme.startswith("turn") else "stun",
        host=match["host"].strip("[]"),
        port=port or (5349 if tls else 3478),
        transport="tcp" if transport == "tcp" else "udp",
        tls=tls,
        username=server.username,
        credential=server.credential,
    )


def parse_servers(servers: list[IceServer]) -> list[Server]:
    """The servers of a configuration, each once. Raises ValueError as `parse_server` does."""
    parsed = [parse_server(url, server) for server in servers for url in server.urls]
    return list(dict.fromkeys(parsed))
