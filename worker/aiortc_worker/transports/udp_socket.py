"""A UDP socket in the event loop, which sends and takes runs of datagrams in one system call where Linux can.

A run is what GSO and GRO know: datagrams of one size, of which the last may be shorter, laid end to end. The kernel
cuts it behind the routing and the filters, or not at all where the receiver takes it as it is, as on loopback.

@see https://man7.org/linux/man-pages/man7/udp.7.html
@see https://www.kernel.org/doc/html/latest/networking/segmentation-offloads.html
"""

from __future__ import annotations

import asyncio
import errno
import functools
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

# https://man7.org/linux/man-pages/man7/udp.7.html; Python's socket module has no names for them.
_SOL_UDP: Final = 17
_UDP_SEGMENT: Final = 103
_UDP_GRO: Final = 104
_SEGMENT_SIZE: Final = struct.Struct("@H")
_GRO_SIZE: Final = struct.Struct("@i")
_GRO_SPACE: Final = socket.CMSG_SPACE(_GRO_SIZE.size) if hasattr(socket, "CMSG_SPACE") else 0

SEGMENTS: Final = 64
"Datagrams of a run in one call (UDP_MAX_SEGMENTS of every Linux that has GSO; later ones take 128)."
LONGEST: Final = 65_507
"Bytes of the longest UDP datagram over IPv4, and of a run in one call."
READS: Final = 32
"Calls, each of a datagram or a run, before others have their turn; libuv has as many, too."
UNSENT: Final = 4 * 1024 * 1024
"Bytes kept while the kernel's buffer is full; what would exceed them is dropped, as a full network would drop it."
_NOT_OFFERED: Final = (errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP)
"What a kernel says that cuts no runs here: over IPsec, or by a device without checksums (EIO)."

Address = tuple[Any, ...]


@functools.cache
def cuts_runs() -> bool:
    """Whether this kernel has GSO for UDP (Linux 4.18): one that has not would send a run as one long datagram."""
    if sys.platform != "linux":
        return False
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.setsockopt(_SOL_UDP, _UDP_SEGMENT, 0)
    except OSError:
        return False
    return True


def runs(packets: Sequence[bytes], overhead: int) -> Iterator[Sequence[bytes]]:
    """Cuts packets into runs, none of which is more than one system call sends.

    `overhead` is what encryption adds to each.
    """
    start = 0
    while start < len(packets):
        size = len(packets[start])
        end = limit = min(len(packets), start + max(1, min(SEGMENTS, LONGEST // (size + overhead))))
        for at in range(start + 1, limit):
            if len(packets[at]) != size:
                # A shorter one may end the run.
                end = at + (len(packets[at]) < size)
                break
        yield packets[start:end]
        start = end


async def attach(bound: socket.socket, protocol: asyncio.DatagramProtocol) -> None:
    """Lets a protocol send and receive by a bound socket that does not block; its transport closes the socket."""
    if sys.platform == "win32":
        # An event loop over completion ports has no readers.
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=bound)
    else:
        UdpSocket(bound, protocol)


class UdpSocket(asyncio.DatagramTransport):
    """The transport of a bound socket. None of its methods raises for what the network does."""

    def __init__(self, bound: socket.socket, protocol: asyncio.DatagramProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._socket = bound
        self._protocol: asyncio.DatagramProtocol | None = protocol
        "None once the transport is closed."
        self._cuts_runs = cuts_runs()
        self._unsent: deque[tuple[bytes, int, Address]] = deque()
        "Runs, with the size of their datagrams and where they go; the kernel had no room."
        self._unsent_bytes = 0
        _take_runs(bound)
        self._loop.add_reader(bound, self._readable)
        protocol.connection_made(self)

    # Of asyncio.DatagramTransport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`socket` and `sockname`, as the event loop's own transports have."""
        if name == "socket":
            return self._socket
        return self._socket.getsockname() if name == "sockname" else default

    def is_closing(self) -> bool:
        """Whether the transport is closed."""
        return self._protocol is None

    def close(self) -> None:
        """Closes the socket; the protocol hears of it in the next turn. What the kernel had no room for is lost."""
        protocol, self._protocol = self._protocol, None
        if protocol is None:
            return
        self._loop.remove_reader(self._socket)
        if self._unsent:
            self._loop.remove_writer(self._socket)
            self._unsent.clear()
            self._unsent_bytes = 0
        self._loop.call_soon(self._closed, protocol)

    def abort(self) -> None:
        """As `close`: nothing is waited for."""
        self.close()

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Sends a datagram to an address; an empty one is not sent."""
        if data:
            self.send_run(bytes(data), len(data), addr)

    # Sending

    def send_run(self, data: bytes, size: int, address: Address) -> int:
        """Sends datagrams of `size` bytes, the last of what remains, in their order.

        Returns how many bytes have left, or will when the kernel has room again. What is refused otherwise, the
        protocol hears of by `error_received`.
        """
        if self._unsent:
            return self._keep(data, size, address)
        if self._protocol is None:
            return 0
        if len(data) > size and self._cuts_runs:
            return self._send_cut(data, size, address)
        return self._send_each(data, size, address)

    def _send_cut(self, data: bytes, size: int, address: Address) -> int:
        """Lets the kernel cut a run."""
        step = size * max(1, min(SEGMENTS, LONGEST // size))
        cut = [(_SOL_UDP, _UDP_SEGMENT, _SEGMENT_SIZE.pack(size))]
        at = 0
        while len(data) - at > size:
            try:
                at += self._socket.sendmsg([data[at : at + step]], cut, 0, address)
            except BlockingIOError:
                return at + self._keep(data[at:], size, address)
            except OSError as error:
                # It may be the run that is refused (EMSGSIZE: its datagrams would be fragmented): each goes by itself.
                self._cuts_runs = error.errno not in _NOT_OFFERED
                break
        return at + self._send_each(data[at:], size, address) if at < len(data) else at

    def _send_each(self, data: bytes, size: int, address: Address) -> int:
        taken = 0
        for at in range(0, len(data), size):
            try:
                taken += self._socket.sendto(data[at : at + size], address)
            except BlockingIOError:
                return taken + self._keep(data[at:], size, address)
            except OSError as error:
                self._refused(error)
        return taken

    def _refused(self, error: OSError) -> None:
        # A device's full queue (ENOBUFS) is loss like any other.
        if error.errno != errno.ENOBUFS and self._protocol is not None:
            self._protocol.error_received(error)

    def _keep(self, data: bytes, size: int, address: Address) -> int:
        room = max(0, UNSENT - self._unsent_bytes) // size * size
        kept = data if len(data) <= room else data[:room]
        if kept:
            if not self._unsent:
                self._loop.add_writer(self._socket, self._writable)
            self._unsent.append((kept, size, address))
            self._unsent_bytes += len(kept)
        return len(kept)

    def _writable(self) -> None:
        self._loop.remove_writer(self._socket)
        unsent, self._unsent = self._unsent, deque()
        self._unsent_bytes = 0
        for data, size, address in unsent:
            # What still finds no room is kept again, in the same order.
            self.send_run(data, size, address)

    # Receiving

    def _readable(self) -> None:
        # Until there is nothing: who reads gets together what has come, and answers once.
        for _ in range(READS):
            protocol = self._protocol
            if protocol is None:
                return
            try:
                data, ancillary, _flags, address = self._socket.recvmsg(LONGEST + 1, _GRO_SPACE)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                protocol.error_received(error)
                return
            if not ancillary:
                protocol.datagram_received(data, address)
                continue
            (size,) = _GRO_SIZE.unpack(ancillary[0][2])
            for at in range(0, len(data), size):
                if self._protocol is not None:
                    protocol.datagram_received(data[at : at + size], address)

    def _closed(self, protocol: asyncio.DatagramProtocol) -> None:
        protocol.connection_lost(None)
        self._socket.close()


def _take_runs(bound: socket.socket) -> None:
    """Asks for runs as they are (Linux 5.0)."""
    if sys.platform != "linux":
        return
    try:
        bound.setsockopt(_SOL_UDP, _UDP_GRO, 1)
    except OSError:
        return
