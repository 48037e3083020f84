"""The pixel formats of WebCodecs, and pictures turned from one into another by libswscale."""

from __future__ import annotations

from typing import Final, Literal

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

PixelFormat = Literal["I420", "I420A", "NV12", "RGBA", "RGBX", "BGRA", "BGRX"]
"https://www.w3.org/TR/webcodecs/#pixel-format"
Matrix = Literal["rgb", "bt709", "bt470bg", "smpte170m", "bt2020-ncl"]
"https://www.w3.org/TR/webcodecs/#videomatrixcoefficients"

PIXEL_FORMATS: Final[dict[str, PixelFormat]] = {
    "yuv420p": "I420",
    "yuva420p": "I420A",
    "nv12": "NV12",
    "rgba": "RGBA",
    "rgb0": "RGBX",
    "bgra": "BGRA",
    "bgr0": "BGRX",
}
"By libav's names."

TABLES: Final = int(Interpolation.BILINEAR)
"From YUV to RGB by tables: within 3 of exact, in a tenth of the time."
TABLES_STEP: Final = 8
"Pixels that are converted so at once: at other widths the last ones would stay as they were in memory."
MEAN: Final = int(Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT)
"From RGB to YUV: a chroma sample is the mean of its pixels."

_COLORSPACES: Final[dict[Matrix, Colorspace]] = {
    "bt709": Colorspace.ITU709,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.ITU601,
    "bt2020-ncl": Colorspace.BT2020,
}


def is_rgb(format: PixelFormat) -> bool:
    return format[:3] in ("RGB", "BGR")


def plane_sizes(format: PixelFormat, width: int, height: int) -> list[tuple[int, int]]:
    """Bytes a row, and rows, of each plane."""
    if is_rgb(format):
        return [(width * 4, height)]
    across, down = (width + 1) // 2, (height + 1) // 2
    if format == "NV12":
        return [(width, height), (across * 2, down)]
    return [(width, height), (across, down), (across, down), (width, height)][: 4 if format == "I420A" else 3]


class Converter:
    """Turns pictures into other formats; keeps what libswscale prepared for the last kind. For one thread at a time."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(
        self, frame: av.VideoFrame, format: PixelFormat, matrix: Matrix = "smpte170m", full_range: bool = False
    ) -> av.VideoFrame:
        """`frame` in `format`, at its own size; the same one if it is in that format already.

        The matrix and range are those of the YUV on either side: WebRTC's pictures have those of BT.601.
        """
        if frame.format.name == libav_name(format):
            return frame
        source = PIXEL_FORMATS.get(frame.format.name)
        if not is_rgb(format) or source is None or is_rgb(source):
            return self._reformat(frame, format, matrix, full_range)
        # The tables are better at I420 than at NV12, which is as good as I420.
        planar = frame if source != "NV12" else self._reformat(frame, "I420", matrix, full_range)
        width, height = frame.width, frame.height
        padded = resized(planar, -(-width // TABLES_STEP) * TABLES_STEP, height + height % 2)
        return resized(self._reformat(padded, format, matrix, full_range), width, height)

    def _reformat(self, frame: av.VideoFrame, format: PixelFormat, matrix: Matrix, full_range: bool) -> av.VideoFrame:
        space = _COLORSPACES.get(matrix, Colorspace.ITU601)
        span = ColorRange.JPEG if full_range else ColorRange.MPEG
        converted = self._reformatter.reformat(
            frame,
            format=libav_name(format),
            src_colorspace=space,
            dst_colorspace=space,
            # RGB has its own range whatever is said of it.
            src_color_range=span,
            dst_color_range=span,
            interpolation=TABLES if is_rgb(format) else MEAN,
            # More would only contend with the encoders.
            threads=1,
        )
        converted.pts, converted.time_base = frame.pts, frame.time_base
        return converted


def resized(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """`frame` without what is beyond that size, or with room up to it, whose pixels are anything."""
    if (frame.width, frame.height) == (width, height):
        return frame
    target = av.VideoFrame(width, height, frame.format.name)
    for plane, other in zip(frame.planes, target.planes, strict=True):
        source, rows = plane_rows(plane), plane_rows(other)
        down, across = min(len(source), len(rows)), min(source.shape[1], rows.shape[1])
        rows[:down, :across] = source[:down, :across]
    target.pts, target.time_base = frame.pts, frame.time_base
    return target


def plane_rows(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """The memory of a plane, padding included."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


def libav_name(format: PixelFormat) -> str:
    return next(name for name, each in PIXEL_FORMATS.items() if each == format)
