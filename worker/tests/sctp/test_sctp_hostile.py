"""A peer that follows the handshake and then sends anything: it may end its association, and do nothing else."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sctp_network import End, joined
from test_sctp_packet import chunk, chunks

from aiortc_worker.sctp import chunks as c
from aiortc_worker.sctp.handshake import EVERYTHING, FORWARD_TSN, RECONFIG
from aiortc_worker.sctp.inbound import WINDOW
from aiortc_worker.sctp.packet import encode_packet
from aiortc_worker.sctp.parameters import OutgoingReset, ReconfigResponse

near = st.integers(-3, 40)
"TSNs are counted from the one that is expected, and of what was sent."
stream, sequence = st.integers(0, 3), st.integers(0, 5)
payload = st.binary(min_size=1, max_size=30) | st.integers(1, 1100).map(bytes)
plausible = st.one_of(
    st.tuples(st.just("data"), st.integers(0, 15), near, stream, sequence, payload, st.integers(0, 4)),
    st.tuples(st.just("sack"), near, st.sampled_from([0, 100, 10**6]), st.lists(st.tuples(near, near), max_size=4)),
    st.tuples(st.just("forward"), near, st.lists(st.tuples(stream, sequence, st.booleans()), max_size=3)),
    st.tuples(st.just("reset"), st.integers(-1, 2), near, st.lists(stream, max_size=3)),
    st.tuples(st.just("answer"), st.integers(0, 7)),
    st.tuples(st.just("other"), chunks),
    st.tuples(st.just("raw"), st.integers(0, 255), st.binary(max_size=40)),
)


def made(end: End, what: tuple[Any, ...]) -> bytes:
    transfer = end.association.transfer
    interleaved = transfer.outbound.interleaved
    expected = transfer.inbound.cumulative + 1
    low = 2**32
    match what:
        case "data", flags, tsn, of, number, data, fragment:
            chunk_ = c.Data(flags, (expected + tsn) % low, of, number, 53, data, fragment, interleaved)
            return chunk_.encode()
        case "sack", tsn, window, gaps:
            edges = [(first % 2**16, last % 2**16) for first, last in gaps]
            return c.Sack((transfer.outbound.cumulative + tsn) % low, window, edges).encode()
        case "forward", tsn, skipped:
            given = [(of, number, interleaved and unordered) for of, number, unordered in skipped]
            return c.ForwardTsn((expected + tsn) % low, given, interleaved).encode()
        case "reset", request, tsn, streams:
            number = (transfer.resets._expected + request) % low
            return c.Reconfig([OutgoingReset(number, 0, (expected + tsn) % low, streams)]).encode()
        case "answer", result:
            number = (transfer.resets._next_request - 1) % low
            return c.Reconfig([ReconfigResponse(number, result)]).encode()
        case "other", any_chunk:
            return bytes(any_chunk.encode())
        case _, kind, body:
            return chunk(kind, body)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([FORWARD_TSN | RECONFIG, EVERYTHING]),
    st.lists(st.lists(plausible, min_size=1, max_size=5), max_size=40),
    st.booleans(),
)
def test_a_peer_that_sends_anything_after_the_handshake_harms_nobody(
    known: int, packets: list[list[tuple[Any, ...]]], sends: bool
) -> None:
    network, a, b = joined(known=known)
    b.link.dead = a.link.dead = True
    for each in range(4):
        a.association.use(each)
    for index in range(20 if sends else 0):
        a.send(bytes(1 + 700 * (index % 4)), index % 4, limit=index % 3 - 1, ordered=index % 2 == 0)
    a.flush()
    a.association.reset(1)
    a.flush()
    begun = time.process_time()
    for packet in packets:
        a.arrive(encode_packet(5000, 5000, a.association.local_tag, [made(a, what) for what in packet]))
        network.run(0.01)
        transfer = a.association.transfer
        assert transfer.inbound.reassembly.held >= 0
        assert transfer.recovery.flight == sum(
            each.size for each in transfer.outbound.outstanding.values() if each.in_flight
        )
        assert transfer.inbound.window <= WINDOW
    network.run(200)
    assert a.association.is_over or not a.association.transfer.outbound.outstanding
    assert time.process_time() - begun < 10
