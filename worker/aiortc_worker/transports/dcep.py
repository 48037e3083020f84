"""The data channel establishment protocol: how a peer is told of a channel.

@see https://www.rfc-editor.org/rfc/rfc8832#section-5
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

OPEN = struct.Struct("!BBHLHH")
"Type, channel type, priority, reliability, length of the label, length of the protocol."
OPEN_TYPE = 3
ACK_TYPE = 2
ACK = bytes([ACK_TYPE])

RELIABLE = 0
RETRANSMITS = 1
LIFETIME = 2
UNORDERED = 0x80
PRIORITY = 256
"Normal (RFC 8831, section 6.4)."

DCEP = 50
"Payload protocol identifiers, https://www.rfc-editor.org/rfc/rfc8831#section-8"
STRING = 51
BINARY = 53
STRING_EMPTY = 56
BINARY_EMPTY = 57

LONGEST_NAME = 65535
"Bytes of UTF-8 in a label or a protocol."


@dataclass(frozen=True)
class ChannelOpen:
    """What the two ends of a channel have to agree on."""

    label: str
    protocol: str
    ordered: bool = True
    max_retransmits: int | None = None
    max_packet_life_time: int | None = None
    "Milliseconds."


def encode_open(channel: ChannelOpen) -> bytes:
    """DATA_CHANNEL_OPEN. Lengths count bytes of UTF-8."""
    kind, reliability = RELIABLE, 0
    if channel.max_retransmits is not None:
        kind, reliability = RETRANSMITS, channel.max_retransmits
    elif channel.max_packet_life_time is not None:
        kind, reliability = LIFETIME, channel.max_packet_life_time
    if not channel.ordered:
        kind |= UNORDERED
    label, protocol = channel.label.encode(), channel.protocol.encode()
    return OPEN.pack(OPEN_TYPE, kind, PRIORITY, reliability, len(label), len(protocol)) + label + protocol


def decode_open(data: bytes) -> ChannelOpen:
    """What a DATA_CHANNEL_OPEN says.

    Raises ValueError when it is cut short or not UTF-8.
    """
    if len(data) < OPEN.size:
        raise ValueError(f"{len(data)} bytes; a DATA_CHANNEL_OPEN has at least {OPEN.size}")
    _, kind, _, reliability, label_length, protocol_length = OPEN.unpack_from(data)
    names = data[OPEN.size :]
    if len(names) < label_length + protocol_length:
        raise ValueError(f"{len(names)} bytes of names; {label_length + protocol_length} were announced")
    return ChannelOpen(
        label=names[:label_length].decode(),
        protocol=names[label_length : label_length + protocol_length].decode(),
        ordered=not kind & UNORDERED,
        max_retransmits=reliability if kind & 3 == RETRANSMITS else None,
        max_packet_life_time=reliability if kind & 3 == LIFETIME else None,
    )
