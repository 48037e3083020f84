"""The ICE transport: gathering, checks, consent and restarts over replaceable connections."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from aioice import Candidate
from msgspec import Struct

from ..bad_packets import BadPackets
from ..compat.ice import REMOTE_CANDIDATES, IceConnection
from ..session.remote import CallError, ObjectId, Remote, call, lacks
from ..weak import weakly
from .ice_candidate import SignalledCandidate, format_candidate, parse_candidate
from .ice_consent import keep_consent
from .ice_gatherer import UNREACHABLE, ask_servers, open_hosts
from .ice_messages import (
    CandidateError,
    CandidateFound,
    CandidatePair,
    Configuration,
    Credentials,
    GatheringState,
    GatheringStateChange,
    IcePolicy,
    IceRole,
    IceState,
    IceStats,
    RemoteCandidate,
    RemoteParameters,
    RoleChange,
    SelectedPairChange,
    StateChange,
)
from .ice_server import IceServer, Server, parse_servers
from .ice_timing import IceTiming
from .inbox import Inbox

if TYPE_CHECKING:
    from ..session.session import Session

logger = logging.getLogger(__name__)


class IceTransport(Remote):
    """An ICE transport; one for all that a bundle carries.

    aiortc's DTLS wants of it `role`, `state`, `_recv` and `_send`. These two never raise while the path is gone, only
    when the transport is closed: everything above would close with them, and could not come back after a restart.
    """

    close_order = 50
    events: ClassVar[dict[str, type[Struct]]] = {
        "gatheringstatechange": GatheringStateChange,
        "candidate": CandidateFound,
        "candidateerror": CandidateError,
        "statechange": StateChange,
        "selectedpairchange": SelectedPairChange,
    }
    timing: ClassVar[IceTiming] = IceTiming()

    class In(Struct, frozen=True, rename="camel"):
        """The local credentials are the shim's, which has written them into its description."""

        username_fragment: str
        password: str
        role: IceRole
        ice_servers: list[IceServer] = []
        ice_transport_policy: IcePolicy = "all"

    def __init__(self, session: Session, id: ObjectId, params: In) -> None:
        super().__init__(session, id)
        self.role: IceRole = params.role
        self.state: IceState = "new"
        self.gathering_state: GatheringState = "new"
        self.inbox = Inbox()
        self.connected = asyncio.Event()
        "Set while there is a way to the peer of today, and when the transport is closed."
        self._servers = self._parse(params.ice_servers)
        self._policy: IcePolicy = params.ice_transport_policy
        self._newest = self._connection(params.username_fragment, params.password)
        self._current: IceConnection | None = None
        "The connection that has a selected pair; another than the newest one while a restart is under way."
        self._all = {self._newest}
        self._unclaimed: dict[str, list[SignalledCandidate | None]] = {}
        "Remote candidates of a generation that has not started."
        self._remote: RemoteParameters | None = None
        self._consent: asyncio.Task[None] | None = None
        self._on_route: list[Callable[[], None]] = []
        self._pair_changes = 0
        self._packets_sent = 0
        self._bytes_sent = 0
        self._unsent = 0
        self._bad_packets = BadPackets(f"IceTransport {id}", weakly(self._count_strangers))

    # What DTLS and RTP use

    def send(self, data: bytes) -> bool:
        """Sends a datagram; False when there is no path. Never raises."""
        return self.send_run(data, len(data)) > 0

    def send_run(self, data: bytes, size: int) -> int:
        """Sends datagrams of `size` bytes, the last of what remains, in their order. Never raises.

        Returns how many bytes went; 0 when there is no path.
        """
        sent = 0 if self._current is None else self._current.send_run(data, size)
        packets = -(-sent // size)
        self._packets_sent += packets
        self._bytes_sent += sent
        self._unsent += -(-len(data) // size) - packets
        return sent

    def largest_datagram(self) -> int:
        """Bytes of the longest datagram that may reach the peer in one piece; 0 when nobody knows."""
        return 0 if self._current is None else self._current.largest_datagram()

    def keep_whole(self, whole: bool) -> None:
        """Forbids that datagrams are fragmented on the way to the peer, or allows it again."""
        if self._current is not None and self.state != "closed":
            self._current.keep_whole(whole)

    def leave(self) -> None:
        """Forgets the way to a peer that was replaced, unless the way to the new one is the same."""
        left = self._current
        if left is None or self.state == "closed" or (left is self._newest and self.connected.is_set()):
            return
        self._current = None
        self.connected.clear()
        left.mute()
        if self._consent is not None:
            self._consent.cancel()
        self.spawn(self._retire(left, 0))
        self._set_state("checking")

    def on_route(self, listener: Callable[[], None]) -> None:
        """Calls back whenever another pair carries the datagrams."""
        self._on_route.append(listener)

    async def _send(self, data: bytes) -> None:
        if self.state == "closed":
            raise ConnectionError("the ICE transport is closed")
        self.send(data)

    async def _recv(self) -> bytes:
        return await self.inbox.get()

    async def feed(self, reader: Callable[[list[bytes]], None]) -> None:
        """Gives `reader` what arrives, as `Inbox.feed` does; raises ConnectionError when the transport is closed."""
        await self.inbox.feed(reader)

    # Calls

    @call
    async def gather(self) -> None:
        """Gathers candidates of the newest generation, once."""
        connection = self._newest
        if connection.gathering or connection.hosts_open.is_set() or self.state == "closed":
            return
        connection.gathering = True
        self._set_gathering_state("gathering")
        self.spawn(self._gather(connection))

    @call
    async def setRole(self, params: RoleChange) -> None:
        """Takes a role; the checks repair it if the peer has the same."""
        self.role = params.role
        controlling = params.role == "controlling"
        if self._newest.ice_controlling is not controlling:
            self._newest.switch_role(ice_controlling=controlling)

    @call
    async def start(self, params: RemoteParameters) -> None:
        """Begins the checks; with other values, without a `restart` of ours, anew over the same sockets.

        So does a peer that was replaced by another, which answers an offer that restarts nothing.
        """
        if self.state == "closed" or (params == self._remote and self._newest.remote_username):
            return
        self._remote = params
        if not self._newest.remote_username:
            self._begin(self._newest, params)
        else:
            self.connected.clear()
            self.spawn(self._begin_anew(self._newest, params))

    @call
    async def addRemoteCandidate(self, params: RemoteCandidate) -> None:
        """Takes a candidate of the peer, of any kind: one that is of no use (TCP, unresolvable) is passed over.

        Raises OperationError when it cannot be parsed.
        """
        candidate = self._parse_remote(params.candidate)
        fragment = params.username_fragment
        known = next((c for c in self._all if fragment is None or c.remote_username == fragment), None)
        connection = self._newest if fragment is None else known
        if connection is not None:
            await self._give(connection, candidate)
            return
        assert fragment is not None
        waiting = self._unclaimed.setdefault(fragment, [])
        if len(self._unclaimed) <= 4 and len(waiting) < REMOTE_CANDIDATES:
            waiting.append(candidate)

    @call
    async def restart(self, params: Credentials) -> None:
        """Makes a new generation beside the one that carries the traffic until the new one can."""
        if self.state == "closed" or params.username_fragment == self._newest.local_username:
            return
        replaced = self._newest
        back = next((c for c in self._all if c.local_username == params.username_fragment and c.has_sockets), None)
        # A restart that was rolled back ends where it began.
        connection = back or self._connection(params.username_fragment, params.password)
        self._newest = connection
        self._all.add(connection)
        if replaced is not self._current:
            self.spawn(self._retire(replaced, 0))
        if back is None:
            self._set_gathering_state("new")

    @call
    async def setConfiguration(self, params: Configuration) -> None:
        """Changes what the next gathering goes by."""
        self._servers = self._parse(params.ice_servers)
        self._policy = params.ice_transport_policy

    @call
    async def stop(self) -> None:
        """Closes the transport and its sockets."""
        if self.state == "closed":
            return
        self._set_state("closed")
        self.inbox.close()
        self.connected.set()
        if self._consent is not None:
            self._consent.cancel()
            self._consent = None
        self._on_route.clear()
        await asyncio.gather(*(connection.close() for connection in self._all))

    @call
    async def getStats(self) -> IceStats:
        """The transport's counters."""
        connection = self._current or self._newest
        return IceStats(
            state=self.state,
            role=self.role,
            username_fragment=connection.local_username,
            local_candidates=[format_candidate(p.local_candidate) for p in connection.sockets],
            remote_candidates=[format_candidate(c) for c in connection.remote_candidates],
            selected_pair=_pair(connection),
            selected_pair_changes=self._pair_changes,
            packets_sent=self._packets_sent,
            bytes_sent=self._bytes_sent,
            packets_discarded_on_send=self._unsent,
            packets_received=self.inbox.packets,
            bytes_received=self.inbox.bytes,
            packets_dropped=self.inbox.dropped,
            strangers=sum(each.strangers for each in self._all),
            responses_received=connection.requests,
            current_round_trip_time=connection.round_trip,
            total_round_trip_time=connection.total_round_trip,
        )

    async def close(self) -> None:
        """Closes the transport and its sockets."""
        await self.stop()
        self._bad_packets.close()

    def _count_strangers(self) -> dict[str, int]:
        """Datagrams that are no STUN of ours, or of somebody who passed no check."""
        return {"stun": sum(each.strangers for each in self._all)}

    # Gathering

    async def _gather(self, connection: IceConnection) -> None:
        await open_hosts(connection, self)
        connection.hosts_open.set()
        if "ice" in self.session.capabilities:
            await ask_servers(self.session, connection, self._servers, self)
        else:
            for server in self._servers:
                self.server_failed(connection, server, UNREACHABLE, lacks("ice"), None)
        connection.gathering = False
        connection.gathered.set()
        if connection is self._newest and self.state != "closed":
            self._set_gathering_state("complete")
            self._complete(connection)
        connection.reconsider()

    def candidate_found(self, connection: IceConnection, candidate: Candidate, url: str | None) -> None:
        """Reports a candidate of the newest generation."""
        if connection is self._newest and self.state != "closed":
            self.emit("candidate", CandidateFound(format_candidate(candidate), connection.local_username, url))

    def host_failed(self, connection: IceConnection, address: str | None, text: str) -> None:
        """Reports a host candidate that could not be had, to whoever runs the bridge, too."""
        if connection is not self._newest or self.state == "closed":
            return
        logger.warning("%s", text, extra={"kind": "no-port"})
        self.emit("candidateerror", CandidateError("", UNREACHABLE, text, address))

    def server_failed(
        self, connection: IceConnection, server: Server, code: int, text: str, base: Candidate | None
    ) -> None:
        """Reports a server that gave nothing."""
        if connection is not self._newest or self.state == "closed":
            return
        address, port = (base.host, base.port) if base is not None else (None, None)
        self.emit("candidateerror", CandidateError(server.url, code, text, address, port))

    def _set_gathering_state(self, state: GatheringState) -> None:
        if state != self.gathering_state:
            self.gathering_state = state
            self.emit("gatheringstatechange", GatheringStateChange(state))

    # Checks

    def _begin(self, connection: IceConnection, remote: RemoteParameters) -> None:
        connection.remote_username = remote.username_fragment
        connection.remote_password = remote.password
        connection.remote_is_lite = remote.ice_lite
        # A restart forgets that connectivity was lost (https://www.w3.org/TR/webrtc/#rtcicetransportstate).
        if self.state in ("disconnected", "failed"):
            self._set_state("checking")
        elif self.state == "completed":
            self._set_state("connected", _pair(self._current))
        self.spawn(self._check(connection, self._unclaimed.pop(remote.username_fragment, [])))

    async def _begin_anew(self, replaced: IceConnection, remote: RemoteParameters) -> None:
        await replaced.gathered.wait()
        if self.state == "closed" or replaced is not self._newest or remote is not self._remote:
            return
        connection = self._connection(replaced.local_username, replaced.local_password)
        connection.inherit(replaced)
        self._newest = connection
        self._all.add(connection)
        if replaced is not self._current:
            self.spawn(self._retire(replaced, 0))
        self._begin(connection, remote)

    async def _check(self, connection: IceConnection, candidates: list[SignalledCandidate | None]) -> None:
        for candidate in candidates:
            await self._give(connection, candidate)
        await connection.hosts_open.wait()
        if await connection.run_checks() or connection is not self._newest or self.state == "closed":
            return
        connection.mute()
        if self._current is None or self._consent is None or self._consent.done():
            self._set_state("failed")

    async def _give(self, connection: IceConnection, candidate: SignalledCandidate | None) -> None:
        if candidate is None:
            connection.end_remote()
            self._complete(connection)
        elif candidate.host.endswith(".local"):
            self.spawn(self._resolve_and_give(connection, candidate))
        else:
            await connection.add_remote(candidate)

    async def _resolve_and_give(self, connection: IceConnection, candidate: SignalledCandidate) -> None:
        try:
            await connection.add_remote(candidate)
        except OSError as error:
            logger.debug("a candidate cannot be resolved", exc_info=error, extra={"kind": "not-resolved"})

    def _on_check(self, connection: IceConnection) -> None:
        if connection.started and self.state == "new":
            self._set_state("checking")

    def _on_unreached(self, connection: IceConnection) -> None:
        if connection is self._newest and self._current is None and self.state == "checking":
            self._set_state("disconnected")

    def _on_selected(self, connection: IceConnection) -> None:
        if connection not in (self._newest, self._current) or self.state == "closed":
            return
        pair = _pair(connection)
        assert pair is not None
        self._pair_changes += 1
        replaced, self._current = self._current, connection
        for listener in self._on_route:
            listener()
        if connection is replaced:
            self.emit("selectedpairchange", SelectedPairChange(pair))
            return
        self.role = "controlling" if connection.ice_controlling else "controlled"
        if replaced is not None:
            self.spawn(self._retire(replaced, self.timing.retire))
        if self._consent is not None:
            self._consent.cancel()
        self._consent = self.spawn(self._keep_consent(connection))
        if self.state in ("connected", "completed"):
            self.emit("selectedpairchange", SelectedPairChange(pair))
        else:
            self._set_state("connected", pair)
        self.connected.set()
        self._complete(connection)

    def _complete(self, connection: IceConnection) -> None:
        # The controlled side cannot know: the other may nominate again.
        done = connection.ice_controlling and connection.remote_ended and not connection.gathering
        if done and self.state == "connected" and connection is self._current is self._newest:
            self._set_state("completed", _pair(connection))

    async def _keep_consent(self, connection: IceConnection) -> None:
        await keep_consent(connection, self._on_consent)
        connection.mute()
        if connection is self._current and self.state != "closed":
            restarting = self._newest is not connection and self._newest.started
            self._set_state("checking" if restarting else "failed")

    def _on_consent(self, given: bool) -> None:
        if self.state in ("connected", "completed") and not given:
            self._set_state("disconnected")
        elif self.state == "disconnected" and given:
            self._set_state("connected", _pair(self._current))
            if self._current is not None:
                self._complete(self._current)

    async def _retire(self, connection: IceConnection, delay: float) -> None:
        await asyncio.sleep(delay)
        if connection in (self._newest, self._current):
            return
        await connection.close()
        self._all.discard(connection)

    def _set_state(self, state: IceState, pair: CandidatePair | None = None) -> None:
        if state != self.state and self.state != "closed":
            self.state = state
            self.emit("statechange", StateChange(state, pair))

    # Parameters

    def _connection(self, username_fragment: str, password: str) -> IceConnection:
        try:
            return IceConnection(
                username=username_fragment,
                password=password,
                controlling=self.role == "controlling",
                relay_only=self._policy == "relay",
                timing=self.timing,
                network=self.session.network,
                inbox=self.inbox,
                on_check=weakly(self._on_check),
                on_selected=weakly(self._on_selected),
                on_unreached=weakly(self._on_unreached),
            )
        except ValueError as error:
            raise CallError("TypeError", str(error)) from None

    def _parse(self, servers: list[IceServer]) -> list[Server]:
        try:
            return parse_servers(servers)
        except ValueError as error:
            raise CallError("SyntaxError", str(error)) from None

    def _parse_remote(self, value: str | None) -> SignalledCandidate | None:
        if not value:
            return None
        try:
            return parse_candidate(value)
        except ValueError as error:
            raise CallError("OperationError", f"{value!r} is not a candidate: {error}") from None


def _pair(connection: IceConnection | None) -> CandidatePair | None:
    if connection is None or connection.selected is None:
        return None
    selected = connection.selected
    remote = selected.remote_candidate
    # As the peer wrote it, whatever it has that we do not read.
    return CandidatePair(
        local=format_candidate(selected.local_candidate),
        remote=connection.signalled.get((remote.host, remote.port)) or format_candidate(remote),
    )
