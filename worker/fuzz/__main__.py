"""Fuzzes the parsers: `npm run fuzz -- [--cases 1000000] [--seconds 3600] [--parser NAME]… [--keep]`.

Each parser reads its kept corpus, then `--cases` cases by coverage and as many by grammar, each way for at most
`--seconds`. It misses what is asked of it when it raises anything but ValueError, does not end, or takes more than 1 ms
of CPU a KB or 256 bytes a byte of its input. Such inputs are written to `worker/fuzz/misses`, and the exit code is 1.
`--keep` adds to the corpus what reached new branches.
"""

from __future__ import annotations

import argparse
import sys
from hashlib import sha256
from pathlib import Path

from . import corpus, ways
from .grammar import GRAMMAR
from .measure import Tally
from .targets import TARGETS

MISSES = Path(__file__).parent / "misses"
COLUMNS = ("parser", "way", "cases", "corpus", "slowest µs/KB", "most bytes/byte", "misses")
ROW = "{:<13} {:<9} {:>9} {:>7} {:>14} {:>16} {:>7}"


def main() -> int:
    """The exit code: 1 when a parser missed what is asked of it."""
    parser = argparse.ArgumentParser(prog="npm run fuzz --")
    parser.add_argument("--cases", type=int, default=1_000_000, help="of each parser, each way")
    parser.add_argument("--seconds", type=float, default=3600, help="of each parser, each way, at most")
    parser.add_argument("--parser", action="append", choices=TARGETS, help="one of several; all unless given")
    parser.add_argument("--seed", type=int, default=0, help="of the grammar's packets and their damage")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what reached new branches")
    options = parser.parse_args()
    if not ways.can_cover():
        print("no run by coverage: atheris has wheels for CPython 3.11 to 3.13 on Linux (x86-64) alone")
    print(ROW.format(*COLUMNS), flush=True)
    missed = [name for name in options.parser or TARGETS if not _fuzz(name, options)]
    return 1 if missed else 0


def _fuzz(name: str, options: argparse.Namespace) -> bool:
    """Whether a parser does what is asked of it."""
    read = TARGETS[name].read
    kept = corpus.kept(name)
    replayed, covered, built = Tally(read), Tally(read), Tally(read)
    ways.replay(replayed, kept)
    _report(name, "corpus", replayed, len(kept))
    found: list[bytes] = []
    if ways.can_cover():
        found = ways.coverage(name, covered, ways.inputs_of(name), options.cases, options.seconds)
        _report(name, "coverage", covered, len(found))
    ways.grammar(built, GRAMMAR[name], ways.Until(built, options.cases, options.seconds), number=options.seed)
    _report(name, "grammar", built, len(kept))
    misses = [*replayed.misses, *covered.misses, *built.misses]
    for why, data in misses:
        _write(name, why, data)
    if options.keep and not misses:
        print(f"{name}: {corpus.keep(name, found or ways.inputs_of(name))} inputs kept")
    return not misses


def _report(name: str, way: str, tally: Tally, size: int) -> None:
    numbers = (tally.cases, size, f"{tally.slowest:.0f}", f"{tally.hungriest:.1f}", len(tally.misses))
    print(ROW.format(name, way, *numbers), flush=True)


def _write(name: str, why: str, data: bytes) -> None:
    MISSES.mkdir(exist_ok=True)
    path = MISSES / f"{name}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"  {why}: {path}")


if __name__ == "__main__":
    sys.exit(main())
