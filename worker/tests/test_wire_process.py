"""The worker as a process: what a bridge sees of it besides frames."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiortc import RTCRtpSender
from wire_peer import WirePeer

from aiortc_worker.session import registry


class Process:
    """A worker process."""

    def __init__(self, process: asyncio.subprocess.Process, where: dict[str, object]) -> None:
        self.process = process
        self.where = where

    async def peer(self) -> WirePeer:
        if "socket" in self.where:
            return WirePeer(*await asyncio.open_unix_connection(str(self.where["socket"])))
        return WirePeer(*await asyncio.open_connection("127.0.0.1", int(str(self.where["port"]))))

    async def end(self) -> tuple[int, str]:
        """Closes stdin; the exit code, and what was on stderr."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        _, stderr = await asyncio.wait_for(self.process.communicate(), 10)
        return self.process.returncode or 0, stderr.decode()


@asynccontextmanager
async def started(*options: str, **env: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "aiortc_worker",
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["ready"]
        yield Process(process, ready)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def path(tmp_path: Path) -> str:
    directory = tmp_path / "w"
    directory.mkdir(mode=0o700)
    return str(directory / "worker.sock")


def is_left(path: str) -> bool:
    return Path(path).exists()


async def test_it_ends_when_stdin_closes_and_leaves_no_file(path: str) -> None:
    async with started("--socket", path) as worker:
        peer = await worker.peer()
        assert "hello" in await peer.greet()
        assert await worker.end() == (0, "")
    assert not is_left(path)


async def test_it_says_why_it_cannot_listen(tmp_path: Path) -> None:
    options = ["-m", "aiortc_worker", "--socket", str(tmp_path / "missing" / "worker.sock")]
    process = await asyncio.create_subprocess_exec(sys.executable, *options, stderr=asyncio.subprocess.PIPE)
    _, stderr = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"No such file or directory" in stderr


async def test_a_ctrl_c_that_the_bridge_gets_too_does_not_end_it(path: str) -> None:
    async with started("--socket", path) as worker:
        worker.process.send_signal(signal.SIGINT)
        assert "hello" in await (await worker.peer()).greet()


async def test_hello_does_not_wait_for_the_imports(path: str) -> None:
    async with started("--socket", path) as worker:
        peer = await worker.peer()
        start = time.monotonic()
        await peer.greet()
        greeted = time.monotonic() - start
        peer.text({"new": 1, "type": "Certificate", "in": {"algorithm": "ECDSA"}})
        assert (await peer.frame())["event"] == "ready"
        assert greeted < (time.monotonic() - start) / 2


async def test_sessions_of_one_worker_do_not_see_each_other(path: str) -> None:
    async with started("--socket", path) as worker:
        one, other = await worker.peer(), await worker.peer()
        await one.greet()
        await other.greet()
        one.text({"new": 1, "type": "Certificate", "in": {"algorithm": "ECDSA"}})
        await one.frame()
        other.text({"call": 1, "on": 0, "do": "dump"})
        assert (await other.frame())["out"]["objects"] == {}
        one.send(b"nonsense")
        assert (await one.frame())["close"]["code"] == 4000
        other.text({"call": 2, "on": 0, "do": "ping"})
        assert await other.frame() == {"reply": 2, "out": {}}


async def test_over_tcp_the_secret_comes_first() -> None:
    async with started("--tcp", AIORTC_WORKER_SECRET="right") as worker:
        stranger, bridge = await worker.peer(), await worker.peer()
        assert "close" in await stranger.greet()
        bridge.send(b"right")
        assert "hello" in await bridge.greet()


def test_the_codecs_that_hello_names_are_those_of_aiortc() -> None:
    kinds = [RTCRtpSender.getCapabilities(kind).codecs for kind in ("audio", "video")]
    assert {codec.mimeType for codecs in kinds for codec in codecs} - {"video/rtx"} == set(registry.CODECS)


async def test_the_loop_answers_questions_on_stdin_with_its_lag_and_memory(path: str) -> None:
    async with started("--socket", path) as worker:
        stdin, stdout = worker.process.stdin, worker.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(b'{"ping":1}\nnot json\n{"other":1}\n{"ping":2}\n')
        answers = [json.loads(await asyncio.wait_for(stdout.readline(), 10)) for _ in range(3)]
        assert [each["pong"] for each in answers] == [1, 0, 2]
        assert all(0 <= each["lag"] < 10 for each in answers)
        assert all(each["memory"] > 10_000_000 for each in answers)
        assert (await worker.end())[0] == 0
