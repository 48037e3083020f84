"""STUN messages, checked before aioice reads them.

aioice's parser takes a value that is cut short for a whole one, lets `struct.error` escape on a value of another size,
and computes a checksum over all that comes before each FINGERPRINT, however many a stranger puts into one datagram. In
what passes here every attribute lies inside the message and has the size of its type, and none is there twice.

@see https://www.rfc-editor.org/rfc/rfc8489#section-5
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from aioice import stun

HEADER: Final = struct.Struct("!HHI12s")
"Method and class, length without this header, magic cookie, transaction."
ATTRIBUTE: Final = struct.Struct("!HH")
"Type, length of the value without padding."

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, FINGERPRINT = 0x0006, 0x0008, 0x0009, 0x8028
REALM, SOFTWARE = 0x0014, 0x8022

SIZES: Final = {
    0x0003: 4,  # CHANGE-REQUEST
    MESSAGE_INTEGRITY: 20,
    0x000C: 4,  # CHANNEL-NUMBER
    0x000D: 4,  # LIFETIME
    0x0019: 4,  # REQUESTED-TRANSPORT
    0x0024: 4,  # PRIORITY
    FINGERPRINT: 4,
    0x8029: 8,  # ICE-CONTROLLED
    0x802A: 8,  # ICE-CONTROLLING
}
"Bytes of the values that have one size."
ADDRESSES: Final = frozenset({0x0001, 0x0004, 0x0005, 0x0012, 0x0016, 0x0020, 0x802B, 0x802C})
"Attributes that hold an address; of aioice's table, as all that is named here."
ADDRESS_SIZES: Final = {stun.IPV4_PROTOCOL: 8, stun.IPV6_PROTOCOL: 20}
"Bytes of an address, by its family."
TEXTS: Final = {USERNAME: 508, REALM: 763, SOFTWARE: 763}
"Attributes of UTF-8, and the most bytes that each may have."
METHODS: Final = frozenset(stun.Method)
METHOD_BITS: Final = 0x3EEF


def parse_stun(data: bytes) -> stun.Message:
    """The message in a datagram; its MESSAGE-INTEGRITY is not verified. Raises ValueError when it is none."""
    check_stun(data)
    return stun.parse_message(data)


def check_stun(data: bytes) -> None:
    """Raises ValueError when a datagram is not a STUN message, or an attribute that aioice knows is malformed."""
    if len(data) < HEADER.size:
        raise ValueError(f"{len(data)} bytes; a STUN message has at least {HEADER.size}")
    kind, length, cookie, _ = HEADER.unpack_from(data)
    if cookie != stun.COOKIE:
        raise ValueError("a STUN message without the magic cookie")
    if kind & METHOD_BITS not in METHODS or kind >> 14:
        raise ValueError(f"a STUN message of type {kind:#06x}")
    if length % 4 or HEADER.size + length != len(data):
        raise ValueError(f"a STUN message of {len(data)} bytes that says {length}")
    known: set[int] = set()
    for attribute, at, size in _attributes(data):
        if FINGERPRINT in known:
            raise ValueError("an attribute behind FINGERPRINT")
        if attribute not in stun.ATTRIBUTES_BY_TYPE:
            continue
        if attribute in known:
            raise ValueError(f"attribute {attribute:#06x} twice")
        known.add(attribute)
        _check_value(attribute, data[at : at + size])


def _attributes(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The type of each attribute, and where its value begins and how long it is."""
    at, end = HEADER.size, len(data)
    while at < end:
        attribute, size = ATTRIBUTE.unpack_from(data, at)
        at += ATTRIBUTE.size
        if at + size > end:
            raise ValueError(f"a STUN attribute of {size} bytes; {end - at} are left")
        yield attribute, at, size
        at += (size + 3) & ~3


def _check_value(attribute: int, value: bytes) -> None:
    size = SIZES.get(attribute)
    if size is not None and len(value) != size:
        raise ValueError(f"attribute {attribute:#06x} has {len(value)} bytes; {size} expected")
    if attribute in ADDRESSES and (len(value) < 2 or len(value) != ADDRESS_SIZES.get(value[1])):
        raise ValueError(f"attribute {attribute:#06x} holds no address")
    if attribute in TEXTS:
        if len(value) > TEXTS[attribute]:
            raise ValueError(f"attribute {attribute:#06x} has {len(value)} bytes; at most {TEXTS[attribute]}")
        value.decode()
    if attribute == ERROR_CODE:
        if len(value) < 4:
            raise ValueError("an ERROR-CODE without a code")
        value[4:].decode()
