"""What blocks the loop is named."""

from __future__ import annotations

import asyncio
import time

import pytest

from aiortc_worker.session import watchdog


async def test_what_blocks_the_loop_is_named(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(watchdog, "TICK", 0.05)
    monkeypatch.setattr(watchdog, "STALL", 0.2)
    watched = watchdog.Watchdog(asyncio.get_running_loop())
    await asyncio.sleep(0.2)
    assert not caplog.messages
    block_the_loop()
    await asyncio.sleep(0.2)
    watched.stop()
    assert "block_the_loop" in caplog.records[0].fields["traceback"]  # type: ignore[attr-defined]
    assert caplog.messages[1].startswith("the loop was blocked for")


def block_the_loop() -> None:
    time.sleep(1)
