"""A session: the objects that one shim made, their calls, their tasks, and the link to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, TypeVar

from msgspec import Struct

from .remote import ObjectId, Remote
from .wire import Limits

T = TypeVar("T")
R = TypeVar("R", bound=Remote)
Buffer = bytes | bytearray | memoryview


class Session:
    """What one connection of the bridge made; its end disposes of all of it.

    An object is made by `cls(session, id, params)`, `params` being of `cls.In`.
    """

    id: str
    capabilities: frozenset[str]
    limits: Limits

    def get(self, id: ObjectId, cls: type[R]) -> R:
        """The object `id`, for a parameter that names one.

        Raises CallError: NotFoundError when there is none, its own error when it is poisoned, TypeError when it is not
        a `cls`.
        """
        raise NotImplementedError

    def emit(self, remote: Remote, event: str, out: Struct | None = None) -> None:
        """Sends an event; it stays in order with the messages that the object sent before."""
        raise NotImplementedError

    def spawn(self, remote: Remote, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs work that `remote` owns: cancelled when it closes; what it raises becomes its `error` event."""
        raise NotImplementedError

    def send_message(self, remote: Remote, payload: bytes, text: bool) -> None:
        """Queues a whole channel message for the shim; it is fragmented and scheduled here."""
        raise NotImplementedError

    def outstanding(self, remote: Remote) -> int:
        """Bytes of the object's messages that the link has not taken yet."""
        raise NotImplementedError

    def on_drain(self, remote: Remote, callback: Callable[[], None]) -> None:
        """Calls back whenever `outstanding` falls to 64 KiB or less, until the object is closed."""
        raise NotImplementedError

    def send_media(
        self, remote: Remote, header: bytes, planes: Sequence[Buffer], kind: Literal["audio", "video"]
    ) -> None:
        """Queues a frame of media; the caller keeps to the shim's credit. `header` is JSON."""
        raise NotImplementedError

    def credit(self, remote: Remote, amount: int) -> None:
        """Lets the shim send `amount` more bytes of messages, or frames of media, to the object."""
        raise NotImplementedError

    async def run_blocking(self, kind: Literal["dns", "file", "codec"], work: Callable[..., T], *args: Any) -> T:
        """Runs what would block the loop on a thread of the executor `kind`, at most `limits.blocking` at once."""
        raise NotImplementedError
