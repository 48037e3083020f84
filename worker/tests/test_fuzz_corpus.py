"""The kept inputs of `npm run fuzz`, each read once more: what reaches a branch, and what once was a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz import corpus
from fuzz.grammar import GRAMMAR
from fuzz.measure import Limits, Tally
from fuzz.targets import TARGETS
from fuzz.ways import executions, replay

MOST = 1 << 20
"Bytes of all inputs, in the repository."
PATIENT = Limits(microseconds_a_kb=5000)
"Five times what `npm run fuzz` allows: a test is not for speed, and a slow machine's is no fault."


@pytest.mark.parametrize("path", [path for name in TARGETS for path in corpus.paths(name)], ids=lambda path: path.name)
def test_a_kept_input_is_read_or_refused_in_proportion_to_its_length(path: Path) -> None:
    tally = Tally(TARGETS[path.parent.name].read, PATIENT)
    replay(tally, [path.read_bytes()])
    assert tally.cases == 1
    assert tally.misses == []


def test_every_parser_has_a_grammar_and_a_corpus_and_all_are_small() -> None:
    assert set(TARGETS) <= set(GRAMMAR)
    assert all(len(corpus.kept(name)) >= 3 for name in TARGETS)
    files = [path for path in corpus.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST
    assert {path.parent.name for path in files} <= set(GRAMMAR)


def test_of_two_inputs_that_reach_the_same_the_smaller_is_kept() -> None:
    units, none = b"\x78\x00\x01a\x00\x01b", b"\x7e\x00"
    assert corpus.distilled("h264", [units, units + b"\x00\x01c", none], []) == [none, units]
    assert corpus.distilled("h264", [units, none], [none]) == [units]


def test_keeping_leaves_faults_alone_and_drops_what_is_reached_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    folder = tmp_path / "h264"
    folder.mkdir()
    (folder / "fault-x").write_bytes(b"\x78\x00\x01a")
    (folder / "old").write_bytes(b"\x78\x00\x01abcd\x00\x01b")
    assert corpus.keep("h264", [b"\x78\x00\x01a\x00\x01b", b"\x7e" + bytes(corpus.LARGEST)]) == 2
    assert (folder / "fault-x").exists()
    assert not (folder / "old").exists()
    assert corpus.keep("h264", [b"\x7e\x00"]) == 3
    assert b"\x7e\x00" in corpus.kept("h264")


@pytest.mark.parametrize(
    ("log", "count"),
    [
        ("INFO: seed\n#2\tINITED cov: 3\n#2048\tpulse  cov: 9\nDone 5000 in 3 second(s)\n", 5000),
        ("#2\tINITED cov: 3\n#4096\tNEW    cov: 12 ft: 20\n==1== ERROR: libFuzzer: timeout\n", 4096),
        ("no line of it", 0),
    ],
)
def test_what_libfuzzer_has_run_is_counted_by_what_it_says(log: str, count: int) -> None:
    assert executions(log) == count
