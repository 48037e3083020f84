"""What loss, silence and dead paths do to a stream."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiortc.rtp import RtpPacket
from rtp_fakes import OPUS, VP8, VP8_RTX, Camera, Collector, Tone, number_of, pair

from aiortc_worker.rtp.coded_frame import CodedFrame
from aiortc_worker.rtp.inbound_stream import InboundStream

CODECS = [VP8, VP8_RTX]


def latency(collector: Collector, camera: Camera, begun: float) -> list[float]:
    return [
        at - begun - number_of(frame) / camera.rate for frame, at in zip(collector.frames, collector.at, strict=True)
    ]


@pytest.mark.parametrize(("loss", "kept"), [(0.05, 0.97), (0.15, 0.9)])
async def test_pictures_survive_loss_both_ways(loss, kept):
    async with pair("video", loss=loss) as link:
        camera = Camera().start()
        begun = time.monotonic()
        await link.start(CODECS, camera)
        await asyncio.sleep(6)
        await camera.stop()
        await asyncio.sleep(0.5)
        late = sorted(latency(link.collector, camera, begun))
        numbers = {number_of(frame) for frame in link.collector.frames}
        print(
            f"{len(numbers)} of {camera.number}, p50 {late[len(late) // 2]:.3f}, p95 {late[int(len(late) * 0.95)]:.3f}"
        )
        encoded = (await link.sender.getStats()).streams[0].frames_encoded
        assert len(numbers) >= kept * encoded
        assert late[int(len(late) * 0.95)] < 1.5


@pytest.mark.parametrize("loss", [0.05, 0.15])
async def test_sound_loses_only_what_the_path_loses(loss):
    async with pair("audio", loss=loss) as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await asyncio.sleep(4)
        await tone.stop()
        await asyncio.sleep(0.2)
        stats = (await link.receiver.getStats()).streams[0]
        assert len(link.collector.frames) >= stats.packets_received - 1
        assert stats.packets_received >= (1 - loss) * 0.93 * 200


async def test_a_packet_that_was_lost_comes_again_by_rtx():
    async with pair("video", loss=0.1, seed=3) as link:
        camera = Camera(rate=15).start()
        await link.start(CODECS, camera)
        await asyncio.sleep(4)
        await camera.stop()
        await asyncio.sleep(0.3)
        inbound = (await link.receiver.getStats()).streams[0]
        outbound = (await link.sender.getStats()).streams[0]
        assert inbound.retransmitted_packets_received > 2
        assert outbound.retransmitted_packets_sent >= inbound.retransmitted_packets_received
        assert inbound.packets_lost > 2
        assert inbound.nack_count > 0
        assert outbound.nack_count > 0


async def test_a_packet_comes_again_on_its_own_ssrc_without_rtx():
    async with pair("video", loss=0.1, seed=3) as link:
        camera = Camera(rate=15).start()
        await link.start([VP8], camera)
        await asyncio.sleep(4)
        await camera.stop()
        outbound = (await link.sender.getStats()).streams[0]
        assert outbound.retransmitted_packets_sent > 2
        assert len(link.collector.frames) >= 0.75 * outbound.frames_encoded


@pytest.mark.parametrize("seconds", [0.4, 3.0])
async def test_a_dead_path_leaves_no_lag(seconds):
    async with pair("video") as link:
        camera = Camera().start()
        begun = time.monotonic()
        await link.start(CODECS, camera)
        await link.collector.wait(20)
        link.network.dead = True
        await asyncio.sleep(seconds)
        link.network.dead = False
        alive, had = time.monotonic(), len(link.collector.frames)
        await link.collector.wait(had + 40)
        await camera.stop()
        assert link.collector.at[had] - alive < 2.5
        assert max(latency(link.collector, camera, begun)[-10:]) < 2.5


async def test_sound_goes_on_at_once_after_a_dead_path():
    async with pair("audio") as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await link.collector.wait(20)
        link.network.dead = True
        await asyncio.sleep(2.5)
        link.network.dead = False
        alive, had = time.monotonic(), len(link.collector.frames)
        await link.collector.wait(had + 20)
        await tone.stop()
        assert link.collector.at[had] - alive < 1
        assert link.session.mutes(link.receiver) == ["unmute", "mute", "unmute"]


async def test_a_packet_and_all_its_repeats_lost_skip_to_a_keyframe():
    async with pair("video") as link:
        camera = Camera().start()
        begun = time.monotonic()
        await link.start(CODECS, camera)
        await link.collector.wait(20)
        send, victim = link.near.send_rtp, []

        def deaf(data: bytes, _more=False) -> bool:
            # One packet vanishes, by its number, and so does each repeat: RTX carries the number first.
            number = data[2:4]
            if not victim and data[1] & 0x7F == VP8.payload_type:
                victim.append(number)
            if victim and (number == victim[0] or (data[1] & 0x7F == VP8_RTX.payload_type and victim[0] in data[:60])):
                return True
            return send(data)

        link.near.send_rtp = deaf
        await asyncio.sleep(2)
        link.near.send_rtp = send
        await camera.stop()
        gaps = [b - a for a, b in zip(link.collector.at, link.collector.at[1:], strict=False)]
        stats = (await link.receiver.getStats()).streams[0]
        assert stats.pli_count <= 1
        assert stats.key_frames_decoded >= 2
        assert max(gaps) < 2.5
        assert max(latency(link.collector, camera, begun)[-10:]) < 1


async def test_sequence_numbers_and_timestamps_wrap_unnoticed_under_loss():
    async with pair("video", loss=0.1, seed=5) as link:
        camera = Camera()
        await link.start(CODECS, camera)
        # 20 packets and half a second before the end of both.
        link.sender._streams[1000]._sequence = 0xFFFF - 20
        link.sender._streams[1000]._rtx_sequence = 0xFFFF
        link.sender._timeline._last = (1 << 32) - 45_000
        camera.start()
        await asyncio.sleep(3)
        await camera.stop()
        await asyncio.sleep(0.7)
        stats = (await link.receiver.getStats()).streams[0]
        pts = [frame.pts for frame in link.collector.frames]
        assert pts == sorted(set(pts))
        assert pts[-1] - pts[0] < 4 * 90_000
        assert len(pts) >= 0.75 * (await link.sender.getStats()).streams[0].frames_encoded
        assert 0 < stats.packets_lost < 0.3 * stats.packets_received


async def test_a_keyframe_of_before_that_is_sent_again_to_probe_stops_nothing():
    stream = InboundStream(1, 2, lambda _: None)

    def picture(number: int, key: bool) -> RtpPacket:
        packet = RtpPacket(VP8.payload_type, 1, number, number * 3000, 1)
        packet.payload = bytes([0x10, 0 if key else 1]) + bytes(20)
        return packet

    def arrives(packet: RtpPacket, wanted: bool = True) -> list[CodedFrame]:
        return stream.packet(packet, 50, VP8, time.monotonic(), wanted)

    first = picture(0, key=True)
    for packet in (first, picture(1, key=False)):
        assert arrives(packet, wanted=False) == []
    stream.restart()
    assert stream.repaired(first, 52, time.monotonic(), True) == []
    assert arrives(picture(2, key=False)) == []
    frames = [*arrives(picture(3, key=True)), *arrives(picture(4, key=False))]
    assert [frame.keyframe for frame in frames] == [True, False]
