"""Consent to send, in simulated time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aiortc_worker.transports import ice_consent
from aiortc_worker.transports.ice_consent import keep_consent
from aiortc_worker.transports.ice_timing import IceTiming


class Path:
    """A path that dies at `dies_at`, and a clock that its checks and pauses move on."""

    def __init__(self, dies_at: float) -> None:
        self.timing = IceTiming()
        self.now = 0.0
        self.dies_at = dies_at
        self.changes: list[tuple[float, bool]] = []

    async def consent(self, wait: float) -> bool:
        if self.now < self.dies_at:
            self.now += 0.01
            return True
        self.now += wait
        return False

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("seed", range(50))
async def test_a_peer_that_dies_without_a_word_has_failed_within_20_seconds(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    path: Any = Path(dies_at=60 + 10 * rng.random())
    monkeypatch.setattr(ice_consent.asyncio, "sleep", path.sleep)
    monkeypatch.setattr(ice_consent.time, "monotonic", path.monotonic)
    monkeypatch.setattr(ice_consent.random, "random", rng.random)
    await keep_consent(path, lambda given: path.changes.append((path.now, given)))
    ((missed_at, given),) = path.changes
    assert not given
    assert 0 < missed_at - path.dies_at <= 9, "disconnected"
    assert 8 < path.now - path.dies_at <= 20, "failed"
