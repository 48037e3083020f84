"""DTMF tones as telephone events: what is said of them, and what of the sound around them."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtpPacket
from rtp_fakes import EXTENSIONS, OPUS, PCMU, FakeTransport, Tone, pair

from aiortc_worker.rtp.extensions import ExtensionsMap
from aiortc_worker.rtp.parameters import Codec
from aiortc_worker.rtp.rtp_sender import PlayTone
from aiortc_worker.session.remote import CallError

EVENTS = Codec("audio/telephone-event", 110, 48000, 1)
NARROW_EVENTS = Codec("audio/telephone-event", 126, 8000, 1)


def reports(transport: FakeTransport, payload_type: int) -> list[tuple[RtpPacket, int, bool, int]]:
    """The packets on tones: each with its event, whether it ends it, and the duration so far."""
    known = ExtensionsMap(EXTENSIONS)
    packets = [RtpPacket.parse(data, known) for data in transport.sent_rtp]
    found = []
    for packet in packets:
        if packet.payload_type == payload_type:
            event, flags, duration = struct.unpack("!BBH", packet.payload)
            found.append((packet, event, bool(flags & 0x80), duration))
    return found


async def test_tones_are_said_one_after_another_with_the_end_thrice_and_sound_goes_on():
    async with pair("audio") as link:
        source = Tone(440, 48000).start()
        await link.start([OPUS, EVENTS, NARROW_EVENTS], source)
        await link.collector.wait(5)
        await link.sender.playTone(PlayTone("5", 100))
        await link.sender.playTone(PlayTone("#", 40))
        heard = len(link.collector.frames)
        await link.collector.wait(heard + 20)
        await source.stop()
        said = reports(link.near, 110)
        assert [event for _, event, ends, _ in said if ends] == [5, 5, 5, 11, 11, 11]
        assert {duration for _, event, ends, duration in said if ends and event == 5} == {4800}
        assert {duration for _, event, ends, duration in said if ends and event == 11} == {1920}
        assert len({packet.timestamp for packet, event, _, _ in said if event == 5}) == 1
        assert [event for packet, event, _, _ in said if packet.marker] == [5, 11]
        assert {packet.ssrc for packet, *_ in said} == {1000}


async def test_a_tone_longer_than_a_report_can_say_goes_on_in_segments():
    async with pair("audio") as link:
        await link.start([OPUS, EVENTS], Tone(440, 48000))
        await link.sender.playTone(PlayTone("A", 1500))
        task = link.sender._tone
        assert task is not None
        await task
        said = reports(link.near, 110)
        begun = said[0][0].timestamp
        segments = sorted({(packet.timestamp - begun) & 0xFFFFFFFF for packet, *_ in said})
        assert segments == [0, 0xFFFF]
        assert said[-1][3] == 72000 - 0xFFFF


async def test_events_have_the_clock_of_the_codec():
    async with pair("audio") as link:
        await link.start([PCMU, EVENTS, NARROW_EVENTS], Tone(440, 8000))
        await link.sender.playTone(PlayTone("0", 40))
        task = link.sender._tone
        assert task is not None
        await task
        assert {duration for _, _, ends, duration in reports(link.near, 126) if ends} == {320}


async def test_without_events_or_a_stream_a_tone_is_refused():
    async with pair("audio") as link:
        with pytest.raises(CallError):
            await link.sender.playTone(PlayTone("1", 100))
        await link.start([OPUS, NARROW_EVENTS], Tone(440, 48000))
        with pytest.raises(CallError):
            await link.sender.playTone(PlayTone("1", 100))
