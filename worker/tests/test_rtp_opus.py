"""What a peer wishes of opus, and what it gets."""

from __future__ import annotations

import asyncio
import fractions

import av
import numpy as np
import pytest

from aiortc_worker.rtp.audio_encoder import AudioEncoder
from aiortc_worker.rtp.audio_pipeline import AudioPipeline
from aiortc_worker.rtp.opus import OpusWishes, expected_loss, opus_wishes
from aiortc_worker.rtp.outbound_stream import OutboundStream
from aiortc_worker.rtp.parameters import Codec
from aiortc_worker.rtp.stats import RemoteInboundStats
from aiortc_worker.rtp.timeline import Timeline


def opus(**parameters: str) -> Codec:
    return Codec("audio/opus", 111, 48000, 2, parameters)


@pytest.mark.parametrize(
    ("parameters", "max_bitrate", "wishes"),
    [
        ({}, None, OpusWishes(48_000, 20, None, False, False)),
        ({"stereo": "1"}, None, OpusWishes(96_000, 20, None, False, False, stereo=True)),
        ({"stereo": "0"}, None, OpusWishes(48_000, 20, None, False, False)),
        ({"maxaveragebitrate": "20000"}, None, OpusWishes(20_000, 20, None, False, False)),
        ({"maxaveragebitrate": "20000"}, 12_000, OpusWishes(12_000, 20, None, False, False)),
        ({"maxaveragebitrate": "1"}, None, OpusWishes(6_000, 20, None, False, False)),
        ({"ptime": "60", "usedtx": "1"}, None, OpusWishes(48_000, 60, None, True, False)),
        ({"ptime": "3", "useinbandfec": "1"}, None, OpusWishes(48_000, 10, None, False, True)),
        ({"ptime": "30", "maxplaybackrate": "16000"}, None, OpusWishes(48_000, 20, 8_000, False, False)),
        ({"ptime": "soon", "maxaveragebitrate": "-1", "usedtx": "0"}, None, OpusWishes(48_000, 20, None, False, False)),
    ],
)
def test_wishes_are_read_from_the_format(parameters, max_bitrate, wishes):
    assert opus_wishes(opus(**parameters), max_bitrate) == wishes


@pytest.mark.parametrize("milliseconds", [10, 20, 40, 60])
def test_a_packet_lasts_as_long_as_wished(milliseconds):
    encoder = AudioEncoder(opus(ptime=str(milliseconds)), None)
    payloads = [payload for at in range(60) for payload in encoder.encode([tone_frame(at)])]
    assert encoder.step == 48 * milliseconds
    positions = [payload.position for payload in payloads]
    assert positions == [encoder.step * index for index in range(len(positions))]
    assert len(positions) >= 60 * 20 // milliseconds - 2
    assert decoded(payloads) == len(payloads) * encoder.step


def test_a_lower_bitrate_takes_fewer_bytes():
    def size(**parameters: str) -> int:
        encoder = AudioEncoder(opus(**parameters), None)
        return sum(len(payload.data) for at in range(50) for payload in encoder.encode([tone_frame(at)]))

    assert size(maxaveragebitrate="16000") * 2 < size(maxaveragebitrate="64000")


def test_silence_is_left_out_but_now_and_then_and_what_follows_is_in_its_place():
    encoder = AudioEncoder(opus(usedtx="1"), None)
    levels = [8000] * 20 + [0] * 100 + [8000] * 20
    payloads = [payload for at, level in enumerate(levels) for payload in encoder.encode([tone_frame(at, level)])]
    numbers = [payload.position // 960 for payload in payloads]
    silent = [number for number in numbers if 30 < number < 120]
    assert silent == [49, 69, 89, 109]
    assert numbers[:30] == list(range(30))
    assert [number for number in numbers if number >= 120] == list(range(120, numbers[-1] + 1))
    assert numbers[-1] >= 138


def test_without_the_wish_silence_is_sent():
    encoder = AudioEncoder(opus(), None)
    assert len([payload for at in range(50) for payload in encoder.encode([tone_frame(at, 0)])]) >= 48


def test_two_channels_are_encoded_for_who_wishes_them_and_mixed_for_others():
    for wish, is_stereo in (("1", True), ("0", False)):
        encoder = AudioEncoder(opus(stereo=wish), None)
        payloads = [payload for at in range(50) for payload in encoder.encode([left_frame(at)])]
        # The flag in the first byte (RFC 6716, section 3.1).
        assert {bool(payload.data[0] & 4) for payload in payloads} == {is_stereo}
        left, right = peaks(payloads)
        if is_stereo:
            assert left == pytest.approx(8000, rel=0.1)
            assert right < 500
        else:
            assert left == right == pytest.approx(4000, rel=0.1)


def test_mono_is_as_loud_for_either():
    for wish in ("0", "1"):
        encoder = AudioEncoder(opus(stereo=wish), None)
        payloads = [payload for at in range(50) for payload in encoder.encode([tone_frame(at)])]
        assert peaks(payloads) == pytest.approx((8000, 8000), rel=0.1)


async def test_packets_carry_their_predecessor_while_packets_are_lost_and_the_peer_can_use_it():
    assert repaired(await sent(opus(useinbandfec="1"), fraction_lost=0.1)) > 20
    assert repaired(await sent(opus(useinbandfec="1"), fraction_lost=0.0)) == 0
    assert repaired(await sent(opus(), fraction_lost=0.1)) == 0


@pytest.mark.parametrize(
    ("fraction", "percent"), [(0.0, 0), (0.02, 0), (0.03, 5), (0.05, 5), (0.08, 10), (0.1, 10), (0.25, 30), (0.9, 30)]
)
def test_an_encoder_expects_the_loss_that_was_reported(fraction, percent):
    assert expected_loss(fraction) == percent


async def sent(codec: Codec, fraction_lost: float) -> list[bytes]:
    """Payloads of a pipeline whose receiver reports so much loss."""

    async def run(work, *args):
        return await asyncio.to_thread(work, *args)

    payloads: list[bytes] = []

    def transmit(packet, _more) -> int:
        payloads.append(packet.payload)
        return len(packet.payload)

    stream = OutboundStream(1, None, transmit)
    stream.active = True
    stream.remote = RemoteInboundStats(fraction_lost=fraction_lost)
    pipeline = AudioPipeline(Timeline(48000), run)
    pipeline.configure(codec, [stream])
    for at in range(50):
        pipeline.put(tone_frame(at))
        await pipeline.step()
    assert len(payloads) >= 48
    return payloads


def repaired(payloads: list[bytes]) -> int:
    """How many payloads of one frame carry a coarse copy of the one before (RFC 6716, section 4.2.4)."""
    silk_or_hybrid = [data for data in payloads if data[0] >> 3 < 16 and data[0] & 3 == 0]
    # The flags after the TOC byte, as they are coded: one of voice and one of a copy, for the first channel.
    return sum(bool(data[1] & 0x40) for data in silk_or_hybrid)


def decoded(payloads) -> int:
    decoder = av.CodecContext.create("libopus", "r")
    return sum(frame.samples for payload in payloads for frame in decoder.decode(av.Packet(payload.data)))


def peaks(payloads) -> tuple[float, float]:
    """The loudest sample of each channel, once the encoder has settled; a mono stream is on both."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.layout = "stereo"
    frames = [frame for payload in payloads for frame in decoder.decode(av.Packet(payload.data))]
    samples = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames[20:40]])
    left, right = np.abs(samples.astype(np.int32)).max(axis=0)
    return float(left), float(right)


def left_frame(number: int) -> av.AudioFrame:
    """20 ms of a tone on the left, and silence on the right."""
    mono = tone_frame(number)
    samples = mono.to_ndarray()[0]
    both = np.stack([samples, np.zeros_like(samples)], axis=1).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, mono.pts, mono.time_base
    return frame


def tone_frame(number: int, amplitude: int = 8000) -> av.AudioFrame:
    """20 ms of a tone, or silence."""
    at = (np.arange(960) + 960 * number) / 48000
    wave = (np.sin(2 * np.pi * 440 * at) * amplitude).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 48000
    frame.pts = 960 * number
    frame.time_base = fractions.Fraction(1, 48000)
    return frame
