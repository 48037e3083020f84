"""Packets as bytes: read as they were written, and refused by one error."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiortc_worker.sctp import chunks as c
from aiortc_worker.sctp.cookie import Agreement, Cookie, open_cookie, seal_cookie
from aiortc_worker.sctp.intervals import Intervals
from aiortc_worker.sctp.numbers import unwrap
from aiortc_worker.sctp.packet import FIRST_CHUNK, Packet, decode_packet, encode_packet
from aiortc_worker.sctp.parameters import MalformedPacketError, OtherRequest, OutgoingReset, ReconfigResponse

u8, u16, u32 = st.integers(0, 255), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
octets = st.binary(max_size=40)
parameter = st.tuples(u16, octets)
parameters = st.lists(parameter, max_size=4)
info = st.tuples(st.just(1), octets)
reconfigurations = st.one_of(
    st.builds(OutgoingReset, u32, u32, u32, st.lists(u16, max_size=5)),
    st.builds(ReconfigResponse, u32, u32),
    st.builds(OtherRequest, st.sampled_from([14, 15, 17, 18]), u32),
)
data = st.builds(c.Data, u8, u32, u16, u16, u32, octets)
first = st.builds(c.Data, u8.map(lambda f: f | 2), u32, u16, u32, u32, octets, st.just(0), st.just(True))
later = st.builds(c.Data, u8.map(lambda f: f & ~2), u32, u16, u32, st.just(0), octets, u32, st.just(True))
known = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 130, 132, 192, 194}
chunks = st.one_of(
    data,
    first,
    later,
    st.builds(c.Init, u32, u32, u16, u16, u32, parameters),
    st.builds(c.InitAck, u32, u32, u16, u16, u32, parameters),
    st.builds(c.Sack, u32, u32, st.lists(st.tuples(u16, u16), max_size=9), st.lists(u32, max_size=5)),
    st.builds(c.Heartbeat, info),
    st.builds(c.HeartbeatAck, info),
    st.builds(c.Abort, parameters, st.booleans()),
    st.builds(c.Shutdown, u32),
    st.builds(c.Error, parameters),
    st.builds(c.CookieEcho, octets),
    st.builds(c.Simple, st.sampled_from([8, 11, 14]), u8),
    st.builds(c.ForwardTsn, u32, st.lists(st.tuples(u16, u16, st.just(False)), max_size=5)),
    st.builds(c.ForwardTsn, u32, st.lists(st.tuples(u16, u32, st.booleans()), max_size=5), st.just(True)),
    st.builds(c.Reconfig, st.lists(reconfigurations, min_size=1, max_size=2)),
    st.builds(c.Pad, st.integers(0, 50)),
    st.builds(c.Unknown, u8.filter(lambda kind: kind not in known), u8, octets),
)


@settings(max_examples=500, deadline=None)
@given(u16, u16, u32, st.lists(chunks, min_size=1, max_size=5), st.booleans())
def test_a_packet_is_read_as_it_was_written(
    source: int, destination: int, tag: int, given: list[Any], checksum: bool
) -> None:
    written = encode_packet(source, destination, tag, [each.encode() for each in given], checksum)
    assert decode_packet(written, checksum) == Packet(source, destination, tag, given)
    assert len(written) % 4 == 0


@settings(deadline=None)
@given(st.lists(chunks, min_size=1, max_size=3), st.data())
def test_a_packet_in_which_a_bit_has_changed_is_refused(given: list[Any], draw: st.DataObject) -> None:
    written = bytearray(encode_packet(5000, 5000, 1, [each.encode() for each in given]))
    at = draw.draw(st.integers(0, 8 * len(written) - 1))
    written[at // 8] ^= 1 << at % 8
    with pytest.raises(MalformedPacketError):
        decode_packet(bytes(written))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=120))
def test_no_bytes_make_reading_a_packet_fail_otherwise(rest: bytes) -> None:
    try:
        decode_packet(struct.pack("!HHLL", 5000, 5000, 1, 0) + rest, checksum=False)
    except MalformedPacketError:
        return


def refusal(*given: bytes, checksum: bool = False) -> str | None:
    try:
        decode_packet(encode_packet(1, 2, 3, given, checksum), checksum)
    except MalformedPacketError as error:
        return str(error)
    return None


def chunk(kind: int, body: bytes, length: int | None = None) -> bytes:
    said = 4 + len(body) if length is None else length
    return c.HEADER.pack(kind, 0, said) + body + bytes(-len(body) % 4)


def a_parameter(kind: int, value: bytes, length: int | None = None) -> bytes:
    said = 4 + len(value) if length is None else length
    return struct.pack("!HH", kind, said) + value + bytes(-len(value) % 4)


REFUSED = {
    "no chunk": b"",
    "bytes after the last chunk": chunk(11, b"") + b"xx",
    "a chunk shorter than its header": chunk(11, b"", length=3),
    "a chunk of length 0 that nobody knows": chunk(250, b"", length=0),
    "a chunk longer than its packet": chunk(9, b"abcd", length=12),
    "DATA without its fixed fields": chunk(0, bytes(11)),
    "I-DATA without its fixed fields": chunk(64, bytes(15)),
    "a SACK without its fixed fields": chunk(3, bytes(11)),
    "a SACK of more gaps than it has": chunk(3, bytes(8) + struct.pack("!HH", 2, 0) + bytes(4)),
    "a SACK of fewer duplicates than it has": chunk(3, bytes(12) + bytes(4)),
    "a parameter of length 0": chunk(9, a_parameter(1, b"", length=0) + bytes(8)),
    "a parameter shorter than its header": chunk(9, a_parameter(1, b"", length=3)),
    "a parameter longer than its chunk": chunk(9, a_parameter(1, b"abcd", length=9)),
    "bytes after the last parameter": chunk(9, a_parameter(1, b"abcd") + b"xx"),
    "two parameters in a HEARTBEAT": chunk(4, a_parameter(1, b"a") + a_parameter(1, b"b")),
    "a HEARTBEAT of another parameter": chunk(4, a_parameter(2, b"a")),
    "a RE-CONFIG without parameters": chunk(130, b""),
    "three parameters in a RE-CONFIG": chunk(130, a_parameter(16, bytes(8)) * 3),
    "a reset request that is cut short": chunk(130, a_parameter(13, bytes(11))),
    "half a stream number in a reset request": chunk(130, a_parameter(13, bytes(13))),
    "a response that is cut short": chunk(130, a_parameter(16, bytes(7))),
    "a request to add streams that is cut short": chunk(130, a_parameter(17, bytes(3))),
    "an INIT without its fixed fields": chunk(1, bytes(15)),
    "an INIT with a parameter of length 0": chunk(1, bytes(16) + a_parameter(0xC000, b"", length=0)),
    "a FORWARD TSN without a TSN": chunk(192, b""),
    "a FORWARD TSN with half a stream": chunk(192, bytes(6)),
    "an I-FORWARD-TSN with half a stream": chunk(194, bytes(8)),
    "a SHUTDOWN without a TSN": chunk(7, b""),
    "a COOKIE ACK with something in it": chunk(11, bytes(4)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_peer_sends_is_refused(name: str) -> None:
    assert refusal(REFUSED[name]) is not None


def test_a_checksum_may_be_left_out_only_where_that_was_agreed_on_and_never_be_wrong() -> None:
    whole = c.Simple(11).encode()
    assert refusal(whole, checksum=True) is None
    bare = encode_packet(1, 2, 3, [whole], checksum=False)
    assert decode_packet(bare, checksum=False).tag == 3
    with pytest.raises(MalformedPacketError):
        decode_packet(bare)
    with pytest.raises(MalformedPacketError):
        decode_packet(bare[:8] + b"\1\0\0\0" + bare[FIRST_CHUNK:], checksum=False)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.lists(u32, min_size=5, max_size=5), u16, u16, u8, u32, u32)
def test_a_cookie_is_opened_by_who_has_sealed_it(
    secret: bytes, numbers: list[int], outbound: int, inbound: int, extensions: int, local: int, peer: int
) -> None:
    cookie = Cookie(12.5, Agreement(*numbers, outbound, inbound, extensions), local, peer)  # type: ignore[call-arg]
    sealed = seal_cookie(secret, cookie)
    assert open_cookie(secret, sealed) == cookie
    assert open_cookie(secret[::-1] + b"x", sealed) is None
    assert open_cookie(secret, sealed[:-1]) is None
    assert open_cookie(secret, bytes([sealed[0] ^ 1]) + sealed[1:]) is None


@settings(deadline=None)
@given(st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1))
def test_a_number_is_found_near_another(near: int, away: int) -> None:
    assert unwrap((near + away) & 0xFFFFFFFF, near) == near + away


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.booleans()), max_size=30))
def test_intervals_are_a_set_of_numbers(steps: list[tuple[int, int, bool]]) -> None:
    intervals, model = Intervals(), set[int]()
    for first, size, is_cut in steps:
        if is_cut:
            last = intervals.cut(first)
            while first + 1 in model:
                first += 1
            assert last == first
            model = {number for number in model if number > first}
            continue
        added = set(range(first, first + size + 1))
        news = {number for start, end in intervals.add(first, first + size) for number in range(start, end + 1)}
        assert news == added - model
        model |= added
        pairs = list(zip(intervals.starts, intervals.ends, strict=True))
        assert {number for start, end in pairs for number in range(start, end + 1)} == model
        assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(pairs))
