"""ICE candidates as SDP writes them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from aioice import Candidate

from ..aiortc_compat import reached_at

PREFIX = "candidate:"
LONGEST: Final = 2048
"Characters of a candidate; browsers' have some 200."
SYNTAX: Final = re.compile(
    r"\S{1,64} \d{1,5} \S{1,16} \d{1,10} \S{1,255} \d{1,5} typ \S{1,16}(?: .*)?",
    re.ASCII,
)
"Foundation, component, transport, priority, address, port, type, and what else there may be (RFC 8839, section 5.1)."
LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class SignalledCandidate(Candidate):
    """A candidate of the peer, with what the peer wrote."""

    text = ""


def parse_candidate(value: str) -> SignalledCandidate:
    """The candidate of an SDP attribute's value, `candidate:…`.

    Raises ValueError when it is not one.
    @see https://www.rfc-editor.org/rfc/rfc8839#section-5.1
    """
    text = value.strip().removeprefix("a=").removeprefix(PREFIX)
    if len(text) > LONGEST or not text.isprintable() or not SYNTAX.fullmatch(text):
        raise ValueError("foundation, component, transport, priority, address, port and type do not follow each other")
    candidate = SignalledCandidate.__new__(SignalledCandidate)
    vars(candidate).update(vars(Candidate.from_sdp(text)))
    candidate.text = PREFIX + text
    if not 0 < candidate.port < 65536 and candidate.transport.lower() == "udp":
        raise ValueError(f"port {candidate.port} is not between 1 and 65535")
    return candidate


def format_candidate(candidate: Candidate) -> str:
    """The value of an SDP attribute for a candidate."""
    return PREFIX + candidate.to_sdp()


def is_loopback(host: str) -> bool:
    """Whether `host` is an address of the loopback interface; a name is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ip_version(host: str) -> int | None:
    """4 or 6, or None for a name."""
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


class LocalCandidate(Candidate):
    """A candidate of ours; one on the loopback interface pairs with nothing beyond it."""

    def can_pair_with(self, other: Candidate) -> bool:
        """Whether a check from here to `other` can arrive."""
        if is_loopback(self.host) and not is_loopback(reached_at(other)):
            return False
        return super().can_pair_with(other)
