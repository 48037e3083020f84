"""Strategies that build packets as peers send them, and nearly so: `GRAMMAR` has one for each target."""

from __future__ import annotations

import struct
from typing import Final

from aioice import stun
from hypothesis import strategies as st

from aiortc_worker.rtp.extensions import READERS
from aiortc_worker.transports.dcep import OPEN

Bytes = st.SearchStrategy[bytes]

bytes_1, bytes_2, bytes_4 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
short = st.binary(max_size=24)
text = st.text(max_size=12).map(str.encode)


def padded(data: bytes, to: int = 4) -> bytes:
    return data + bytes(-len(data) % to)


def joined(parts: st.SearchStrategy[bytes], most: int = 6) -> Bytes:
    return st.lists(parts, max_size=most).map(b"".join)


def off(length: int) -> st.SearchStrategy[int]:
    """The right length mostly, and its neighbours."""
    return st.sampled_from([length] * 12 + [max(0, length - 1), length + 1, 0, 0xFFFF])


# STUN and TURN

addresses = st.one_of(
    st.builds(lambda port, ip: struct.pack("!BBH4s", 0, 1, port, ip), bytes_2, st.binary(min_size=4, max_size=4)),
    st.builds(lambda port, ip: struct.pack("!BBH16s", 0, 2, port, ip), bytes_2, st.binary(min_size=16, max_size=16)),
)


def _value(kind: int) -> Bytes:
    unpack = stun.ATTRIBUTES_BY_TYPE[kind][3]
    if unpack in (stun.unpack_address, stun.unpack_xor_address):
        return addresses
    if unpack in (stun.unpack_unsigned, stun.unpack_unsigned_short):
        return bytes_4.map(lambda value: struct.pack("!L", value))
    if unpack is stun.unpack_unsigned_64:
        return st.binary(min_size=8, max_size=8)
    if unpack is stun.unpack_error_code:
        return st.builds(lambda code, reason: struct.pack("!HBB", 0, *divmod(code, 100)) + reason, bytes_1, text)
    return text if unpack is stun.unpack_string else st.binary(max_size=24)


def _attribute(kind: int) -> Bytes:
    value = _value(kind) if kind in stun.ATTRIBUTES_BY_TYPE else short
    return value.flatmap(
        lambda value: off(len(value)).map(lambda length: struct.pack("!HH", kind, length) + padded(value))
    )


attributes = joined(st.sampled_from([*stun.ATTRIBUTES_BY_TYPE, 0x001C, 0x8023, 0xC057]).flatmap(_attribute))


def _with_fingerprint(message: bytes) -> bytes:
    length = int.from_bytes(message[2:4], "big") + stun.FINGERPRINT_LENGTH
    message = stun.set_body_length(message, length & 0xFFFF)
    return message + struct.pack("!HHL", 0x8028, 4, stun.message_fingerprint(message))


def _stun(method: int, kind: int, body: bytes, fingerprint: bool) -> bytes:
    message = struct.pack("!HHL12s", method | kind, len(body), stun.COOKIE, bytes(range(12))) + body
    return _with_fingerprint(message) if fingerprint else message


stun_messages = st.builds(
    _stun, st.sampled_from(list(stun.Method)), st.sampled_from(list(stun.Class)), attributes, st.booleans()
)
channel_data = st.builds(
    lambda channel, data, length: struct.pack("!HH", channel, length or len(data)) + padded(data),
    st.integers(0x4000, 0x4FFF),
    short,
    st.just(0) | bytes_1,
)
turn_stream = joined(st.one_of(stun_messages, channel_data))

# mDNS

labels = st.sampled_from(["local", "a", "x" * 63, "0b1c-2d", "é", "A"]).map(str.encode)
names = st.builds(
    lambda parts, end: b"".join(bytes([len(part)]) + part for part in parts) + end,
    st.lists(labels, max_size=3),
    st.one_of(st.just(b"\0"), st.integers(0, 300).map(lambda at: struct.pack("!H", 0xC000 | at))),
)
records = st.builds(
    lambda name, kind, group, data, length: name + struct.pack("!HHIH", kind, group, 120, length or len(data)) + data,
    names,
    st.sampled_from([1, 28, 5, 16, 33, 41]),
    st.sampled_from([1, 0x8001, 3]),
    st.sampled_from([bytes(4), bytes(16), b"abc", b""]),
    st.sampled_from([0, 0, 0, 4, 16, 0xFFFF]),
)
questions = st.builds(lambda name: name + struct.pack("!HH", 1, 1), names)


def _mdns(flags: int, asked: list[bytes], answers: list[bytes]) -> bytes:
    header = struct.pack("!HHHHHH", 0, flags, len(asked), len(answers), 0, 0)
    return header + b"".join(asked) + b"".join(answers)


mdns = st.builds(
    _mdns, st.sampled_from([0x8400, 0x8400, 0]), st.lists(questions, max_size=2), st.lists(records, max_size=4)
)

# Candidates

candidates = st.builds(
    lambda fields, rest: " ".join([*fields, *rest]).encode(),
    st.tuples(
        st.sampled_from(["candidate:1", "a=candidate:abc+/", "", "candidate:" + "f" * 65]),
        st.sampled_from(["1", "2", "256", "-1", "x"]),
        st.sampled_from(["udp", "UDP", "tcp", "ssltcp"]),
        st.integers(0, 1 << 33).map(str),
        st.sampled_from(["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "a-b.local", "1.2.3", "x" * 256]),
        st.sampled_from(["9", "5000", "0", "65536", "٣"]),
        st.sampled_from(["typ", "type"]),
        st.sampled_from(["host", "srflx", "relay", ""]),
    ),
    st.lists(st.sampled_from(["raddr", "0.0.0.0", "rport", "9", "tcptype", "generation", "0", "_1_", "é"]), max_size=6),
)

# RTP


def _element(two_bytes: bool, id: int, value: bytes) -> bytes:
    if two_bytes:
        return bytes([id, len(value)]) + value
    return bytes([(id & 15) << 4 | (len(value) - 1) & 15]) + value


def _rtp(flags: int, csrcs: bytes, two_bytes: bool, extensions: list[tuple[int, bytes]], payload: bytes) -> bytes:
    block = padded(b"".join(_element(two_bytes, id, value) for id, value in extensions))
    header = struct.pack("!BBHLL", 0x80 | flags & 0x30 | len(csrcs) // 4, 96, 1, 2, 3) + csrcs
    if flags & 0x10:
        header += struct.pack("!HH", 0x1000 if two_bytes else 0xBEDE, len(block) // 4) + block
    return header + payload + (bytes([0, 0, 3]) if flags & 0x20 else b"")


rtp = st.builds(
    _rtp,
    st.sampled_from([0, 0x10, 0x10, 0x30, 0x20]),
    st.integers(0, 15).map(lambda count: bytes(4 * count)),
    st.booleans(),
    st.lists(
        st.tuples(
            st.integers(0, len(READERS) + 2) | st.just(15),
            st.sampled_from([b"a", b"ab", b"abc", b"abcd", b"\x80", b"\xff\xfe", b""]),
        ),
        max_size=8,
    ),
    short,
)

# RTCP

reports = joined(st.binary(min_size=24, max_size=24), 3)


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    body = padded(body)
    return struct.pack("!BBH", 0x80 | count & 0x1F, kind, len(body) // 4) + body


def _transport_cc(base: int, count: int, chunks: bytes, deltas: bytes) -> bytes:
    return _rtcp(205, 15, struct.pack("!LLHHL", 1, 2, base, count, 3 << 8) + chunks + deltas)


chunks = st.one_of(
    st.builds(lambda status, run: struct.pack("!H", status << 13 | run), st.integers(0, 3), st.integers(0, 40)),
    st.integers(0x8000, 0xFFFF).map(lambda chunk: struct.pack("!H", chunk)),
    st.sampled_from([b"\x1f\xff", b"\x00\x00", b"\x3f\xff"]),
)
transport_cc = st.builds(
    _transport_cc,
    bytes_2,
    st.integers(0, 60) | st.sampled_from([4096, 4097, 0xFFFF]),
    joined(chunks),
    st.binary(max_size=60),
)
rembs = st.builds(
    lambda count, rate, ssrcs: bytes(8) + b"REMB" + bytes([count]) + rate + ssrcs,
    st.integers(0, 3),
    st.binary(min_size=3, max_size=3),
    joined(st.just(bytes(4)), 3),
)
rtcp_packets = st.one_of(
    st.builds(lambda blocks: _rtcp(200, len(blocks) // 24, bytes(24) + blocks), reports),
    st.builds(lambda blocks: _rtcp(201, len(blocks) // 24, bytes(4) + blocks), reports),
    st.builds(lambda count, reason: _rtcp(203, count, bytes(4 * count) + reason), st.integers(0, 4), short),
    st.builds(lambda body: _rtcp(202, 1, bytes(4) + b"\1" + bytes([len(body)]) + body), short),
    st.builds(lambda lost: _rtcp(205, 1, bytes(8) + lost), joined(st.binary(min_size=4, max_size=4))),
    st.builds(lambda kind, fci: _rtcp(206, kind, bytes(8) + fci), st.sampled_from([1, 2, 4, 15]), short),
    st.builds(lambda body: _rtcp(206, 15, body), rembs),
    st.builds(_rtcp, st.sampled_from([204, 207, 200, 205]), st.integers(0, 31), short),
    transport_cc,
)
rtcp = joined(rtcp_packets, 4)

# Payloads

vp8 = st.builds(
    lambda descriptor, tag, sides, rest: descriptor + tag + b"\x9d\x01\x2a" + sides + rest,
    st.sampled_from([b"\x10", b"\x90\x80\x01", b"\x90\xf0\x81\x02\x03\x04", b"\x80", b"\x00", b"\x90\x20\x00"]),
    st.binary(min_size=3, max_size=3),
    st.binary(min_size=4, max_size=4),
    short,
)
units = st.builds(lambda size, data: struct.pack("!H", size or len(data)) + data, st.just(0) | bytes_1, short)
h264 = st.one_of(
    st.builds(lambda kind, data: bytes([kind]) + data, bytes_1, short),
    st.builds(lambda parts: b"\x78" + parts, joined(units)),
    st.builds(lambda kind, data: b"\x7c" + bytes([kind]) + data, bytes_1, short),
)
opus = st.builds(lambda toc, rest: bytes([toc]) + rest, bytes_1, st.binary(max_size=60))

# SCTP and its channels


def _parameter(kind: int, value: bytes, length: int) -> bytes:
    return struct.pack("!HH", kind, length) + padded(value)


parameters = joined(
    st.tuples(st.sampled_from([1, 7, 12, 13, 14, 16, 17, 0x8008, 0xC000]), short).flatmap(
        lambda pair: off(4 + len(pair[1])).map(lambda length: _parameter(pair[0], pair[1], length))
    ),
    4,
)


def _chunk(kind: int, body: bytes, length: int) -> bytes:
    return struct.pack("!BBH", kind, 3, length) + padded(body)


chunk_bodies = st.one_of(
    st.builds(lambda fixed, rest: fixed + rest, st.sampled_from([b"", bytes(4), bytes(12), bytes(16)]), parameters),
    st.builds(
        lambda gaps, said, repeats: struct.pack("!LLHH", 1, 2, said, repeats) + gaps,
        joined(st.binary(min_size=4, max_size=4)),
        st.integers(0, 5) | st.just(0xFFFF),
        st.integers(0, 3),
    ),
    short,
)
sctp = joined(
    st.tuples(st.sampled_from([*range(0, 15), 64, 130, 132, 192, 194, 255]), chunk_bodies).flatmap(
        lambda pair: off(4 + len(pair[1])).map(lambda length: _chunk(pair[0], pair[1], length))
    ),
    4,
)
dcep = st.builds(
    lambda kind, label, protocol, longer: (
        OPEN.pack(3, kind, 256, 1000, len(label) + longer, len(protocol)) + label + protocol
    ),
    bytes_1,
    text | short,
    text | short,
    st.sampled_from([0, 0, 0, 1, 60_000]),
)

GRAMMAR: Final[dict[str, Bytes]] = {
    "stun": stun_messages,
    "turn": turn_stream,
    "mdns": mdns,
    "candidate": candidates,
    "rtp": rtp,
    "rtcp": rtcp,
    "compound": rtcp,
    "transport-cc": transport_cc,
    "vp8": vp8,
    "h264": h264,
    "sctp": sctp,
    "dcep": dcep,
    "opus": opus,
}
