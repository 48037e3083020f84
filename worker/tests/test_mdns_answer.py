"""Answers of the mDNS group, which anybody on the network may send."""

from __future__ import annotations

import asyncio
import struct
import time

import dns.message
import dns.name
import pytest
from aioice import mdns
from hypothesis import given
from hypothesis import strategies as st

from aiortc_worker.compat.servers import MdnsResolver, install
from aiortc_worker.transports.mdns_answer import addresses

NAME = b"\x04abcd\x05local\0"
FROM = ("192.0.2.9", 5353)


def answer(name: bytes, kind: int, data: bytes, group: int = 0x8001, size: int | None = None) -> bytes:
    return name + struct.pack("!HHIH", kind, group, 120, len(data) if size is None else size) + data


def message(*answers: bytes, flags: int = 0x8400, asked: tuple[bytes, ...] = (), count: int | None = None) -> bytes:
    said = len(answers) if count is None else count
    return struct.pack("!HHHHHH", 0, flags, len(asked), said, 0, 0) + b"".join(asked + answers)


V4, V6 = answer(NAME, 1, bytes([192, 0, 2, 1])), answer(b"\xc0\x0c", 28, bytes(15) + b"\1")

READ = {
    "both addresses, the second by a pointer": (message(V4, V6), [("abcd.local", "192.0.2.1"), ("abcd.local", "::1")]),
    "a name in capitals": (message(answer(b"\2AB\5LOCAL\0", 1, bytes(4))), [("ab.local", "0.0.0.0")]),
    "a class without the flush bit": (message(answer(NAME, 1, bytes(4), 1)), [("abcd.local", "0.0.0.0")]),
    "a question before it": (
        message(answer(b"\xc0\x0c", 1, bytes(4)), asked=(NAME + bytes(4),)),
        [("abcd.local", "0.0.0.0")],
    ),
    "a query": (message(V4, flags=0), []),
    "another class": (message(answer(NAME, 1, bytes(4), 3)), []),
    "another type": (message(answer(NAME, 16, b"text")), []),
    "a name of three labels": (message(answer(b"\1a" + NAME, 1, bytes(4))), []),
    "a name that no candidate has": (message(answer(b"\3a_b\5local\0", 1, bytes(4))), []),
    "no answer": (message(), []),
}
REFUSED = {
    "half a header": message()[:11],
    "an address of three bytes": message(answer(NAME, 1, b"abc")),
    "an address of IPv6 in an A record": message(answer(NAME, 1, bytes(16))),
    "an answer that is not there": message(count=1),
    "data that is cut short": message(answer(NAME, 1, b"ab", size=4)),
    "a record that is cut short": message(NAME + b"\0\1"),
    "a name that does not end": message(b"\x04ab", count=1),
    "a label of 64 bytes": message(answer(b"\x40" + bytes(64) + b"\0", 1, bytes(4))),
    "a pointer to itself": message(answer(b"\xc0\x0c", 1, bytes(4))),
    "a pointer ahead": message(answer(b"\xc0\x20", 1, bytes(4))),
    "a pointer into the header": message(answer(b"\xc0\x00", 1, bytes(4))),
    "65 answers": message(*[V4] * 65),
}


@pytest.mark.parametrize("name", READ)
def test_the_addresses_of_candidates_are_read(name: str) -> None:
    data, expected = READ[name]
    assert addresses(data) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_malformed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        addresses(REFUSED[name])


def test_labels_that_point_at_each_other_come_to_an_end() -> None:
    loop = answer(b"\1a\xc0\x0c", 1, bytes(4))
    assert addresses(message(loop)) == []


@given(st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True), st.ip_addresses(v=4))
def test_what_aioice_publishes_is_what_is_read(label: str, address: object) -> None:
    async def run() -> None:
        sent: list[bytes] = []
        published = MdnsResolver.__base__()
        published.transport = type("Transport", (), {"sendto": lambda _, data, to: sent.append(data)})()
        published._MDnsProtocol__joined = True
        await published.publish(f"{label}.local", str(address))
        query = dns.message.make_query(dns.name.from_text(f"{label}.local"), "A")
        published.datagram_received(query.to_wire(), FROM)
        assert addresses(sent[0]) == [(f"{label}.local", str(address))]

    asyncio.run(run())


async def test_a_query_is_answered_whatever_came_before() -> None:
    install()
    resolver = mdns.MDnsProtocol()
    assert isinstance(resolver, MdnsResolver), "aioice makes it by this name"
    future = asyncio.get_running_loop().create_future()
    resolver.queries[dns.name.from_text("abcd.local")] = {future}
    for data in REFUSED.values():
        resolver.datagram_received(data, FROM)
    assert resolver.malformed == len(REFUSED)
    assert not future.done()
    resolver.datagram_received(message(V4), FROM)
    assert await future == "192.0.2.1"
    resolver.datagram_received(message(V4), FROM)


def test_names_as_long_as_they_may_be_take_no_longer_to_read() -> None:
    long = b"".join(b"\x01a" for _ in range(127)) + b"\0"
    data = message(answer(long, 1, bytes(4)), *[answer(b"\xc0\x0c", 1, bytes(4))] * 63)
    best = float("inf")
    for _ in range(5):
        begun = time.thread_time()
        assert addresses(data) == []
        best = min(best, time.thread_time() - begun)
    # 0.1 ms; the whole name, for each of the pointers to it, would be 2.
    assert best < len(data) / 1024 * 0.001
