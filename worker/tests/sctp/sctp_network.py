"""Two associations and the network between them, in a time of their own: nothing waits, and a seed decides the rest."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

from aiortc_worker.sctp.association import Association
from aiortc_worker.sctp.events import (
    Ended,
    Established,
    Event,
    GivenUp,
    KeepWhole,
    Message,
    Part,
    Restarted,
    StreamClosed,
    StreamReset,
)
from aiortc_worker.sctp.handshake import EVERYTHING

UDP = 28 + 13 + 24
"Bytes that IP, UDP and DTLS add to a packet."


@dataclass
class Link:
    """One direction of the path."""

    delay: float = 0.01
    "Seconds."
    jitter: float = 0.0
    loss: float = 0.0
    rate: float = inf
    "Bytes a second."
    queue: float = inf
    "Bytes that wait for the link at most."
    mtu: int = 65_536
    dead: bool = False
    doubled: float = 0.0
    passes: Callable[[bytes], bool] = lambda _: True
    busy_until: float = 0.0
    sent: list[bytes] = field(default_factory=list)
    lost: int = 0


class End:
    """An association and its user, who reads at once unless `unread` says otherwise."""

    def __init__(self, network: Network, seed: int, known: int = EVERYTHING, largest: int = 0) -> None:
        source = random.Random(seed)
        self.association = Association(5000, source.randbytes, known)
        self.association.largest = largest
        self.network = network
        self.link = Link()
        self.other: End
        self.waiting: deque[tuple[int, bytes, dict[str, Any]]] = deque()
        "What is sent when there is room: stream, data, options of `send`."
        self.messages: list[tuple[int, bytes]] = []
        self.events: list[Event] = []
        "All but messages and their parts."
        self.parts: dict[int, list[bytes]] = {}
        self.unread = 0
        self.most_held = 0
        self.ended: Ended | None = None
        self._batch: list[bytes] = []
        self._woken = inf

    def send(self, data: bytes, stream: int = 0, **options: Any) -> None:
        self.waiting.append((stream, data, options))
        self.network.at(self.network.now, self.flush)

    def _more(self) -> bool:
        if not self.waiting:
            return False
        stream, data, options = self.waiting.popleft()
        self.association.send(stream, 53, data, **options)
        return True

    def begin(self) -> None:
        self._emit(self.association.begin(5000, self.network.now))

    def arrive(self, packet: bytes) -> None:
        """Packets that arrive at one time are one batch."""
        if not self._batch:
            self.network.at(self.network.now, self._take)
        self._batch.append(packet)

    def _take(self) -> None:
        batch, self._batch = self._batch, []
        self.association.transfer.inbound.backlog = self.unread
        self.association.receive(batch, self.network.now)
        self.flush()

    def flush(self) -> None:
        self._tell()
        self._emit(self.association.flush(self.network.now, self._more))
        self._tell()
        self._arm()

    def emit(self, packets: list[bytes]) -> None:
        self._emit(packets)

    def _emit(self, packets: list[bytes]) -> None:
        for packet in packets:
            self.network.carry(packet, self.link, self.other)
        self._arm()

    def _arm(self) -> None:
        deadline = self.association.deadline
        if deadline < self._woken:
            self._woken = deadline
            self.network.at(max(deadline, self.network.now), self._wake)

    def _wake(self) -> None:
        self._woken = inf
        if self.association.deadline <= self.network.now:
            self.association.timeout(self.network.now)
            self.flush()
        self._arm()

    def _tell(self) -> None:
        self.most_held = max(self.most_held, self.association.transfer.inbound.reassembly.held)
        events = self.association.events
        told, events[:] = list(events), []
        for event in told:
            match event:
                case Message(stream, _, data):
                    assert stream not in self.parts, "a message was told in the middle of one in parts"
                    self.messages.append((stream, data))
                case Part(stream, _, data, first, last):
                    assert first == (stream not in self.parts)
                    self.parts.setdefault(stream, []).append(data)
                    if last:
                        self.messages.append((stream, b"".join(self.parts.pop(stream))))
                case GivenUp(stream):
                    del self.parts[stream]
                    self.events.append(event)
                case Ended():
                    assert self.ended is None
                    self.ended = event
                    self.events.append(event)
                case Established() | Restarted() | StreamReset() | StreamClosed() | KeepWhole():
                    self.events.append(event)

    @property
    def data(self) -> list[bytes]:
        return [data for _, data in self.messages]


class Network:
    """The time, and what happens in it."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 1000.0
        self.chance = random.Random(seed)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, time: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time, next(self._count), action))

    def carry(self, packet: bytes, link: Link, to: End) -> None:
        link.sent.append(packet)
        size = len(packet) + UDP
        waits = max(0.0, link.busy_until - self.now)
        lost = link.dead or size > link.mtu or self.chance.random() < link.loss or waits * link.rate > link.queue
        if lost or not link.passes(packet):
            link.lost += 1
            return
        link.busy_until = self.now + waits + (size / link.rate if link.rate < inf else 0.0)
        for _ in range(1 + (self.chance.random() < link.doubled)):
            arrival = link.busy_until + link.delay + self.chance.random() * link.jitter
            self.at(arrival, lambda: to.arrive(packet))

    def run(self, seconds: float = 60.0, until: Callable[[], bool] = lambda: False) -> float:
        """Lets time pass; returns how much did. Ends early when `until` is true, or nothing happens any more."""
        begun = self.now
        while self._due and self._due[0][0] <= begun + seconds:
            if until():
                return self.now - begun
            due, _, action = heapq.heappop(self._due)
            self.now = max(self.now, due)
            action()
        if not until():
            self.now = begun + seconds
        return self.now - begun


def pair(
    seed: int = 0, known: int = EVERYTHING, other: int | None = None, largest: int = 0
) -> tuple[Network, End, End]:
    network = Network(seed)
    a = End(network, 2 * seed + 1, known, largest)
    b = End(network, 2 * seed + 2, known if other is None else other, largest)
    a.other, b.other = b, a
    return network, a, b


def joined(
    seed: int = 0, known: int = EVERYTHING, other: int | None = None, largest: int = 0, **link: Any
) -> tuple[Network, End, End]:
    """Two ends, established, over links as the options say; what the handshake sent is forgotten."""
    network, a, b = pair(seed, known, other, largest)
    for end in (a, b):
        end.begin()
    network.run(5, lambda: a.association.is_established and b.association.is_established)
    network.run(2)
    for end in (a, b):
        assert end.association.is_established
        end.link.sent.clear()
        for name, value in link.items():
            setattr(end.link, name, value)
    return network, a, b
