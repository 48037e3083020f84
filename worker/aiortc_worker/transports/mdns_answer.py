"""Addresses out of mDNS answers: what is needed of DNS to resolve the name of a candidate.

dnspython, by which aioice reads all that is sent to the group, takes 12 ms a kilobyte where names are long, and raises
ValueError on an address of three bytes.

@see https://www.rfc-editor.org/rfc/rfc6762#section-18
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from typing import Final

HEADER: Final = struct.Struct("!HHHHHH")
"Transaction, flags, and how many questions, answers, authorities and additional records there are."
RECORD: Final = struct.Struct("!HHIH")
"Type, class, seconds to live, length of the data; a name comes before."
RESPONSE: Final = 0x8000
FAMILIES: Final = {1: (socket.AF_INET, 4), 28: (socket.AF_INET6, 16)}
"Of an A and an AAAA record, and the bytes of their data."
INTERNET: Final = 1
FLUSH: Final = 0x8000
"The bit of the class by which an answer replaces others."

MOST_RECORDS: Final = 64
"Questions or answers of a message; the answer to a candidate's name has one or two."
CANDIDATE: Final = re.compile(rb"[a-z0-9-]{1,63}\.local")
"The name of a candidate in lower case, as aioice knows one; nothing else is asked for."
LABELS: Final = 2
"Of such a name."


def addresses(data: bytes) -> list[tuple[str, str]]:
    """The names of candidates that a message answers, in lower case, each with an address.

    A query has none. Raises ValueError when the message is malformed, as far as it is read.
    """
    if len(data) < HEADER.size:
        raise ValueError(f"{len(data)} bytes; an mDNS message has at least {HEADER.size}")
    _, flags, questions, answers, _, _ = HEADER.unpack_from(data)
    if not flags & RESPONSE:
        return []
    if questions > MOST_RECORDS or answers > MOST_RECORDS:
        raise ValueError(f"{questions} questions and {answers} answers; at most {MOST_RECORDS} are read")
    at = HEADER.size
    for _ in range(questions):
        at = _after_name(data, at) + 4
    return list(_addresses(data, at, answers))


def _addresses(data: bytes, at: int, answers: int) -> Iterator[tuple[str, str]]:
    for _ in range(answers):
        start, at = at, _after_name(data, at)
        if at + RECORD.size > len(data):
            raise ValueError("an mDNS answer that is cut short")
        kind, group, _, size = RECORD.unpack_from(data, at)
        at += RECORD.size
        value = data[at : at + size]
        at += size
        if at > len(data):
            raise ValueError(f"an mDNS answer of {size} bytes that is cut short")
        if kind not in FAMILIES or group & ~FLUSH != INTERNET:
            continue
        family, expected = FAMILIES[kind]
        if size != expected:
            raise ValueError(f"an address of {size} bytes; {expected} expected")
        name = _name(data, start)
        if name is not None:
            yield name, socket.inet_ntop(family, value)


def _after_name(data: bytes, at: int) -> int:
    """The offset behind a name, which ends with an empty label or a pointer."""
    while at < len(data):
        size = data[at]
        if size >= 0xC0:
            return at + 2
        if size > 63:
            break
        at += 1 + size
        if size == 0:
            return at
    raise ValueError("an mDNS name that does not end")


def _name(data: bytes, at: int) -> str | None:
    """The name at an offset; None when no candidate has such a name.

    A pointer leads back, and no third label is read: so there is an end.
    """
    labels: list[bytes] = []
    while True:
        if at >= len(data):
            raise ValueError("an mDNS name that does not end")
        size = data[at]
        if size >= 0xC0:
            target = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if target >= at or target < HEADER.size:
                raise ValueError("an mDNS name that points ahead")
            at = target
            continue
        if size == 0:
            break
        labels.append(data[at + 1 : at + 1 + size])
        if len(labels) > LABELS:
            return None
        at += 1 + size
    name = b".".join(labels).lower()
    return name.decode() if len(labels) == LABELS and CANDIDATE.fullmatch(name) else None
