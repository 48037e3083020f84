"""RTP and RTCP as a hostile peer sends them: one error, and no more work than the bytes are worth."""

from __future__ import annotations

import fractions
import struct
import time
from collections.abc import Callable
from typing import Any

import av
import pytest
from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.rtp import HeaderExtensions, RtpPacket
from fakes import quotas
from hypothesis import assume, given
from hypothesis import strategies as st
from rtp_fakes import EXTENSIONS, H264, VP8

from aiortc_worker.rtp import video_decoding
from aiortc_worker.rtp.coded_frame import CodedFrame
from aiortc_worker.rtp.depayload import START_CODE, depayload, vp8_pixels
from aiortc_worker.rtp.extensions import READERS, ExtensionsMap
from aiortc_worker.rtp.feedback import ArrivalFeedback
from aiortc_worker.rtp.nack import MOST_MISSING, NackList
from aiortc_worker.rtp.parameters import HeaderExtension
from aiortc_worker.rtp.quality import FrameRate
from aiortc_worker.rtp.router import Router, Routes
from aiortc_worker.rtp.rtcp import LARGEST_BITRATE, parts_of, remb_bitrate
from aiortc_worker.rtp.sources import MOST_SOURCES, Sources
from aiortc_worker.rtp.stats import InboundStats
from aiortc_worker.rtp.transport_cc import MOST_STATUSES, covered, unpack
from aiortc_worker.rtp.video_decoding import MOST_PIXELS, VideoDecoding

IDS = {uri: id for id, uri in enumerate(READERS, 1)}
ALL = ExtensionsMap(HeaderExtension(uri, id) for uri, id in IDS.items())
ONE_BYTE, TWO_BYTE = 0xBEDE, 0x1000


def best_of(count: int, work: Callable[[], Any]) -> float:
    """The least seconds of CPU that `work` takes: what else the machine does stretches it, and never shortens it."""
    best = float("inf")
    for _ in range(count):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


# Header extensions


@given(
    st.builds(
        HeaderExtensions,
        abs_send_time=st.none() | st.integers(0, 0xFFFFFF),
        audio_level=st.none() | st.tuples(st.booleans(), st.integers(0, 127)),
        mid=st.none() | st.text(min_size=1, max_size=40),
        repaired_rtp_stream_id=st.none() | st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True),
        rtp_stream_id=st.none() | st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True),
        transport_sequence_number=st.none() | st.integers(0, 0xFFFF),
    )
)
def test_what_aiortc_writes_is_read_as_it_was_written(values: HeaderExtensions) -> None:
    assert ALL.get(*ALL.set(values)) == values


REFUSED = {
    f"{uri} of {len(value)} bytes": (ONE_BYTE, bytes([IDS[uri] << 4 | len(value) - 1]) + value)
    for uri, value in {
        "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": b"ab",
        "urn:ietf:params:rtp-hdrext:toffset": b"abcd",
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": b"a",
        "urn:ietf:params:rtp-hdrext:sdes:mid": b"\xff\xfe",
        "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "é".encode(),
    }.items()
} | {
    "a value beyond the end": (ONE_BYTE, b"\x13ab"),
    "a long form without its length": (TWO_BYTE, b"\x01"),
    "a long value beyond the end": (TWO_BYTE, b"\x01\x04abc"),
    "a level without a byte": (TWO_BYTE, bytes([IDS["urn:ietf:params:rtp-hdrext:ssrc-audio-level"], 0])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_malformed_extension_is_one_packet_less(name: str) -> None:
    profile, value = REFUSED[name]
    with pytest.raises(ValueError, match=r".+"):
        ALL.get(profile, value)


def test_padding_ends_of_lists_and_other_profiles_are_read_as_rfc_8285_says() -> None:
    mid = bytes([1 << 4]) + b"x"
    assert ALL.get(ONE_BYTE, b"\0\0" + mid + b"\0").mid == "x"
    assert ALL.get(ONE_BYTE, b"\xf0a" + mid).mid is None, "15 ends the list"
    assert ALL.get(ONE_BYTE, b"\x01ab" + mid).mid is None, "0 with a length, too"
    assert ALL.get(0x100F, b"\1\1x").mid == "x", "four bits are the application's"
    assert ALL.get(0x1234, b"\1\1x").mid is None


class Sink:
    """Takes all."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def rtp(self, packet: RtpPacket, size: int, now: float) -> None:
        self.taken.append(packet)

    def rtcp(self, packet: Any, now: float) -> None:
        self.taken.append(packet)

    def tick(self, now: float) -> None: ...
    def failed(self, error: Exception) -> None: ...


async def test_a_router_counts_what_it_drops_and_goes_on() -> None:
    router, sink = Router(lambda _: None), Sink()
    router.attach(sink, Routes(payload_types=frozenset({96}), header_extensions=tuple(EXTENSIONS)))
    send_time = struct.pack("!BBHLLHHBBBB", 0x90, 96, 1, 2, 3, ONE_BYTE, 1, 0x41, 1, 2, 0) + b"payload"
    router.handle_rtp(send_time, 0)
    router.handle_rtp(b"\x80", 0)
    assert (router.unreadable["rtp"], sink.taken) == (2, [])
    router.handle_rtp(struct.pack("!BBHLL", 0x80, 96, 1, 2, 3) + b"payload", 0)
    assert len(sink.taken) == 1
    bye = struct.pack("!BBHL", 0x81, 203, 1, 3)
    router.handle_rtcp(struct.pack("!BBHL", 0x9F, 201, 1, 3) + bye + b"\x80")
    assert router.unreadable["rtcp"] == 2, "a report that lacks its blocks, and a rest"
    assert len(sink.taken) == 2, "what comes behind a malformed part is taken"
    router.detach(sink)


# RTCP


def transport_cc(base: int, count: int, chunks: bytes = b"", deltas: bytes = b"") -> bytes:
    body = struct.pack("!LLHHL", 1, 2, base, count, 0) + chunks + deltas
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def missing(count: int, base: int = 0) -> bytes:
    return transport_cc(base, count, struct.pack("!H", count))


def test_a_few_bytes_that_tell_of_thousands_of_packets_cost_no_more_than_their_length() -> None:
    compound = missing(MOST_STATUSES) * 50
    took = best_of(5, lambda: Router(lambda _: None).handle_rtcp(compound))
    # 0.2 ms; when each of the fifty was read and made objects of, it was 140.
    assert took < 0.005


async def test_of_a_compound_as_many_statuses_are_read_as_one_message_may_have() -> None:
    router = Router(lambda _: None)
    read: list[bytes] = []
    router.bandwidth.feedback = lambda data, now: read.append(data)  # type: ignore[method-assign]
    half = MOST_STATUSES // 2
    router.handle_rtcp(missing(half) + missing(half) + missing(1))
    assert [covered(data) for data in read] == [half, half]


def test_what_is_missing_is_told_in_ranges_that_wrap() -> None:
    told = unpack(transport_cc(0xFFFE, 5, b"\x00\x03\xc0\x00\x20\x01", b""))
    assert told.missing == [range(0xFFFE, 0x10000), range(3)]
    assert told.received == []


def test_a_message_that_claims_deltas_which_are_not_there_is_refused_before_any_is_made() -> None:
    claim = transport_cc(0, MOST_STATUSES, struct.pack("!H", 1 << 13 | MOST_STATUSES))
    with pytest.raises(ValueError, match="ends within its deltas"):
        unpack(claim)


def test_a_remb_says_no_more_than_json_and_no_less_than_its_sources() -> None:
    assert remb_bitrate(b"REMB" + bytes([1, 0x0B, 0xD0, 0x90]) + bytes(4)) == (0x3D090 << 2)
    assert remb_bitrate(b"REMB" + b"\0\xff\xff\xff") == LARGEST_BITRATE
    assert remb_bitrate(b"AFB!" + bytes(8)) is None
    with pytest.raises(ValueError, match="REMB"):
        remb_bitrate(b"REMB" + b"\xff\0\0\1" + bytes(8))


@pytest.mark.parametrize("data", [b"\x80\xc9", b"\x40\xc9\0\0", b"\x80\xc9\0\1"])
def test_what_is_no_compound_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTCP"):
        list(parts_of(data))


def test_sequence_numbers_that_leap_make_no_more_feedback_than_packets() -> None:
    def leap() -> None:
        sent: list[bytes] = []
        feedback = ArrivalFeedback(sent.append)
        feedback.transport_cc = True
        for index in range(100):
            packet = RtpPacket()
            packet.extensions.transport_sequence_number = index * 32_767 & 0xFFFF
            feedback.arrived(packet, 100, 0, index / 1000)
        feedback.tick(1.0)
        assert sum(len(unpack(data).received) for data in sent) == 100
        assert len(sent) == 100

    # 20 ms; 170 when all numbers in between were looked at, and more with every packet.
    assert best_of(3, leap) < 0.1


def test_gaps_without_end_are_not_all_asked_for() -> None:
    """Each gap costs a look through all that is missing: leaps of 300 held the worker up for 27 ms a packet."""
    missing, asked = NackList(0.6), 0
    for index in range(200):
        missing.gap(300 * index + 1, 300 * index + 299, 1.0 + index / 10_000)
        asked = max(asked, len(missing.due(2.0 + index)))
    assert 299 <= asked <= MOST_MISSING


def test_of_the_sources_that_a_peer_names_the_latest_are_known() -> None:
    sources, packet = Sources(), RtpPacket(ssrc=1)
    for index in range(1000):
        packet.csrc = list(range(15 * index, 15 * index + 15))
        sources.note(packet)
    packet.csrc = [14_800]
    sources.note(packet)
    event = sources.due(time.monotonic())
    assert event is not None
    assert [each.source for each in event.synchronization] == [1]
    assert len(event.contributing) == MOST_SOURCES
    assert event.contributing[-1].source == 14_800
    assert event.contributing[-2].source == 14_999


# Payloads


@given(st.integers(1, 23) | st.sampled_from([24, 28]), st.binary(min_size=1, max_size=60))
def test_h264_is_depayloaded_as_by_aiortc(kind: int, rest: bytes) -> None:
    payload = bytes([0x60 | kind]) + rest
    try:
        expected = H264PayloadDescriptor.parse(payload)[1]
    except ValueError:
        with pytest.raises(ValueError, match="H264"):
            depayload("h264", payload)
        return
    # aiortc writes a start code for a unit of no bytes, too.
    assume(kind != 24 or (START_CODE * 2 not in expected and not expected.endswith(START_CODE)))
    assert depayload("h264", payload) == expected


def test_units_of_an_aggregate_are_cut_by_their_lengths() -> None:
    assert depayload("h264", b"\x78\0\2ab\0\0\0\1c") == b"\0\0\0\1ab\0\0\0\1c"


def test_an_aggregate_of_a_datagram_s_size_is_copied_once() -> None:
    payload = b"\x78" + b"\0\1x" * 21_800
    # 6 ms; 80 when each unit copied all that came before it.
    assert best_of(3, lambda: depayload("h264", payload)) < len(payload) / 1024 * 0.001


# Pictures


def vp8_frame(width: int, height: int) -> bytes:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = fractions.Fraction(1, 30)
    encoder.options = {"deadline": "realtime", "cpu-used": "-8"}
    packets = [*encoder.encode(av.VideoFrame(width, height, "yuv420p")), *encoder.encode(None)]
    return bytes(packets[0])


class Bits:
    """Writes the fields of an H264 parameter set."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, size: int, value: int) -> Bits:
        self.bits += f"{value:0{size}b}"
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def unit(self, kind: int) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        raw = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
        return b"\0\0\0\1" + bytes([kind]) + raw.replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")


def h264_frame(width: int, height: int) -> bytes:
    parameters = Bits().u(24, 0x42C03E).ue(0, 0, 2, 1).u(1, 0).ue(width // 16 - 1, height // 16 - 1).u(4, 0b1100)
    picture = Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0)
    slice_ = Bits().ue(0, 7, 0).u(4, 0).ue(0).u(2, 0).ue(0, 1, 3)
    return parameters.unit(0x67) + picture.unit(0x68) + slice_.unit(0x65) + bytes(range(1, 60))


def decoded(codec: Any, data: bytes) -> video_decoding.Decoded:
    async def run(*_: Any) -> None:
        """Not used: the test decodes itself."""

    decoding = VideoDecoding(codec, InboundStats(ssrc=1), FrameRate(), run, quotas().decoded_pixels)
    return decoding._decode([(CodedFrame(0, codec.payload_type, data, True), 0)])


def test_the_size_of_a_vp8_picture_is_read_of_keyframes_alone() -> None:
    frame = vp8_frame(640, 480)
    assert vp8_pixels(frame) == 640 * 480
    scaled = frame[:6] + struct.pack("<HH", 640 | 1 << 14, 480 | 2 << 14) + frame[10:]
    assert vp8_pixels(scaled) == 640 * 480, "two bits are of scaling"
    assert vp8_pixels(bytes([frame[0] | 1]) + frame[1:]) == 0
    assert vp8_pixels(frame[:9]) == 0


@pytest.mark.parametrize(("codec", "frame"), [(VP8, vp8_frame), (H264, h264_frame)], ids=["vp8", "h264"])
def test_a_picture_larger_than_any_is_refused_before_there_is_memory_for_it(
    codec: Any, frame: Callable[[int, int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_decoding, "MOST_PIXELS", 640 * 480)
    met: list[int] = []
    decoder = type(video_decoding.get_decoder(codec.aiortc()))
    decode = decoder.decode
    monkeypatch.setattr(decoder, "decode", lambda self, coded: met.append(len(coded.data)) or decode(self, coded))
    assert len(decoded(codec, frame(640, 480)).frames) == 1, "as large as may be"
    small = len(met)
    larger = decoded(codec, frame(656, 480))
    assert (larger.frames, larger.failed) == ([], 1)
    assert codec is not VP8 or len(met) == small, "libvpx never sees it"
    assert MOST_PIXELS < 16_383 * 16_383 / 8
