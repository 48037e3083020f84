"""Runs of datagrams over real sockets, and what a kernel may say of them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiortc_worker.transports import udp_socket
from aiortc_worker.transports.udp_socket import LONGEST, SEGMENTS, UNSENT, UdpSocket

BUFFER = 4 * 1024 * 1024


class Heard(asyncio.DatagramProtocol):
    """Keeps what a transport tells."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self.errors: list[Exception] = []
        self.lost = 0
        self._heard = asyncio.Event()
        self.on_datagram: Callable[[], None] = lambda: None

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.datagrams.append(data)
        self._heard.set()
        self.on_datagram()

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(2):
            while len(self.datagrams) < count:
                self._heard.clear()
                await self._heard.wait()


class Moody(socket.socket):
    """A socket whose system calls fail as a test says: errors of runs, and of single datagrams, by their numbers."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_DGRAM)
        self.of_runs: list[int] = []
        self.of_datagrams: list[int] = []
        self.runs: list[int] = []
        "Bytes of the runs that the kernel was given."
        self.singles = 0
        self.reads = 0

    def recvmsg(self, *args: Any) -> Any:  # type: ignore[override]
        self.reads += 1
        return super().recvmsg(*args)

    def sendmsg(self, buffers: Any, *args: Any) -> int:  # type: ignore[override]
        self.runs.append(sum(map(len, buffers)))
        _fail(self.of_runs)
        return super().sendmsg(buffers, *args)

    def sendto(self, data: Any, *args: Any) -> int:  # type: ignore[override]
        self.singles += 1
        _fail(self.of_datagrams)
        return super().sendto(data, *args)


def _fail(errors: list[int]) -> None:
    if errors and (number := errors.pop(0)):
        raise OSError(number, "as the test says")


class Ends:
    """A transport with a socket that may be moody, and who hears it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket, there = Moody(family), Moody(family)
        for each in (self.socket, there):
            each.setblocking(False)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            each.bind((host, 0))
        self.sender, self.heard = Heard(), Heard()
        self.here, self.there = UdpSocket(self.socket, self.sender), UdpSocket(there, self.heard)
        self.address = there.getsockname()
        self.reading = there

    def send(self, datagrams: list[bytes]) -> int:
        """Sends datagrams, which are a run."""
        return self.here.send_run(b"".join(datagrams), len(datagrams[0]), self.address)

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self.here.close()
        self.there.close()


def numbered(count: int, size: int = 1200, last: int | None = None) -> list[bytes]:
    sizes = [size] * (count - 1) + [size if last is None else last]
    return [index.to_bytes(4, "big") + bytes(each - 4) for index, each in enumerate(sizes)]


needs_gso = pytest.mark.skipif(not udp_socket.cuts_runs(), reason="this kernel cuts no runs of UDP datagrams")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asked:
            asked.bind(("::1", 0))
    except OSError:
        return False
    return True


HOSTS = ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not _has_ipv6(), reason="no IPv6 loopback here"))]


@st.composite
def batches(draw: st.DrawFn) -> list[list[bytes]]:
    """Runs of datagrams whose bytes tell them apart."""
    shapes = draw(st.lists(st.tuples(st.integers(1, 80), st.integers(4, 1500), st.integers(4, 1500)), max_size=6))
    return [numbered(count, size, min(last, size)) for count, size, last in shapes]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("takes_runs", [True, False])
@settings(max_examples=40, deadline=None)
@given(sent=batches())
def test_any_runs_arrive_whole_and_in_order(host: str, takes_runs: bool, sent: list[list[bytes]]) -> None:
    async def check() -> None:
        with Ends(host) as ends:
            if not takes_runs:
                ends.there.get_extra_info("socket").setsockopt(17, udp_socket._UDP_GRO, 0)
            for run in sent:
                assert ends.send(run) == sum(map(len, run))
                # So that no buffer overflows, whatever its size.
                await ends.heard.until(len(ends.heard.datagrams) + len(run))
            assert ends.heard.datagrams == [datagram for run in sent for datagram in run]
            assert ends.sender.errors == ends.heard.errors == []

    asyncio.run(check())


@needs_gso
async def test_a_run_is_one_system_call_of_as_much_as_the_kernel_takes() -> None:
    with Ends() as ends:
        ends.send(numbered(40, 1000, 700))
        assert (ends.socket.runs, ends.socket.singles) == ([39 * 1000 + 700], 0)
        ends.socket.runs.clear()
        ends.send(numbered(2 * SEGMENTS + 1, 100))
        assert (ends.socket.runs, ends.socket.singles) == ([6400, 6400], 1)
        ends.socket.runs.clear()
        await ends.heard.until(40 + 2 * SEGMENTS + 1)
        ends.send(numbered(60, 1500))
        assert ends.socket.runs == [43 * 1500, 17 * 1500]
        assert max(ends.socket.runs) <= LONGEST
        await ends.heard.until(40 + 2 * SEGMENTS + 1 + 60)


@needs_gso
@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL])
async def test_a_kernel_that_refuses_runs_is_asked_once_and_no_datagram_is_lost(number: int) -> None:
    with Ends() as ends:
        ends.socket.of_runs = [0, number]
        sent = [numbered(10), numbered(9), numbered(8)]
        for run in sent:
            assert ends.send(run) == sum(map(len, run))
        assert len(ends.socket.runs) == 2
        assert ends.socket.singles == 9 + 8
        await ends.heard.until(27)
        assert ends.heard.datagrams == [each for run in sent for each in run]
        assert ends.sender.errors == []


@needs_gso
async def test_a_run_that_is_too_long_for_the_path_goes_one_by_one_and_the_next_is_tried_again() -> None:
    with Ends() as ends:
        ends.socket.of_runs = [errno.EMSGSIZE]
        assert ends.send(numbered(5)) == ends.send(numbered(5)) == 6000
        assert (len(ends.socket.runs), ends.socket.singles) == (2, 5)
        await ends.heard.until(10)
        assert ends.sender.errors == []


async def test_a_kernel_without_gso_is_given_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old(socket.socket):
        def setsockopt(self, *_: Any) -> None:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    udp_socket.cuts_runs.cache_clear()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(socket, "socket", Old)
            assert udp_socket.cuts_runs() is False
        with Ends() as ends:
            ends.send(numbered(7))
            assert (ends.socket.runs, ends.socket.singles) == ([], 7)
            await ends.heard.until(7)
    finally:
        udp_socket.cuts_runs.cache_clear()


@pytest.fixture(params=["runs", "one by one"])
def full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Ends, int], None]:
    """Lets the kernel's buffer be full for so many calls, with runs and without."""
    runs = request.param == "runs"
    if runs and not udp_socket.cuts_runs():
        pytest.skip("this kernel cuts no runs of UDP datagrams")
    monkeypatch.setattr(udp_socket, "cuts_runs", lambda: runs)

    def fill(ends: Ends, calls: int) -> None:
        (ends.socket.of_runs if runs else ends.socket.of_datagrams).extend([errno.EAGAIN] * calls)

    return fill


async def test_what_the_kernel_has_no_room_for_leaves_later_and_in_order(full: Callable[[Ends, int], None]) -> None:
    with Ends() as ends:
        full(ends, 3)
        sent = [numbered(10), numbered(3, 900), numbered(1), numbered(80, 500)]
        for run in sent:
            assert ends.send(run) == sum(map(len, run))
        assert ends.heard.datagrams == []
        await ends.heard.until(94)
        assert ends.heard.datagrams == [each for run in sent for each in run]
        assert not asyncio.get_running_loop().remove_writer(ends.socket), "a writer that stays would spin"


async def test_what_waits_for_the_kernel_is_bounded_and_the_rest_is_not_said_to_have_left() -> None:
    with Ends() as ends:
        ends.socket.of_datagrams = [errno.EAGAIN] * 2
        ends.socket.of_runs = [errno.EAGAIN] * 2
        taken = sum(ends.send(numbered(43, 1500)) for _ in range(100))
        assert UNSENT - 1500 < taken <= UNSENT
        assert taken % 1500 == 0


async def test_an_error_of_one_datagram_is_the_protocols_and_the_others_go() -> None:
    with Ends() as ends:
        # As a packet filter says, or a network that is gone.
        ends.socket.of_runs = [errno.EPERM]
        ends.socket.of_datagrams = [0, errno.EPERM, errno.ENOBUFS] if udp_socket.cuts_runs() else [0, errno.EPERM, 105]
        assert ends.send(numbered(5)) == 3 * 1200
        await ends.heard.until(3)
        assert [data[3] for data in ends.heard.datagrams] == [0, 3, 4]
        assert [error.errno for error in ends.sender.errors if isinstance(error, OSError)] == [errno.EPERM]
        assert ends.heard.errors == []


async def test_a_closed_transport_takes_nothing_and_says_once_that_it_is_lost() -> None:
    with Ends() as ends:
        ends.socket.of_runs = ends.socket.of_datagrams = [errno.EAGAIN] * 4
        ends.send(numbered(4))
        ends.here.close()
        ends.here.abort()
        assert ends.here.is_closing()
        assert ends.send(numbered(4)) == 0
        ends.here.sendto(b"x", ends.address)
        await asyncio.sleep(0.05)
        assert (ends.sender.lost, ends.heard.lost) == (1, 0)
        assert ends.socket.fileno() == -1
        assert ends.heard.datagrams == []
        assert ends.sender.errors == []


async def test_a_protocol_that_closes_within_a_run_ends_the_reading() -> None:
    with Ends() as ends:
        ends.heard.on_datagram = ends.there.close
        ends.send(numbered(3))
        ends.send(numbered(3))
        await asyncio.sleep(0.05)
        assert ends.heard.lost == 1
        assert len(ends.heard.datagrams) == 1


async def test_what_has_come_is_read_in_one_turn_and_no_more_than_others_can_wait_for() -> None:
    with Ends() as ends:
        turns: list[int] = []

        def turn() -> None:
            turns.append(len(ends.heard.datagrams))
            if turns[-1] < 40:
                asyncio.get_running_loop().call_soon(turn)

        for index in range(40):
            ends.send([bytes([index])])
        turn()
        await ends.heard.until(40)
        await asyncio.sleep(0)
        assert [count for count in turns if count] == [32, 40]
        assert ends.reading.reads == 40 + 1


async def test_empty_datagrams_are_heard_and_many_in_a_turn_are_read() -> None:
    with Ends() as ends:
        for index in range(200):
            ends.socket.sendto(b"" if index % 2 else b"x", ends.address)
        await ends.heard.until(200)
        assert ends.heard.datagrams == [b"x", b""] * 100
