"""A WebRTC peer that means harm: `hostile_peer.py WHAT` reads an offer, a line of JSON on stdin, and prints the answer.

Its connection is aiortc's, authenticated as any; what it sends over that is not. It reaches into aiortc's private
parts, as whoever attacks would.
"""

import asyncio
import json
import random
import struct
import sys
from typing import Any

import pylibsrtp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcsctptransport import serialize_packet

PACKETS = 5_000
CHANNELS = 5_000
PARAMETER_OF_NO_LENGTH = b"\x00\x01\x00\x00"


class Raw:
    """A chunk of given bytes."""

    def __init__(self, type: int, flags: int, body: bytes) -> None:
        self._bytes = struct.pack("!BBH", type, flags, 4 + len(body)) + body + bytes(-len(body) % 4)

    def __bytes__(self) -> bytes:
        return self._bytes


class Peer:
    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.opened = asyncio.Event()
        self.connection.on("datachannel", lambda _: self.opened.set())
        self.random = random.Random(1)
        self.sent = 0

    async def answer(self, offer: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    @property
    def sctp(self) -> Any:
        return self.connection.sctp

    async def garbage(self) -> None:
        """SCTP, RTP and RTCP of all kinds, through the DTLS association."""
        for number in range(PACKETS):
            try:
                if number % 3 == 0:
                    await self.sctp.transport._send_rtp(self.rtp())
                else:
                    await self.sctp.transport._send_data(self.packet(number))
            except ConnectionError:
                return
            except pylibsrtp.Error:
                # What not even our own SRTP takes.
                continue
            self.sent += 1
            if number % 50 == 0:
                await asyncio.sleep(0.01)

    def packet(self, number: int) -> bytes:
        tag = self.sctp._remote_verification_tag if number % 10 else self.random.getrandbits(32)
        forms = [
            Raw(4, 0, PARAMETER_OF_NO_LENGTH),
            Raw(9, 0, PARAMETER_OF_NO_LENGTH),
            Raw(130, 0, PARAMETER_OF_NO_LENGTH),
            Raw(self.random.choice([0, 1, 2, 3, 4, 5, 9, 10, 11, 14, 130, 132, 192, 255]), 3, self.bytes(60)),
            Raw(0, 3, struct.pack("!LHHL", self.random.getrandbits(32), number % 65536, 0, 50) + self.bytes(40)),
            Raw(3, 0, struct.pack("!LLHH", self.random.getrandbits(32), 0, 65535, 65535)),
            Raw(192, 0, struct.pack("!L", self.random.getrandbits(32)) + self.bytes(40)),
        ]
        if number % 11 == 0:
            return self.bytes(100)
        return serialize_packet(5000, 5000, tag, forms[number % len(forms)])  # type: ignore[arg-type]

    def rtp(self) -> bytes:
        """Of a size that SRTP takes; the first byte says version 2."""
        kind = self.random.choice([96, 97, 111, 200, 201, 205, 206])
        return bytes([0x80 | self.random.getrandbits(5), kind]) + self.bytes(200) + bytes(12)

    def bytes(self, most: int) -> bytes:
        return self.random.randbytes(self.random.randrange(1, most))

    async def channels(self) -> None:
        for number in range(CHANNELS):
            self.connection.createDataChannel(f"channel {number}")
            self.sent += 1
            if number % 100 == 0:
                await asyncio.sleep(0.01)


async def main(what: str) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    peer = Peer()
    offer = json.loads(await reader.readline())
    print(json.dumps(await peer.answer(offer)), flush=True)
    await asyncio.wait_for(peer.opened.wait(), 20)
    await getattr(peer, what)()
    print(json.dumps({"sent": peer.sent}), flush=True)
    # Until whoever started this has seen enough.
    await reader.read()


asyncio.run(main(sys.argv[1]))
