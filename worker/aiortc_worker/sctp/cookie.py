"""The state cookie: what an INIT has agreed on, authenticated, so that nothing is kept until the peer echoes it.

@see https://www.rfc-editor.org/rfc/rfc9260#section-5.1.3
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

LIFETIME: Final = 60.0
"Seconds (Valid.Cookie.Life, section 16)."

_FIELDS: Final = struct.Struct("!dLLLLLHHBLL")


@dataclass(slots=True)
class Agreement:
    """What both INITs say, as one end sees it."""

    local_tag: int
    peer_tag: int
    local_tsn: int
    peer_tsn: int
    peer_window: int
    "Bytes."
    outbound_streams: int
    inbound_streams: int
    extensions: int
    "Those that the peer knows, as `handshake` numbers them."


@dataclass(slots=True)
class Cookie:
    """What a cookie says."""

    made_at: float
    agreement: Agreement
    local_tie: int
    peer_tie: int
    "The tags of the association that there was when the INIT came; 0 if none (section 5.2.2)."


def seal_cookie(secret: bytes, cookie: Cookie) -> bytes:
    """A cookie that nobody else can make."""
    of = cookie.agreement
    body = _FIELDS.pack(
        cookie.made_at,
        of.local_tag,
        of.peer_tag,
        of.local_tsn,
        of.peer_tsn,
        of.peer_window,
        of.outbound_streams,
        of.inbound_streams,
        of.extensions,
        cookie.local_tie,
        cookie.peer_tie,
    )
    return body + hmac.digest(secret, body, sha256)


def open_cookie(secret: bytes, data: bytes) -> Cookie | None:
    """What a cookie says; None if it was not made with this secret."""
    body, mark = data[: _FIELDS.size], data[_FIELDS.size :]
    if len(body) < _FIELDS.size or not hmac.compare_digest(mark, hmac.digest(secret, body, sha256)):
        return None
    made_at, *agreed, local_tie, peer_tie = _FIELDS.unpack(body)
    return Cookie(made_at, Agreement(*agreed), local_tie, peer_tie)
