"""Control chunks as a hostile peer sends them: refused by one error, and nothing of them is read twice."""

from __future__ import annotations

import asyncio
import signal
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiortc.rtcsctptransport import CHUNK_TYPES, RECONFIG_PARAM_TYPES
from hypothesis import given, settings
from hypothesis import strategies as st
from sctp_wire import joined, part

from aiortc_worker.sctp.packet import CHUNK, chunks_of, seal
from aiortc_worker.sctp.strict import HEADERS, check_chunk

INIT, HEARTBEAT, ABORT, SHUTDOWN, ERROR, RECONFIG, FORWARD_TSN = 1, 4, 6, 7, 9, 130, 192


def chunk(kind: int, body: bytes) -> bytes:
    return CHUNK.pack(kind, 0, CHUNK.size + len(body)) + body + bytes(-len(body) % 4)


def parameter(kind: int, value: bytes, length: int | None = None) -> bytes:
    said = 4 + len(value) if length is None else length
    return struct.pack("!HH", kind, said) + value + bytes(-len(value) % 4)


@pytest.fixture
def deadline() -> Iterator[None]:
    """Interrupts what does not end by itself: aiortc's loop gives no other test a chance."""

    def stop(*_: Any) -> None:
        raise TimeoutError("reading a packet does not end")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", [HEARTBEAT, 5, ABORT, ERROR, RECONFIG])
async def test_a_parameter_of_length_0_is_dropped_and_the_association_goes_on(kind: int, deadline: None) -> None:
    a, b = await joined()
    tag = b.association._local_verification_tag
    b.wire.arrive(seal(5000, 5000, tag, [chunk(kind, parameter(1, b"", length=0) + bytes(8))]))
    a.send(b"after")
    assert await b.has(1) == [b"after"]
    assert b.association.malformed == 1
    part(a, b)


def refusal(data: bytes) -> str | None:
    packet = seal(5000, 5000, 1, [data])
    try:
        for view in chunks_of(packet):
            check_chunk(packet, view)
    except ValueError as error:
        return str(error)
    return None


REFUSED = {
    "a parameter shorter than its header": chunk(HEARTBEAT, parameter(1, b"", length=3)),
    "a parameter longer than its chunk": chunk(HEARTBEAT, parameter(1, b"abcd", length=9)),
    "bytes after the last parameter": chunk(ERROR, parameter(1, b"abcd") + b"xx"),
    "two parameters in a HEARTBEAT": chunk(HEARTBEAT, parameter(1, b"a") + parameter(1, b"b")),
    "three parameters in a RE-CONFIG": chunk(RECONFIG, parameter(16, bytes(8)) * 3),
    "a reset request that is cut short": chunk(RECONFIG, parameter(13, bytes(11))),
    "half a stream number in a reset request": chunk(RECONFIG, parameter(13, bytes(13))),
    "a response that is cut short": chunk(RECONFIG, parameter(16, bytes(7))),
    "an INIT without its fixed fields": chunk(INIT, bytes(15)),
    "an INIT with a parameter of length 0": chunk(INIT, bytes(16) + parameter(0xC000, b"", length=0)),
    "a FORWARD TSN without a TSN": chunk(FORWARD_TSN, b""),
    "a FORWARD TSN with half a stream": chunk(FORWARD_TSN, bytes(6)),
    "a SHUTDOWN without a TSN": chunk(SHUTDOWN, b""),
}
TAKEN = {
    "a HEARTBEAT": chunk(HEARTBEAT, parameter(1, b"now")),
    "an ABORT without a cause": chunk(ABORT, b""),
    "an ABORT with its reason": chunk(ABORT, parameter(12, b"bye")),
    "an INIT with extensions": chunk(INIT, bytes(16) + parameter(0xC000, b"") + parameter(0x8008, b"\x82\xc0")),
    "a request and a response": chunk(RECONFIG, parameter(13, bytes(14)) + parameter(16, bytes(8))),
    "a FORWARD TSN with two streams": chunk(FORWARD_TSN, bytes(12)),
    "a chunk of a type that nobody knows": chunk(250, b"x"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_peer_sends_is_refused(name: str) -> None:
    assert refusal(REFUSED[name]) is not None


@pytest.mark.parametrize("name", TAKEN)
def test_what_peers_send_is_taken(name: str) -> None:
    assert refusal(TAKEN[name]) is None


bodies = st.one_of(
    st.binary(max_size=80),
    st.tuples(
        st.binary(min_size=16, max_size=16) | st.just(b""),
        st.lists(
            st.builds(parameter, st.sampled_from([1, 7, 12, 13, 16, 17, 0x8008, 0xC000]), st.binary(max_size=20)),
            max_size=4,
        ).map(b"".join),
    ).map(b"".join),
    st.builds(parameter, st.integers(0, 20), st.binary(max_size=20), st.none() | st.integers(0, 40)),
)
kinds = st.sampled_from([*HEADERS, SHUTDOWN, 8, 10, 11, 14, FORWARD_TSN])


@given(kinds, bodies)
def test_what_passes_is_read_by_aiortc_without_an_error_and_as_it_was_written(kind: int, body: bytes) -> None:
    if refusal(chunk(kind, body)) is not None:
        return
    read: Any = CHUNK_TYPES[kind](flags=0, body=body)
    for number, value in getattr(read, "params", []):
        if kind == RECONFIG and number in RECONFIG_PARAM_TYPES:
            RECONFIG_PARAM_TYPES[number].parse(value)
    if kind in HEADERS and body:
        assert len(read.body) <= len(body)
        assert body.startswith(read.body)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(kinds, bodies), max_size=4), st.binary(max_size=12))
def test_no_packet_of_a_peer_ends_the_association_but_by_its_own_chunks(
    chunks: list[tuple[int, bytes]], rest: bytes
) -> None:
    async def run() -> None:
        a, b = await joined()
        tag = b.association._local_verification_tag
        ends = {ABORT, SHUTDOWN, 8, 14, INIT, 2}
        b.wire.arrive(seal(5000, 5000, tag, [chunk(kind, body) for kind, body in chunks if kind not in ends] + [rest]))
        await asyncio.sleep(0)
        assert b.association.is_established
        part(a, b)

    asyncio.run(run())
