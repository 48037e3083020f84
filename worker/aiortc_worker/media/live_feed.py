"""A Feed that has a pace of its own: frames are passed on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from ..session.quotas import Rate
from .container import Container, Timed
from .fan_out import FanOut
from .feed import RunBlocking, Spawn
from .frames import Kind, pixel_count
from .settings import Opened


class LiveFeed:
    """What `make` opens, one container a kind; each is read while its kind is consumed."""

    def __init__(
        self, make: Callable[[Kind], Container], kinds: frozenset[Kind], spawn: Spawn, run: RunBlocking, decoded: Rate
    ) -> None:
        """As Playback's."""
        self.outputs: dict[Kind, FanOut] = {}
        self._make, self._spawn, self._run = make, spawn, run
        self._decoded = decoded
        self._containers: dict[Kind, Container] = {}
        self._tasks: dict[Kind, asyncio.Task[None]] = {}
        for kind in sorted(kinds):
            self.outputs[kind] = FanOut(kind, partial(self._on_demand, kind))

    async def open(self) -> Opened:
        for kind in self.outputs:
            self._containers[kind] = await self._run(self._make, kind)
            # Somebody may have begun to consume it meanwhile.
            self._look(kind)
        audio, video = self._containers.get("audio"), self._containers.get("video")
        return Opened(audio.opened.audio if audio else None, video.opened.video if video else None)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        # A cancelled task keeps its frames, and they this object.
        self._tasks.clear()
        for container in self._containers.values():
            await self._run(container.close)

    def _on_demand(self, kind: Kind, _: bool) -> None:
        self._look(kind)

    def _look(self, kind: Kind) -> None:
        """Reads a kind while it is open and consumed."""
        demanded = self.outputs[kind].demanded
        if demanded and kind in self._containers and kind not in self._tasks:
            self._tasks[kind] = self._spawn(self._play(kind))
        elif not demanded and kind in self._tasks:
            self._tasks.pop(kind).cancel()

    async def _next(self, kind: Kind) -> Timed | None:
        """The next frame, as late as the session's share has it: the device drops what is not taken."""
        if kind == "video":
            await self._decoded.turn()
        timed: Timed | None = await self._run(self._containers[kind].next)
        self._decoded.spend(pixel_count(timed.frame) if timed else 0)
        return timed

    async def _play(self, kind: Kind) -> None:
        try:
            while timed := await self._next(kind):
                self.outputs[kind].push(timed.frame)
        except Exception:
            self.outputs[kind].end()
            raise
        self.outputs[kind].end()
