"""How an association begins: INIT, cookies, their timer, both ends at once, and a peer that begins anew.

@see https://www.rfc-editor.org/rfc/rfc9260#section-5
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from .chunks import COOKIE_ACK, Abort, CookieEcho, Error, Init, InitAck, Simple
from .cookie import LIFETIME, Agreement, Cookie, open_cookie, seal_cookie
from .inbound import WINDOW
from .parameters import (
    FORWARD_TSN_SUPPORTED,
    STALE_COOKIE,
    STATE_COOKIE,
    SUPPORTED_EXTENSIONS,
    UNRECOGNIZED,
    ZERO_CHECKSUM_ACCEPTABLE,
    Parameter,
)

CLOSED: Final = 0
COOKIE_WAIT: Final = 1
COOKIE_ECHOED: Final = 2
ESTABLISHED: Final = 3
"States (section 4); those of the shutdown follow in `association`."

MAX_INIT_RETRANSMITS: Final = 8
T1_INITIAL: Final = 1.0
T1_MAX: Final = 60.0
"Seconds (section 16): whoever comes late sends an INIT of its own."

STREAMS: Final = 65535

FORWARD_TSN: Final = 1
RECONFIG: Final = 2
INTERLEAVING: Final = 4
PADDING: Final = 8
ZERO_CHECKSUM: Final = 16
"Bits of what a peer knows."
EVERYTHING: Final = FORWARD_TSN | RECONFIG | INTERLEAVING | PADDING | ZERO_CHECKSUM

DTLS: Final = 1
"The error detection method that makes checksums needless (RFC 9653, section 8.2)."

_CHUNKS: Final = {192: FORWARD_TSN, 130: RECONFIG, 0x84: PADDING}
_NOTHING: Final = 4
"Error cause 4, out of resource, says of an INIT that no stream can be."


class Handshake:
    """The state of an association until both ends know of each other."""

    def __init__(self, entropy: Callable[[int], bytes], known: int) -> None:
        self.state = CLOSED
        self.deadline = inf
        self._entropy = entropy
        self._secret = entropy(32)
        self._known = known
        "What we know."
        self.agreement = Agreement(self._tag(), 0, int.from_bytes(entropy(4), "big"), 0, 0, STREAMS, STREAMS, 0)
        "Of this association; of the peer, what it has said so far."
        self._echo: CookieEcho | None = None
        self._timeout = T1_INITIAL
        self._retransmits = 0

    # Ours

    def begin(self, now: float) -> Init:
        """Sends INIT (section 5.1, A)."""
        self.state = COOKIE_WAIT
        self._start_timer(now)
        return self._init()

    def timed_out(self, now: float) -> Init | CookieEcho | None:
        """What is sent again; None when that was done often enough (sections 4 and 5.1)."""
        self._retransmits += 1
        if self._retransmits > MAX_INIT_RETRANSMITS:
            return None
        self._timeout = min(2 * self._timeout, T1_MAX)
        self.deadline = now + self._timeout
        return self._echo if self.state == COOKIE_ECHOED else self._init()

    def established(self) -> None:
        """Stops the timer."""
        self.state = ESTABLISHED
        self.deadline = inf
        self._echo = None

    # The peer's

    def init(self, chunk: Init, now: float) -> InitAck | Abort:
        """Answers an INIT, and keeps nothing of it (sections 5.1, B, 5.2.1 and 5.2.2)."""
        if not chunk.tag or not chunk.inbound_streams or not chunk.outbound_streams:
            return Abort([(_NOTHING, b"")], reflected=False)
        own = self.agreement
        local_tag, local_tsn = own.local_tag, own.local_tsn
        ties = (0, 0)
        if self.state == COOKIE_ECHOED:
            ties = (own.local_tag, own.peer_tag)
        elif self.state >= ESTABLISHED:
            # A peer that begins anew gets a new tag.
            ties = (own.local_tag, own.peer_tag)
            local_tag, local_tsn = self._tag(), int.from_bytes(self._entropy(4), "big")
        agreed = self._agree(chunk, local_tag, local_tsn)
        cookie = seal_cookie(self._secret, Cookie(now, agreed, *ties))
        answer = [*self._parameters(), (STATE_COOKIE, cookie)]
        answer += [(UNRECOGNIZED, _whole(each)) for each in chunk.parameters if _is_to_be_reported(each)]
        return InitAck(local_tag, WINDOW, STREAMS, STREAMS, local_tsn, answer)

    def init_ack(self, chunk: InitAck, now: float) -> CookieEcho | None:
        """Echoes the cookie (section 5.1, C); None for an answer that is not waited for (section 5.2.3)."""
        if self.state != COOKIE_WAIT or not chunk.tag:
            return None
        cookie = next((value for kind, value in chunk.parameters if kind == STATE_COOKIE), None)
        if cookie is None or not chunk.inbound_streams or not chunk.outbound_streams:
            return None
        self.agreement = self._agree(chunk, self.agreement.local_tag, self.agreement.local_tsn)
        self.state = COOKIE_ECHOED
        self._echo = CookieEcho(cookie)
        self._retransmits = 0
        self._timeout = T1_INITIAL
        self._start_timer(now)
        return self._echo

    def cookie_echo(self, chunk: CookieEcho, tag: int, now: float) -> tuple[Simple | Error | None, int, bool]:
        """Acts on a cookie (sections 5.1.5 and 5.2.4): what to answer with which tag, and whether the peer begins anew.

        `state` is ESTABLISHED afterwards where an association has come of it.
        """
        cookie = open_cookie(self._secret, chunk.cookie)
        if cookie is None or cookie.agreement.local_tag != tag:
            return None, 0, False
        own, new = self.agreement, cookie.agreement
        same_local, same_peer = new.local_tag == own.local_tag, new.peer_tag == own.peer_tag
        stale = now - cookie.made_at - LIFETIME
        if stale > 0 and not (same_local and same_peer):
            staleness = min(int(stale * 1e6), 2**32 - 1)
            return Error([(STALE_COOKIE, staleness.to_bytes(4, "big"))]), new.peer_tag, False
        if self.state >= ESTABLISHED:
            if same_local and same_peer:
                return Simple(COOKIE_ACK), new.peer_tag, False  # D: our COOKIE ACK was lost.
            if (cookie.local_tie, cookie.peer_tie) != (own.local_tag, own.peer_tag) or same_local or same_peer:
                return None, 0, False
            self.agreement = new  # A
            return Simple(COOKIE_ACK), new.peer_tag, True
        if same_local and not same_peer:
            self.agreement = new  # B: both have begun, and the peer's INIT ACK is on its way or was for another tag.
        elif not same_local:
            return None, 0, False  # C: late.
        self.established()
        return Simple(COOKIE_ACK), new.peer_tag, False

    def _agree(self, chunk: Init, local_tag: int, local_tsn: int) -> Agreement:
        return Agreement(
            local_tag,
            chunk.tag,
            local_tsn,
            chunk.tsn,
            chunk.window,
            min(STREAMS, chunk.inbound_streams),
            min(STREAMS, chunk.outbound_streams),
            _extensions(chunk.parameters) & self._known,
        )

    def _init(self) -> Init:
        own = self.agreement
        return Init(own.local_tag, WINDOW, STREAMS, STREAMS, own.local_tsn, self._parameters())

    def _parameters(self) -> list[Parameter]:
        known = [kind for kind, bit in _CHUNKS.items() if self._known & bit]
        if self._known & INTERLEAVING:
            known += [64, 194]
        parameters = [(FORWARD_TSN_SUPPORTED, b""), (SUPPORTED_EXTENSIONS, bytes(known))]
        if self._known & ZERO_CHECKSUM:
            parameters.append((ZERO_CHECKSUM_ACCEPTABLE, DTLS.to_bytes(4, "big")))
        return parameters

    def _start_timer(self, now: float) -> None:
        self.deadline = now + self._timeout

    def _tag(self) -> int:
        return int.from_bytes(self._entropy(4), "big") or 1


def _extensions(parameters: list[Parameter]) -> int:
    known = 0
    for kind, value in parameters:
        if kind == FORWARD_TSN_SUPPORTED:
            known |= FORWARD_TSN
        elif kind == SUPPORTED_EXTENSIONS:
            for chunk in value:
                known |= _CHUNKS.get(chunk, 0)
            # Both of its chunks, or none (RFC 8260, section 2.2.1).
            if 64 in value:
                known |= INTERLEAVING
        elif kind == ZERO_CHECKSUM_ACCEPTABLE and value == DTLS.to_bytes(4, "big"):
            known |= ZERO_CHECKSUM
    return known


_READ: Final = {1, 5, 6, 7, 8, 9, 11, 12, FORWARD_TSN_SUPPORTED, SUPPORTED_EXTENSIONS, ZERO_CHECKSUM_ACCEPTABLE}
"Parameters of an INIT that are known, if not all of use here: addresses are DTLS's concern."


def _is_to_be_reported(parameter: Parameter) -> bool:
    """Whether an unknown parameter asks for it by its second bit (section 3.2.1)."""
    return bool(parameter[0] & 0x4000) and parameter[0] not in _READ


def _whole(parameter: Parameter) -> bytes:
    kind, value = parameter
    return kind.to_bytes(2, "big") + (4 + len(value)).to_bytes(2, "big") + value
