"""What the worker says: on stderr, a line of JSON each, so much a minute, and none of what a peer or a shim has sent.

A line has `level`, `kind`, `message`, and what it is about: `session`, `error`, `where`, numbers. Kinds are named where
they are logged, by `extra={"kind": …}`; docs/logs.md has all of them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from .session.tasks import owner

MINUTE: Final = 60.0
PER_KIND: Final = 30
"Lines of one kind in a minute."
PER_SESSION: Final = 10
"Of these, lines that one session causes."
DEBUGGING: Final = 20
"Times as many, where somebody debugs."
MOST_MESSAGE: Final = 500
MOST_TRACEBACK: Final = 6000
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
OWN: Final = __name__.rpartition(".")[0]
STDERR: Final = 2


def install(level: str, debug: bool) -> StderrHandler:
    """Makes everything that Python logs, warns of or fails with a line of ours."""
    handler = StderrHandler(debug)
    logging.root.handlers = [handler]
    # Libraries tell of each packet on their lower levels.
    logging.root.setLevel(logging.INFO if debug else logging.WARNING)
    logging.getLogger(OWN).setLevel(LEVELS[level])
    logging.captureWarnings(True)
    logging.raiseExceptions = debug
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda unraisable: _uncaught(None, unraisable.exc_value, unraisable.exc_traceback)
    threading.excepthook = lambda args: _uncaught(None, args.exc_value, args.exc_traceback)
    return handler


def every_minute(loop: asyncio.AbstractEventLoop, handler: StderrHandler) -> None:
    """Says each minute what was left out in it."""
    handler.turn()
    loop.call_later(MINUTE, every_minute, loop, handler)


class StderrHandler(logging.Handler):
    """Writes lines, within a quota. What is left out is counted, and told at the minute's end."""

    def __init__(self, debug: bool) -> None:
        super().__init__()
        self._debug = debug
        self._most = DEBUGGING if debug else 1
        self._told: dict[str, int] = {}
        "Lines written in this minute, by kind."
        self._of_session: dict[tuple[str, str], int] = {}
        self._left_out: dict[str, tuple[str, int]] = {}
        "By kind, the level and the number of lines that were not written."
        self._ends = time.monotonic() + MINUTE

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() >= self._ends:
            self._turn()
        kind, session = kind_of(record), session_of(record)
        if self._admits(kind, session):
            write(line_of(record, kind, session, self._debug))
            return
        level, count = self._left_out.get(kind, (_level(record), 0))
        self._left_out[kind] = (level, count + 1)

    def turn(self) -> None:
        """Begins another minute."""
        with self.lock or threading.RLock():
            self._turn()

    def _turn(self) -> None:
        for kind, (level, count) in self._left_out.items():
            write({"level": level, "kind": kind, "message": f"and {count} more of these: {kind}", "more": count})
        self._told.clear()
        self._of_session.clear()
        self._left_out.clear()
        self._ends = time.monotonic() + MINUTE

    def _admits(self, kind: str, session: str) -> bool:
        told, own = self._told.get(kind, 0), self._of_session.get((kind, session), 0)
        if told >= PER_KIND * self._most or (session and own >= PER_SESSION * self._most):
            return False
        self._told[kind] = told + 1
        self._of_session[kind, session] = own + 1
        return True


def line_of(record: logging.LogRecord, kind: str, session: str, debug: bool) -> dict[str, str | int]:
    """The fields of a line.

    Of an exception its type and its place are told, since its text may quote what was sent; a library's text may, too.
    Whoever debugs gets both.
    """
    line: dict[str, str | int] = {"level": _level(record), "kind": kind, "message": _message(record, debug)}
    if session:
        line["session"] = session
    fields: Mapping[str, str | int] = getattr(record, "fields", {})
    line.update(fields)
    error = _error_of(record)
    if error is not None:
        line["message"] = f"{line['message']}: {named(error)}"
        if debug:
            line["traceback"] = "".join(traceback.format_exception(error))
    if "traceback" in line:
        line["traceback"] = str(line["traceback"])[-MOST_TRACEBACK:]
    return line


def write(line: dict[str, str | int]) -> None:
    """Writes a line in one piece; nobody to read it, or no room for it, is no reason to stop."""
    try:
        os.write(STDERR, json.dumps(line).encode() + b"\n")
    except OSError:
        return


def named(error: BaseException) -> str:
    """An exception's type, what the system says of an OSError, and where it was raised: nothing of what it is about."""
    name = type(error).__name__
    if isinstance(error, OSError) and type(error).__module__ == "builtins" and error.strerror:
        name = f"{name} ({error.strerror})"
    place = _place(error.__traceback__)
    return f"{name} in {place}" if place else name


def kind_of(record: logging.LogRecord) -> str:
    """The kind that was named; of a library, its name."""
    kind: str = getattr(record, "kind", "")
    return kind or record.name.partition(".")[0].replace("_", "-").lower()


def session_of(record: logging.LogRecord) -> str:
    """The beginning of the id of the session that was named, or else whose code logs."""
    session: str = getattr(record, "session", "") or getattr(owner.get(), "session_id", "")
    return session[:8]


def ensure_open() -> None:
    """Opens stdin, stdout and stderr where they are closed, or the next socket would be one, and have our lines."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)


def _message(record: logging.LogRecord, debug: bool) -> str:
    if not debug and record.name.partition(".")[0] != OWN:
        return f"{record.name} complains in line {record.lineno}"
    return record.getMessage()[:MOST_MESSAGE]


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _level(record: logging.LogRecord) -> str:
    return next((name for name, level in reversed(LEVELS.items()) if record.levelno >= level), "debug")


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


def _uncaught(_type: Any, error: BaseException | None, trace: TracebackType | None) -> None:
    """What Python would print."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return
    logging.getLogger(__name__).error(
        "nobody caught this", exc_info=(type(error), error, trace), extra={"kind": "uncaught"}
    )
