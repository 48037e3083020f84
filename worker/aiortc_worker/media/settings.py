"""What a source is asked for, and what it gives."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

SAMPLE_RATE: Final = 48000
"Hz, of every audio source: what Opus codes at."
CHUNK: Final = 960
"Samples a channel in an audio frame: 20 ms."


class AudioConstraints(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is left out is the source's own choice."""

    sample_rate: Annotated[int, Meta(ge=8000, le=192_000)] | None = None
    channel_count: Annotated[int, Meta(ge=1, le=8)] | None = None
    frequency: Annotated[float, Meta(ge=20, le=20_000)] | None = None
    "Of the test tone, in Hz."


class VideoConstraints(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is left out is the source's own choice."""

    width: Annotated[int, Meta(ge=2, le=7680)] | None = None
    height: Annotated[int, Meta(ge=2, le=4320)] | None = None
    frame_rate: Annotated[float, Meta(ge=1, le=120)] | None = None
    code: Annotated[int, Meta(ge=0, le=65535)] | None = None
    "Burnt into the test picture beside its frame counter."


class AudioSettings(Struct, frozen=True, rename="camel"):
    sample_rate: int
    channel_count: int


class VideoSettings(Struct, frozen=True, rename="camel"):
    width: int
    height: int
    frame_rate: float


class Opened(Struct, frozen=True, omit_defaults=True):
    """What an open source gives, of the kinds that were asked for."""

    audio: AudioSettings | None = None
    video: VideoSettings | None = None
