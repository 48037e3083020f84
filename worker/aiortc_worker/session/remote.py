"""What every object of a session is made of: typed calls, typed events, one owner for its tasks."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_type_hints

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from .session import Session

ObjectId = int
"An object of the session; the shim mints it."


def names(*types: str) -> Meta:
    """Marks a field of parameters that names an object of one of these types: `Annotated[ObjectId, names("Track")]`.

    The wire has its id; in the shim's types it is a handle, which knows its session.
    """
    return Meta(extra={"names": types})


F = TypeVar("F", bound=Callable[..., Awaitable[Struct | None]])


class Empty(Struct, frozen=True):
    """No fields."""


class ErrorInfo(Struct, frozen=True, omit_defaults=True):
    """A failure as the shim rethrows it."""

    name: str
    "A DOMException name, or TypeError or RangeError."
    message: str


class CallError(Exception):
    """Refuses a call, or a creation, with the error that the shim is to throw."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def lacks(capability: str) -> str:
    """What is said where a session's token lacks a capability, to whoever runs the bridge or asks who does."""
    return f"The token does not allow {capability}: start the bridge with --allow {capability}"


@dataclass(frozen=True)
class Call:
    """A row of a class's table of calls."""

    name: str
    method: Callable[..., Awaitable[Struct | None]]
    takes: type[Struct]
    has_params: bool
    "Whether the method has a parameter for them."
    gives: type[Struct]


def call(method: F) -> F:
    """Puts a method into its class's table; `async def addRemoteCandidate(self, params: AddRemoteCandidate) -> None`.

    The method's name is the call's name on the wire, its annotations are the schema.
    """
    return call_as(method.__name__)(method)


def call_as(name: str) -> Callable[[F], F]:
    """`call`, for a name that the class has another use for."""

    def mark(method: F) -> F:
        method.__call_name__ = name  # type: ignore[attr-defined]
        return method

    return mark


class Remote:
    """An object that a shim made in its session.

    A subclass declares `In`, `events` and its `@call` methods. Construction is synchronous and quick; what it raises
    poisons the id. Calls on one object run one after another, so a call must not wait for the network: it spawns.
    """

    In: ClassVar[type[Struct]] = Empty
    events: ClassVar[dict[str, type[Struct]]] = {}
    calls: ClassVar[dict[str, Call]] = {}
    close_order: ClassVar[int] = 0
    "Objects close in this order when a session ends: RTP 10, SCTP 20, channels 30, DTLS 40, ICE 50, tracks 60."
    "SCTP is before its channels: its abort tells the peer of all of them. Each scope of the shim keeps the same order."

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = [method for method in vars(cls).values() if hasattr(method, "__call_name__")]
        cls.calls = {**cls.calls, **{method.__call_name__: _row(method.__call_name__, method) for method in own}}
        cls.events = {"error": ErrorInfo, **cls.events}

    def __init__(self, session: Session, id: ObjectId) -> None:
        self.session = session
        self.id = id

    @classmethod
    def is_peers(cls, params: Any) -> bool:
        """Whether an object of these parameters stands for what a peer has opened, and is bounded there."""
        return False

    def emit(self, event: str, out: Struct | None = None) -> None:
        """Sends an event of `events`; it stays in order with the messages that this object sent before."""
        self.session.emit(self, event, out)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs work that this object owns: cancelled when it closes; what it raises becomes the object's `error`."""
        return self.session.spawn(self, work)

    def receive(self, kind: int, flags: int, payload: memoryview) -> None:
        """Takes a binary record that the shim sent to this object."""
        raise CallError("NotSupportedError", f"{type(self).__name__} takes no binary records")

    async def close(self) -> None:
        """Ends the object and all that it holds; called once, on drop or at the session's end. Must not raise."""


def _row(name: str, method: Callable[..., Awaitable[Struct | None]]) -> Call:
    hints = get_type_hints(method)
    names = list(inspect.signature(method).parameters)[1:]
    gives = hints.get("return") or Empty
    takes = hints[names[0]] if names else Empty
    return Call(name, method, takes, bool(names), Empty if gives is type(None) else gives)
