"""Messages over a network that loses, delays, doubles and reorders, in virtual time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sctp_network import joined

from aiortc_worker.sctp.handshake import FORWARD_TSN, INTERLEAVING, PADDING, RECONFIG, ZERO_CHECKSUM
from aiortc_worker.sctp.inbound import WINDOW

PLAIN = FORWARD_TSN | RECONFIG
KINDS = {"DATA": PLAIN, "I-DATA": PLAIN | INTERLEAVING, "everything": PLAIN | INTERLEAVING | PADDING | ZERO_CHECKSUM}
BUDGET = 3 * WINDOW + 200_000
"Bytes that an end may hold."


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def numbered(size: int, index: int) -> bytes:
    """Another content for each index, whatever the size."""
    return index.to_bytes(4, "big") + content(size, index)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 1157, 1161, 40_000, 3_000_000])
def test_a_message_arrives_as_it_was_sent(kind: str, size: int) -> None:
    network, a, b = joined(known=KINDS[kind])
    a.send(content(size), 7)
    b.send(content(size, 1), 9)
    network.run(10, lambda: bool(a.messages and b.messages))
    assert b.messages == [(7, content(size))]
    assert a.messages == [(9, content(size, 1))]


weathers = st.fixed_dictionaries(
    {
        "delay": st.sampled_from([0.0, 0.001, 0.02, 0.1]),
        "jitter": st.sampled_from([0.0, 0.0, 0.005, 0.05]),
        "loss": st.sampled_from([0.0, 0.01, 0.1, 0.3]),
        "doubled": st.sampled_from([0.0, 0.1]),
        "rate": st.sampled_from([float("inf"), 1e6]),
        "queue": st.just(60_000.0),
    }
)
sendings = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([1, 50, 1157, 1158, 5000, 40_000, 300_000]), st.booleans()),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 1000), weathers, sendings)
def test_every_reliable_message_arrives_once_and_in_order_in_bounded_time_and_memory(
    kind: str, seed: int, weather: dict[str, float], sending: list[tuple[int, int, bool]]
) -> None:
    network, a, b = joined(seed, KINDS[kind], **weather)
    sent = [(stream, numbered(size, index), ordered) for index, (stream, size, ordered) in enumerate(sending)]
    for stream, data, ordered in sent:
        a.send(data, stream, ordered=ordered)
        b.send(data, stream, ordered=ordered)
    network.run(600, lambda: len(a.messages) == len(b.messages) == len(sent))
    for end in (a, b):
        assert sorted(end.messages) == sorted((stream, data) for stream, data, _ in sent)
        for stream in range(4):
            kept = [data for of, data, ordered in sent if of == stream and ordered]
            assert [data for of, data in end.messages if of == stream and data in kept] == kept
        assert end.most_held <= BUDGET
    network.run(60)
    for end in (a, b):
        assert end.association.transfer.inbound.reassembly.held == 0
        assert end.association.transfer.recovery.flight == 0
        assert not end.association.transfer.outbound.outstanding


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 1000), weathers, sendings, st.sampled_from([0, 1, 3, None]))
def test_unreliable_messages_arrive_at_most_once_and_whole_and_reliable_ones_all_the_same(
    kind: str, seed: int, weather: dict[str, float], sending: list[tuple[int, int, bool]], limit: int | None
) -> None:
    network, a, b = joined(seed, KINDS[kind], **weather)
    sent = []
    for index, (stream, size, ordered) in enumerate(sending):
        data = index.to_bytes(4, "big") + numbered(size, index)
        sent.append((stream, data, ordered))
        expiry = network.now + 0.2 if limit is None else float("inf")
        a.send(data, stream, ordered=ordered, limit=-1 if limit is None else limit, expiry=expiry)
    reliable = [(8, bytes([index]) * 700) for index in range(10)]
    for stream, data in reliable:
        a.send(data, stream)
    network.run(600, lambda: len([1 for of, _ in b.messages if of == 8]) == 10)
    network.run(60)
    assert [each for each in b.messages if each[0] == 8] == reliable
    unreliable = [each for each in b.messages if each[0] != 8]
    assert len(set(unreliable)) == len(unreliable)
    assert set(unreliable) <= {(stream, data) for stream, data, _ in sent}
    for stream in range(4):
        kept = [data for of, data, ordered in sent if of == stream and ordered]
        got = [data for of, data in unreliable if of == stream and data in kept]
        assert got == [data for data in kept if data in got]
    if not weather["loss"] and weather["rate"] > 1e6 and limit is not None:
        assert len(unreliable) == len(sent) or weather["jitter"]
    assert not a.association.transfer.outbound.outstanding
    assert b.association.transfer.inbound.reassembly.held == 0
    assert b.parts == {}
