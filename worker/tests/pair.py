"""Two sets of transports in one process, joined over real sockets as two shims would join them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from fakes import FakeSession

from aiortc_worker.session.wire import FRAGMENT, MESSAGE, MORE, TEXT
from aiortc_worker.transports.certificate import Certificate
from aiortc_worker.transports.data_channel import DataChannel
from aiortc_worker.transports.dtls_transport import DtlsParameters, DtlsTransport
from aiortc_worker.transports.ice_messages import Credentials, RemoteCandidate, RemoteParameters
from aiortc_worker.transports.ice_transport import IceTransport
from aiortc_worker.transports.sctp_transport import SctpParameters, SctpTransport

names = itertools.count(1)


def credentials() -> Credentials:
    return Credentials(f"ufrag{next(names)}", "p" * 22)


@dataclass
class Peer:
    """One side."""

    role: str
    session: FakeSession = field(default_factory=FakeSession)
    ice_params: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "ECDSA"

    def __post_init__(self) -> None:
        self.local = credentials()
        self.certificate = self.session.make(Certificate, algorithm=self.algorithm)
        self.ice = self.session.make(
            IceTransport,
            username_fragment=self.local.username_fragment,
            password=self.local.password,
            role=self.role,
            **self.ice_params,
        )
        self.dtls = self.session.make(DtlsTransport, ice=self.ice.id, certificate=self.certificate.id)
        self.sctp = self.session.make(SctpTransport, dtls=self.dtls.id)

    def channel(self, **params: Any) -> DataChannel:
        return self.session.make(DataChannel, transport=self.sctp.id, **params)

    async def accept(self, count: int = 1) -> DataChannel:
        offered = await self.session.event(self.sctp, "datachannel", count)
        return self.channel(
            accept=True,
            stream_id=offered.stream_id,
            label=offered.label,
            protocol=offered.protocol,
            ordered=offered.ordered,
            max_retransmits=offered.max_retransmits,
            max_packet_life_time=offered.max_packet_life_time,
        )

    async def fingerprints(self) -> list[Any]:
        return (await self.session.event(self.certificate, "ready")).fingerprints

    def candidates(self) -> list[str]:
        return [
            out.candidate
            for out in self.session.outs(self.ice, "candidate")
            if out.username_fragment == self.local.username_fragment
        ]

    async def gather(self) -> None:
        before = [out.state for out in self.session.outs(self.ice, "gatheringstatechange")].count("complete")
        await self.ice.gather()
        await self.session.until(
            lambda: (
                [out.state for out in self.session.outs(self.ice, "gatheringstatechange")].count("complete") > before
            )
        )


async def join_ice(a: Peer, b: Peer, lite: bool = False) -> None:
    """Exchanges credentials and candidates both ways."""
    for here, there in ((a, b), (b, a)):
        await here.ice.start(RemoteParameters(there.local.username_fragment, there.local.password, lite))
    for here, there in ((a, b), (b, a)):
        for candidate in there.candidates():
            await here.ice.addRemoteCandidate(RemoteCandidate(candidate, there.local.username_fragment))
        await here.ice.addRemoteCandidate(RemoteCandidate(None, there.local.username_fragment))


async def join_dtls(a: Peer, b: Peer, a_role: str = "client") -> None:
    b_role = "server" if a_role == "client" else "client"
    await a.dtls.start(DtlsParameters(a_role, await b.fingerprints()))  # type: ignore[arg-type]
    await b.dtls.start(DtlsParameters(b_role, await a.fingerprints()))  # type: ignore[arg-type]


async def join_sctp(a: Peer, b: Peer, max_message_size: int = 262144) -> None:
    for peer in (a, b):
        await peer.sctp.start(SctpParameters(5000, max_message_size))


async def connect(a: Peer, b: Peer, a_role: str = "client") -> None:
    """Everything, until SCTP is connected at both ends."""
    await asyncio.gather(a.gather(), b.gather())
    await join_ice(a, b)
    await join_dtls(a, b, a_role)
    await join_sctp(a, b)
    await asyncio.gather(*(peer.session.state(peer.sctp, "connected") for peer in (a, b)))


async def close(*peers: Peer) -> None:
    for peer in peers:
        await peer.session.close()
        assert peer.session.failures == []


async def restart(a: Peer, b: Peer) -> None:
    """a offers a restart: its candidates reach b before b has restarted, as they do."""
    a.local = credentials()
    await a.ice.restart(a.local)
    await a.gather()
    for candidate in a.candidates():
        await b.ice.addRemoteCandidate(RemoteCandidate(candidate, a.local.username_fragment))
    await b.ice.addRemoteCandidate(RemoteCandidate(None, a.local.username_fragment))
    b.local = credentials()
    await b.ice.restart(b.local)
    await b.ice.start(RemoteParameters(a.local.username_fragment, a.local.password))
    await b.gather()
    await a.ice.start(RemoteParameters(b.local.username_fragment, b.local.password))
    for candidate in b.candidates():
        await a.ice.addRemoteCandidate(RemoteCandidate(candidate, b.local.username_fragment))
    await a.ice.addRemoteCandidate(RemoteCandidate(None, b.local.username_fragment))


def put(channel: DataChannel, data: bytes | str) -> None:
    """What the session does with a message of the shim."""
    payload = data.encode() if isinstance(data, str) else data
    text = TEXT if isinstance(data, str) else 0
    pieces = [payload[at : at + FRAGMENT] for at in range(0, len(payload), FRAGMENT)] or [b""]
    for index, piece in enumerate(pieces):
        channel.receive(MESSAGE, text | (MORE if index < len(pieces) - 1 else 0), memoryview(piece))
