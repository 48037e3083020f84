"""Ways to make cases: what was kept, what a grammar builds, what is damaged, and what reaches new branches."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .corpus import kept
from .grammar import GRAMMAR, Bytes
from .measure import Tally, uncollected
from .mutate import damaged

BATCH: Final = 2000
"Examples between two looks at the clock; what hypothesis remembers of them is then forgotten."
DAMAGED: Final = 9
"Cases made of each packet that a grammar builds, beside itself."
MISSES: Final = 20
"Inputs that miss, after which a way is left."


class Until:
    """When a way ends: after so many cases, so many seconds, or so many misses."""

    def __init__(self, tally: Tally, cases: int, seconds: float) -> None:
        self._tally = tally
        self._cases = tally.cases + cases
        self._at = time.monotonic() + seconds

    def __bool__(self) -> bool:
        return self.left > 0 and time.monotonic() < self._at and len(self._tally.misses) < MISSES

    @property
    def left(self) -> int:
        """Cases."""
        return self._cases - self._tally.cases


def replay(tally: Tally, inputs: Iterable[bytes]) -> None:
    """Reads what was kept, each with its memory measured."""
    with uncollected():
        for data in inputs:
            tally.take(data, traced=True)


def mutation(tally: Tally, inputs: list[bytes], until: Until, number: int = 0) -> None:
    """Damages what was kept, by a seeded random."""
    random = Random(number)
    with uncollected():
        while until:
            for _ in range(BATCH):
                if not until:
                    break
                tally.take(damaged(random.choice(inputs), random, inputs))
            gc.collect()


def grammar(tally: Tally, strategy: Bytes, until: Until, number: int = 0) -> None:
    """Builds packets, and damages each."""
    while until:
        number += 1
        with uncollected():
            _batch(tally, strategy, until, min(BATCH, -(-until.left // (1 + DAMAGED))), number)


def _batch(tally: Tally, strategy: Bytes, until: Until, examples: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy, st.integers(0, 2**32))
    def take(data: bytes, fault: int) -> None:
        if not until:
            return
        tally.take(data)
        random = Random(fault)
        for _ in range(DAMAGED):
            tally.take(damaged(data, random, (data,)))

    take()


def can_cover() -> bool:
    """Whether atheris is here; it has wheels for CPython 3.11 to 3.13 on Linux, x86-64."""
    return find_spec("atheris") is not None


def coverage(name: str, tally: Tally, inputs: list[bytes], cases: int, seconds: float) -> list[bytes]:
    """Lets libFuzzer look for branches, in a process of its own; then reads what it found here, and returns that.

    Atheris's counters take several times the parser's own time and memory, so both are measured without them.
    """
    with TemporaryDirectory(prefix="fuzz-") as place:
        found, faults = Path(place, "found"), Path(place, "faults")
        found.mkdir()
        faults.mkdir()
        for index, data in enumerate(inputs):
            (found / f"{index:06}").write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.cover", name, str(found), str(faults), str(cases), f"{seconds:.0f}"],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        runs = executions(done.stderr)
        new = [path.read_bytes() for path in sorted(found.iterdir())]
        replay(tally, new)
        tally.cases += max(0, runs - len(new))
        for path in sorted(faults.iterdir()):
            data = path.read_bytes()
            if tally.take(data):
                tally.misses.append((f"libFuzzer kept {path.name.partition('-')[0]}", data))
        # Its alarm may still go off when it has done all and ends.
        if done.returncode != 0 and not tally.misses and f"\nDone {runs} " not in done.stderr:
            last = done.stderr.strip().splitlines()[-1:] or ["nothing was said"]
            tally.misses.append((f"libFuzzer ended with {done.returncode}: {last[0]}", b""))
        return new


def executions(log: str) -> int:
    """How many cases libFuzzer says that it ran."""
    lines = [line for line in log.splitlines() if line.startswith(("#", "Done "))]
    if not lines:
        return 0
    return int("".join(filter(str.isdigit, lines[-1].split()[1 if lines[-1].startswith("Done") else 0])))


def inputs_of(name: str) -> list[bytes]:
    """Where damage and coverage begin: the kept corpus, and a few packets of the grammar."""
    return [*kept(name), *_first(GRAMMAR[name])]


def _first(strategy: Bytes) -> list[bytes]:
    made: list[bytes] = []

    @seed(0)
    @settings(max_examples=50, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def note(data: bytes) -> None:
        made.append(data)

    note()
    return made
