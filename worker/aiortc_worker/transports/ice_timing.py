"""How long ICE waits for things."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IceTiming:
    """Seconds that ICE waits for things."""

    check_interval: float = 0.005
    "Between two new checks (Ta). aioice's 20 ms is most of what a connection on a local network takes."
    first_retry: float = 0.1
    "Before a check is sent again; doubles each time, 7 transmissions in all: 12.7 s."
    patience: float = 15.0
    "After the latest remote candidate: the state is `disconnected` when no pair works; more may come."
    trickle_patience: float = 30.0
    "The same, before the checks are given up without an end of candidates (RFC 8838, section 8)."
    final_patience: float = 5.0
    "The same once the remote side has no more candidates: a peer-reflexive one may still come (RFC 8863)."
    consent_interval: float = 5.0
    "Between two consent checks, made 0.8 to 1.2 times as long at random (RFC 7675, section 5.1)."
    consent_answer: float = 2.5
    "Without an answer to one, the state is `disconnected`, and checks follow each other faster."
    consent_expiry: float = 15.0
    "Since the last answer; then the state is `failed`. As in libwebrtc; RFC 7675 allows 30 at most."
    gather: float = 5.0
    "A STUN or TURN server may take so long."
    retire: float = 2.0
    "A connection that a restart has replaced still hears so long."
