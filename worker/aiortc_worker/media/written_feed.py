"""A source that a FrameWriter feeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .fan_out import FanOut
from .frames import Kind
from .settings import Opened


class WrittenFeed:
    """Has outputs, and nothing of its own: what is written is pushed into them."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self.outputs: dict[Kind, FanOut] = {
            kind: FanOut(kind, partial(self._on_demand, kind)) for kind in sorted(kinds)
        }
        self.on_demand: Callable[[Kind], None] = lambda _: None
        "Told when an output is consumed again."

    def _on_demand(self, kind: Kind, demanded: bool) -> None:
        if demanded:
            self.on_demand(kind)

    async def open(self) -> Opened:
        return Opened()

    async def close(self) -> None:
        pass
