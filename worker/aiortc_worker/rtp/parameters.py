"""What a description says of one section's RTP, as the shim sends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from msgspec import Meta, Struct, field

from ..session.remote import ObjectId, names

TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


Ssrc = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
PayloadType = Annotated[int, Meta(ge=0, le=127)]
# What the header extensions can carry.
Mid = Annotated[str, Meta(max_length=63)]
Rid = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,255}$")]


class RtcpFeedback(Struct, frozen=True, omit_defaults=True):
    """An `a=rtcp-fb` line (RFC 4585, section 4.2)."""

    type: str
    parameter: str | None = None


class Codec(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A payload type; `video/rtx` names the one it repairs in `apt`."""

    mime_type: str
    payload_type: PayloadType
    clock_rate: Annotated[int, Meta(ge=1, le=1_000_000)]
    channels: int | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    rtcp_feedback: list[RtcpFeedback] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The media subtype, in lower case."""
        return self.mime_type.partition("/")[2].lower()

    def feeds_back(self, type: str, parameter: str | None = None) -> bool:
        """Whether the description offers this kind of feedback."""
        return any(f.type == type and (f.parameter or None) == parameter for f in self.rtcp_feedback)

    def aiortc(self) -> RTCRtpCodecParameters:
        """As aiortc's codecs take it."""
        return RTCRtpCodecParameters(
            mimeType=self.mime_type, clockRate=self.clock_rate, channels=self.channels, payloadType=self.payload_type
        )


class HeaderExtension(Struct, frozen=True):
    """An `a=extmap` line (RFC 8285)."""

    uri: str
    id: Annotated[int, Meta(ge=1, le=255)]


class Encoding(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """An RTCRtpEncodingParameters with the SSRCs that the shim minted for it."""

    ssrc: Ssrc
    rtx_ssrc: Ssrc | None = None
    rid: Rid | None = None
    active: bool = True
    max_bitrate: Annotated[int, Meta(ge=0)] | None = None
    "Bits per second."
    max_framerate: Annotated[float, Meta(ge=0)] | None = None
    scale_resolution_down_by: Annotated[float, Meta(ge=1)] | None = None
    payload_type: PayloadType | None = None
    "One of `codecs`; the first when absent."


class SendParameters(Struct, frozen=True, rename="camel"):
    """What to send, and how; the same for every call of `send`."""

    transport: Annotated[ObjectId, names("DtlsTransport")]
    active: bool
    mid: Mid
    cname: str
    codecs: list[Codec]
    header_extensions: list[HeaderExtension]
    encodings: Annotated[list[Encoding], Meta(max_length=32)]
    reduced_size: bool = False


class DecodedEncoding(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A stream that the remote description announces."""

    ssrc: Ssrc
    rtx_ssrc: Ssrc | None = None


class ReceiveParameters(Struct, frozen=True, rename="camel"):
    """What to receive, and how; the same for every call of `receive`."""

    transport: Annotated[ObjectId, names("DtlsTransport")]
    active: bool
    mid: Mid
    codecs: list[Codec]
    header_extensions: list[HeaderExtension]
    encodings: Annotated[list[DecodedEncoding], Meta(max_length=256)] = field(default_factory=list)
    rids: list[str] = field(default_factory=list)
    "Layers that the peer may send under this MID; the first is played."
    reduced_size: bool = False


MEDIA_CODECS = frozenset({"vp8", "h264", "opus", "g722", "pcmu", "pcma"})
"Subtypes that carry media which we can code; the rest (rtx, red, ulpfec, telephone-event, CN, …) do not."


def google_bitrate(codec: Codec, which: str) -> int | None:
    """The peer's `start`, `min` or `max` in bits per second: kb/s under libwebrtc's name; None when it says nothing."""
    value = codec.parameters.get(f"x-google-{which}-bitrate", "")
    return int(value) * 1000 if value.isdecimal() and 0 < int(value) <= 1_000_000 else None


def media_codecs(codecs: Iterable[Codec]) -> list[Codec]:
    """Those of `codecs` that we can encode and decode, in the order of preference."""
    return [codec for codec in codecs if codec.name in MEDIA_CODECS]


def telephone_event(codecs: Iterable[Codec], clock_rate: int) -> Codec | None:
    """The codec for telephone events in a stream of `clock_rate` (RFC 4733, section 2.1)."""
    events = (codec for codec in codecs if codec.name == "telephone-event")
    return next((codec for codec in events if codec.clock_rate == clock_rate), None)


def rtx_of(codecs: Iterable[Codec], payload_type: int) -> Codec | None:
    """The RTX codec that repairs `payload_type` (RFC 4588, section 8.6)."""
    apt = str(payload_type)
    return next((codec for codec in codecs if codec.name == "rtx" and codec.parameters.get("apt") == apt), None)


def uses_transport_cc(codecs: Iterable[Codec], extensions: Iterable[HeaderExtension]) -> bool:
    """Whether both halves of transport-wide feedback are there: the numbers and the messages."""
    numbered = any(extension.uri == TRANSPORT_CC_URI for extension in extensions)
    return numbered and any(codec.feeds_back("transport-cc") for codec in codecs)
