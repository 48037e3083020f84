"""What the bridge asks over stdin, and the event loop answers on stdout: whether it still turns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Final

import msgspec
from msgspec import Struct

PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
STATM: Final = "/proc/self/statm"


class Health(Struct, frozen=True):
    """An answer."""

    pong: int
    "The number of the question."
    lag: float
    "Seconds that the question waited for the event loop."
    memory: int | None
    "Resident bytes of the process; None where the system has no /proc."


def serve(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Runs in a thread: hands each question to the loop. stdin ends when the bridge closes it or dies."""
    with contextlib.suppress(OSError, RuntimeError), os.fdopen(0, "rb", closefd=False) as questions:
        for question in questions:
            loop.call_soon_threadsafe(answer, question, time.monotonic())
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(ended.set)


def answer(question: bytes, asked: float) -> None:
    """Answers `{"ping":n}`; other lines are of a bridge that is newer than this worker."""
    with contextlib.suppress(msgspec.MsgspecError, OSError):
        number = msgspec.json.decode(question, type=dict[str, int]).get("ping", 0)
        text = msgspec.json.encode(Health(number, time.monotonic() - asked, resident_bytes()))
        os.write(1, text + b"\n")


def resident_bytes() -> int | None:
    """Memory that the process has in use."""
    try:
        with open(STATM, "rb") as statm:
            return int(statm.read().split()[1]) * PAGE
    except OSError:
        return None
