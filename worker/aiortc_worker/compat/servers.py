"""aioice's protocols towards TURN servers and the mDNS group, which read nothing that was not checked.

aioice makes each by the name that its class has in its module (aioice/turn.py:517, aioice/turn.py:530,
aioice/mdns.py:196), and lets errors of what reads the bytes reach the event loop (aioice/turn.py:165, which expects a
ValueError, aioice/mdns.py:97). `install` gives these names to the classes of this module.
"""

from __future__ import annotations

from typing import Any

import dns.name
from aioice import mdns, turn

from ..transports.mdns_answer import addresses
from ..transports.stun_message import check_stun
from ..transports.turn_stream import TurnStream


def install() -> None:
    """Has aioice make the protocols of this module from now on."""
    turn.TurnClientUdpProtocol = TurnOverUdp  # type: ignore[misc]
    turn.TurnClientTcpProtocol = TurnOverTcp  # type: ignore[misc]
    mdns.MDnsProtocol = MdnsResolver  # type: ignore[misc]


def _is_sound(data: bytes) -> bool:
    """Whether a message of a TURN server is ChannelData, or STUN that can be read."""
    if len(data) >= 4 and turn.is_channel_data(data):
        return True
    try:
        check_stun(data)
    except ValueError:
        return False
    return True


class TurnOverUdp(turn.TurnClientUdpProtocol):
    """Drops datagrams that are malformed."""

    malformed = 0

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """Takes a datagram of the server (aioice/turn.py:149)."""
        if isinstance(data, bytes) and _is_sound(data):
            super().datagram_received(data, addr)
        else:
            self.malformed += 1


class TurnOverTcp(turn.TurnClientTcpProtocol):
    """Drops messages that are malformed, and a connection in which no message begins."""

    malformed = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stream = TurnStream()

    def data_received(self, data: bytes) -> None:
        """Takes what has come of the server's stream (aioice/turn.py:38)."""
        try:
            for message in self._stream.messages(data):
                if _is_sound(message):
                    self.datagram_received(message, self.server)
                else:
                    self.malformed += 1
        except ValueError:
            self.malformed += 1
            self.transport.abort()


class MdnsResolver(mdns.MDnsProtocol):
    """Reads answers alone: no name of ours is published."""

    malformed = 0

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Takes a datagram of whoever sends to the group (aioice/mdns.py:55)."""
        assert isinstance(data, bytes)
        try:
            answers = addresses(data)
        except ValueError:
            self.malformed += 1
            return
        for name, address in answers:
            # A query that was cancelled stays listed until its task resumes (aioice/mdns.py:100).
            for future in self.queries.pop(dns.name.from_text(name), ()):
                if not future.done():
                    future.set_result(address)
