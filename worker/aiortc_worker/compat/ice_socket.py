"""One socket of an ICE connection: what it hears, from whom, and its STUN transactions.

Apart from `ice`, which says what aioice does otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import socket
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aioice import stun, turn
from aioice.ice import StunProtocol

from ..transports.ice_candidate import ip_version
from ..transports.stun_message import parse_stun
from ..transports.udp_socket import UdpSocket

if TYPE_CHECKING:
    from .ice import IceConnection

Address = tuple[str, int]

SOCKET_BUFFER = 4 * 1024 * 1024
"Bytes asked of the kernel, which gives what it allows: bursts of small messages overrun its default."


class IceSocket(StunProtocol):
    """A socket, or a relayed address, of a connection."""

    def __init__(self, connection: IceConnection) -> None:
        # A proxy: the connection owns its sockets, and its selected pair keeps one after the end.
        self.connection: IceConnection = weakref.proxy(connection)
        super().__init__(self.connection)
        self.checked: set[Address] = set()
        "Peers whose check, or whose answer to one of ours, was authenticated here; nobody else is heard."
        self.bound: socket.socket | None = None
        "None of a relayed address."

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Sorts by the first byte (RFC 7983); instead of aioice/ice.py:284."""
        peer: Address = addr if len(addr) == 2 else addr[:2]
        if not data or isinstance(data, str):
            self.connection.strangers += 1
        elif data[0] > 3:
            if peer in self.checked:
                self.connection.inbox.put(data)
            else:
                self.connection.strangers += 1
        else:
            self._stun_received(data, peer)

    @property
    def send_run(self) -> Callable[[bytes, int, Address], int]:
        """Sends datagrams of a size, the last of what remains, to a peer. Says how many bytes went; never raises."""
        transport: asyncio.DatagramTransport = self.transport
        return transport.send_run if isinstance(transport, UdpSocket) else self._send_each

    def _send_each(self, data: bytes, size: int, peer: Address) -> int:
        sent = 0
        with contextlib.suppress(OSError, RuntimeError):
            for at in range(0, len(data), size):
                self.transport.sendto(data[at : at + size], peer)
                sent += len(data[at : at + size])
        return sent

    def _stun_received(self, data: bytes, peer: Address) -> None:
        try:
            message = parse_stun(data)
            if message.message_class == stun.Class.REQUEST:
                self.connection.request_received(message, peer, self)
            elif message.message_class != stun.Class.INDICATION and message.transaction_id in self.transactions:
                self.transactions[message.transaction_id].response_received(message, peer)
        except Exception:  # Malformed (ValueError); or aioice fails on what is not, and the datagram alone is lost.
            self.connection.strangers += 1

    async def request(
        self,
        request: stun.Message,
        addr: Address,
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
        wait: float | None = None,
    ) -> tuple[stun.Message, Address]:
        """A STUN transaction, retried sooner than aioice's first 500 ms (aioice/ice.py:314, stun.py:353).

        Raises stun.TransactionError when it fails or is not answered in time.
        """
        transaction: stun.Transaction
        if integrity_key is None:
            transaction = stun.Transaction(request, addr, self, retransmissions=retransmissions)
        else:
            transaction = Check(request, addr, self, integrity_key, retransmissions)
        transaction._Transaction__timeout_delay = wait or self.connection.timing.first_retry  # type: ignore[attr-defined]
        self.transactions[request.transaction_id] = transaction
        started = time.monotonic()
        try:
            answer = await transaction.run()
        finally:
            del self.transactions[request.transaction_id]
        if integrity_key is not None:
            self.connection.answered(time.monotonic() - started)
        return answer


class Check(stun.Transaction):
    """A check of ours. Its peer is heard from the first authenticated answer on.

    An ICE-lite peer that is the DTLS client sends its ClientHello right behind the answer, so the pair's state, which
    changes in a task, would come too late: the next ClientHello follows after a second.
    """

    def __init__(
        self, request: stun.Message, peer: Address, socket: IceSocket, key: bytes, retransmissions: int | None
    ) -> None:
        request.add_message_integrity(key)
        super().__init__(request, peer, socket, retransmissions=retransmissions, integrity_key=key)
        self._peer = peer
        self._socket = socket
        self._key = key

    def response_received(self, message: stun.Message, addr: Address) -> None:
        """Takes an answer (aioice/stun.py:361); another address, or another password, makes nobody known."""
        is_answer = message.message_class == stun.Class.RESPONSE and addr == self._peer
        if is_answer and message.check_message_integrity(self._key):
            self._socket.checked.add(addr)
        super().response_received(message, addr)


def bind(address: str, ports: tuple[int, int] = (0, 0)) -> socket.socket:
    """A UDP socket at an address and a free port of a range; (0, 0) is any port.

    Raises OSError, in a sentence, when there is no such port, no such address or no descriptor left.
    """
    try:
        return _bind(address, ports)
    except OSError as error:
        port = "UDP port" if ports == (0, 0) else f"UDP port of {ports[0]}-{ports[1]}"
        raise OSError(error.errno, f"no {port} can be had at {address}: {error.strerror}") from error


def _bind(address: str, ports: tuple[int, int]) -> socket.socket:
    version = ip_version(address)
    bound = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        if version == 6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _bind_within(bound, address, ports)
    except OSError:
        bound.close()
        raise
    return bound


def _bind_within(bound: socket.socket, address: str, ports: tuple[int, int]) -> None:
    low, high = ports
    # Not from the first on: a port that was left a moment ago may still get what is not for us.
    start = random.randint(low, high)
    for port in (*range(start, high + 1), *range(low, start)):
        try:
            bound.bind((address, port))
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "all are in use")


async def close_protocol(protocol: StunProtocol) -> None:
    """Closes a relayed address; a TURN server that does not answer is left after a second (aioice/turn.py:190)."""
    try:
        await asyncio.wait_for(protocol.close(), 1)
    except TimeoutError:
        transport = protocol.transport
        if isinstance(transport, turn.TurnTransport):
            transport._TurnTransport__inner_protocol.transport.abort()  # type: ignore[attr-defined]
