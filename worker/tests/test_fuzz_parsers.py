"""The short form of `npm run fuzz`, the same cases every time: damage to the corpus, and what the grammars build."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from fuzz.grammar import GRAMMAR
from fuzz.measure import Limits, Tally
from fuzz.targets import TARGETS
from fuzz.ways import Until, grammar, inputs_of, mutation

DAMAGED, BUILT = 18_000, 2_000
"Cases of each parser."
SECONDS = 120
"Of each way, at most; it takes one or two."
SMALL = 4096
"Bytes of an input that is damaged here; the larger ones are for the time that they take."
PATIENT = Limits(microseconds_a_kb=5000)
"Five times what `npm run fuzz` allows: a test is not for speed, and a slow machine's is no fault."


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_reads_what_no_peer_sends_or_refuses_it(name: str) -> None:
    tally = Tally(TARGETS[name].read, PATIENT)
    mutation(tally, [data for data in inputs_of(name) if len(data) <= SMALL], Until(tally, DAMAGED, SECONDS))
    grammar(tally, GRAMMAR[name], Until(tally, BUILT, SECONDS))
    assert tally.misses == []
    assert tally.cases >= DAMAGED + BUILT


def _leaks(data: bytes) -> None:
    if data[:1] == b"\x7c":
        bytes(1 << 20)


def _loops(data: bytes) -> None:
    while data:
        pass


def _squares(data: bytes) -> None:
    kept = b""
    for _ in data:
        kept += data


def _escapes(data: bytes) -> None:
    struct.unpack("!L", data[:3])


@pytest.mark.parametrize(
    ("parser", "miss"),
    [(_leaks, "bytes"), (_loops, "TimeoutError"), (_squares, "µs a KB"), (_escapes, "error: unpack")],
)
def test_a_parser_that_is_at_fault_is_found(
    parser: Callable[[bytes], Any], miss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.measure.HANGS", 0.3)
    tally = Tally(parser, Limits(traced=1))
    assert not tally.take(b"\x7c" + bytes(500))
    assert miss in tally.misses[0][0]


def test_a_parser_without_a_fault_is_not_accused() -> None:
    tally = Tally(lambda data: data.decode(), Limits(traced=1))
    assert tally.take(b"\xff\xfe")
    assert tally.misses == []
