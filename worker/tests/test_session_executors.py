"""Threads: what one session does with its share leaves the others theirs."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from aiortc_worker.session.executors import SIZES, DaemonPool, Executors


async def finished(*futures: asyncio.Future[object]) -> None:
    await asyncio.wait_for(asyncio.gather(*futures), 5)


async def test_sessions_that_wait_for_ever_keep_no_other_from_its_threads() -> None:
    gate = threading.Event()
    stuck = [Executors(4) for _ in range(3)]
    tasks = [asyncio.ensure_future(each.run(kind, gate.wait)) for kind in SIZES for each in stuck for _ in range(8)]
    try:
        await asyncio.sleep(0.05)
        other = Executors(4)
        for kind in SIZES:
            # Where threads wait for others it has its whole share, where they compute it has one at least.
            together = threading.Barrier(4 if kind in ("dns", "file") else 1, timeout=5)
            runs = (other.run(kind, together.wait) for _ in range(together.parties))
            await asyncio.wait_for(asyncio.gather(*runs), 5)
    finally:
        gate.set()
        await finished(*tasks)


async def test_a_session_has_no_more_threads_than_its_share() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1

    session = Executors(3)
    await asyncio.gather(*(session.run("file", work) for _ in range(12)))
    assert most == 3


async def test_threads_that_have_nothing_to_do_end_and_others_come_with_work() -> None:
    pool = DaemonPool("test", None, idle=0.05)
    for _ in range(3):
        await finished(*(asyncio.wrap_future(pool.submit(lambda: threading.Event().wait(0.02))) for _ in range(20)))
        assert pool.threads > 0
        async with asyncio.timeout(5):
            while pool.threads:  # noqa: ASYNC110 - another thread counts
                await asyncio.sleep(0.01)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-")]


async def test_a_pool_of_a_size_keeps_to_it_and_does_all_that_waits() -> None:
    pool = DaemonPool("test", 2, idle=0.05)
    done = [asyncio.wrap_future(pool.submit(lambda: threading.Event().wait(0.005))) for _ in range(40)]
    assert pool.threads == 2
    await finished(*done)


async def test_a_thread_that_waits_keeps_nothing_of_what_it_did() -> None:
    class Large:
        freed = threading.Event()

        def __del__(self) -> None:
            self.freed.set()

    pool = DaemonPool("test", 1)
    await asyncio.wrap_future(pool.submit(partial(isinstance, Large(), Large)))
    assert await asyncio.to_thread(Large.freed.wait, 5)
