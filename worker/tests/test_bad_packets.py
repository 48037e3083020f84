"""Packets of a peer that cannot be read: counted by transport, told in a line a minute, without a traceback."""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Callable

import pytest
from google_crc32c import value as checksum
from pair import Peer, close, connect

from aiortc_worker import bad_packets
from aiortc_worker.bad_packets import NOTABLE, BadPackets
from aiortc_worker.rtp.router import Routes

MARKER = b"MARKER-OF-A-PEER"


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, int]]]:
    """The level and the counts of each line of the kind."""
    return [(each.levelname, each.fields) for each in caplog.records if getattr(each, "kind", "") == "bad-packets"]  # type: ignore[attr-defined]


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def of_sctp(tag: int, chunk: bytes) -> bytes:
    """A packet with a checksum that is right."""
    packet = struct.pack("!HHLL", 5000, 5000, tag, 0) + chunk
    return packet[:8] + struct.pack("<L", checksum(packet)) + packet[12:]


class Sink:
    """Takes RTP of any payload type."""

    def rtp(self, *_: object) -> None: ...
    def rtcp(self, *_: object) -> None: ...
    def tick(self, _now: float) -> None: ...
    def failed(self, error: Exception) -> None:
        raise error


def send_two_in_one(peer: Peer) -> None:
    """Two good records of DTLS in one datagram."""
    send_run = peer.ice.send_run
    peer.ice.send_run = lambda data, _size: send_run(data, len(data))  # type: ignore[method-assign]
    peer.dtls.dtls.send_packets((b"no packet of SCTP", b"no packet of SCTP"))
    peer.ice.send_run = send_run  # type: ignore[method-assign]


async def test_each_protocol_is_counted_and_nothing_of_the_packets_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    a, b = Peer("controlling"), Peer("controlled")
    await connect(a, b)
    b.dtls.router.attach(Sink(), Routes(payload_types=frozenset({96})))
    heartbeat = struct.pack("!BBHHH", 4, 0, 8, 1, 0)
    for number in range(NOTABLE):
        a.ice.send(b"\x17\xfe\xfd" + bytes(8) + struct.pack("!H", len(MARKER)) + MARKER)
        a.ice.send(b"\x80\x60" + os.urandom(10) + MARKER)
        a.ice.send(b"\x50" + MARKER)
        a.dtls.dtls.send_packets([of_sctp(b.sctp._association._core.local_tag, heartbeat)])
        # Sources that are not there, and more padding than there are bytes.
        a.dtls.send_rtcp(b"\x9f\xc9\x00\x01" + MARKER[:4])
        a.dtls.send_rtp(b"\xa0\x60" + number.to_bytes(2, "big") + bytes(8) + MARKER + b"\xff")
        send_two_in_one(a)
        await asyncio.sleep(0)
    # What is no packet of SCTP counts as a heartbeat that cannot be read does.
    await until(lambda: b.sctp._association.malformed == 3 * NOTABLE)
    b.ice._current.strangers += 3  # type: ignore[union-attr]
    await asyncio.sleep(0.1)
    await close(a, b)
    counts = {name: count for _, fields in told(caplog) for name, count in fields.items()}
    others = dict.fromkeys(("dtls", "srtp", "unknown", "rtcp", "rtp"), NOTABLE)
    assert counts == {**others, "sctp": 3 * NOTABLE, "stun": 3}
    assert len(told(caplog)) == 3, "a line a transport"
    assert not [each for each in caplog.records if each.exc_info]
    assert "MARKER" not in caplog.text


async def test_a_line_a_minute_has_what_came_in_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bad_packets, "INTERVAL", 0.02)
    caplog.set_level(logging.DEBUG)
    counts = {"srtp": 0}
    packets = BadPackets("DtlsTransport 1", lambda: counts)
    await asyncio.sleep(0.05)
    assert told(caplog) == []
    counts["srtp"] = NOTABLE
    await until(lambda: len(told(caplog)) == 1)
    counts["srtp"] += 1
    await until(lambda: len(told(caplog)) == 2)
    # Another association begins at 0.
    counts["srtp"] = 2
    packets.close()
    assert told(caplog) == [("WARNING", {"srtp": NOTABLE}), ("DEBUG", {"srtp": 1}), ("DEBUG", {"srtp": 2})]
    counts["srtp"] = 9
    await asyncio.sleep(0.05)
    assert len(told(caplog)) == 3, "nothing follows the end"
