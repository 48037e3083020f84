"""What a transport may send, who gets it, and what is told to the peer."""

from __future__ import annotations

import asyncio
import random
import time

import av
import pytest
from aiortc.rtp import RTCP_PSFB, RTCP_PSFB_APP, RTCP_RTPFB, RtcpPacket, unpack_remb_fci
from fakes import quotas
from rtp_fakes import ABS_SEND_TIME, MID, OPUS, VP8, VP8_RTX, Camera, Tone, pair

from aiortc_worker.rtp.bandwidth import FLOOR, START, Bandwidth, Flow
from aiortc_worker.rtp.delay import DelayEstimator
from aiortc_worker.rtp.outbound_stream import OutboundStream
from aiortc_worker.rtp.parameters import Codec, RtcpFeedback
from aiortc_worker.rtp.rate import RateKeeper
from aiortc_worker.rtp.timeline import Timeline
from aiortc_worker.rtp.transport_cc import FORMAT, pack, unpack
from aiortc_worker.rtp.video_pipeline import VideoPipeline

CODECS = [VP8, VP8_RTX]


def flows(*shapes: tuple[int, int, int]) -> tuple[Bandwidth, list[Flow]]:
    bandwidth = Bandwidth()
    made = [Flow(layer, minimum, maximum, active=True) for layer, minimum, maximum in shapes]
    for flow in made:
        bandwidth.add(flow)
    bandwidth.limited = True
    return bandwidth, made


@pytest.mark.parametrize(
    ("estimate", "granted"),
    [
        (2_000_000, [60_000, 120_000, 400_000, 1_200_000]),
        (1_100_000, [60_000, 120_000, 400_000, 520_000]),
        (700_000, [60_000, 120_000, 400_000, 0]),
        (200_000, [60_000, 120_000, 0, 0]),
        (100_000, [60_000, 40_000, 0, 0]),
    ],
)
def test_sound_comes_first_then_the_lowest_layer(estimate, granted):
    bandwidth, made = flows((-1, 60_000, 60_000), (0, 30_000, 120_000), (1, 130_000, 400_000), (2, 400_000, 1_200_000))
    bandwidth.remb(estimate)
    assert [flow.granted for flow in made] == granted


def test_a_layer_that_lost_its_share_comes_back_when_there_is_room_to_stay():
    bandwidth, (_, upper) = flows((0, 30_000, 100_000), (1, 100_000, 300_000))
    granted = []
    for estimate in (300_000, 190_000, 210_000, 230_000, 205_000):
        bandwidth.remb(estimate)
        granted.append(upper.granted)
    assert granted == [200_000, 0, 0, 130_000, 105_000]


def test_senders_share_a_layer_alike_and_leave_what_they_cannot_use():
    bandwidth, made = flows((0, 30_000, 100_000), (0, 30_000, 900_000), (0, 30_000, 900_000))
    bandwidth.remb(700_000)
    assert [flow.granted for flow in made] == [100_000, 300_000, 300_000]


def test_without_feedback_every_flow_gets_its_maximum():
    bandwidth, made = flows((0, 30_000, 900_000), (1, 30_000, 9_000_000))
    bandwidth.limited = False
    bandwidth.allocate()
    assert [flow.granted for flow in made] == [900_000, 9_000_000]


def test_an_encoder_changes_its_rate_seldom_and_sooner_down_than_up():
    rate = RateKeeper()
    assert rate.take(500_000, 2_000_000, 10.0) == 500_000
    assert rate.take(600_000, 2_000_000, 20.0) == 500_000
    assert rate.take(700_000, 2_000_000, 20.0) == 700_000
    assert rate.take(1_000_000, 2_000_000, 23.0) == 700_000
    assert rate.take(300_000, 2_000_000, 21.5) == 300_000
    assert rate.take(1_000_000, 2_000_000, 30.0) == 1_000_000
    assert rate.take(200_000, 200_000, 30.1) == 200_000


async def test_the_estimate_finds_a_narrow_path_and_the_encoder_keeps_to_it():
    async with pair("video", rate=300_000) as link:
        camera = Camera(640, 480).start()
        await link.start(CODECS, camera)
        await asyncio.sleep(5)
        lost, sent = link.network.lost, len(link.near.sent_rtp)
        mark, begun = sum(map(len, link.near.sent_rtp)), time.monotonic()
        await asyncio.sleep(4)
        rate = (sum(map(len, link.near.sent_rtp)) - mark) * 8 / (time.monotonic() - begun)
        stats = await link.sender.getStats()
        print(stats.available_outgoing_bitrate, rate, link.network.lost - lost, len(link.near.sent_rtp) - sent)
        await camera.stop()
        assert stats.available_outgoing_bitrate < 450_000
        assert 80_000 < rate < 340_000
        assert link.network.lost - lost < 0.05 * (len(link.near.sent_rtp) - sent)
        assert stats.streams[0].key_frames_encoded < 12


async def test_the_estimate_grows_on_a_wide_path():
    async with pair("video") as link:
        camera = Camera(640, 480, rate=15).start()
        await link.start(CODECS, camera)
        for _ in range(30):
            await asyncio.sleep(0.5)
            stats = await link.sender.getStats()
            if stats.available_outgoing_bitrate is not None:
                break
        await camera.stop()
        assert stats.available_outgoing_bitrate >= START
        feedback = [data for data in link.far.sent_rtcp if data[1] == RTCP_RTPFB and data[0] & 0x1F == FORMAT]
        assert 5 < len(feedback) < 150
        messages = [unpack(data) for data in feedback]
        told = [arrival.sequence for message in messages for arrival in message.received]
        told += [number for message in messages for missing in message.missing for number in missing]
        told.sort()
        assert told == [(told[0] + index) & 0xFFFF for index in range(len(told))]


async def test_remb_is_sent_and_obeyed_where_it_is_what_is_negotiated():
    codec = Codec("video/VP8", 96, 90000, rtcp_feedback=[RtcpFeedback("nack", "pli"), RtcpFeedback("goog-remb")])
    async with pair("video", rate=400_000) as link:
        camera = Camera(640, 480).start()
        await link.start([codec], None)
        extensions = [MID, ABS_SEND_TIME]
        await link.receiver.start_receiving(link.receive_parameters([codec], header_extensions=extensions))
        await link.sender.send(link.send_parameters([codec], header_extensions=extensions))
        await link.replace(camera)
        await asyncio.sleep(6)
        await camera.stop()
        await link.receiver.close()
        # What is on its way arrives.
        await asyncio.sleep(0.5)
        feedback = [RtcpPacket.parse(data)[0] for data in link.far.sent_rtcp if data[1] == RTCP_PSFB]
        bitrate, ssrcs = unpack_remb_fci([packet for packet in feedback if packet.fmt == RTCP_PSFB_APP][-1].fci)
        assert ssrcs == [1000]
        assert bitrate < 600_000
        stats = await link.sender.getStats()
        assert stats.available_outgoing_bitrate == max(bitrate, FLOOR)
        assert stats.streams[0].target_bitrate < 650_000


async def test_a_disabled_track_costs_a_fraction():
    async with pair("video") as link:
        camera = Camera().start()
        picture = camera.picture
        await link.start(CODECS, camera)
        await asyncio.sleep(2)
        usual = sum(map(len, link.near.sent_rtp)) * 8 / 2

        def black():
            frame = picture()
            for plane, value in zip(frame.planes, (16, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            return frame

        camera.picture = black
        await asyncio.sleep(0.5)
        mark = sum(map(len, link.near.sent_rtp))
        await asyncio.sleep(2)
        dark = (sum(map(len, link.near.sent_rtp)) - mark) * 8 / 2
        await camera.stop()
        print(usual, dark)
        assert dark < usual / 5
    async with pair("audio") as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await asyncio.sleep(1)
        usual = (await link.sender.getStats()).streams[0].bytes_sent
        tone.frequency = 0
        await asyncio.sleep(0.2)
        mark = (await link.sender.getStats()).streams[0].bytes_sent
        await asyncio.sleep(1)
        await tone.stop()
        silent = (await link.sender.getStats()).streams[0].bytes_sent - mark
        print(usual, silent)
        assert silent < usual / 5


@pytest.mark.parametrize(("loss", "falls"), [(0.05, False), (0.3, True)])
def test_heavy_loss_limits_the_estimate_and_light_loss_does_not(loss, falls):
    bandwidth, (flow,) = flows((0, 30_000, 3_000_000))
    chance, now = random.Random(1), 100.0
    for _ in range(100):
        sent = [bandwidth.next_sequence(1250, now + index * 0.01) for index in range(10)]
        came = {number: now + index * 0.01 for index, number in enumerate(sent) if chance.random() >= loss}
        now += 0.1
        if came:
            bandwidth.feedback(pack(1, 2, 0, sent[0], len(sent), came), now)
    assert (flow.granted < 500_000) is falls


def test_the_top_layer_is_tried_though_simple_pictures_use_little_of_what_the_lower_ones_may():
    bandwidth, (*_, top) = flows((0, 30_000, 165_000), (1, 146_000, 440_000), (2, 440_000, 1_320_000))
    granted, now = [], 100.0
    for _ in range(100):
        sent = [bandwidth.next_sequence(500, now + index * 0.025) for index in range(4)]
        came = {number: now + index * 0.025 for index, number in enumerate(sent)}
        now += 0.1
        bandwidth.feedback(pack(1, 2, 0, sent[0], len(sent), came), now)
        granted.append(top.granted)
    assert granted[0] == 0
    assert granted[50] > 440_000
    assert granted[-1] == 1_320_000


def test_a_silence_or_a_leaping_clock_costs_the_estimator_no_time():
    estimator = DelayEstimator()
    begun = time.perf_counter()
    for index, came in enumerate((0.0, 0.1, 1e6, 1e6 + 0.1, 5.0, 1e9)):
        estimator.add(index * 0.02, came, 1000)
    # What walked every millisecond of it would take hours.
    assert time.perf_counter() - begun < 5


def test_the_start_is_what_the_peer_says():
    bandwidth, (flow,) = flows((0, 30_000, 900_000))
    bandwidth.start = 300_000
    bandwidth.allocate()
    assert flow.granted == 300_000


@pytest.mark.parametrize(
    ("parameters", "max_bitrate", "flow"),
    [
        ({}, None, (30_000, 388_000)),
        ({"x-google-max-bitrate": "200"}, None, (30_000, 200_000)),
        ({"x-google-max-bitrate": "200"}, 100_000, (30_000, 100_000)),
        ({"x-google-min-bitrate": "150"}, None, (150_000, 388_000)),
        ({"x-google-min-bitrate": "150"}, 100_000, (150_000, 150_000)),
        ({"x-google-max-bitrate": "many", "x-google-min-bitrate": "0"}, None, (30_000, 388_000)),
    ],
)
def test_a_picture_stays_between_what_the_peer_names_as_least_and_most(parameters, max_bitrate, flow):
    pipeline = VideoPipeline(Timeline(90_000), None, quotas().encoded_pixels)
    stream = OutboundStream(1, None, lambda packet, _more: len(packet))
    stream.max_bitrate = max_bitrate
    pipeline.configure(Codec("video/VP8", 96, 90_000, None, parameters), [stream])
    pipeline.put(av.VideoFrame(320, 240, "yuv420p"))
    assert (stream.flow.minimum, round(stream.flow.maximum, -3)) == flow
