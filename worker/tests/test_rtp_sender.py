"""What a sender does as it is told: tracks, pauses, keyframes, layers, codecs."""

from __future__ import annotations

import asyncio
import fractions
import gc
import threading
from collections import defaultdict

import av
import pytest
from aiortc.rtp import RTCP_BYE, RTCP_SDES, RTCP_SR, RtcpPacket, RtcpPsfbPacket, RtpPacket
from rtp_fakes import (
    ABS_SEND_TIME,
    EXTENSIONS,
    H264,
    H264_RTX,
    MID,
    OPUS,
    PCMU,
    VP8,
    VP8_RTX,
    Camera,
    Collector,
    FakeTransport,
    Tone,
    number_of,
    pair,
)

from aiortc_worker.rtp.extensions import ExtensionsMap
from aiortc_worker.rtp.inbound_stream import InboundStream
from aiortc_worker.rtp.outbound_stream import OutboundStream
from aiortc_worker.rtp.parameters import Codec, Encoding, RtcpFeedback
from aiortc_worker.rtp.rtp_receiver import RtpReceiver
from aiortc_worker.rtp.rtp_sender import ReplaceTrack, RtpSender
from aiortc_worker.rtp.sequence import Unwrapper
from aiortc_worker.rtp.video_encoder import VideoEncoder
from aiortc_worker.session.remote import CallError

CODECS = [VP8, VP8_RTX]


def packets(transport: FakeTransport, ssrc: int | None = None) -> list[RtpPacket]:
    known = ExtensionsMap(EXTENSIONS)
    parsed = [RtpPacket.parse(data, known) for data in transport.sent_rtp]
    return [packet for packet in parsed if ssrc in (None, packet.ssrc)]


def assert_monotonic(sent: list[RtpPacket]) -> None:
    sequence, timestamp = Unwrapper(16), Unwrapper(32)
    sequences = [sequence(packet.sequence_number) for packet in sent]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    timestamps = [timestamp(packet.timestamp) for packet in sent]
    assert timestamps == sorted(timestamps)


async def test_a_picture_that_came_before_the_connection_is_sent_when_there_is_one():
    async with pair("video") as link:
        link.near.state = "connecting"
        canvas = Camera()
        await link.start(CODECS, canvas)
        canvas.out.push(canvas.picture())
        await asyncio.sleep(0.3)
        assert not link.near.sent_rtp
        link.near.state = "connected"
        await link.collector.wait(1)
        assert number_of(link.collector.frames[0]) == 0


async def test_timestamps_and_sequence_go_on_across_tracks_that_come_go_and_end():
    async with pair("video") as link:
        first, second = Camera().start(), Camera(160, 120).start()
        first.number, second.number = 5000, 3
        await link.start(CODECS, first)
        await link.collector.wait(10)
        await link.replace(None)
        await asyncio.sleep(0.3)
        await link.replace(second)
        await link.collector.wait(20)
        second.out.end()
        await asyncio.sleep(0.2)
        await link.replace(first)
        had = len(link.collector.frames)
        await link.collector.wait(had + 10)
        await first.stop()
        await second.stop()
        sent = packets(link.near, 1000)
        assert_monotonic(sent)
        # Time that passed without a track passed for the timestamps too.
        elapsed = Unwrapper(32)
        span = [elapsed(packet.timestamp) for packet in sent]
        assert (span[-1] - span[0]) / 90000 == pytest.approx(link.collector.at[-1] - link.collector.at[0], abs=0.2)
        assert {frame.width for frame in link.collector.frames} == {320, 160}


async def test_sound_goes_on_across_tracks_of_other_rates():
    async with pair("audio") as link:
        first, second = Tone(440, 48000).start(), Tone(880, 16000).start()
        second.samples = 7
        await link.start([OPUS], first)
        await link.collector.wait(10)
        await link.replace(second)
        await link.collector.wait(30)
        await first.stop()
        await second.stop()
        assert_monotonic(packets(link.near, 1000))


async def test_inactive_sends_nothing_and_active_begins_with_a_keyframe():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(10)
        await link.sender.send(link.send_parameters(CODECS, active=False))
        await asyncio.sleep(0.1)
        sent = len(link.near.sent_rtp)
        await asyncio.sleep(0.3)
        assert len(link.near.sent_rtp) == sent
        assert not camera.out.demanded
        before = (await link.sender.getStats()).streams[0].key_frames_encoded
        await link.sender.send(link.send_parameters(CODECS))
        had = len(link.collector.frames)
        await link.collector.wait(had + 5)
        await camera.stop()
        assert (await link.sender.getStats()).streams[0].key_frames_encoded == before + 1
        assert_monotonic(packets(link.near, 1000))


@pytest.mark.parametrize("codecs", [[VP8, VP8_RTX], [H264, H264_RTX]], ids=["VP8", "H264"])
async def test_one_keyframe_for_one_pli(codecs):
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(codecs, camera)
        await link.collector.wait(15)
        link.far.send_rtcp(bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1000)))
        had = len(link.collector.frames)
        await link.collector.wait(had + 20)
        fir = RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=(1000).to_bytes(4, "big") + bytes([1, 0, 0, 0]))
        link.far.send_rtcp(bytes(fir))
        await link.collector.wait(had + 30)
        await camera.stop()
        stats = (await link.sender.getStats()).streams[0]
        assert (stats.key_frames_encoded, stats.pli_count, stats.fir_count) == (3, 1, 1)
        assert (await link.receiver.getStats()).streams[0].key_frames_decoded == 3


async def test_a_pli_while_the_source_is_still_repeats_its_last_picture():
    async with pair("video") as link:
        camera = Camera()
        await link.start(CODECS, camera)
        camera.out.push(camera.picture())
        await link.collector.wait(1)
        await asyncio.sleep(0.3)
        late = Collector()
        link.receiver.detach(link.collector)
        link.receiver.attach(late)
        await late.wait(1, seconds=1.5)
        assert number_of(late.frames[0]) == 0


async def test_simulcast_sends_three_layers_each_with_its_rid_size_and_rate():
    layers = [
        Encoding(ssrc=1000, rtx_ssrc=2000, rid="r0", scale_resolution_down_by=4, max_bitrate=120_000),
        Encoding(ssrc=1001, rtx_ssrc=2001, rid="r1", scale_resolution_down_by=2, max_bitrate=300_000, max_framerate=15),
        Encoding(ssrc=1002, rtx_ssrc=2002, rid="r2", max_bitrate=500_000),
    ]
    async with pair("video") as link:
        camera = Camera(640, 480).start()
        await link.start(CODECS, camera, layers)
        await asyncio.sleep(4)
        sent = packets(link.near)
        rids = defaultdict(set)
        for packet in sent:
            rids[packet.ssrc].add((packet.extensions.mid, packet.extensions.rtp_stream_id))
        assert dict(rids) == {1000: {("0", "r0")}, 1001: {("0", "r1")}, 1002: {("0", "r2")}}
        streams = {stream.rid: stream for stream in (await link.sender.getStats()).streams}
        assert [streams[rid].frame_width for rid in ("r0", "r1", "r2")] == [160, 320, 640]
        for layer in layers:
            rate = streams[layer.rid].bytes_sent * 8 / 4
            assert rate < 1.35 * layer.max_bitrate
            assert_monotonic(packets(link.near, layer.ssrc))
        assert 15 < streams["r1"].frames_encoded <= 64
        # A layer switched off stops alone; switched on it begins with a keyframe.
        off = [layers[0], layers[1], Encoding(ssrc=1002, rtx_ssrc=2002, rid="r2", active=False)]
        await link.sender.send(link.send_parameters(CODECS, off))
        await asyncio.sleep(0.1)
        link.near.sent_rtp.clear()
        await asyncio.sleep(0.3)
        assert {packet.ssrc for packet in packets(link.near)} == {1000, 1001}
        keyframes = streams["r2"].key_frames_encoded
        await link.sender.send(link.send_parameters(CODECS, layers))
        await asyncio.sleep(0.3)
        await camera.stop()
        streams = {stream.rid: stream for stream in (await link.sender.getStats()).streams}
        assert streams["r2"].key_frames_encoded == keyframes + 1


async def test_a_repeat_names_the_layer_that_it_repairs():
    async with pair("video", loss=0.1) as link:
        camera = Camera(rate=15).start()
        await link.start(CODECS, camera, [Encoding(ssrc=1000, rtx_ssrc=2000, rid="hi")])
        await asyncio.sleep(2)
        await camera.stop()
        repeats = packets(link.near, 2000)
        assert repeats
        assert {(p.payload_type, p.extensions.mid, p.extensions.repaired_rtp_stream_id) for p in repeats} == {
            (97, "0", "hi")
        }


async def test_a_renegotiated_payload_type_and_codec_are_used_from_then_on():
    moved = Codec("video/VP8", 120, 90000, rtcp_feedback=VP8.rtcp_feedback)
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(10)
        everything = [moved, H264, *CODECS]
        await link.receiver.start_receiving(link.receive_parameters(everything))
        await link.sender.send(link.send_parameters([moved]))
        await asyncio.sleep(0.05)
        had = len(link.collector.frames)
        await link.collector.wait(had + 10)
        await link.sender.send(link.send_parameters([H264]))
        await asyncio.sleep(0.05)
        had = len(link.collector.frames)
        await link.collector.wait(had + 10)
        await camera.stop()
        sent = packets(link.near, 1000)
        order = list(dict.fromkeys(packet.payload_type for packet in sent))
        assert order == [96, 120, 98]
        assert_monotonic(sent)
        numbers = [number_of(frame) for frame in link.collector.frames]
        assert numbers == sorted(numbers)


async def test_a_change_of_clock_keeps_sound_going():
    async with pair("audio") as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await link.collector.wait(10)
        await link.receiver.start_receiving(link.receive_parameters([OPUS, PCMU]))
        await link.sender.send(link.send_parameters([PCMU]))
        await link.collector.wait(40)
        await tone.stop()
        assert_monotonic(packets(link.near, 1000))
        assert link.collector.frames[-1].sample_rate == 8000


async def test_header_extensions_carry_mid_level_and_times():
    async with pair("audio") as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await link.collector.wait(10)
        await tone.stop()
        sent = packets(link.near)
        assert {packet.extensions.mid for packet in sent} == {"0"}
        assert all(packet.extensions.abs_send_time is not None for packet in sent)
        numbers = [packet.extensions.transport_sequence_number for packet in sent]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        # 12000 of 32767 peak is -8.7 dBFS, a sine 3 dB less.
        assert {packet.extensions.audio_level for packet in sent[5:]} == {(True, 12)}


async def test_only_negotiated_extensions_are_written():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, None)
        await link.sender.send(link.send_parameters(CODECS, header_extensions=[MID, ABS_SEND_TIME]))
        await link.replace(camera)
        await link.collector.wait(3)
        await camera.stop()
        assert {packet.extensions.transport_sequence_number for packet in packets(link.near)} == {None}


async def test_reports_begin_after_the_first_packet_and_name_the_source():
    async with pair("video") as link:
        camera = Camera()
        await link.start(CODECS, camera)
        await asyncio.sleep(0.3)
        assert link.near.sent_rtcp == []
        camera.start()
        await asyncio.sleep(2.5)
        await camera.stop()
        kinds = [data[1] for data in link.near.sent_rtcp]
        assert set(kinds) == {RTCP_SR}
        assert 1 <= len(kinds) <= 6
        report, names = RtcpPacket.parse(link.near.sent_rtcp[0])
        assert bytes(names)[1] == RTCP_SDES
        assert names.chunks[0].items == [(1, b"someone")]
        assert report.ssrc == 1000
        remote = (await link.sender.getStats()).streams[0].remote
        assert remote is not None
        assert 0.015 < remote.round_trip_time < 1
        await link.sender.close()
        assert link.near.sent_rtcp[-1][1] == RTCP_BYE


async def test_stop_is_quick_and_leaves_nothing():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(5)
        begun = asyncio.get_running_loop().time()
        await link.sender.stop()
        await link.receiver.stop()
        assert asyncio.get_running_loop().time() - begun < 1
        assert not camera.out.demanded
        assert link.collector.is_ended
        await camera.stop()
        await asyncio.sleep(0.1)
        assert not link.session.tasks
        assert link.near.router._timer is None
        assert link.far.router._timer is None
        with pytest.raises(CallError, match="stopped"):
            await link.sender.send(link.send_parameters(CODECS))


async def test_no_codec_of_ours_is_refused():
    async with pair("video") as link:
        av1 = Codec("video/AV1", 45, 90000, rtcp_feedback=[RtcpFeedback("nack")])
        with pytest.raises(CallError) as refused:
            await link.sender.send(link.send_parameters([av1]))
        assert refused.value.name == "NotSupportedError"
        # A rejected section has no codec, and nothing is sent there.
        await link.sender.send(link.send_parameters([], active=False))
        with pytest.raises(CallError) as missing:
            await link.sender.replaceTrack(ReplaceTrack(track=999))
        assert missing.value.name == "NotFoundError"
        with pytest.raises(CallError) as kind:
            await link.replace(Tone())
        assert kind.value.name == "TypeError"


@pytest.mark.parametrize("codecs", [[VP8], [H264]], ids=["VP8", "H264"])
@pytest.mark.parametrize("size", [(2, 2), (3, 5), (17, 33), (320, 240)])
async def test_pictures_of_any_size_and_scale_are_sent(codecs, size):
    async with pair("video") as link:
        camera = Camera(16, 16)
        await link.start(codecs, camera, [Encoding(ssrc=1000, scale_resolution_down_by=1.5, max_bitrate=1)])
        frame = av.VideoFrame(*size, "rgb24")
        frame.pts, frame.time_base = 0, fractions.Fraction(1, 30)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        camera.out.push(frame)
        await link.collector.wait(1)
        width, height = max(2, int(size[0] / 1.5) & ~1), max(2, int(size[1] / 1.5) & ~1)
        assert (link.collector.frames[0].width, link.collector.frames[0].height) == (width, height)


async def test_a_picture_that_cannot_be_encoded_is_told_once_and_the_next_one_is_sent():
    async with pair("video") as link:
        camera = Camera()
        await link.start(CODECS, camera)
        run, faults = link.session.run_blocking, 4

        async def faulty(kind, work, *args):
            nonlocal faults
            faults -= 1
            if faults >= 0:
                raise RuntimeError("out of memory")
            return await run(kind, work, *args)

        link.session.run_blocking = faulty
        camera.start()
        await link.collector.wait(5)
        await camera.stop()
        errors = [out for owner, event, out in link.session.events if event == "error"]
        assert [error.message for error in errors] == ["encoding failed: RuntimeError('out of memory')"]


async def test_rounds_of_senders_and_receivers_leave_no_task_thread_or_object():
    async def once() -> None:
        async with pair("video") as link:
            camera = Camera(160, 120).start()
            await link.start(CODECS, camera)
            await link.collector.wait(3)
            await camera.stop()

    await once()
    gc.collect()
    tasks, threads = len(asyncio.all_tasks()), threading.active_count()
    for _ in range(5):
        await once()
    gc.collect()
    assert len(asyncio.all_tasks()) == tasks
    assert threading.active_count() <= threads
    kinds = (RtpSender, RtpReceiver, OutboundStream, InboundStream, VideoEncoder)
    assert [thing for thing in gc.get_objects() if isinstance(thing, kinds)] == []
