"""Two associations over a wire in memory that shows every packet, and may lose or hold back some."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiortc_worker.sctp.packet import decode_packet
from aiortc_worker.transports.sctp_association import SctpAssociation

DATA, SACK, FORWARD_TSN, I_DATA, I_FORWARD_TSN = 0, 3, 192, 64, 194


class Wire:
    """One end's DTLS: what it sends arrives at the other end in the next turn of the loop, all together."""

    def __init__(self, role: str, on_packet: Callable[[], None]) -> None:
        self.state = "connected"
        self._role = role
        self._on_packet = on_packet
        self.other: Wire
        self.sent: list[bytes] = []
        self.batches: list[int] = []
        "How many packets came together, each time."
        self.passes: Callable[[bytes], bool] = lambda _: True
        self.largest_packet = 0
        self.whole = False
        "Whether packets may not be fragmented."
        self.held: list[bytes] | None = None
        "What a test lets through later, while it is a list."
        self._receiver: Callable[[list[bytes]], None] | None = None
        self._queue: deque[bytes] = deque()

    def send_data(self, data: bytes) -> bool:
        self.sent.append(data)
        self._on_packet()
        if self.held is not None:
            self.held.append(data)
        elif self.passes(data):
            self.other.arrive(data)
        return True

    def send_packets(self, packets: Sequence[bytes]) -> bool:
        self.batches.append(len(packets))
        for packet in packets:
            self.send_data(packet)
        return True

    def keep_whole(self, whole: bool) -> None:
        self.whole = whole

    def arrive(self, *packets: bytes) -> None:
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._queue.extend(packets)

    def release(self) -> None:
        held, self.held = self.held or [], None
        self.other.arrive(*held)

    def kinds(self) -> list[list[int]]:
        """The types of the chunks of each packet sent, since it was asked last."""
        sent, self.sent = self.sent, []
        return [[chunk.kind for chunk in decode_packet(packet, checksum=False).chunks] for packet in sent]

    def _deliver(self) -> None:
        packets = list(self._queue)
        self._queue.clear()
        if self._receiver is not None:
            self._receiver(packets)

    def give_data(self, receiver: Callable[[list[bytes]], None] | None) -> None:
        self._receiver = receiver


class End:
    """A user of an association that keeps what it is told."""

    def __init__(self, role: str) -> None:
        self.wire = Wire(role, lambda: self.told.append("packet"))
        self.association = SctpAssociation(self.wire, 5000, self)
        self.connected = asyncio.Event()
        self.arrived = asyncio.Event()
        self.messages: list[tuple[int, bytes]] = []
        self.parts: dict[int, list[bytes]] = {}
        "Of messages that are not whole, by stream."
        self.resets: list[int] = []
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.unread = 0
        self.turns = 0
        self.told: list[str] = []
        "What it was told, and that a packet went, in order."

    def send(self, data: bytes, stream: int = 0, **options: Any) -> None:
        self.association.send(stream, 53, data, **options)

    async def has(self, count: int, within: float = 10) -> list[bytes]:
        async with asyncio.timeout(within):
            while len(self.messages) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [data for _, data in self.messages]

    # Of AssociationHandler

    def established(self) -> None:
        self.connected.set()

    def restarted(self) -> None:
        self.told.append("restarted")

    def ended(self) -> None:
        self.connected.clear()

    def message(self, stream_id: int, protocol: int, data: bytes) -> None:
        self.messages.append((stream_id, data))
        self.told.append("message")
        self.arrived.set()

    def part(self, stream_id: int, protocol: int, data: bytes, *, first: bool, last: bool) -> None:
        assert first == (stream_id not in self.parts), "a message begins once, and no other beside it on its stream"
        self.parts.setdefault(stream_id, []).append(data)
        self.told.append("part")
        if last:
            self.message(stream_id, protocol, b"".join(self.parts.pop(stream_id)))

    def given_up(self, stream_id: int) -> None:
        del self.parts[stream_id]
        self.told.append("given up")

    def taken(self) -> None:
        self.told.append("taken")

    def stream_reset(self, stream_id: int) -> None:
        self.resets.append(stream_id)

    def stream_closed(self, stream_id: int) -> None:
        pass

    def refill(self) -> bool:
        if not self.waiting:
            return False
        stream, data = self.waiting.popleft()
        self.association.queue(stream, 53, data, ordered=True, expiry=None, max_retransmits=None)
        return True

    def settled(self) -> None:
        self.turns += 1
        self.told.append("settled")

    def backlog(self) -> int:
        return self.unread


async def joined(a: End | None = None, b: End | None = None) -> tuple[End, End]:
    """Two ends, established; what the handshake sent is forgotten."""
    a, b = a or End("client"), b or End("server")
    a.wire.other, b.wire.other = b.wire, a.wire
    for end in (a, b):
        end.association.begin(5000)
    await asyncio.wait_for(asyncio.gather(a.connected.wait(), b.connected.wait()), 5)
    await asyncio.sleep(0.05)
    for end in (a, b):
        end.wire.kinds()
    return a, b


def part(*ends: End) -> None:
    for end in ends:
        end.association.end()
