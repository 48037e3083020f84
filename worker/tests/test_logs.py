"""What the worker's log says, how much of it, and what is never in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wire_peer import WirePeer

from aiortc_worker import logs
from aiortc_worker.session import tasks

SECRET = "a secret of the peer"
own = logging.getLogger("aiortc_worker.tests")
Lines = list[dict[str, Any]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """What is written, as the bridge reads it."""
    written: Lines = []
    monkeypatch.setattr(logs, "write", lambda line: written.append(json.loads(json.dumps(line))))
    return written


@contextlib.contextmanager
def handling(handler: logs.StderrHandler) -> Iterator[None]:
    """Hands what is logged in the block to `handler`, besides the test's own."""
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)


def fail() -> None:
    raise ValueError(SECRET)


def log_failure(logger: logging.Logger, message: str, *args: object, **more: Any) -> None:
    try:
        fail()
    except ValueError:
        logger.warning(message, *args, exc_info=True, extra=more)


def test_a_line_has_its_level_kind_session_and_numbers(lines: Lines) -> None:
    with handling(logs.StderrHandler(debug=False)):
        own.warning("%d packets", 3, extra={"kind": "bad-packets", "session": "0123456789", "fields": {"srtp": 3}})
    assert lines == [{"level": "warn", "kind": "bad-packets", "message": "3 packets", "session": "01234567", "srtp": 3}]


def test_of_an_exception_its_type_and_place_are_told_and_not_what_it_quotes(lines: Lines) -> None:
    with handling(logs.StderrHandler(debug=False)):
        log_failure(own, "new Certificate 1 failed", kind="call-failed")
        own.error("no file", exc_info=FileNotFoundError(2, "No such file or directory", SECRET))
    assert SECRET not in str(lines)
    assert lines[0]["message"].startswith("new Certificate 1 failed: ValueError in test_logs.py:")
    assert lines[1]["message"] == "no file: FileNotFoundError (No such file or directory)"
    assert "traceback" not in lines[0]


def test_who_debugs_gets_the_traceback(lines: Lines) -> None:
    with handling(logs.StderrHandler(debug=True)):
        log_failure(own, "it failed")
    assert SECRET in lines[0]["traceback"]
    assert "\n" not in lines[0]["message"]


def test_of_a_library_its_place_is_told_and_not_its_words(lines: Lines) -> None:
    with handling(logs.StderrHandler(debug=False)):
        logging.getLogger("aiortc.rtcdtlstransport").warning("Traceback: %s", SECRET)
        log_failure(logging.getLogger("aioice.ice"), SECRET)
    assert SECRET not in str(lines)
    assert [line["kind"] for line in lines] == ["aiortc", "aioice"]
    assert lines[1]["message"].startswith("aioice.ice complains in line ")


def test_of_a_kind_so_many_lines_are_written_in_a_minute_and_the_rest_is_counted(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    handler = logs.StderrHandler(debug=False)
    with handling(handler):
        for i in range(100):
            own.warning("line %d", i, extra={"kind": "one"})
        own.error("another", extra={"kind": "two"})
        assert len(lines) == logs.PER_KIND + 1
        now += logs.MINUTE
        own.warning("later", extra={"kind": "one"})
        assert [line["message"] for line in lines[-2:]] == ["and 70 more of these: one", "later"]
        assert lines[-2] == {"level": "warn", "kind": "one", "message": "and 70 more of these: one", "more": 70}


def test_one_session_leaves_room_for_the_lines_of_others(lines: Lines) -> None:
    with handling(logs.StderrHandler(debug=False)):
        for _ in range(100):
            own.warning("loud", extra={"kind": "one", "session": "loud"})
        own.warning("quiet", extra={"kind": "one", "session": "quiet"})
    assert [line["session"] for line in lines] == ["loud"] * logs.PER_SESSION + ["quiet"]


def test_what_is_left_out_is_not_even_formatted(lines: Lines) -> None:
    class Costly:
        formatted = 0

        def __str__(self) -> str:
            Costly.formatted += 1
            return "costly"

    handler = logs.StderrHandler(debug=False)
    record = logging.LogRecord("aiortc_worker.x", logging.WARNING, "", 1, "%s", (Costly(),), None)
    for _ in range(1000):
        handler.handle(record)
    assert Costly.formatted == logs.PER_KIND == len(lines)


async def test_a_line_has_the_session_whose_code_logs(lines: Lines) -> None:
    peer = await WirePeer.connect()
    assert peer.session is not None
    with handling(logs.StderrHandler(debug=False)):
        peer.session.id = "fedcba9876"
        entry = peer.session.objects[0]
        await asyncio.get_running_loop().create_task(_log(), context=entry.context)
        await asyncio.get_running_loop().create_task(_log())
    await peer.close()
    assert [line.get("session") for line in lines] == ["fedcba98", None]


async def _log() -> None:
    own.warning("somebody's")


async def test_a_callback_of_nobody_that_fails_is_one_line_without_its_arguments(lines: Lines) -> None:
    loop = asyncio.get_running_loop()
    tasks.install(loop)
    with handling(logs.StderrHandler(debug=False)):
        loop.call_soon(_fail_with, SECRET)
        await asyncio.sleep(0.01)
    assert SECRET not in str(lines)
    assert [line["kind"] for line in lines] == ["task-failed"]


def _fail_with(text: str) -> None:
    raise RuntimeError(text)


FLOOD = """
import logging, threading, warnings, gc
from aiortc_worker import logs
handler = logs.install("info", False)
for i in range(100_000):
    logging.getLogger("aioice").warning("%d" + 80 * "x", i)
warnings.warn("old")
def fail(): raise ValueError("SECRET")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Bad:
    def __del__(self): fail()
Bad()
handler.turn()
fail()
"""


def test_a_flood_and_everything_that_python_would_print_are_a_few_lines() -> None:
    """8.9 MB in 3 s is what one session made a worker log once."""
    ended = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr) < 10_000
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["kind"] for line in lines if line["kind"] != "aioice"] == ["py", "uncaught", "uncaught", "uncaught"]
    assert any(line.get("more") == 100_000 - logs.PER_KIND for line in lines)
    assert "SECRET" not in ended.stderr


def test_nobody_to_read_a_line_is_no_failure_of_who_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    monkeypatch.setattr(logs, "STDERR", write_end)
    try:
        with handling(logs.StderrHandler(debug=False)):
            own.warning("to nobody")
    finally:
        os.close(write_end)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_socket_becomes_stdin_stdout_or_stderr(closed: str, tmp_path: Path) -> None:
    script = f"""
import os, socket
from aiortc_worker import logs
logs.ensure_open()
open({str(tmp_path / "number")!r}, "w").write(str(socket.socket().fileno()))
"""
    subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", script], timeout=20, check=True)
    assert int((tmp_path / "number").read_text()) > 2


LOUD = """
import logging, sys, threading, time
from aiortc_worker import __main__
def flood():
    for i in range(200):
        time.sleep(0.01)
        logging.getLogger(f"aiortc_worker.{i}").warning("loud", extra={"kind": f"kind-{i}"})
threading.Thread(target=flood, daemon=True).start()
__main__.main()
"""


@pytest.mark.parametrize("how", ["the reader of stderr is gone", "stderr is closed", "stdout and stderr are closed"])
async def test_the_worker_serves_though_nobody_can_hear_it(how: str, tmp_path: Path) -> None:
    socket = tmp_path / "worker.sock"
    closing = {"stderr is closed": "2>&-", "stdout and stderr are closed": ">&- 2>&-"}.get(how, "")
    read_end, write_end = os.pipe()
    command = f'exec "$@" {closing}'
    process = await asyncio.create_subprocess_exec(
        *["sh", "-c", command, "sh", sys.executable, "-c", LOUD, "--socket", str(socket)],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=write_end,
    )
    try:
        os.close(write_end)
        os.close(read_end)
        assert await _within(20, socket.exists)
        # The flood goes on meanwhile.
        await asyncio.sleep(1)
        peer = WirePeer(*await asyncio.open_unix_connection(str(socket)))
        assert "hello" in await peer.greet()
        peer.text({"call": 1, "on": 0, "do": "ping"})
        assert await peer.frame() == {"reply": 1, "out": {}}
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _within(seconds: float, condition: Any) -> bool:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False


def test_every_line_of_the_package_names_its_kind() -> None:
    package = Path(logs.__file__).parent
    for file in package.rglob("*.py"):
        text = file.read_text()
        for call in ("logger.warning(", "logger.error(", "logger.exception(", "logger.info(", "logger.log("):
            for part in text.split(call)[1:]:
                assert '"kind":' in part[:300], f"{file.name}: {call}{part[:60]}"
