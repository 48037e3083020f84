"""One ICE connection over aioice: checks as they come, one bounded inbox, datagrams of checked peers only.

What aioice 0.13.0 does otherwise, by line of `aioice/ice.py`: it delivers datagrams of anyone, empty ones too (:293),
lets a malformed STUN attribute escape as `struct.error` (:290, stun.py:149), quantises checks and their end by 20 ms
(:640), gathers as one step (:1137) and owns consent, whose loss closes the sockets (:1249).
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable

from aioice import Candidate, Connection, TransportPolicy, stun, turn
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import ICE_COMPLETED, CandidatePair, StunProtocol, relayed_candidate

from ..aiortc_compat import reached_at
from ..session.wire import Network
from ..tls import client_context, server_name
from ..transports.host_address import HostAddress
from ..transports.ice_candidate import LOOPBACK, LocalCandidate, SignalledCandidate, ip_version, is_loopback
from ..transports.ice_server import Server
from ..transports.ice_timing import IceTiming
from ..transports.inbox import Inbox
from ..transports.path_mtu import keep_whole, largest_datagram
from ..transports.udp_socket import attach
from . import servers
from .clocks import use_monotonic
from .ice_socket import Address, IceSocket, bind, close_protocol

logger = logging.getLogger(__name__)

servers.install()
use_monotonic(turn)

COMPONENT = 1
LOOK_AGAIN = 0
"Neither ICE_COMPLETED nor ICE_FAILED (aioice/ice.py:24) in the check list's queue: there may be new pairs."

REMOTE_CANDIDATES = 100
"As many as RFC 8445, section 6.1.2.5, allows checks."


class IceConnection(Connection):
    """A generation of an ICE transport: its credentials, its sockets, its checks. It is made anew by a restart."""

    def __init__(
        self,
        *,
        username: str,
        password: str,
        controlling: bool,
        relay_only: bool,
        timing: IceTiming,
        network: Network,
        inbox: Inbox,
        on_check: Callable[[IceConnection], None],
        on_selected: Callable[[IceConnection], None],
        on_unreached: Callable[[IceConnection], None],
    ) -> None:
        """Raises ValueError when username or password are not of RFC 8839's grammar."""
        super().__init__(
            ice_controlling=controlling,
            local_username=username,
            local_password=password,
            transport_policy=TransportPolicy.RELAY if relay_only else TransportPolicy.ALL,
        )
        self.timing = timing
        self.network = network
        self.inbox = inbox
        self.relay_only = relay_only
        self.strangers = 0
        "Datagrams dropped: empty, malformed, or of somebody who passed no check."
        self.selected: CandidatePair | None = None
        self.gathering = False
        self.gathered = asyncio.Event()
        "Set when gathering is over."
        self.hosts_open = asyncio.Event()
        "Set when the host candidates are bound: checks begin then."
        self.remote_ended = False
        self.signalled: dict[Address, str] = {}
        "What the peer wrote of its candidates, by address."
        self.requests = 0
        "Checks that were answered."
        self.round_trip: float | None = None
        "Seconds, of the latest check that was answered."
        self.total_round_trip = 0.0
        self._on_check = on_check
        self._on_selected = on_selected
        self._on_unreached = on_unreached
        self._route: tuple[Callable[[bytes, int, Address], int], Address] | None = None
        self._doubt_at = float("inf")
        self._give_up_at = float("inf")
        self._patience: list[asyncio.TimerHandle] = []
        self._local_candidates_end = True

    # Gathering

    async def open_host(self, address: HostAddress) -> Candidate | None:
        """Binds a UDP socket of its own at `address`: a host candidate, or None when the connection is closed.

        Raises OSError, in a sentence, when it cannot.
        """
        if self._closing:
            return None
        bound = bind(address.bound, self.network.udp_ports)
        protocol = IceSocket(self)
        protocol.bound = bound
        await attach(bound, protocol)
        host, port = address.announced, bound.getsockname()[1]
        preference = 65535 if is_loopback(host) else 65534 - len(self._protocols)
        protocol.local_candidate = LocalCandidate(
            foundation=candidate_foundation("host", "udp", host),
            component=COMPONENT,
            transport="udp",
            priority=candidate_priority(COMPONENT, "host", preference),
            host=host,
            port=port,
            type="host",
        )
        return await self._opened(protocol)

    async def reflexive(self, protocol: StunProtocol, server: Address) -> Candidate | None:
        """What a STUN server says of a socket; None when it says nothing new.

        Raises stun.TransactionError when it does not answer.
        """
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        response, _ = await protocol.request(request, server)
        base = protocol.local_candidate
        host, port = response.attributes["XOR-MAPPED-ADDRESS"]
        if (host, port) == (base.host, base.port):
            return None  # Redundant (RFC 8445, section 5.1.3): there is no address translation.
        return Candidate(
            foundation=candidate_foundation("srflx", "udp", f"{base.host}|{server[0]}"),
            component=COMPONENT,
            transport="udp",
            priority=candidate_priority(COMPONENT, "srflx", base.priority >> 8 & 0xFFFF),
            host=host,
            port=port,
            type="srflx",
            related_address=base.host,
            related_port=base.port,
        )

    async def open_relay(self, server: Server, address: str) -> Candidate | None:
        """Allocates an address on a TURN server, which is reached at `address` and, over TLS, called `server.host`.

        Raises stun.TransactionError, ConnectionError or OSError when it cannot.
        """
        # Of this task alone, which opens nothing else.
        server_name.set(server.host)
        candidate, protocol = await relayed_candidate(
            component=COMPONENT,
            hide_related_address=self.relay_only,
            protocol_factory=lambda: IceSocket(self),
            turn_server=(address, server.port),
            turn_username=server.username,
            turn_password=server.credential,
            # Annotated as a flag, and handed to create_connection (aioice/turn.py), which takes a context, too.
            turn_ssl=client_context() if server.tls else False,  # type: ignore[arg-type]
            turn_transport=server.transport,
        )
        await self._opened(protocol)
        return candidate

    async def _opened(self, protocol: StunProtocol) -> Candidate | None:
        if self._closing:
            await close_protocol(protocol)
            return None
        self._protocols.append(protocol)
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        return protocol.local_candidate

    def inherit(self, other: IceConnection) -> None:
        """Takes the sockets of a connection that has gathered; that one goes on sending over them until it is muted."""
        self._protocols, other._protocols = other._protocols, []
        for protocol in self._protocols:
            # Where aioice and we tell a socket whose it is (aioice/ice.py:271).
            protocol.receiver = _socket(protocol).connection = weakref.proxy(self)
            _checked(protocol).clear()
        self.gathered.set()
        self.hosts_open.set()

    @property
    def has_sockets(self) -> bool:
        """Whether there is a socket or a relayed address."""
        return bool(self._protocols)

    @property
    def sockets(self) -> list[StunProtocol]:
        """The bound sockets, without the relayed addresses."""
        return [protocol for protocol in self._protocols if protocol.local_candidate.type == "host"]

    # Remote candidates

    async def add_remote(self, candidate: SignalledCandidate) -> bool:
        """Takes a candidate of the peer, before or while checks run; False when it is of no use here.

        An mDNS name is resolved first, for up to a second.
        """
        if self._closing or self._full or candidate.component != COMPONENT:
            return False
        if candidate.transport.lower() != "udp":
            return False
        if is_loopback(candidate.host) and not self.relay_only:
            await self._open_loopback(candidate.host)
        if not self.remote_ended:
            self._be_patient()
        before = len(self._remote_candidates)
        self.signalled[candidate.host, candidate.port] = candidate.text
        await self.add_remote_candidate(candidate)
        return len(self._remote_candidates) > before

    def end_remote(self) -> None:
        """The peer has no more candidates. One that comes all the same is taken."""
        self.remote_ended = True
        self._be_patient()
        self.reconsider()

    @property
    def _full(self) -> bool:
        return max(len(self._remote_candidates), len(self.signalled)) >= REMOTE_CANDIDATES

    async def _open_loopback(self, remote: str) -> None:
        if self.network.interfaces or self.network.announce:
            return  # Loopback is among them, or not wanted.
        version = ip_version(remote)
        local = LOOPBACK[version or 4]
        if not any(protocol.local_candidate.host == local for protocol in self.sockets):
            # It is not announced: who asks to be reached at loopback learns the address from the check.
            try:
                await self.open_host(HostAddress(local, local))
            except OSError as error:
                logger.warning("%s", error.strerror, extra={"kind": "no-port"})

    # Checks

    @property
    def started(self) -> bool:
        """Whether checks run or have run."""
        return self._early_checks_done

    async def run_checks(self) -> bool:
        """Checks pairs until one is nominated (True), or none can be (False); instead of aioice/ice.py:608."""
        self._be_patient()
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        self._unfreeze_initial()
        self._early_checks_done = True
        for message, addr, protocol in self._early_checks:
            # Transports of one description have the same credentials: whose check it was the peer's name tells, which
            # is known only now (aioice/ice.py:1409).
            if self._valid_username(message.attributes["USERNAME"]):
                self.check_incoming(message, addr, protocol)
            else:
                _checked(protocol).discard(addr)
        self._early_checks.clear()
        self.reconsider()
        outcome = LOOK_AGAIN
        while outcome == LOOK_AGAIN:
            outcome = await self._next_outcome(self.timing.check_interval if self._start_check() else None)
        for pair in self._check_list:
            if pair.task is not None:
                pair.task.cancel()
        return outcome == ICE_COMPLETED

    def _start_check(self) -> bool:
        if self._check_list_done:
            return False
        waiting = (CandidatePair.State.WAITING, CandidatePair.State.FROZEN)
        due = any(pair.state in waiting and pair.task is None for pair in self._check_list)
        if due:
            self._check_periodic()
            self._on_check(self)
        return due

    async def _next_outcome(self, wait: float | None) -> int:
        try:
            return await asyncio.wait_for(self._check_list_state.get(), wait)
        except TimeoutError:
            return LOOK_AGAIN

    def _pair_remote_candidate(self, remote_candidate: Candidate) -> None:
        """Wakes the checks for new pairs (aioice/ice.py:1220)."""
        super()._pair_remote_candidate(remote_candidate)
        self._look_again()

    def check_state(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        """Wakes the checks for a pair that waits (aioice/ice.py:1088)."""
        super().check_state(pair, state)
        if state is CandidatePair.State.WAITING:
            self._look_again()

    def check_complete(self, pair: CandidatePair) -> None:
        """Tells which pair was nominated, each time (aioice/ice.py:868)."""
        pairs = set(self._check_list)
        super().check_complete(pair)
        # Cancelled (aioice/ice.py:888): the pair keeps the task, whose frames keep the pair.
        for dropped in pairs.difference(self._check_list):
            dropped.task = None
        nominated = self._nominated.get(COMPONENT)
        if nominated is not None and nominated is not self.selected:
            self.selected = nominated
            self._route = (_socket(nominated.protocol).send_run, nominated.remote_addr)
            self._on_selected(self)

    def request_received(self, message: stun.Message, addr: Address, protocol: StunProtocol) -> None:
        """Hears a peer whose check came before ours could start (aioice/ice.py:1349)."""
        super().request_received(message, addr, protocol)
        if self._early_checks and self._early_checks[-1][0] is message:
            _checked(protocol).add(addr)

    def check_incoming(self, message: stun.Message, addr: Address, protocol: StunProtocol) -> None:
        """Hears a peer that has our password (aioice/ice.py:904), within the limit of remote candidates.

        A candidate that is learnt from a check has its priority from it (RFC 8445, section 7.3.1.3): a check from
        elsewhere without one is void.
        """
        checked = _checked(protocol)
        if addr not in checked and len(self._remote_candidates) >= REMOTE_CANDIDATES:
            return
        known = any((reached_at(each), each.port) == addr for each in self._remote_candidates)
        if not known and "PRIORITY" not in message.attributes:
            return
        checked.add(addr)
        super().check_incoming(message, addr, protocol)
        self._on_check(self)

    def _look_again(self) -> None:
        if self._early_checks_done and not self._check_list_done:
            self._check_list_state.put_nowait(LOOK_AGAIN)

    def _remote_candidates_expected(self) -> bool:
        """Whether it is too early to fail (aioice/ice.py:1288)."""
        if self.remote_ended and self.gathered.is_set() and not self.has_sockets:
            return False  # Without a local candidate nobody is waited for (webrtc-pc, RTCIceTransportState).
        return self.gathering or asyncio.get_running_loop().time() < self._give_up_at

    def _be_patient(self) -> None:
        """Waits anew: there was a candidate, or the last of them."""
        timing = self.timing
        waits = [timing.final_patience] if self.remote_ended else [timing.patience, timing.trickle_patience]
        loop = asyncio.get_running_loop()
        self._doubt_at, self._give_up_at = loop.time() + waits[0], loop.time() + waits[-1]
        self._forget_patience()
        # A little later than the time itself, which the callback compares with.
        self._patience = [loop.call_later(seconds + 0.01, self.reconsider) for seconds in waits]

    def _forget_patience(self) -> None:
        for timer in self._patience:
            timer.cancel()

    def reconsider(self) -> None:
        """Gives up when nothing is left to check or to wait for."""
        if self._early_checks_done and not self._check_list_done:
            self._check_list_maybe_fail()

    def _check_list_maybe_fail(self) -> None:
        """Says that no pair works when more candidates may still come (aioice/ice.py:970)."""
        super()._check_list_maybe_fail()
        if self._check_list_done or self.gathering or asyncio.get_running_loop().time() < self._doubt_at:
            return
        if all(pair.state is CandidatePair.State.FAILED for pair in self._check_list):
            self._on_unreached(self)

    # Traffic

    def send_run(self, data: bytes, size: int) -> int:
        """Sends datagrams of `size` bytes, the last of what remains, on the selected pair. Never raises, never waits.

        Returns how many bytes went; 0 when there is no pair.
        """
        route = self._route
        return 0 if route is None else route[0](data, size, route[1])

    def largest_datagram(self) -> int:
        """Bytes of the longest datagram that may reach the peer in one piece; 0 when nobody knows."""
        pair = self.selected
        if pair is None or _socket(pair.protocol).bound is None:
            return 0  # What a relay does with long datagrams is out of sight.
        return largest_datagram(*pair.remote_addr)

    def keep_whole(self, whole: bool) -> None:
        """Forbids that datagrams are fragmented on the selected pair, or allows it again."""
        if self.selected is not None and (bound := _socket(self.selected.protocol).bound) is not None:
            keep_whole(bound, whole)

    async def consent(self, wait: float) -> bool:
        """Asks the peer once whether it still wants to hear us; False when no answer came in time."""
        pair = self.selected
        if pair is None or self.remote_password is None:
            return False
        request = self.build_request(pair, nominate=False)
        try:
            await _socket(pair.protocol).request(
                request,
                pair.remote_addr,
                integrity_key=self.remote_password.encode(),
                retransmissions=0,
                wait=wait,
            )
        except stun.TransactionError as error:
            if error.response is not None and error.response.error_code == 487:
                self.switch_role(ice_controlling=not self.ice_controlling)  # RFC 8445, section 7.2.5.1
            return False
        return True

    def answered(self, seconds: float) -> None:
        """Counts a check that was answered after so long."""
        self.requests += 1
        self.round_trip = seconds
        self.total_round_trip += seconds

    def protocol_lost(self, protocol: StunProtocol) -> None:
        """Sends nothing more on a socket that is gone; consent will notice (aioice/ice.py:1280)."""
        if self.selected is not None and self.selected.protocol is protocol:
            self._route = None

    def mute(self) -> None:
        """Sends nothing more, as after consent has expired."""
        self._route = None

    async def close(self) -> None:
        """Closes the sockets, releasing relayed addresses for at most a second; may be called twice."""
        self._closing = True
        self._route = None
        self._forget_patience()
        relays = [protocol for protocol in self._protocols if protocol.local_candidate.type == "relay"]
        for relay in relays:
            self._protocols.remove(relay)
        await super().close()
        await asyncio.gather(*(close_protocol(relay) for relay in relays))
        # A check's pair keeps its task, which keeps the frames that ended it; pairs keep sockets, and these us.
        for pair in self._check_list:
            pair.task = None
        self._check_list.clear()


def _socket(protocol: StunProtocol) -> IceSocket:
    assert isinstance(protocol, IceSocket)
    return protocol


def _checked(protocol: StunProtocol) -> set[Address]:
    return _socket(protocol).checked
