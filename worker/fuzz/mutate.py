"""Damage: what makes a right packet nearly right. Seeded, so that a case can be made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

LONGEST = 65_507
"Bytes: what a datagram holds."
EDGES = (0, 1, 2, 3, 4, 7, 8, 0x0F, 0x10, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
"Values at which lengths, flags and types change their meaning."


def damaged(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """`data` with one to four faults, some of them parts of `others`; at most a datagram."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        random.choice(FAULTS)(out, random, others)
    return bytes(out[:LONGEST])


def _flip(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if out:
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)


def _set(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if out:
        out[random.randrange(len(out))] = random.choice(EDGES)


def _set_word(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    """Lengths are mostly of 16 bits: near what they were, or at an edge."""
    if len(out) < 2:
        return
    at = random.randrange(len(out) - 1)
    near = int.from_bytes(out[at : at + 2], "big") + random.randint(-5, 5)
    value = random.choice(
        (near, near, len(out), len(out) - at - 2, random.choice(EDGES) << 8, random.randrange(1 << 16))
    )
    out[at : at + 2] = (value & 0xFFFF).to_bytes(2, "big")


def _cut(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if out:
        del out[random.randrange(len(out)) :]


def _remove(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if out:
        at = random.randrange(len(out))
        del out[at : at + random.choice((1, 1, 2, 4, 4, 8, 16))]


def _insert(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    at = random.randint(0, len(out))
    out[at:at] = random.randbytes(random.choice((1, 1, 2, 4, 4, 8, 16)))


def _repeat(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    """The same element again and again shows what is not linear."""
    if not out:
        return
    at = random.randrange(len(out))
    part = out[at : at + random.choice((1, 2, 4, 8, 12, 24))]
    times = random.choice((1, 2, 4, 16, 64))
    out[at:at] = part * min(times, 4096 // len(part))


def _graft(out: bytearray, random: Random, others: Sequence[bytes]) -> None:
    other = random.choice(others) if others else b""
    if other:
        at, begin = random.randint(0, len(out)), random.randrange(len(other))
        out[at : at + random.choice((0, 4, len(out)))] = other[begin : begin + random.choice((4, 16, 64, len(other)))]


Fault = Callable[[bytearray, Random, Sequence[bytes]], None]
FAULTS: tuple[Fault, ...] = (_flip, _set, _set_word, _set_word, _cut, _remove, _insert, _repeat, _graft)
