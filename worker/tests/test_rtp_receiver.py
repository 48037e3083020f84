"""How a receiver finds its packets, and what it does for whom."""

from __future__ import annotations

import asyncio

from aiortc.rtp import RTCP_PSFB, RTCP_RR, RtcpByePacket, RtcpPacket, RtpPacket
from fakes import quotas
from media_session import wait_for
from rtp_fakes import (
    EXTENSIONS,
    H264,
    H264_RTX,
    OPUS,
    VP8,
    VP8_RTX,
    Camera,
    Collector,
    FakeTransport,
    Network,
    Tone,
    number_of,
    pair,
)

from aiortc_worker.rtp.extensions import ExtensionsMap
from aiortc_worker.rtp.parameters import Codec, DecodedEncoding, Encoding, RtcpFeedback
from aiortc_worker.rtp.rtp_receiver import RtpReceiver

CODECS = [VP8, VP8_RTX]


async def test_a_late_consumer_gets_a_picture_at_once():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(20)
        link.receiver.detach(link.collector)
        await asyncio.sleep(0.6)
        late = Collector()
        attached = asyncio.get_running_loop().time()
        link.receiver.attach(late)
        await late.wait(5)
        assert late.at[0] - attached < 1.5
        assert number_of(late.frames[0]) > number_of(link.collector.frames[-1])
        await camera.stop()


async def test_nothing_is_decoded_or_asked_for_while_nobody_looks():
    async with pair("video", loss=0.05) as link:
        camera = Camera().start()
        await link.receiver.start_receiving(link.receive_parameters(CODECS))
        await link.sender.send(link.send_parameters(CODECS))
        await link.replace(camera)
        await asyncio.sleep(1)
        await camera.stop()
        stats = (await link.receiver.getStats()).streams[0]
        assert stats.frames_received > 20
        assert (stats.frames_decoded, stats.nack_count, stats.pli_count) == (0, 0, 0)
        assert stats.packets_lost > 0


async def test_two_receivers_known_by_mid_alone_get_their_own():
    async with pair("video") as first:
        near, far = first.near, first.far
        camera, other = Camera().start(), Camera(160, 120).start()
        second = RtpReceiver(first.session, 103, RtpReceiver.In(kind="video"))
        await first.receiver.start_receiving(first.receive_parameters(CODECS, encodings=[]))
        await second.start_receiving(first.receive_parameters(CODECS, encodings=[], mid="1"))
        small = Collector()
        first.receiver.attach(first.collector)
        second.attach(small)
        async with pair("video") as more:
            more.session.objects = first.session.objects
            more.near_id = first.near_id
            await first.sender.send(first.send_parameters(CODECS))
            await more.sender.send(first.send_parameters(CODECS, [Encoding(ssrc=3000, rtx_ssrc=4000)], mid="1"))
            await first.replace(camera)
            await more.replace(other)
            first.network.loss = 0.05
            await small.wait(60)
            await first.collector.wait(60)
            await camera.stop()
            await other.stop()
        await second.close()
        assert {frame.width for frame in first.collector.frames} == {320}
        assert {frame.width for frame in small.frames} == {160}
        repaired = [
            (await each.getStats()).streams[0].retransmitted_packets_received for each in (first.receiver, second)
        ]
        assert min(repaired) > 0
        assert near.sent_rtcp
        assert far.sent_rtcp


async def test_an_unsignalled_ssrc_is_known_by_its_payload_type():
    async with pair("audio") as link:
        tone = Tone().start()
        await link.receiver.start_receiving(link.receive_parameters([OPUS], encodings=[]))
        link.receiver.attach(link.collector)
        await link.sender.send(link.send_parameters([OPUS], header_extensions=[]))
        await link.replace(tone)
        await link.collector.wait(10)
        await tone.stop()


async def test_a_new_ssrc_under_the_same_mid_plays_on_with_growing_pts():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(10)
        await link.receiver.start_receiving(link.receive_parameters(CODECS, encodings=[DecodedEncoding(5000, 6000)]))
        await link.sender.send(link.send_parameters(CODECS, [Encoding(ssrc=5000, rtx_ssrc=6000)]))
        had = len(link.collector.frames)
        await link.collector.wait(had + 20)
        await camera.stop()
        pts = [frame.pts for frame in link.collector.frames]
        assert pts == sorted(set(pts))
        # A late packet of the old one may still have come, by its MID.
        assert (await link.receiver.getStats()).streams[-1].ssrc == 5000


async def test_mute_follows_silence_bye_and_inactivity():
    async with pair("audio") as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await link.collector.wait(5)
        link.near.send_rtcp(bytes(RtcpByePacket(sources=[1000])))
        await asyncio.sleep(0.1)
        assert link.session.mutes(link.receiver) == ["unmute", "mute", "unmute"]
        assert not link.collector.is_ended
        await link.receiver.start_receiving(link.receive_parameters([OPUS], active=False))
        # What was being decoded still comes.
        await asyncio.sleep(0.2)
        had = len(link.collector.frames)
        await asyncio.sleep(0.1)
        assert len(link.collector.frames) == had
        assert link.session.mutes(link.receiver)[3:] == ["mute"]
        await link.receiver.start_receiving(link.receive_parameters([OPUS]))
        await link.collector.wait(had + 5)
        assert link.session.mutes(link.receiver)[4:] == ["unmute"]
        await tone.stop()


async def test_sources_are_told_when_packets_come_and_ten_times_a_second_once_watched():
    async with pair("audio") as link:
        tone = Tone().start()
        # Nobody listens.
        await link.receiver.start_receiving(link.receive_parameters([OPUS]))
        await link.sender.send(link.send_parameters([OPUS]))
        await link.replace(tone)
        await wait_for(lambda: "sources" in link.session.named(link.receiver))
        await asyncio.sleep(0.5)
        assert link.session.named(link.receiver).count("sources") == 1
        await link.receiver.watchSources()
        await asyncio.sleep(1)
        await tone.stop()
        events = [out for owner, event, out in link.session.events if event == "sources"]
        assert 8 <= len(events) <= 12
        for told in events:
            (source,) = told.synchronization
            assert source.source == 1000
            assert told.contributing == []
        assert 0.2 < source.audio_level < 0.3
        assert (await link.receiver.getStats()).streams[0].total_samples_received == 0


async def test_reports_tell_loss_and_jitter():
    async with pair("audio", loss=0.2) as link:
        tone = Tone().start()
        await link.start([OPUS], tone)
        await asyncio.sleep(3)
        # The path loses reports too: what is asked of the sender's view waits for one that comes through.
        link.network.loss = 0
        told = len(reports_of(link.far))
        await wait_for(lambda: len(reports_of(link.far)) > told)
        await asyncio.sleep(0.1)
        await tone.stop()
        remote = (await link.sender.getStats()).streams[0].remote
        assert remote is not None
        assert 10 < remote.packets_lost < 60
        assert 0 < remote.jitter < 0.5
        assert 2 <= told <= 7
        # One report covers so few packets that it may tell of no loss among them; together they tell the path's.
        fractions = [RtcpPacket.parse(data)[0].reports[0].fraction_lost / 256 for data in reports_of(link.far)]
        assert 0.08 < sum(fractions[:told]) / told < 0.4
        assert remote.fraction_lost == fractions[-1]


def reports_of(transport: FakeTransport) -> list[bytes]:
    return [data for data in transport.sent_rtcp if data[1] == RTCP_RR]


async def test_feedback_alone_only_where_it_is_negotiated():
    for reduced in (False, True):
        async with pair("video") as link:
            camera = Camera().start()
            await link.start(CODECS, camera)
            await link.receiver.start_receiving(link.receive_parameters(CODECS, reduced_size=reduced))
            await link.collector.wait(5)
            link.receiver.detach(link.collector)
            await asyncio.sleep(0.6)
            link.far.sent_rtcp.clear()
            link.receiver.attach(link.collector)
            await camera.stop()
            (feedback,) = [data for data in link.far.sent_rtcp if RTCP_PSFB in (data[1], data[9])]
            assert (feedback[1] == RTCP_PSFB) is reduced
            assert len(RtcpPacket.parse(feedback)) == (1 if reduced else 2)


async def test_a_fir_where_pli_is_not_negotiated():
    codec = Codec("video/VP8", 96, 90000, rtcp_feedback=[RtcpFeedback("ccm", "fir")])
    async with pair("video") as link:
        camera = Camera().start()
        await link.start([codec], camera)
        await link.collector.wait(10)
        late = Collector()
        link.receiver.detach(link.collector)
        link.receiver.attach(late)
        await late.wait(3)
        await camera.stop()
        assert (await link.sender.getStats()).streams[0].fir_count == 1


async def test_padding_and_broken_packets_disturb_nothing():
    async with pair("video") as link:
        camera = Camera().start()
        send = link.near.send_rtp
        shift = 0

        def padded(data: bytes, _more: bool = False) -> bool:
            # After each frame an empty packet, as an SFU sends to probe; and between them, noise.
            nonlocal shift
            packet = RtpPacket.parse(data)
            if packet.ssrc != 1000:
                return True
            moved = data[:2] + ((packet.sequence_number + shift) & 0xFFFF).to_bytes(2, "big") + data[4:]
            send(moved)
            if packet.marker:
                shift += 1
                empty = RtpPacket(96, 0, (packet.sequence_number + shift) & 0xFFFF, packet.timestamp, 1000)
                empty.padding_size = 200
                send(empty.serialize())
            for broken in (
                b"",
                b"\x80",
                b"\x90\x60" + bytes(10),
                b"\x90\xe0" + bytes(10) + b"\xbe\xde\x00\x09",
                data[:11],
            ):
                link.far.router.handle_rtp(broken, 0)
                link.far.router.handle_rtcp(broken)
            return True

        link.near.send_rtp = padded
        await link.start(CODECS, camera)
        await link.collector.wait(30)
        await camera.stop()
        await asyncio.sleep(0.2)
        # All that was encoded: a hole where the padding was would have cost some, or a repeat.
        assert len(link.collector.frames) == (await link.sender.getStats()).streams[0].frames_encoded


async def test_a_malformed_picture_asks_for_another_keyframe_and_goes_on():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start([H264, H264_RTX], camera)
        await link.collector.wait(10)
        send = link.near.send_rtp
        spoil = True

        def spoiled(data: bytes, _more: bool = False) -> bool:
            nonlocal spoil
            if spoil and len(data) > 200:
                spoil = False
                header = len(data) - len(RtpPacket.parse(data).payload)
                return send(data[:header] + b"\x7f\xff" * 60)
            return send(data)

        link.near.send_rtp = spoiled
        had = len(link.collector.frames)
        await link.collector.wait(had + 20)
        await camera.stop()
        assert link.session.mutes(link.receiver) == ["unmute"]


async def test_simulcast_received_plays_the_first_layer():
    layers = [
        Encoding(ssrc=1000, rid="a", scale_resolution_down_by=2),
        Encoding(ssrc=1001, rid="b"),
    ]
    async with pair("video") as link:
        camera = Camera().start()
        await link.receiver.start_receiving(link.receive_parameters(CODECS, encodings=[], rids=["b", "a"]))
        link.receiver.attach(link.collector)
        await link.sender.send(link.send_parameters(CODECS, layers))
        await link.replace(camera)
        await link.collector.wait(20)
        await camera.stop()
        assert {frame.width for frame in link.collector.frames} == {320}
        rids = {stream.rid: stream.frames_received > 5 for stream in (await link.receiver.getStats()).streams}
        assert rids == {"a": True, "b": True}


async def test_a_consumer_that_cannot_keep_up_gets_the_present_not_the_past():
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(5)
        run = link.session.run_blocking

        async def slow(kind, work, *args):
            if getattr(work, "__name__", "") == "_decode":
                await asyncio.sleep(1.4)
            return await run(kind, work, *args)

        link.session.run_blocking = slow
        await asyncio.sleep(3)
        link.session.run_blocking = run
        await asyncio.sleep(1)
        await camera.stop()
        await asyncio.sleep(0.3)
        assert number_of(link.collector.frames[-1]) >= camera.number - 4
        assert (await link.receiver.getStats()).streams[0].frames_dropped > 20


async def test_a_session_beyond_its_share_of_decoding_gets_pictures_late_and_then_from_a_keyframe_on():
    async with pair("video") as link:
        link.session.quotas = quotas(decoded_pixels=320 * 240 * 5)
        # One that takes the share of the session from the start.
        link.receiver = RtpReceiver(link.session, 102, RtpReceiver.In(kind="video"))
        camera = Camera().start()
        begun = asyncio.get_running_loop().time()
        await link.start(CODECS, camera)
        # Another keyframe is decoded, and what waited for the share was dropped.
        async with asyncio.timeout(30):
            while True:
                stats = (await link.receiver.getStats()).streams
                if stats and stats[0].key_frames_decoded > 1:
                    break
                await asyncio.sleep(0.05)
        lasted = asyncio.get_running_loop().time() - begun
        await camera.stop()
        assert stats[0].frames_dropped > 20
        # A second's worth to begin with, five a second, and what waits (BACKLOG), which overdraws them.
        assert stats[0].frames_decoded <= 5 + 5 * lasted + 30
        assert link.session.quotas.decoded_pixels.refused > 0
        numbers = [number_of(frame) for frame in link.collector.frames]
        assert numbers == sorted(numbers)


def test_a_transport_nobody_uses_drops_what_comes():
    transport = FakeTransport(Network())
    transport.router.handle_rtp(bytes(40), 0)
    transport.router.handle_rtcp(bytes(40))
    assert ExtensionsMap(EXTENSIONS) is not None


async def test_a_sequence_that_begins_anew_on_its_ssrc_is_followed():
    async with pair("video") as link:
        camera = Camera().start()
        send = link.near.send_rtp
        shift = 0

        def shifted(data: bytes, _more: bool = False) -> bool:
            return send(data[:2] + ((int.from_bytes(data[2:4], "big") + shift) & 0xFFFF).to_bytes(2, "big") + data[4:])

        link.near.send_rtp = shifted
        await link.start(CODECS, camera)
        await link.collector.wait(10)
        for shift in (40000, 3000, 63000):  # noqa: B007 - `shifted` reads it
            had = len(link.collector.frames)
            await link.collector.wait(had + 10)
        await camera.stop()
        assert link.session.mutes(link.receiver) == ["unmute"]


async def test_faults_are_told_once_and_the_stream_goes_on(caplog):
    async with pair("video") as link:
        camera = Camera().start()
        await link.start(CODECS, camera)
        await link.collector.wait(5)
        packet, faults = link.receiver.rtp, 3

        def faulty(*args):
            nonlocal faults
            faults -= 1
            if faults >= 0:
                raise RuntimeError("a fault")
            packet(*args)

        link.receiver.rtp = faulty
        had = len(link.collector.frames)
        await link.collector.wait(had + 10)
        await camera.stop()
        assert link.session.mutes(link.receiver) == ["unmute"]
        assert [record.getMessage() for record in caplog.records] == ["RtpReceiver 102: RTP failed"]
