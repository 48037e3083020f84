"""What a MediaSource of each type is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from .fan_out import FanOut
from .frames import Kind
from .settings import Opened

T = TypeVar("T")

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"Starts work that the MediaSource owns."


class RunBlocking(Protocol):
    """Runs what would block the loop on a thread."""

    async def __call__(self, work: Callable[..., T], *args: Any) -> T: ...


class Feed(Protocol):
    """Feeds its outputs, one a kind that was asked for, while they are consumed."""

    outputs: dict[Kind, FanOut]

    async def open(self) -> Opened:
        """Acquires what it needs; raises CallError as getUserMedia would."""

    async def close(self) -> None:
        """Lets go of it. Must not raise; the outputs have ended."""
