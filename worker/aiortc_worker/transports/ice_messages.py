"""What an ICE transport is told and tells, on the wire."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from .ice_server import IceServer

IceRole = Literal["controlling", "controlled"]
IcePolicy = Literal["all", "relay"]
IceState = Literal["new", "checking", "connected", "completed", "disconnected", "failed", "closed"]
GatheringState = Literal["new", "gathering", "complete"]


class CandidatePair(Struct, frozen=True):
    """Two values of SDP candidate attributes."""

    local: str
    remote: str


class StateChange(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A state, with the pair that made it true."""

    state: IceState
    selected_pair: CandidatePair | None = None


class SelectedPairChange(Struct, frozen=True, rename="camel"):
    """Another pair carries the traffic now."""

    selected_pair: CandidatePair


class GatheringStateChange(Struct, frozen=True):
    """A state of RTCIceGathererState."""

    state: GatheringState


class CandidateFound(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A local candidate."""

    candidate: str
    "The value of an SDP candidate attribute, `candidate:…`."
    username_fragment: str
    "Of the generation that it belongs to."
    url: str | None = None
    "The server that gave it."


class CandidateError(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A server, or an address of the machine, that gave no candidate."""

    url: str
    "Empty for a host candidate."
    error_code: int
    error_text: str
    address: str | None = None
    port: int | None = None


class Credentials(Struct, frozen=True, rename="camel"):
    """The local user name fragment and password of a generation."""

    username_fragment: str
    password: str


class RemoteParameters(Struct, frozen=True, rename="camel"):
    """The peer's user name fragment and password."""

    username_fragment: str
    password: str
    ice_lite: bool = False


class RemoteCandidate(Struct, frozen=True, rename="camel"):
    """A candidate of the peer; null is the end of its candidates."""

    candidate: str | None = None
    username_fragment: str | None = None
    "Of the generation that it belongs to; without it, to the newest."


class RoleChange(Struct, frozen=True):
    """The role to have from now on."""

    role: IceRole


class Configuration(Struct, frozen=True, rename="camel"):
    """What the next gathering goes by."""

    ice_servers: list[IceServer] = []
    ice_transport_policy: IcePolicy = "all"


class IceStats(Struct, frozen=True, rename="camel"):
    """Counters since the transport was made."""

    state: IceState
    role: IceRole
    username_fragment: str
    local_candidates: list[str]
    remote_candidates: list[str]
    selected_pair: CandidatePair | None
    selected_pair_changes: int
    packets_sent: int
    bytes_sent: int
    packets_discarded_on_send: int
    "Datagrams that had no pair to go by."
    packets_received: int
    bytes_received: int
    packets_dropped: int
    "Datagrams from peers for which the inbox had no room."
    strangers: int
    "Datagrams that were empty, malformed, or of somebody who passed no check."
    responses_received: int
    current_round_trip_time: float | None
    "Seconds."
    total_round_trip_time: float
