"""Many chunks in a packet.

@see https://www.rfc-editor.org/rfc/rfc9260#section-6.10
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .congestion import BASE
from .packet import FIRST_CHUNK, encode_packet

LONG: Final = 8192
"Bytes of a packet that waits for no other: its system call is a small part of it, and the peer can begin with it."

RUN: Final = 16
"Packets that wait for no other: the peer can begin with them while the turn goes on."


class Bundle:
    """The packet that is being filled, and those that are full."""

    def __init__(self, port: int) -> None:
        self.size = BASE
        "Bytes of the longest packet."
        self.room = BASE - FIRST_CHUNK
        "Bytes left in the packet that is being filled."
        self.tag = 0
        "The peer's verification tag."
        self.checksum = True
        self.remote_port = 0
        self.control: list[bytes] = []
        "Its chunks that go ahead of its data."
        self.data: list[bytes] = []
        self.port = port
        self.leave: Callable[[list[bytes]], None] | None = None
        "Who is given packets before the turn ends: a run of them, or a long one."
        self._packets: list[bytes] = []

    def add_control(self, chunk: bytes) -> None:
        """Adds a padded chunk ahead of the data of this packet, or of the next one."""
        if len(chunk) > self.room:
            self.close()
        self.control.append(chunk)
        self.room -= len(chunk)

    def add_data(self, chunk: bytes) -> None:
        """Adds a padded chunk of data."""
        size = len(chunk)
        if size > self.room:
            self.close()
        self.data.append(chunk)
        self.room -= size

    def add_alone(self, chunk: bytes, tag: int, checksum: bool = True) -> None:
        """Adds a packet of one chunk, with a tag of its own."""
        self.close()
        self._packets.append(encode_packet(self.port, self.remote_port, tag, [chunk], checksum))

    def add_together(self, chunks: list[bytes]) -> None:
        """Adds a packet of its own, of any size."""
        self.close()
        self._packets.append(encode_packet(self.port, self.remote_port, self.tag, chunks, self.checksum))

    def close(self) -> None:
        """Ends the packet that is being filled."""
        if not self.control and not self.data:
            return
        chunks = self.control + self.data if self.control else self.data
        self._packets.append(encode_packet(self.port, self.remote_port, self.tag, chunks, self.checksum))
        self.control = []
        self.data = []
        self.room = self.size - FIRST_CHUNK
        if self.leave is not None and (len(self._packets) >= RUN or len(self._packets[-1]) >= LONG):
            self.leave(self.take())

    def resize(self, size: int) -> None:
        """From now on packets have at most so many bytes."""
        self.close()
        self.size = size
        self.room = size - FIRST_CHUNK

    def take(self) -> list[bytes]:
        """The packets, in their order."""
        packets, self._packets = self._packets, []
        return packets
