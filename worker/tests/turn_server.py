"""A TURN server, as far as a client needs one: long-term credentials, allocations, channels; over UDP and TCP."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable
from typing import Any

from aioice import stun, turn

Address = tuple[str, int]
USER, PASSWORD, REALM, NONCE = "user", "secret", "test", b"nonce"


class Relay(asyncio.DatagramProtocol):
    """An allocation."""

    def __init__(self, reply: Callable[[bytes], None]) -> None:
        self.reply = reply
        self.channels: dict[int, Address] = {}
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        for number, peer in self.channels.items():
            if peer == addr[:2]:
                pad = bytes(-len(data) % 4)
                self.reply(struct.pack("!HH", number, len(data)) + data + pad)


class TurnServer(asyncio.DatagramProtocol):
    """`url` names it; `relays` are its live allocations."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.relays: dict[Address, Relay] = {}
        self.silent = False
        self.noise = b""
        "Sent before each answer."
        self.key = turn.make_integrity_key(USER, REALM, PASSWORD)
        self.writers: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        """With `tls`, its TCP is TLS."""
        loop = asyncio.get_running_loop()
        self.udp, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self.host, 0))
        self.port = self.udp.get_extra_info("sockname")[1]
        self.tcp = await asyncio.start_server(self._connected, self.host, self.port, ssl=tls)

    async def close(self) -> None:
        self.udp.close()
        self.tcp.close()
        for writer in self.writers:
            writer.close()
        for relay in self.relays.values():
            relay.transport.close()
        for task in self.tasks:
            task.cancel()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._take(data, addr[:2], lambda reply: self.udp.sendto(reply, addr))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        peer = writer.get_extra_info("peername")[:2]
        try:
            while True:
                head = await reader.readexactly(4)
                length = struct.unpack("!H", head[2:])[0]
                size = length + (-length % 4) if head[0] & 0xC0 == 0x40 else 16 + length
                self._take(head + await reader.readexactly(size), peer, writer.write)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _take(self, data: bytes, client: Address, reply: Callable[[bytes], None]) -> None:
        if self.silent:
            return
        if data[0] & 0xC0 == 0x40:
            number, length = struct.unpack("!HH", data[:4])
            relay = self.relays[client]
            relay.transport.sendto(data[4 : 4 + length], relay.channels[number])
            return
        task = asyncio.get_running_loop().create_task(self._answer(stun.parse_message(data), client, reply))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer(self, request: stun.Message, client: Address, reply: Callable[[bytes], None]) -> None:
        if self.noise:
            reply(self.noise)
        response = stun.Message(
            message_method=request.message_method,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        if not request.check_message_integrity(self.key):
            response.message_class = stun.Class.ERROR
            response.attributes.update({"ERROR-CODE": (401, "Unauthorized"), "REALM": REALM, "NONCE": NONCE})
            reply(bytes(response))
            return
        attributes = request.attributes
        if request.message_method == stun.Method.ALLOCATE:
            relay = Relay(reply)
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: relay, local_addr=(self.host, 0))
            self.relays[client] = relay
            response.attributes["LIFETIME"] = 600
            response.attributes["XOR-MAPPED-ADDRESS"] = client
            response.attributes["XOR-RELAYED-ADDRESS"] = relay.transport.get_extra_info("sockname")[:2]
        elif request.message_method == stun.Method.CHANNEL_BIND:
            self.relays[client].channels[attributes["CHANNEL-NUMBER"]] = attributes["XOR-PEER-ADDRESS"]
        elif request.message_method == stun.Method.REFRESH:
            response.attributes["LIFETIME"] = attributes["LIFETIME"]
            if attributes["LIFETIME"] == 0:
                self.relays.pop(client).transport.close()
        response.add_message_integrity(self.key)
        reply(bytes(response))
