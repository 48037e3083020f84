"""What is asked of a parser: one error, an end, and time and memory in proportion to its input."""

from __future__ import annotations

import gc
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

MICROSECONDS_A_KB: Final = 1000
"Of the thread's own time, so that a busy machine makes none; what is shorter than 1 KB counts as 1 KB."
AGAIN: Final = 5
"How often what took too long is tried again: the best counts, which no interrupt has stretched."
BYTES_A_BYTE: Final = 256
BYTES_ALWAYS: Final = 64 * 1024
"What any input may take, an empty one too: a decoder's buffers."
HANGS: Final = 5.0
"Seconds of CPU after which a case is ended."


@dataclass
class Limits:
    """What a run allows."""

    microseconds_a_kb: float = MICROSECONDS_A_KB
    traced: int = 64
    "One case of so many has its memory measured, which takes ten times as long."


@dataclass
class Tally:
    """What a parser did with its cases."""

    read: Callable[[bytes], Any]
    limits: Limits = field(default_factory=Limits)
    cases: int = 0
    slowest: float = 0.0
    "Microseconds a KB."
    hungriest: float = 0.0
    "Bytes that were allocated at once, a byte of the input; what is shorter than 1 KB counts as 1 KB."
    misses: list[tuple[str, bytes]] = field(default_factory=list)
    "What was wrong, and the input."

    def take(self, data: bytes, traced: bool = False) -> bool:
        """Reads `data`; False when the parser misses what is asked of it."""
        self.cases += 1
        before = len(self.misses)
        try:
            self._judge_time(data)
            if traced or self.cases % self.limits.traced == 0:
                self._judge_memory(data)
        except Exception as error:
            self.misses.append((f"{type(error).__name__}: {error}", data))
        return len(self.misses) == before

    def _judge_time(self, data: bytes) -> None:
        kilobytes = max(1.0, len(data) / 1024)
        limit = self.limits.microseconds_a_kb
        best = self._once(data) / kilobytes
        for _ in range(AGAIN):
            if best <= limit:
                break
            best = min(best, self._once(data) / kilobytes)
        self.slowest = max(self.slowest, best)
        if best > limit:
            self.misses.append((f"{best:.0f} µs a KB", data))

    def _once(self, data: bytes) -> float:
        with deadline():
            begun = time.thread_time_ns()
            with suppress(ValueError):
                self.read(data)
            return (time.thread_time_ns() - begun) / 1000

    def _judge_memory(self, data: bytes) -> None:
        tracemalloc.start()
        try:
            self._once(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        self.hungriest = max(self.hungriest, peak / max(1024, len(data)))
        if peak > BYTES_ALWAYS + BYTES_A_BYTE * len(data):
            self.misses.append((f"{peak} bytes", data))


@contextmanager
def deadline() -> Iterator[None]:
    """Ends what does not end by itself; not on Windows, which has no such signal."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def uncollected() -> Iterator[None]:
    """The collector's pauses are no parser's: it runs between cases here, when `gc.collect` is called, and after."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _stop(*_: Any) -> None:
    raise TimeoutError(f"no end within {HANGS:g} s of CPU")
