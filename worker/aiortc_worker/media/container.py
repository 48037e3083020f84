"""A media file, or whatever PyAV opens, as frames with times. Blocks: for threads only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ..session.remote import CallError
from .frames import Frame, Kind, pixel_count
from .normalise import Pictures, Samples
from .settings import SAMPLE_RATE, AudioSettings, Opened, VideoSettings

Stream = AudioStream | VideoStream

INTERLEAVING: Final = 1.0
"Seconds by which one stream may be ahead of the other; a stream that is further behind has a hole, or has ended."
BLOCK_BYTES: Final = 16 * 1024 * 1024
"Of pictures, in a block: large ones make shorter blocks."
MAX_ERRORS: Final = 100
"Packets in a row that may fail to decode."


class Timed(NamedTuple):
    time: float
    "Seconds since playing began, loops included."
    kind: Kind
    frame: Frame


class Interruptible(Protocol):
    """A file object whose reads another thread can end."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...
    def begin(self) -> None:
        """What is read from now on has its time in all."""

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Container:
    """Demuxes and decodes the first stream of each kind; one thread at a time."""

    def __init__(
        self,
        target: str | Interruptible,
        kinds: frozenset[Kind],
        *,
        name: str,
        loop: bool = False,
        format: str | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        """Opens `target`, which errors call `name`; a file object is read from its beginning.

        Raises CallError: NotReadableError when it is no media, NotFoundError when it has no stream of a kind.
        """
        self._name, self._kinds, self._loop = name, kinds, loop
        self._target = target
        self._open = partial(av.open, target, "r", format=format, options=options or {})
        self._lock = threading.Lock()
        self._closed = False
        self._container, self._streams = self._start()
        self._pictures = Pictures()
        self._samples = Samples(self._channels())
        self._offset = 0.0
        "Seconds of the loops before this one."
        self._ends: dict[Kind, float] = dict.fromkeys(self._streams, 0.0)
        "Where the frames that were decoded end."
        self._horizon = 0.0
        self._waiting: deque[Timed] = deque()
        self._frames = self._decode()

    @property
    def opened(self) -> Opened:
        """What it gives."""
        video = self._streams.get("video")
        return Opened(
            AudioSettings(SAMPLE_RATE, self._samples.channels) if "audio" in self._streams else None,
            VideoSettings(video.width & ~1, video.height & ~1, float(video.average_rate or video.guessed_rate or 0))
            if isinstance(video, VideoStream)
            else None,
        )

    def read(self, seconds: float) -> list[Timed]:
        """The frames of the next `seconds`, in order of time; none at the end.

        Raises CallError NotReadableError when it cannot be decoded any further.
        """
        with self._lock:
            self._begin()
            block: list[Timed] = []
            while not block and not self._closed:
                self._horizon += seconds
                size = 0
                for timed in self._frames:
                    self._waiting.append(timed)
                    size += _bytes(timed.frame)
                    if self._passed() or size > BLOCK_BYTES or self._closed:
                        break
                else:
                    block, self._waiting = sorted(self._waiting, key=_time), deque()
                    return block
                if size > BLOCK_BYTES:
                    self._horizon = max(self._ends.values())
                block = sorted((timed for timed in self._waiting if timed.time < self._horizon), key=_time)
                self._waiting = deque(timed for timed in self._waiting if timed.time >= self._horizon)
            return block

    def next(self) -> Timed | None:
        """The next frame, as soon as it is decoded; None at the end. For what has a pace of its own."""
        with self._lock:
            return None if self._closed else next(self._frames, None)

    def _begin(self) -> None:
        if not isinstance(self._target, str):
            self._target.begin()

    def close(self) -> None:
        """Ends a read that is under way, and closes the file."""
        self._closed = True
        if not isinstance(self._target, str):
            self._target.interrupt()
        with self._lock:
            self._frames.close()
            self._container.close()
            if not isinstance(self._target, str):
                self._target.close()

    def _start(self) -> tuple[InputContainer, dict[Kind, Stream]]:
        try:
            if not isinstance(self._target, str) and self._target.tell() > 0:
                self._target.seek(0)
            container = self._open()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise CallError("NotReadableError", f"{self._name} cannot be read as media: {error}") from error
        streams: dict[Kind, Stream] = {}
        for kind in sorted(self._kinds):
            stream = _playable(container, kind)
            if not stream:
                container.close()
                raise CallError("NotFoundError", f"{self._name} has no {kind}")
            # Decoding ahead needs no further cores; other sessions do.
            stream.codec_context.thread_count = 1
            streams[kind] = stream
        return container, streams

    def _channels(self) -> int:
        stream = self._streams.get("audio")
        return stream.codec_context.channels if isinstance(stream, AudioStream) else 1

    def _passed(self) -> bool:
        """Whether every stream is past the horizon, or one so far that the others will not follow."""
        ends = self._ends.values()
        return min(ends) >= self._horizon or max(ends) >= self._horizon + INTERLEAVING

    def _decode(self) -> Generator[Timed]:
        """All frames; for ever, when it loops."""
        while True:
            before = max(self._ends.values())
            yield from self._decode_once()
            end = max(self._ends.values())
            if not self._loop or end <= before:
                break
            self._offset = end
            self._ends = dict.fromkeys(self._streams, end)
            # Seeking would lose the first packet of Opus, which the decoder takes for what it is to skip.
            self._container.close()
            self._container, self._streams = self._start()
        if "audio" in self._streams:
            yield from self._timed_audio(self._samples.flush())

    def _decode_once(self) -> Iterator[Timed]:
        errors = 0
        for packet in self._demux():
            kind: Kind = "audio" if packet.stream.type == "audio" else "video"
            try:
                frames = packet.decode()
                errors = 0
            except av.error.InvalidDataError as error:
                errors += 1
                if errors > MAX_ERRORS:
                    raise CallError("NotReadableError", f"{self._name} cannot be decoded: {error}") from error
                continue
            for frame in frames:
                yield from self._timed(kind, frame)

    def _demux(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(list(self._streams.values()))
        except av.FFmpegError as error:
            raise CallError("NotReadableError", f"{self._name} cannot be read: {error}") from error

    def _timed(self, kind: Kind, frame: Any) -> Iterator[Timed]:
        # A frame without a time follows the one before it.
        own = self._ends[kind] if frame.pts is None else self._offset + self._since_start(frame)
        if isinstance(frame, av.AudioFrame):
            self._ends[kind] = max(self._ends[kind], own + frame.samples / frame.sample_rate)
            yield from self._timed_audio(self._samples.add(frame, own))
            return
        self._ends[kind] = max(self._ends[kind], own + self._duration(frame))
        picture = self._pictures.add(frame, own)
        if picture:
            yield Timed(own, "video", picture)

    def _timed_audio(self, frames: Iterator[av.AudioFrame]) -> Iterator[Timed]:
        for frame in frames:
            yield Timed((frame.pts or 0) / SAMPLE_RATE, "audio", frame)

    def _since_start(self, frame: Frame) -> float:
        return float((frame.pts or 0) * (frame.time_base or 0)) - (self._container.start_time or 0) / av.time_base

    def _duration(self, frame: av.VideoFrame) -> float:
        if frame.duration:
            return float(frame.duration * (frame.time_base or 0))
        stream = self._streams["video"]
        rate = stream.average_rate if isinstance(stream, VideoStream) else None
        return float(1 / rate) if rate else 0.0


def _playable(container: InputContainer, kind: Kind) -> Stream | None:
    """The first stream of a kind that is no cover picture: a video stream of one frame."""
    streams: Sequence[Stream] = container.streams.audio if kind == "audio" else container.streams.video
    return next((each for each in streams if not each.disposition & Disposition.attached_pic), None)


def _time(timed: Timed) -> float:
    return timed.time


def _bytes(frame: Frame) -> int:
    return pixel_count(frame) * 3 // 2
