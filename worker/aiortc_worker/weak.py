"""How what is owned calls its owner: without keeping it, so that reference counting alone frees both."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakMethod

P = ParamSpec("P")
R = TypeVar("R")


def weakly(method: Callable[P, R]) -> Callable[P, R]:
    """A bound method that does not keep its object alive; calling it raises ReferenceError when that is gone."""
    reference = WeakMethod(method)

    def call(*args: P.args, **named: P.kwargs) -> R:
        live = reference()
        if live is None:
            raise ReferenceError("the owner is gone")
        return live(*args, **named)

    return call
