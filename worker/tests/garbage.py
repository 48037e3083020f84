"""What only the cyclic collector would free: found by turning it off, and told by what holds it together."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from types import CoroutineType, FrameType, FunctionType, MethodType
from typing import Any

LETTING_GO = 0.3
"Seconds in which sockets close and the last callbacks run."


async def cycles_left_by(work: Callable[[], Awaitable[None]]) -> list[str]:
    """The cycles that a second run of `work` leaves, each as a line that counts the types in it."""
    await work()  # What is made once for all is made now.
    await asyncio.sleep(LETTING_GO)
    gc.collect()
    gc.disable()
    try:
        await work()
        await asyncio.sleep(LETTING_GO)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        return [_describe(cycle) for cycle in _cycles(list(gc.garbage))]
    finally:
        gc.garbage.clear()
        gc.enable()


def _cycles(objects: list[Any]) -> Iterator[list[Any]]:
    """The strongly connected components of more than one object (Tarjan, without recursion)."""
    known = {id(each) for each in objects}
    numbers: dict[int, int] = {}
    lowest: dict[int, int] = {}
    path: list[Any] = []
    on_path: set[int] = set()

    def enter(each: Any) -> tuple[Any, Iterator[Any]]:
        numbers[id(each)] = lowest[id(each)] = len(numbers)
        path.append(each)
        on_path.add(id(each))
        return each, iter([next for next in gc.get_referents(each) if id(next) in known])

    for root in objects:
        if id(root) in numbers:
            continue
        calls = [enter(root)]
        while calls:
            each, rest = calls[-1]
            for next in rest:
                if id(next) not in numbers:
                    calls.append(enter(next))
                    break
                if id(next) in on_path:
                    lowest[id(each)] = min(lowest[id(each)], numbers[id(next)])
            else:
                calls.pop()
                if calls:
                    above = id(calls[-1][0])
                    lowest[above] = min(lowest[above], lowest[id(each)])
                if lowest[id(each)] == numbers[id(each)]:
                    cycle = []
                    while not cycle or cycle[-1] is not each:
                        cycle.append(path.pop())
                        on_path.discard(id(cycle[-1]))
                    if len(cycle) > 1:
                        yield cycle


def _describe(cycle: list[Any]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(map(_name, cycle)).items()))


def _name(each: Any) -> str:
    match each:
        case FunctionType() | MethodType() | CoroutineType():
            return f"{type(each).__name__} {each.__qualname__}"
        case FrameType():
            return f"frame {each.f_code.co_qualname}:{each.f_lineno}"
        case dict():
            return f"dict({', '.join(map(str, list(each)[:3]))})"
        case _:
            return type(each).__qualname__
