"""Pictures to payloads: libvpx and x264 driven here, packets cut by aiortc.

aiortc's own encoders keep the rate above 250 (VP8) and 500 kb/s (H264) and never tell which frames are keyframes.
"""

from __future__ import annotations

import fractions
import os
from dataclasses import dataclass

import av
from aiortc.codecs import get_encoder
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from .parameters import Codec

CLOCK_RATE = 90_000
TIME_BASE = fractions.Fraction(1, CLOCK_RATE)
GOP = 3000
"Frames between keyframes that nobody asked for."
LARGE = 1920 * 1088
"Pixels of the largest picture that one thread encodes whatever is idle: 1080p, in whole blocks."
MOST_THREADS = 4


@dataclass(frozen=True)
class VideoSettings:
    """What a frame is to be encoded as; another value of the first four begins a new stream with a keyframe."""

    width: int
    height: int
    bitrate: int
    "Bits per second."
    frame_rate: int
    "What the rate control expects; frames may come at any pace."
    keyframe: bool


@dataclass(frozen=True)
class EncodedPicture:
    """A frame as payloads; none when the rate control dropped it."""

    payloads: list[bytes]
    keyframe: bool
    width: int
    height: int


class VideoEncoder:
    """Encodes pictures with one codec. Its methods run on one thread at a time."""

    def __init__(self, codec: Codec) -> None:
        self._name = codec.name
        self._packer = get_encoder(codec.aiortc())
        self._reformatter = VideoReformatter()
        self._context: VideoCodecContext | None = None
        self._settings: tuple[int, int, int, int] | None = None

    def encode(self, frame: av.VideoFrame, timestamp: int, settings: VideoSettings) -> EncodedPicture:
        """Encodes a frame; `timestamp` counts at 90 kHz and grows."""
        context = self._open(settings)
        picture = self._fresh(frame, settings)
        picture.pts = timestamp
        picture.time_base = TIME_BASE
        picture.duration = CLOCK_RATE // settings.frame_rate
        payloads: list[bytes] = []
        keyframe = False
        try:
            packets = context.encode(picture)
        except av.FFmpegError:
            # It may refuse all that follows too: the next frame gets another.
            self._context = None
            raise
        for packet in packets:
            packet.pts = timestamp
            packet.time_base = TIME_BASE
            keyframe = keyframe or packet.is_keyframe
            payloads += self._packer.pack(packet)[0]
        return EncodedPicture(payloads, keyframe, settings.width, settings.height)

    def _open(self, settings: VideoSettings) -> VideoCodecContext:
        # Neither library takes another bitrate while it runs: the caller changes it seldom.
        wanted = (settings.width, settings.height, settings.bitrate, settings.frame_rate)
        if self._context is None or wanted != self._settings:
            self._context = _context(self._name, settings)
            self._settings = wanted
        return self._context

    def _fresh(self, frame: av.VideoFrame, settings: VideoSettings) -> av.VideoFrame:
        """A picture of our own: a frame is shared, and one that was ever forced to be a keyframe stays one."""
        size = (settings.width, settings.height)
        if (frame.width, frame.height) == size and frame.format.name == "yuv420p":
            picture = _copy(frame)
        else:
            picture = self._reformatter.reformat(frame, *size, format="yuv420p")
            if picture is frame:
                picture = _copy(frame)
        picture.pict_type = PictureType.I if settings.keyframe else PictureType.NONE
        return picture


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes, strict=True):
        if source.line_size == target.line_size and source.buffer_size == target.buffer_size:
            target.update(bytes(source))
            continue
        width, rows = min(source.line_size, target.line_size), target.height
        data, out = memoryview(source), bytearray(target.buffer_size)
        for row in range(rows):
            begin = row * source.line_size
            out[row * target.line_size : row * target.line_size + width] = data[begin : begin + width]
        target.update(bytes(out))
    return copy


def thread_count(width: int, height: int) -> int:
    """Threads of an encoder of such pictures.

    The threads of libvpx wait for one another in every row of blocks: where other work has the cores, two make 2 to 15
    pictures a second of 1280x720, and one makes 30. Larger ones than 1080p are shared among cores that are idle.
    """
    if width * height <= LARGE:
        return 1
    return max(1, min(MOST_THREADS, int((os.cpu_count() or 1) - load())))


def load() -> float:
    """Cores that were busy in the last minute; all of them where the system does not say."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return float(os.cpu_count() or 1)


def _context(name: str, settings: VideoSettings) -> VideoCodecContext:
    context = av.CodecContext.create("libvpx" if name == "vp8" else "libx264", "w")
    context.width = settings.width
    context.height = settings.height
    context.pix_fmt = "yuv420p"
    context.bit_rate = settings.bitrate
    context.time_base = TIME_BASE
    context.framerate = fractions.Fraction(settings.frame_rate, 1)
    context.gop_size = GOP
    context.thread_count = thread_count(settings.width, settings.height)
    context.options = _vp8(settings.bitrate) if name == "vp8" else _h264(settings.bitrate)
    if name == "h264":
        context.profile = "Baseline"
    return context


def _vp8(bitrate: int) -> dict[str, str]:
    return {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        # Equal rates are libvpx's constant bitrate; it drops frames rather than exceed it.
        "minrate": str(bitrate),
        "maxrate": str(bitrate),
        "bufsize": str(bitrate),
        "drop-threshold": "30",
        "static-thresh": "1",
        "noise-sensitivity": "0",
    }


def _h264(bitrate: int) -> dict[str, str]:
    return {
        "preset": "superfast",
        "tune": "zerolatency",
        "maxrate": str(bitrate),
        "bufsize": str(bitrate // 2),
        # A forced I frame is one from which a newcomer can start.
        "forced-idr": "1",
    }
