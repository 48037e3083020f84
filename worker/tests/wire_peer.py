"""A bridge and shim in one, for tests of the worker's end: speaks the local socket by hand."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from aiortc_worker.session import tasks
from aiortc_worker.session.session import Session
from aiortc_worker.session.wire import BINARY, LENGTH, MEDIA, RECORD, Record, parse_records


class WirePeer:
    """The other end of a session's socket. `acks` says whether it acknowledges by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.acks = True
        self.acked: list[int] = []
        self.session: Session | None = None
        self._reader = reader
        self._writer = writer
        self._received = 0

    @classmethod
    async def connect(
        cls, hello: dict[str, Any] | None = None, secret: str | None = None, debug: bool = False
    ) -> WirePeer:
        """A peer of a new session of this process, greeted unless `hello` is empty."""
        loop = asyncio.get_running_loop()
        tasks.install(loop)
        near, far = socket.socketpair()
        session = Session(secret=secret, debug=debug)
        await loop.connect_accepted_socket(lambda: session.link, far)
        peer = cls(*await asyncio.open_unix_connection(sock=near))
        peer.session = session
        if hello is None:
            await peer.greet()
        return peer

    async def greet(self, **more: Any) -> Any:
        self.text({"hello": {"version": 1, "session": "s", "capabilities": ["file"], **more}})
        return await self.raw()

    def text(self, value: Any) -> None:
        self.send(json.dumps(value, separators=(",", ":")).encode())

    def send(self, payload: bytes, binary: bool = False) -> None:
        self._writer.write(LENGTH.pack(len(payload) | (BINARY if binary else 0)) + payload)

    def record(self, kind: int, object_id: int, payload: bytes, flags: int = 0) -> None:
        self.send(RECORD.pack(kind, flags, object_id, len(payload)) + payload, binary=True)

    async def raw(self) -> Any:
        """The next frame: a text frame's JSON, or the records of a binary one."""
        (head,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        payload = await self._reader.readexactly(head & ~BINARY)
        return parse_records(payload) if head & BINARY else json.loads(payload)

    async def frame(self) -> Any:
        """The next frame but acknowledgements."""
        while True:
            frame = await asyncio.wait_for(self.raw(), 5)
            if isinstance(frame, dict) and "ack" in frame:
                self.acked.append(frame["ack"])
                continue
            if "close" in frame:
                return frame
            if isinstance(frame, dict) or frame[0].kind != MEDIA:
                self._received += 1
                if self.acks:
                    self.ack()
            return frame

    async def frame_within(self, seconds: float) -> Any:
        """The next frame but acknowledgements, or None when none comes in time."""
        try:
            return await asyncio.wait_for(self.frame(), seconds)
        except TimeoutError:
            return None

    def ack(self) -> None:
        self.text({"ack": self._received})

    async def ended(self) -> bytes:
        """What comes until the end of the socket."""
        return await asyncio.wait_for(self._reader.read(), 5)

    async def close(self) -> None:
        """Ends the session, and waits until it is gone."""
        self._writer.close()
        assert self.session is not None
        await asyncio.wait_for(self.session.ended, 10)


def payloads(records: list[Record]) -> list[bytes]:
    return [bytes(record.payload) for record in records]
