"""What holds of timelines, sequence numbers, buffers and feedback, whatever is thrown at them."""

from __future__ import annotations

import contextlib
import random

import pytest
from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st
from rtp_fakes import VP8

from aiortc_worker.rtp.audio_buffer import PATIENCE, AudioBuffer
from aiortc_worker.rtp.history import HISTORY, PacketHistory
from aiortc_worker.rtp.inbound_stream import InboundStream
from aiortc_worker.rtp.sequence import Unwrapper
from aiortc_worker.rtp.timeline import Timeline
from aiortc_worker.rtp.transport_cc import TICKS_PER_SECOND, pack, unpack
from aiortc_worker.rtp.video_buffer import VideoBuffer

events = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(-(1 << 40), 1 << 40),
        st.floats(0, 100, allow_nan=False),
        st.sampled_from([1, 160, 960]),
    ),
    min_size=2,
)


@given(events, st.integers(0, (1 << 32) - 1))
def test_a_timeline_never_goes_back_and_keeps_to_the_clock(sources, origin):
    timeline = Timeline(48000, origin)
    now, last, steps = 10.0, None, 0
    begun = None
    for epoch, position, passed, step in sources:
        now += passed
        timestamp = timeline.map(epoch, position, now, step)
        steps += step
        if last is None:
            begun = (timestamp, now)
        else:
            assert timestamp >= last + step
            # Never further ahead than a leap a frame, and what the frames themselves last.
            assert timestamp - begun[0] <= (now - begun[1] + len(sources)) * 48000 + steps
        last = timestamp


@given(st.lists(st.integers(1, 90000), min_size=1, max_size=50))
def test_a_timeline_keeps_the_distances_of_a_steady_source(distances):
    timeline, now, position = Timeline(90000), 0.0, 12345
    first = timeline.map("a", position, now)
    for distance in distances:
        position += distance
        now += distance / 90000
        assert timeline.map("a", position, now) - first == position - 12345


@given(st.integers(0, (1 << 16) - 1), st.lists(st.integers(-30000, 30000), max_size=200))
def test_an_unwrapper_follows_every_step_smaller_than_half_a_lap(first, steps):
    unwrap = Unwrapper(16)
    true = first + (1 << 16)
    assert unwrap(first) == true
    highest = true
    for step in steps:
        true = max(0, highest + step)
        if abs(true - highest) < 1 << 15:
            assert unwrap(true & 0xFFFF) == true
            highest = max(highest, true)


def vp8(number: int, frame: int, first: bool, last: bool, key: bool) -> RtpPacket:
    payload = bytes([0x10 if first else 0, 0 if key and first else 1]) + number.to_bytes(4, "big")
    return RtpPacket(96, int(last), number & 0xFFFF, frame * 3000 & 0xFFFFFFFF, 1, payload)


def pictures(sizes: list[int], keys: set[int], begin: int) -> list[tuple[int, RtpPacket]]:
    made, number = [], begin
    for frame, size in enumerate(sizes):
        for part in range(size):
            made.append((number, vp8(number, frame, part == 0, part == size - 1, frame in keys)))
            number += 1
    return made


@given(st.lists(st.integers(1, 6), min_size=1, max_size=40), st.integers(0, 1 << 20), st.integers(0, 1000))
def test_pictures_are_whole_and_in_order_however_packets_are_shuffled(sizes, begin, seed):
    packets = pictures(sizes, {0}, begin)
    random.Random(seed).shuffle(packets)
    buffer = VideoBuffer(VP8)
    frames = [frame for number, packet in packets for frame in buffer.add(number, packet)]
    assert [frame.timestamp // 3000 for frame in frames] == list(range(len(sizes)))
    assert [frame.packets for frame in frames] == sizes
    assert [frame.keyframe for frame in frames] == [index == 0 for index in range(len(sizes))]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=40), st.sets(st.integers(0, 200)), st.sets(st.integers(0, 40)))
def test_after_a_loss_pictures_go_on_from_a_keyframe(sizes, lost, keys):
    packets = pictures(sizes, keys | {0}, 1000)
    buffer = VideoBuffer(VP8)
    frames = []
    for number, packet in packets:
        if number - 1000 in lost:
            frames += buffer.skip(number)
        else:
            frames += buffer.add(number, packet)
    order = [frame.timestamp // 3000 for frame in frames]
    assert order == sorted(set(order))
    for before, after in zip([-1, *order], order, strict=False):
        assert after == before + 1 or after in keys | {0}


@given(st.lists(st.integers(0, 60), min_size=1, unique=True), st.integers(0, 1 << 20))
def test_sound_comes_in_order_and_waits_no_longer_than_its_patience(order, begin):
    buffer, now, out = AudioBuffer(), 0.0, []
    for index in order:
        now += 0.02
        packet = RtpPacket(0, 0, 0, index, 1, b"x")
        out += [(frame.timestamp, now) for frame in buffer.add(begin + index, packet, now)]
    out += [(frame.timestamp, now) for frame in buffer.take(now + PATIENCE)]
    stamps = [stamp for stamp, _ in out]
    assert stamps == sorted(set(stamps))
    assert set(stamps) <= set(order)
    arrivals = {index: 0.02 * (at + 1) for at, index in enumerate(order)}
    assert all(at - arrivals[stamp] < PATIENCE + 0.021 for stamp, at in out)


@given(
    st.integers(0, 1 << 20),
    st.lists(st.one_of(st.none(), st.floats(0, 0.2)), min_size=1, max_size=400).filter(any),
    st.floats(0, 1_000_000),
)
def test_transport_wide_feedback_says_what_arrived_and_when(base, waits, begun):
    at, arrivals = begun, {}
    for index, wait in enumerate(waits):
        if wait is not None:
            at += wait
            arrivals[base + index] = at
    told = unpack(pack(1, 2, 3, base, len(waits), arrivals))
    assert [arrival.sequence for arrival in told.received] == [sequence & 0xFFFF for sequence in arrivals]
    missing = [number for each in told.missing for number in each]
    assert missing == [(base + index) & 0xFFFF for index in range(len(waits)) if base + index not in arrivals]
    lap = (1 << 24) * 256 / TICKS_PER_SECOND
    for arrival, at in zip(told.received, arrivals.values(), strict=True):
        assert arrival.at == pytest.approx(at % lap, abs=1.1 / TICKS_PER_SECOND)


@given(st.binary(max_size=80))
def test_no_feedback_however_broken_does_more_than_a_value_error(data):
    with contextlib.suppress(ValueError):
        unpack(data)


def test_a_history_repeats_within_its_budget_and_not_at_once():
    history = PacketHistory()
    for number in range(3000):
        history.add(RtpPacket(96, 0, number, 0, 1, bytes(1000)))
    assert history.take(3000 - HISTORY - 1, 1_000_000, None, 100.0) is None
    assert history.take(2999, 1_000_000, None, 100.0) is not None
    assert history.take(2999, 1_000_000, None, 100.04) is None
    assert history.take(2999, 1_000_000, 0.15, 100.11) is None
    assert history.take(2999, 1_000_000, 0.1, 100.11) is not None
    repeated = sum(history.take(number, 1_000_000, None, 200.0) is not None for number in range(2000, 3000))
    assert repeated * 1040 * 8 <= 200_000
    assert repeated > 20


def test_a_request_for_packets_across_the_wrap_is_two_messages():
    sent: list[bytes] = []
    stream = InboundStream(1, 2, sent.append)
    for number in (65530, 65531, 3):
        stream.packet(RtpPacket(96, 0, number, 0, 1, b"\x10\x00x"), 20, VP8, 1.0, True)
    asked = [packet.lost for data in sent for packet in RtcpPacket.parse(data) if isinstance(packet, RtcpRtpfbPacket)]
    assert asked == [[65532, 65533, 65534, 65535], [0, 1, 2]]
