"""Budgets of a session: what they count, whom they refuse, what they say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiortc_worker.session.quotas import Amount, Quotas, Rate
from aiortc_worker.session.remote import CallError
from aiortc_worker.session.wire import Limits


def amount(limit: int, told: list[str] | None = None) -> Amount:
    return Amount("heldBytes", limit, "hold {limit} bytes", (told if told is not None else []).append, "TypeError")


def rate(limit: int, told: list[str], now: list[float]) -> Rate:
    return Rate("decodedPixels", limit, "decode {limit} pixels a second", told.append, lambda: now[0])


def test_a_share_goes_back_when_it_is_released_or_lost() -> None:
    of = amount(10)
    kept = of.hold(6)
    of.try_hold(4)
    assert of.held == 6
    assert kept.grow(4)
    assert of.held == 10
    kept.release()
    kept.release()
    assert of.held == 0


def test_what_is_beyond_is_refused_with_the_name_the_number_and_the_option_and_told_once() -> None:
    told: list[str] = []
    of = amount(10, told)
    kept = of.hold(6)
    assert not kept.grow(5)
    assert of.try_hold(5) is None
    with pytest.raises(CallError) as error:
        of.hold(5)
    assert error.value.name == "TypeError"
    assert error.value.message == (
        "A session may hold 10 bytes; to raise it: --limit heldBytes=NUMBER of the bridge, "
        "or AIORTC_SHIM_LIMITS=heldBytes=NUMBER for an embedded one"
    )
    with pytest.raises(CallError) as other:
        of.hold(5, "NotReadableError")
    assert other.value.name == "NotReadableError"
    assert told == [error.value.message]
    assert (of.held, of.refused) == (6, 4)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=60))
def test_never_more_is_held_than_the_limit_and_nothing_once_all_went_back(steps: list[tuple[int, bool]]) -> None:
    of = amount(100)
    kept: list[Any] = []
    for size, gives_back in steps:
        if gives_back and kept:
            kept.pop(size % len(kept))
        else:
            kept.append(of.try_hold(size))
        assert 0 <= of.held <= 100
    kept.clear()
    assert of.held == 0


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 5)), max_size=60), st.integers(1, 1000))
def test_a_rate_is_overdrawn_by_one_piece_of_work_at_most(steps: list[tuple[int, float]], limit: int) -> None:
    now, spent, last = [0.0], 0, 0
    of = rate(limit, [], now)
    for size, pause in steps:
        now[0] += pause
        if of.allows():
            of.spend(size)
            spent, last = spent + size, size
        # A second's worth is there from the start.
        assert spent - last <= limit * (now[0] + 1) + 1e-6


async def test_who_overdrew_a_rate_waits_and_others_have_their_turn_in_order() -> None:
    told: list[str] = []
    of = Rate("encodedPixels", 1000, "encode {limit} pixels a second", told.append)
    order: list[int] = []

    async def work(number: int) -> None:
        for _ in range(3):
            await of.turn()
            order.append(number)
            of.spend(60)

    of.spend(1060)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(work(number) for number in range(4)))
    # Twelve times 60 are paid before the last begins.
    assert asyncio.get_running_loop().time() - begun > 0.7
    assert order == [0, 1, 2, 3] * 3
    assert len(told) == 1
    assert "encode 1000 pixels a second" in told[0]
    assert of.usage.used == 1780


async def test_who_comes_when_a_rate_is_paid_lets_those_before_go_first() -> None:
    now = [0.0]
    of = rate(100, [], now)
    order: list[str] = []

    async def work(name: str) -> None:
        await of.turn()
        order.append(name)

    of.spend(110)
    early = asyncio.ensure_future(work("early"))
    await asyncio.sleep(0)
    now[0] = 1.0
    await asyncio.gather(work("late"), early)
    assert order == ["early", "late"]


async def test_every_budget_has_the_name_and_the_default_of_the_bridges_limit() -> None:
    source = (Path(__file__).parents[2] / "bridge" / "limits.ts").read_text()
    table = re.search(r"DEFAULT_LIMITS: Limits = \{(.*?)\n\}", source, re.DOTALL)
    assert table
    # An expression as 64 * 1024 * 1024, or the name of a constant.
    rows = dict(re.findall(r"(\w+): ([\d_ *]+),", table[1]))
    theirs = {name: eval(value) for name, value in rows.items()}
    own = msgspec.to_builtins(Limits())
    del own["frame"], theirs["sessions"], theirs["framesPerSecond"]
    assert own == theirs
    quotas = Quotas(Limits(), lambda _: None)
    for quota in vars(quotas).values():
        assert quota.limit == theirs[quota.name]
        assert str(quota.limit) in quota.message
