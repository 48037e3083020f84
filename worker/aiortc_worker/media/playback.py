"""A container played in real time, both kinds on one clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from ..session.quotas import Rate
from .container import Container, Timed
from .fan_out import FanOut
from .feed import RunBlocking, Spawn
from .frames import Kind, pixel_count
from .settings import Opened

BLOCK: Final = 0.2
"Seconds that are decoded at once; three blocks exist at most: one playing, one ready, one being read."
MAX_LAG: Final = 0.5
"Seconds by which reading may be late; beyond it everything plays later, in sync."


class Playback:
    """A Feed of what `make` opens; it stands still while nobody consumes it."""

    def __init__(
        self,
        make: Callable[[frozenset[Kind]], Container],
        kinds: frozenset[Kind],
        spawn: Spawn,
        run: RunBlocking,
        decoded: Rate,
    ) -> None:
        """`make` and what it opens run by `run`; pictures count towards `decoded`."""
        self.outputs: dict[Kind, FanOut] = {kind: FanOut(kind, lambda _: self._look()) for kind in sorted(kinds)}
        self._make, self._kinds, self._spawn, self._run = make, kinds, spawn, run
        self._decoded = decoded
        self._container: Container | None = None
        self._blocks: asyncio.Queue[list[Timed]] = asyncio.Queue(1)
        self._playing: deque[Timed] = deque()
        self._reader: asyncio.Task[None] | None = None
        self._player: asyncio.Task[None] | None = None

    async def open(self) -> Opened:
        self._container = await self._run(self._make, self._kinds)
        # Somebody may have begun to consume it meanwhile.
        self._look()
        return self._container.opened

    async def close(self) -> None:
        for task in (self._reader, self._player):
            if task:
                task.cancel()
        # A cancelled task keeps its frames, and they this object.
        self._reader = self._player = None
        if self._container:
            await self._run(self._container.close)

    def _look(self) -> None:
        """Plays while it is open and consumed."""
        demanded = any(output.demanded for output in self.outputs.values())
        if not demanded and self._player:
            self._player.cancel()
            self._player = None
        elif demanded and not self._player and self._container:
            self._reader = self._reader or self._spawn(self._read(self._container))
            self._player = self._spawn(self._play())

    async def _read(self, container: Container) -> None:
        """Keeps a block ready; what it raises becomes the source's error, after what was read has been played."""
        failure: Exception | None = None
        try:
            while block := await self._next(container):
                await self._blocks.put(block)
        except Exception as error:
            failure = error
        await self._blocks.put([])
        if failure:
            raise failure

    async def _next(self, container: Container) -> list[Timed]:
        """The next block, as late as the session's share has it: then everything plays later, in sync."""
        await self._decoded.turn()
        block: list[Timed] = await self._run(container.read, BLOCK)
        self._decoded.spend(sum(pixel_count(timed.frame) for timed in block))
        return block

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        anchor: float | None = None
        while self._playing or await self._refill():
            timed = self._playing[0]
            if anchor is None:
                anchor = loop.time() - timed.time
            late = loop.time() - (anchor + timed.time)
            if late > MAX_LAG:
                anchor += late
            if late < 0:
                await asyncio.sleep(-late)
            self._playing.popleft()
            self.outputs[timed.kind].push(timed.frame)
        for output in self.outputs.values():
            output.end()

    async def _refill(self) -> bool:
        self._playing.extend(await self._blocks.get())
        return bool(self._playing)
