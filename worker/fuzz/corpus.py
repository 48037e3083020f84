"""The kept inputs: `corpus/PARSER/NAME`, few and small, each reaching what no smaller one does, or a fault that was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final

from .targets import TARGETS

FOLDER: Final = Path(__file__).parent / "corpus"
FAULT: Final = "fault-"
"Begins the name of an input that once was a fault: it stays, whatever else reaches the same."
LARGEST: Final = 8192
"Bytes of an input that is kept for what it reaches."

Branch = tuple[str, int, int]
"A file, and two lines of it of which one followed the other."


def paths(name: str) -> list[Path]:
    """The files of a parser, in order."""
    return sorted(path for path in (FOLDER / name).glob("*") if path.is_file())


def kept(name: str) -> list[bytes]:
    """The inputs of a parser, in the order of their names."""
    return [path.read_bytes() for path in paths(name)]


def keep(name: str, found: Iterable[bytes]) -> int:
    """Adds what reaches branches that nothing smaller does, and drops what no longer does; how many there are."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    faults = [path for path in paths(name) if path.name.startswith(FAULT)]
    candidates = {data for data in (*kept(name), *found) if len(data) <= LARGEST}
    chosen = distilled(name, candidates, [path.read_bytes() for path in faults])
    for path in paths(name):
        if path not in faults:
            path.unlink()
    for data in chosen:
        (folder / sha256(data).hexdigest()[:12]).write_bytes(data)
    return len(chosen) + len(faults)


def distilled(name: str, inputs: Iterable[bytes], known: Iterable[bytes]) -> list[bytes]:
    """Of the inputs, the smallest first, those that reach a branch that none before them does, nor any of `known`."""
    target = TARGETS[name]
    files = frozenset(file for each in target.modules if (file := import_module(each).__file__) is not None)
    reached: set[Branch] = set()
    for data in known:
        reached |= branches(target.read, data, files)
    chosen = []
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        found = branches(target.read, data, files)
        if not found <= reached:
            reached |= found
            chosen.append(data)
    return chosen


def branches(read: Callable[[bytes], Any], data: bytes, files: frozenset[str]) -> set[Branch]:
    """What a parser goes through in `files` when it reads `data`."""
    found: set[Branch] = set()

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in files:
            return None
        last = frame.f_lineno

        def step(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            found.add((file, last, frame.f_lineno if event == "line" else 0 if event == "return" else -1))
            last = frame.f_lineno
            return step

        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        with suppress(ValueError):
            read(data)
    finally:
        sys.settrace(before)
    return found
