"""A source that a FrameWriter feeds."""

from __future__ import annotations

from .fan_out import FanOut
from .frames import Kind
from .settings import Opened


class WrittenFeed:
    """Has outputs, and nothing of its own: what is written is pushed into them."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self.outputs: dict[Kind, FanOut] = {kind: FanOut(kind) for kind in sorted(kinds)}

    async def open(self) -> Opened:
        return Opened()

    async def close(self) -> None:
        pass
