"""Cameras and microphones of a Linux machine, as containers."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from ..session.remote import CallError
from .container import Container
from .frames import Kind
from .settings import AudioConstraints, VideoConstraints

VIDEO_NAME: Final = re.compile(r"/dev/video\d+")
AUDIO_NAME: Final = re.compile(r"default|(plug)?hw:\d+(,\d+)?")
"What PyAV is given is one of these: no other demuxer, no option, is reached by a name."


def open_device(
    name: str | None, audio: AudioConstraints | None, video: VideoConstraints | None, kind: Kind
) -> Container:
    """Opens the device `name`, or the first one of its kind. Blocks.

    Raises CallError: NotFoundError when there is none, NotReadableError when it cannot be opened.
    """
    if sys.platform != "linux":
        raise CallError("NotFoundError", f"Devices are read on Linux alone; this is {sys.platform}")
    if kind == "video":
        path = _camera(name)
        return Container(path, frozenset({kind}), name=path, format="v4l2", options=_video_options(video))
    device = _microphone(name)
    return Container(device, frozenset({kind}), name=device, format="alsa", options=_audio_options(audio))


def _camera(name: str | None) -> str:
    if name is None:
        name = next((str(path) for path in sorted(Path("/dev").glob("video*"))), None)
        if name is None:
            raise CallError("NotFoundError", "There is no camera")
    if not VIDEO_NAME.fullmatch(name) or not Path(name).exists():
        raise CallError("NotFoundError", f"There is no camera {name}")
    return name


def _microphone(name: str | None) -> str:
    name = name or "default"
    if not AUDIO_NAME.fullmatch(name) or not any(Path("/dev/snd").glob("pcm*c")):
        raise CallError("NotFoundError", f"There is no microphone {name}")
    return name


def _video_options(video: VideoConstraints | None) -> dict[str, str]:
    if not video:
        return {}
    size = {"video_size": f"{video.width}x{video.height}"} if video.width and video.height else {}
    return size | ({"framerate": str(video.frame_rate)} if video.frame_rate else {})


def _audio_options(audio: AudioConstraints | None) -> dict[str, str]:
    if not audio:
        return {}
    rate = {"sample_rate": str(audio.sample_rate)} if audio.sample_rate else {}
    return rate | ({"channels": str(audio.channel_count)} if audio.channel_count else {})
