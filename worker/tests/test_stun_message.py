"""STUN messages as strangers send them: refused by one error before aioice reads them."""

from __future__ import annotations

import struct

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from aiortc_worker.transports.stun_message import ADDRESSES, SIZES, TEXTS, parse_stun

FINGERPRINT = 0x8028


def attribute(kind: int, value: bytes, length: int | None = None) -> bytes:
    said = len(value) if length is None else length
    return struct.pack("!HH", kind, said) + value + bytes(-len(value) % 4)


def message(body: bytes = b"", kind: int = 0x0001, cookie: int = stun.COOKIE, length: int | None = None) -> bytes:
    return struct.pack("!HHI12s", kind, len(body) if length is None else length, cookie, bytes(12)) + body


def fingerprint(data: bytes) -> bytes:
    value = stun.message_fingerprint(data)
    return stun.set_body_length(data, len(data) - 12) + struct.pack("!HHI", FINGERPRINT, 4, value)


REFUSED = {
    "nothing": b"",
    "half a header": message()[:19],
    "another cookie": message(cookie=1),
    "an unknown method": message(kind=0x000B),
    "the first bits of RTP": message(kind=0x8001),
    "a length that is not that of the datagram": message(attribute(0x0024, bytes(4)), length=4),
    "a length that is no multiple of four": message(b"abc"),
    "a value beyond the end": message(attribute(0x0024, bytes(4), length=8)),
    "a value that is not there": message(attribute(0x0024, b"", length=4)),
    "a PRIORITY of three bytes": message(attribute(0x0024, bytes(3))),
    "a tie-breaker of four bytes": message(attribute(0x802A, bytes(4))),
    "an address without a family": message(attribute(0x0020, b"\0")),
    "an address of another family's size": message(attribute(0x0020, b"\0\1" + bytes(18))),
    "an address of a family that nobody knows": message(attribute(0x0020, b"\0\3" + bytes(6))),
    "a USERNAME that is not UTF-8": message(attribute(0x0006, b"\xff\xfe")),
    "a USERNAME of 509 bytes": message(attribute(0x0006, b"x" * 509)),
    "an ERROR-CODE of two bytes": message(attribute(0x0009, bytes(2))),
    "a reason that is not UTF-8": message(attribute(0x0009, b"\0\0\4\1\xff")),
    "a PRIORITY twice": message(attribute(0x0024, bytes(4)) * 2),
    "two fingerprints": fingerprint(fingerprint(message())),
    "an attribute behind the fingerprint": stun.set_body_length(fingerprint(message()), 16) + attribute(0x8023, b"x"),
    "a wrong fingerprint": fingerprint(message())[:-1] + b"!",
}
TAKEN = {
    "a message without attributes": message(),
    "an attribute that nobody knows": message(attribute(0xC057, b"xy")),
    "a fingerprint": fingerprint(message(attribute(0x0024, bytes(4)))),
    "what is not authenticated": message(attribute(0x0008, bytes(20)) + attribute(0x001C, bytes(32))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_peer_sends_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_stun(REFUSED[name])


@pytest.mark.parametrize("name", TAKEN)
def test_what_peers_send_is_taken(name: str) -> None:
    assert parse_stun(TAKEN[name]).message_method == stun.Method.BINDING


def test_every_attribute_that_aioice_reads_is_checked_by_its_kind() -> None:
    """A new one of aioice's would be read unchecked: here it fails."""
    unpackers = {
        stun.unpack_address: ADDRESSES,
        stun.unpack_xor_address: ADDRESSES,
        stun.unpack_unsigned: SIZES,
        stun.unpack_unsigned_short: SIZES,
        stun.unpack_unsigned_64: SIZES,
        stun.unpack_string: TEXTS,
    }
    free = {"USE-CANDIDATE", "DATA", "NONCE"}
    for kind, name, _, unpack in stun.ATTRIBUTES:
        if name not in free | {"MESSAGE-INTEGRITY", "ERROR-CODE"}:
            assert kind in unpackers[unpack], name
    assert SIZES[0x0008] == 20


@given(st.binary(min_size=1, max_size=8), st.integers(1, 0xFFFF), st.text(max_size=20), st.booleans())
def test_what_aioice_writes_is_read_as_it_was_written(key: bytes, port: int, name: str, signed: bool) -> None:
    written = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    written.attributes = {"USERNAME": name, "XOR-MAPPED-ADDRESS": ("2001:db8::1", port), "USE-CANDIDATE": None}
    if signed:
        written.add_message_integrity(key)
    read = parse_stun(bytes(written))
    assert read.attributes == written.attributes
    assert read.check_message_integrity(key) is signed
