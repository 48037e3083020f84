"""Transport-wide congestion control feedback: reading and writing its packets.

https://datatracker.ietf.org/doc/html/draft-holmer-rmcat-transport-wide-cc-extensions-01
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aiortc.rtp import RTCP_RTPFB, pack_rtcp_packet

FORMAT = 15
"The FMT of this RTPFB message."

TICKS_PER_SECOND = 4000
"Deltas are in units of 250 µs; the reference time in 64 ms, 256 of them."

REFERENCE_TICKS = 256
MAX_STATUSES = 2048
"Packets that one message covers; a longer stretch is told in several."

NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2

MOST_STATUSES = 4096
"What we read of one compound packet: a few bytes can claim 65535."

HEADER = 20
"Bytes before the statuses, RTCP's own header among them."


class Arrival(NamedTuple):
    """A packet that has arrived at the peer."""

    sequence: int
    "16 bits."
    at: float
    "Seconds, of the peer's clock, modulo 2^24 times 64 ms."


class Feedback(NamedTuple):
    """What a message says; of what is missing the ranges, since a chunk of two bytes tells of thousands."""

    received: list[Arrival]
    missing: list[range]
    "Sequence numbers of 16 bits."


def covered(data: bytes) -> int:
    """How many packets a message speaks of; 0 when it is truncated."""
    return int.from_bytes(data[14:16], "big") if len(data) >= HEADER else 0


def unpack(data: bytes) -> Feedback:
    """Reads a message with its RTCP header; raises ValueError when it is truncated."""
    if len(data) < HEADER:
        raise ValueError(f"{len(data)} bytes; transport-cc feedback has at least {HEADER}")
    sequence, count, reference = struct.unpack_from("!HHL", data, 12)
    if count > MOST_STATUSES:
        raise ValueError(f"{count} packets in one transport-cc message; at most {MOST_STATUSES} are read")
    at = _end_of_statuses(data, count)
    ticks = (reference >> 8) * REFERENCE_TICKS
    received: list[Arrival] = []
    missing: list[range] = []
    told = sequence  # What follows the last number that is in one of the two.
    for status, length in _statuses(data, count):
        if status not in (SMALL_DELTA, LARGE_DELTA):
            sequence += length
            continue
        size = 1 if status == SMALL_DELTA else 2
        if at + size * length > len(data):
            raise ValueError("transport-cc feedback ends within its deltas")
        missing += _wrapped(told, sequence)
        for _ in range(length):
            ticks += int.from_bytes(data[at : at + size], "big", signed=size == 2)
            at += size
            received.append(Arrival(sequence & 0xFFFF, ticks / TICKS_PER_SECOND))
            sequence += 1
        told = sequence
    missing += _wrapped(told, sequence)
    return Feedback(received, missing)


def _wrapped(first: int, end: int) -> Iterator[range]:
    """The numbers from `first` on before `end`, of 16 bits each: none, one range, or two where they wrap."""
    lap = first & ~0xFFFF
    wrap = lap + (1 << 16)
    if first < min(end, wrap):
        yield range(first - lap, min(end, wrap) - lap)
    if end > max(first, wrap):
        yield range(max(first, wrap) - wrap, end - wrap)


def _statuses(data: bytes, count: int) -> Iterator[tuple[int, int]]:
    """The statuses of `count` packets, each with how many have it."""
    at = HEADER
    while count > 0:
        chunk = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if chunk & 0x8000 == 0:
            yield chunk >> 13 & 3, min(chunk & 0x1FFF, count)
            count -= chunk & 0x1FFF
            continue
        shifts = range(13, -1, -1) if chunk & 0x4000 == 0 else range(12, -1, -2)
        mask = 1 if chunk & 0x4000 == 0 else 3
        for shift in shifts[:count]:
            yield chunk >> shift & mask, 1
        count -= len(shifts)


def _end_of_statuses(data: bytes, count: int) -> int:
    """Where the deltas begin. Raises ValueError when the chunks are cut short, or one tells of nothing."""
    at = HEADER
    while count > 0:
        if at + 2 > len(data):
            raise ValueError("transport-cc feedback ends within its statuses")
        chunk = int.from_bytes(data[at : at + 2], "big")
        at += 2
        length = chunk & 0x1FFF if chunk & 0x8000 == 0 else 14 if chunk & 0x4000 == 0 else 7
        if length == 0:
            raise ValueError("transport-cc feedback has an empty run")
        count -= length
    return at


def pack(sender_ssrc: int, media_ssrc: int, number: int, base: int, count: int, arrivals: Mapping[int, float]) -> bytes:
    """A message on the `count` packets from `base` (unwrapped) on.

    `arrivals` has the seconds at which those that came did; `number` counts the messages.
    """
    first = min(arrivals[sequence] for sequence in range(base, base + count) if sequence in arrivals)
    reference = int(first * TICKS_PER_SECOND) // REFERENCE_TICKS
    ticks = reference * REFERENCE_TICKS
    statuses: list[int] = []
    deltas = b""
    for sequence in range(base, base + count):
        at = arrivals.get(sequence)
        if at is None:
            statuses.append(NOT_RECEIVED)
            continue
        delta = round(at * TICKS_PER_SECOND) - ticks
        small = 0 <= delta <= 255
        # A delta beyond 8 s cannot be told; the nearest one can, and the next is relative to it.
        delta = delta if small else max(-32768, min(delta, 32767))
        ticks += delta
        statuses.append(SMALL_DELTA if small else LARGE_DELTA)
        deltas += struct.pack("!B" if small else "!h", delta)
    body = struct.pack(
        "!LLHHL", sender_ssrc, media_ssrc, base & 0xFFFF, count, (reference & 0xFFFFFF) << 8 | number & 0xFF
    )
    body += _pack_statuses(statuses) + deltas
    return pack_rtcp_packet(RTCP_RTPFB, FORMAT, body + b"\0" * (-len(body) % 4))


def _pack_statuses(statuses: list[int]) -> bytes:
    chunks = b""
    at = 0
    while at < len(statuses):
        run = 1
        while at + run < len(statuses) and statuses[at + run] == statuses[at] and run < 0x1FFF:
            run += 1
        if run >= 7:
            chunks += struct.pack("!H", statuses[at] << 13 | run)
            at += run
            continue
        vector = statuses[at : at + 7]
        vector += [NOT_RECEIVED] * (7 - len(vector))
        chunks += struct.pack(
            "!H", 0xC000 | sum(status << shift for status, shift in zip(vector, range(12, -1, -2), strict=True))
        )
        at += 7
    return chunks
