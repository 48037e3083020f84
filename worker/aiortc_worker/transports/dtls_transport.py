"""DTLS over ICE: the handshake, the peer's certificates, and what carries RTP and SCTP."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Struct

from ..bad_packets import BadPackets
from ..compat.dtls import DtlsConnection
from ..rtp.router import Router
from ..session.remote import CallError, ObjectId, Remote, call, names
from ..weak import weakly
from .certificate import Certificate, Fingerprint
from .ice_transport import IceTransport

if TYPE_CHECKING:
    from ..session.session import Session

DtlsRole = Literal["client", "server"]
DtlsState = Literal["new", "connecting", "connected", "closed", "failed"]


class DtlsError(Struct, frozen=True, rename="camel"):
    """Why a transport failed."""

    error_detail: str
    "An RTCErrorDetailType: `dtls-failure` or `fingerprint-failure`."
    message: str


class DtlsStateChange(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A state of RTCDtlsTransportState."""

    state: DtlsState
    remote_certificates: list[str] | None = None
    "Base64 of DER, when connected."
    error: DtlsError | None = None


class DtlsParameters(Struct, frozen=True):
    """What the descriptions have settled."""

    role: DtlsRole
    "Ours."
    fingerprints: list[Fingerprint]
    "The peer's."


class DtlsStats(Struct, frozen=True, rename="camel"):
    """What was negotiated. The counters of bytes are the ICE transport's."""

    state: DtlsState
    role: DtlsRole | None
    tls_version: str | None
    dtls_cipher: str | None
    srtp_cipher: str | None
    remote_certificates: list[str]


class DtlsTransport(Remote):
    """A DTLS transport; the handshake begins when `start` was called and ICE has connected.

    Called again, `start` replaces the association by one with another peer: the state is `new` once more.
    """

    close_order = 40
    events: ClassVar[dict[str, type[Struct]]] = {"statechange": DtlsStateChange}

    class In(Struct, frozen=True):
        """What it runs over, and as whom."""

        ice: Annotated[ObjectId, names("IceTransport")]
        certificate: Annotated[ObjectId, names("Certificate")]

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.ice = session.get(params.ice, IceTransport)
        self.certificate = session.get(params.certificate, Certificate)
        self.router = Router(weakly(self._send_feedback))
        "Who gets the RTP and RTCP that arrives."
        self.dtls = DtlsConnection(self.ice, self.router, weakly(self._on_state))
        self.role: DtlsRole | None = None
        self._listeners: list[Callable[[DtlsState], None]] = []
        self._handshake: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._stopped = False
        self._bad_packets = BadPackets(f"DtlsTransport {id}", weakly(self._count_unreadable))

    @property
    def state(self) -> DtlsState:
        """The state as RTCDtlsTransport has it."""
        state = self.dtls.state
        assert state in ("new", "connecting", "connected", "closed", "failed")
        return state  # type: ignore[return-value]

    def on_state(self, listener: Callable[[DtlsState], None]) -> None:
        """Calls back on every change of `state`, before the shim hears of it."""
        self._listeners.append(listener)

    def send_rtp(self, data: bytes, more: bool = False) -> bool:
        """Encrypts and sends an RTP packet; False when it cannot go. Never raises, never waits.

        With `more` it goes with the next packet, which follows at once.
        """
        return self.dtls.protect(data, rtcp=False, more=more)

    def send_rtcp(self, data: bytes) -> bool:
        """Encrypts and sends a compound RTCP packet; False when it cannot go. Never raises, never waits."""
        return self.dtls.protect(data, rtcp=True)

    def _send_feedback(self, data: bytes) -> None:
        self.send_rtcp(data)

    @call
    async def start(self, params: DtlsParameters) -> None:
        """Begins the handshake as soon as there is a path; called again, with the peer that has come instead.

        @see https://www.rfc-editor.org/rfc/rfc8842#section-5.5
        """
        if not params.fingerprints:
            raise CallError("OperationError", "the description has no fingerprint")
        if self._stopped:
            return
        self.role = params.role
        if self._handshake is not None:
            self._leaving = self.spawn(self._leave(self._handshake, self.dtls, self._leaving))
            self.dtls.silence()
            self.dtls = DtlsConnection(self.ice, self.router, weakly(self._on_state))
            self._on_state()
        self._handshake = self.spawn(self._run(params, self._leaving))

    @call
    async def stop(self) -> None:
        """Sends close_notify; what runs over the transport is over."""
        if self._stopped:
            return
        self._stopped = True
        if self._handshake is not None:
            self._handshake.cancel()
            self._handshake = self._leaving = None
        await self.dtls.end()

    @call
    async def leave(self) -> None:
        """Stops without close_notify, where descriptions end the transport.

        The peer, who may not have read ours yet, would take the end of what goes on elsewhere for the end of all.
        """
        self.dtls.mute()
        await self.stop()

    @call
    async def getStats(self) -> DtlsStats:
        """What was negotiated."""
        connected = self.state == "connected"
        return DtlsStats(
            state=self.state,
            role=self.role,
            tls_version=self.dtls.version if connected else None,
            dtls_cipher=self.dtls.cipher if connected else None,
            srtp_cipher=self.dtls.srtp_profile if connected else None,
            remote_certificates=self._remote_certificates(),
        )

    async def close(self) -> None:
        """Stops the transport."""
        await self.stop()
        self._listeners.clear()
        self._bad_packets.close()

    def _count_unreadable(self) -> Counter[str]:
        return self.dtls.unreadable + self.router.unreadable

    async def _leave(
        self, handshake: asyncio.Task[None], left: DtlsConnection, before: asyncio.Task[None] | None
    ) -> None:
        """Says goodbye to the peer that was replaced, so that the path has one reader."""
        handshake.cancel()
        await asyncio.wait([handshake] if before is None else [handshake, before])
        await left.end()
        self.ice.leave()

    async def _run(self, params: DtlsParameters, leaving: asyncio.Task[None] | None) -> None:
        if leaving is not None:
            await asyncio.wait([leaving])
        try:
            identity = await asyncio.shield(self.certificate.identity)
        except asyncio.CancelledError:
            if self.certificate.identity.cancelled():
                return
            raise
        await self.ice.connected.wait()
        if self._stopped or self.ice.state == "closed":
            return
        await self.dtls.run(params.role, identity, [(each.algorithm, each.value) for each in params.fingerprints])

    def _on_state(self) -> None:
        state = self.state
        for listener in list(self._listeners):
            listener(state)
        failure = self.dtls.failure if state == "failed" else None
        self.emit(
            "statechange",
            DtlsStateChange(
                state=state,
                remote_certificates=self._remote_certificates() if state == "connected" else None,
                error=DtlsError(*failure) if failure is not None else None,
            ),
        )

    def _remote_certificates(self) -> list[str]:
        return [base64.b64encode(der).decode() for der in self.dtls.peer_certificates]
