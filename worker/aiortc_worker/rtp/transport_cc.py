"""Transport-wide congestion control feedback: reading and writing its packets.

https://datatracker.ietf.org/doc/html/draft-holmer-rmcat-transport-wide-cc-extensions-01
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
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
"What we read of one: a few bytes can claim 65535."


class Arrival(NamedTuple):
    """What the peer says of one packet."""

    sequence: int
    "16 bits."
    at: float | None
    "Seconds, of the peer's clock, modulo 2^24 times 64 ms; None when it did not arrive."


def unpack(data: bytes) -> list[Arrival]:
    """Reads a message with its RTCP header; raises ValueError when it is truncated."""
    if len(data) < 20:
        raise ValueError(f"{len(data)} bytes; transport-cc feedback has at least 20")
    base, count, reference = struct.unpack_from("!HHL", data, 12)
    if count > MOST_STATUSES:
        raise ValueError(f"{count} packets in one transport-cc message; at most {MOST_STATUSES} are read")
    statuses, at = _unpack_statuses(data, 20, count)
    ticks = (reference >> 8) * REFERENCE_TICKS
    arrivals = []
    for index, status in enumerate(statuses):
        sequence = (base + index) & 0xFFFF
        if status not in (SMALL_DELTA, LARGE_DELTA):
            arrivals.append(Arrival(sequence, None))
            continue
        size = 1 if status == SMALL_DELTA else 2
        if at + size > len(data):
            raise ValueError("transport-cc feedback ends within its deltas")
        ticks += int.from_bytes(data[at : at + size], "big", signed=size == 2)
        at += size
        arrivals.append(Arrival(sequence, ticks / TICKS_PER_SECOND))
    return arrivals


def _unpack_statuses(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    statuses: list[int] = []
    while len(statuses) < count:
        if at + 2 > len(data):
            raise ValueError("transport-cc feedback ends within its statuses")
        chunk = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if chunk & 0x8000 == 0:
            statuses += [chunk >> 13 & 3] * min(chunk & 0x1FFF, count - len(statuses))
            if chunk & 0x1FFF == 0:
                raise ValueError("transport-cc feedback has an empty run")
        elif chunk & 0x4000 == 0:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
    return statuses[:count], at


def pack(sender_ssrc: int, media_ssrc: int, number: int, base: int, count: int, arrivals: Mapping[int, float]) -> bytes:
    """A message on the `count` packets from `base` (unwrapped) on.

    `arrivals` has the seconds at which those that came did; `number` counts the messages.
    """
    first = min(at for sequence, at in arrivals.items() if base <= sequence < base + count)
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
