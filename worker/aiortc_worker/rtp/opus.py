"""What a peer wishes of the opus that it is sent.

@see https://www.rfc-editor.org/rfc/rfc7587#section-6.1; `ptime` among them is libwebrtc's
"""

from __future__ import annotations

import math
from typing import NamedTuple

import av
from aiortc.codecs.opus import OpusEncoder

from .parameters import Codec

SAMPLE_RATE = 48_000
PACKET_TIMES = (60, 40, 20, 10)
"Milliseconds of a packet that are used; 20 unless the peer wishes otherwise."

BANDWIDTHS = (4_000, 6_000, 8_000, 12_000)
"Hz of audio below which libopus can be told to stay."

WORTH = 0.02
"The part of packets lost from which on in-band FEC is worth its bits."

LOSSES = (5, 10, 20, 30)
"Percent of packets that an encoder is told to expect: it can be told but once, and another one is heard."


class OpusWishes(NamedTuple):
    """How to encode for a peer."""

    bitrate: int
    "Bits per second."
    packet_time: int
    "Milliseconds."
    bandwidth: int | None
    "Hz of audio; None for all."
    pauses: bool
    "Whether silence need not be sent."
    repairs: bool
    "Whether packets may carry their predecessor, coarsely, where packets are lost."
    stereo: bool = False
    "Whether two channels are worth their bits."

    @property
    def layout(self) -> str:
        """Of what is encoded; a stereo source is mixed for who prefers mono."""
        return "stereo" if self.stereo else "mono"


def opus_wishes(codec: Codec, max_bitrate: int | None) -> OpusWishes:
    """The wishes in `codec`'s parameters, at most `max_bitrate`."""
    parameters = codec.parameters
    stereo = parameters.get("stereo") == "1"
    bitrate = _number(codec, "maxaveragebitrate", 96_000 if stereo else 48_000)
    packet_time = _number(codec, "ptime", 20)
    rate = _number(codec, "maxplaybackrate", SAMPLE_RATE)
    return OpusWishes(
        bitrate=max(6_000, min(bitrate, max_bitrate or bitrate, 510_000)),
        packet_time=next((time for time in PACKET_TIMES if time <= packet_time), PACKET_TIMES[-1]),
        bandwidth=next((bandwidth for bandwidth in BANDWIDTHS if rate <= 2 * bandwidth), None),
        pauses=parameters.get("usedtx") == "1",
        repairs=parameters.get("useinbandfec") == "1",
        stereo=stereo,
    )


def expected_loss(fraction_lost: float) -> int:
    """Of `LOSSES` the one that covers what was reported (0 to 1), or 0 when that is not worth the bits of FEC."""
    if fraction_lost <= WORTH:
        return 0
    return next((percent for percent in LOSSES if fraction_lost * 100 <= percent), LOSSES[-1])


def shape(encoder: OpusEncoder, wishes: OpusWishes, loss: int) -> None:
    """Makes an encoder that has not begun do as wished, for a path that loses `loss` percent of the packets."""
    options = {"application": "voip", "frame_duration": str(wishes.packet_time)}
    if wishes.bandwidth is not None:
        options["cutoff"] = str(wishes.bandwidth)
    if wishes.repairs and loss:
        options |= {"fec": "1", "packet_loss": str(loss)}
    encoder.codec.options = options
    encoder.codec.bit_rate = wishes.bitrate
    encoder.codec.layout = wishes.layout
    encoder.resampler = av.AudioResampler(
        format="s16", layout=wishes.layout, rate=SAMPLE_RATE, frame_size=SAMPLE_RATE * wishes.packet_time // 1000
    )


class Pauses:
    """Leaves out the packets of a silence, but one now and then by which it is heard that the stream goes on.

    libopus does so itself (DTX), but libavcodec gives no access to it.
    """

    SILENT = 90
    "dBov below full scale: less than the lowest bit of 16."
    BEFORE = 0.2
    "Seconds of silence that are sent."
    EVERY = 0.4
    "Seconds between packets after that."

    def __init__(self, packet_time: int) -> None:
        self._before = math.ceil(self.BEFORE * 1000 / packet_time)
        self._every = math.ceil(self.EVERY * 1000 / packet_time)
        self._silent = 0

    def sends(self, level: int) -> bool:
        """Whether a packet with sound of `level` (dBov below full scale) is sent."""
        self._silent = self._silent + 1 if level >= self.SILENT else 0
        beyond = self._silent - self._before
        return beyond <= 0 or beyond % self._every == 0


def _number(codec: Codec, name: str, usual: int) -> int:
    value = codec.parameters.get(name, "")
    return int(value) if value.isdecimal() else usual
