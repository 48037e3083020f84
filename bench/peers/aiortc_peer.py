"""The peer that we measure ourselves by: stock aiortc, with uvloop where there is one."""

import asyncio
import json
import sys
import time

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

HIGH = 1 << 20
"Bytes in the channel's buffer past which a flood waits."


class Peer:
    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.echo: asyncio.Queue = asyncio.Queue()
        self.opened = asyncio.Event()
        self.expected = 0

    def adopt(self, channel) -> None:
        self.channel = channel
        channel.bufferedAmountLowThreshold = HIGH // 2
        channel.on("open", self.opened.set)
        channel.on("message", self.on_message)

    def on_message(self, message) -> None:
        if isinstance(message, str):
            kind, _, count = message.partition(" ")
            if kind == "flood":
                self.expected = int(count)
            else:
                self.echo.put_nowait(kind)
        elif self.expected:
            self.expected -= 1
            if not self.expected:
                self.channel.send("done")
        elif self.pinging:
            self.echo.put_nowait("echo")
        else:
            self.channel.send(message)

    pinging = False

    async def offer(self) -> dict:
        self.adopt(self.connection.createDataChannel("bench"))
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return {"sdp": self.connection.localDescription.sdp}

    async def answer(self, sdp: str) -> dict:
        self.connection.on("datachannel", self.adopt)
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return {"sdp": self.connection.localDescription.sdp}

    async def accept(self, sdp: str) -> dict:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await self.opened.wait()
        return {}

    async def ping(self, count: int, bytes: int) -> dict:
        message = b"x" * bytes
        self.pinging = True
        trips = []
        for _ in range(count):
            started = time.perf_counter()
            self.channel.send(message)
            await self.echo.get()
            trips.append((time.perf_counter() - started) * 1000)
        self.pinging = False
        return {"trips": trips}

    async def flood(self, count: int, bytes: int) -> dict:
        message = b"x" * bytes
        low = asyncio.Event()
        self.channel.on("bufferedamountlow", low.set)
        started = time.perf_counter()
        self.channel.send(f"flood {count}")
        for _ in range(count):
            if self.channel.bufferedAmount > HIGH:
                low.clear()
                await low.wait()
            self.channel.send(message)
        await self.echo.get()
        self.channel.remove_listener("bufferedamountlow", low.set)
        return {"seconds": time.perf_counter() - started}

    async def close(self) -> dict:
        await self.connection.close()
        self.__init__()
        return {}


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    peer = Peer()
    while line := await reader.readline():
        ask = json.loads(line)
        print(json.dumps(await getattr(peer, ask.pop("do"))(**ask)), flush=True)
    await peer.connection.close()


try:
    import uvloop
except ImportError:
    asyncio.run(main())
else:
    uvloop.run(main())
