"""A source that a FrameWriter feeds."""

from __future__ import annotations

from collections.abc import Callable

from .fan_out import FanOut
from .frames import Kind
from .settings import Opened


class WrittenFeed:
    """Has outputs, and nothing of its own: what is written is pushed into them."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self.outputs: dict[Kind, FanOut] = {kind: FanOut(kind, lambda _: self.on_demand()) for kind in sorted(kinds)}
        self.on_demand: Callable[[], None] = lambda: None
        "Told when an output begins or ceases to be consumed."

    async def open(self) -> Opened:
        return Opened()

    async def close(self) -> None:
        pass
