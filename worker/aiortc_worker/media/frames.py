"""The seam between media and RTP: who makes frames, who takes them."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import av

Kind = Literal["audio", "video"]
Frame = av.VideoFrame | av.AudioFrame
"""Audio is s16, packed, at most 20 ms; video yuv420p. pts and time_base are set, and pts never goes back within one
source. A frame is shared by its consumers: who changes one makes a copy first."""


def pixel_count(frame: Frame) -> int:
    """Pixels of a picture; sound has none."""
    return frame.width * frame.height if isinstance(frame, av.VideoFrame) else 0


class Consumer(Protocol):
    """Takes the frames of a source, in its loop's thread; must not block."""

    def frame(self, frame: Frame) -> None: ...

    def ended(self) -> None:
        """No frame will follow."""


@runtime_checkable
class Source(Protocol):
    """Makes frames, at the pace they are to be seen, while somebody consumes them."""

    kind: Kind

    def attach(self, consumer: Consumer) -> None:
        """Frames go to `consumer` from now on; a source that has ended says so at once."""

    def detach(self, consumer: Consumer) -> None:
        """No frame goes to `consumer` any more; unknown consumers are ignored."""
