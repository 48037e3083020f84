"""One source, many consumers, and work only while there is one."""

from __future__ import annotations

from collections.abc import Callable

from .frames import Consumer, Frame, Kind


class FanOut:
    """A Source that gives every frame to all its consumers.

    `on_demand` is told when the first consumer came (True) and when the last one left (False).
    """

    def __init__(self, kind: Kind, on_demand: Callable[[bool], None] | None = None) -> None:
        self.kind: Kind = kind
        self.ended = False
        self._on_demand = on_demand
        self._consumers: list[Consumer] = []
        self._listeners: list[Callable[[], None]] = []

    @property
    def demanded(self) -> bool:
        """Whether anybody consumes."""
        return bool(self._consumers)

    def attach(self, consumer: Consumer) -> None:
        if self.ended:
            consumer.ended()
            return
        if consumer in self._consumers:
            return
        self._consumers.append(consumer)
        if len(self._consumers) == 1 and self._on_demand:
            self._on_demand(True)

    def detach(self, consumer: Consumer) -> None:
        if consumer not in self._consumers:
            return
        self._consumers.remove(consumer)
        if not self._consumers and self._on_demand:
            self._on_demand(False)

    def on_end(self, listener: Callable[[], None]) -> None:
        """Calls back when it ends, consumed or not; at once when it has."""
        if self.ended:
            listener()
            return
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Calls a listener of `on_end` no more; an unknown one is ignored."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def push(self, frame: Frame) -> None:
        """Gives a frame to whoever consumes now; a consumer may detach, itself or another, meanwhile."""
        for consumer in tuple(self._consumers):
            if consumer in self._consumers:
                consumer.frame(frame)

    def end(self) -> None:
        """Tells everybody, once; nothing can be pushed afterwards."""
        if self.ended:
            return
        self.ended = True
        consumers, self._consumers = self._consumers, []
        listeners, self._listeners = self._listeners, []
        for consumer in consumers:
            consumer.ended()
        for listener in listeners:
            listener()
        if consumers and self._on_demand:
            self._on_demand(False)
        # Who made this is often who is told.
        self._on_demand = None
