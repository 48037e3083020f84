"""Sound that a program writes: as fast as it likes, heard without a seam."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from aiortc_worker.media.fan_out import FanOut
from aiortc_worker.media.frames import Frame
from aiortc_worker.media.payload import AudioHeader, read_audio
from aiortc_worker.media.written_sound import WrittenSound


class Clock:
    """As much of a loop as WrittenSound uses; its time goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(when, callback, self._timers)
        self._timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Lets time pass; what is due is called when it is."""
        end = self.now + seconds
        while self._timers and min(timer.when for timer in self._timers) <= end:
            timer = min(self._timers, key=lambda each: each.when)
            self._timers.remove(timer)
            self.now = max(self.now, timer.when)
            timer.callback()
        self.now = end


class Timer:
    def __init__(self, when: float, callback: Callable[[], None], timers: list[Timer]) -> None:
        self.when, self.callback, self._timers = when, callback, timers

    def cancel(self) -> None:
        if self in self._timers:
            self._timers.remove(self)


class Listener:
    """What was heard, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.frames: list[av.AudioFrame] = []
        self.arrivals: list[float] = []

    def frame(self, frame: Frame) -> None:
        assert isinstance(frame, av.AudioFrame)
        assert (frame.samples, frame.sample_rate) == (960, 48_000)
        self.frames.append(frame)
        self.arrivals.append(self._clock.now)

    def ended(self) -> None: ...

    @property
    def samples(self) -> NDArray[np.int16]:
        """In one row."""
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in self.frames] or [np.empty(0, np.int16)])

    @property
    def pts(self) -> list[int]:
        return [frame.pts or 0 for frame in self.frames]


def listening() -> tuple[WrittenSound, Listener, FanOut, Clock]:
    clock = Clock()
    output, listener = FanOut("audio"), Listener(clock)
    output.attach(listener)
    return WrittenSound(output, clock), listener, output, clock


def ramp(first: int, count: int) -> NDArray[np.int16]:
    """Samples that tell which they are, none of them silent."""
    return (np.arange(first, first + count) % 30_000 + 1).astype(np.int16)


def frame(samples: NDArray[np.int16], rate: int = 48_000) -> av.AudioFrame:
    return read_audio(AudioHeader(0, "s16", rate, 1, len(samples)), memoryview(samples.tobytes()))


def test_what_is_written_at_once_is_heard_at_its_pace_sample_by_sample() -> None:
    sound, listener, _, clock = listening()
    for start in range(0, 48_000, 441):
        sound.write(frame(ramp(start, min(441, 48_000 - start))), start / 48_000)
    clock.advance(0.5)
    # Ten seconds would be the same: it is a hundredth faster while much is ahead.
    assert 0.5 <= len(listener.frames) * 0.02 <= 0.53
    clock.advance(1.0)
    assert listener.samples[:48_000].tolist() == ramp(0, 48_000).tolist()
    assert set(np.diff(listener.pts)) == {960}


def test_silence_follows_what_was_said_and_goes_on() -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(ramp(0, 1_000)), 0.0)
    clock.advance(60.0)
    assert listener.samples[:1_000].tolist() == ramp(0, 1_000).tolist()
    assert not listener.samples[1_000:].any()
    assert set(np.diff(listener.pts)) == {960}
    assert len(listener.frames) == pytest.approx(3_000, abs=2)


@pytest.mark.parametrize("timestamp", [0.0, 0.1, 7.0, -3.0])
def test_an_utterance_follows_the_one_before_whatever_its_timestamps(timestamp: float) -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(ramp(0, 9_600)), 1.0)
    sound.write(frame(ramp(9_600, 9_600)), timestamp)
    clock.advance(0.5)
    assert listener.samples[:19_200].tolist() == ramp(0, 19_200).tolist()


def test_a_gap_between_timestamps_is_silence() -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(ramp(0, 4_800)), 0.0)
    sound.write(frame(ramp(4_800, 4_800)), 0.3)
    clock.advance(0.5)
    expected = np.concatenate([ramp(0, 4_800), np.zeros(9_600, np.int16), ramp(4_800, 4_800)])
    assert listener.samples[:19_200].tolist() == expected.tolist()


def test_a_gap_that_has_passed_in_silence_is_not_waited_for_again() -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(ramp(0, 960)), 0.0)
    clock.advance(0.4)
    assert not listener.samples[960:].any()
    sound.write(frame(ramp(960, 960)), 0.42)
    clock.advance(0.06)
    assert listener.samples[960:].any()


@pytest.mark.parametrize("piece", [128, 480, 960, 1_024])
@pytest.mark.parametrize("late", [0.0, 0.015, 0.03])
def test_a_program_that_is_late_by_less_than_40_ms_is_heard_without_a_seam(piece: int, late: float) -> None:
    sound, listener, _, clock = listening()
    begun = clock.now
    for number in range(200):
        due = begun + number * piece / 48_000 + (late if number % 3 else 0.0)
        clock.advance(max(0.0, due - clock.now))
        sound.write(frame(ramp(number * piece, piece)), number * piece / 48_000)
    clock.advance(0.1)
    assert listener.samples[: 200 * piece].tolist() == ramp(0, 200 * piece).tolist()
    assert set(np.diff(listener.pts)) == {960}


def test_sound_that_comes_as_it_is_made_is_given_on_at_once() -> None:
    sound, listener, _, clock = listening()
    for number in range(50):
        sound.write(frame(ramp(number * 960, 960)), number * 0.02)
        assert len(listener.frames) == number + 1
        clock.advance(0.02)


def test_reset_drops_what_is_not_heard_and_what_follows_comes_at_once() -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(np.full(48_000, 1, np.int16)), 0.0)
    clock.advance(0.1)
    sound.reset()
    heard = len(listener.frames)
    sound.write(frame(np.full(960, 2, np.int16)), 0.0)
    clock.advance(0.1)
    assert listener.samples[: (heard + 1) * 960].tolist() == [1] * heard * 960 + [2] * 960
    assert not listener.samples[(heard + 1) * 960 :].any()
    assert set(np.diff(listener.pts)) == {960}


def test_nothing_is_heard_again_of_what_nobody_listened_to() -> None:
    sound, listener, output, clock = listening()
    sound.write(frame(ramp(0, 48_000)), 0.0)
    clock.advance(0.1)
    output.detach(listener)
    sound.write(frame(ramp(48_000, 480)), 1.0)
    clock.advance(0.5)
    output.attach(listener)
    count = len(listener.frames)
    sound.write(frame(np.full(960, 5, np.int16)), 0.0)
    clock.advance(0.02)
    assert set(listener.frames[count].to_ndarray().reshape(-1)) == {5}
    assert listener.pts[count] - listener.pts[count - 1] == pytest.approx(0.5 * 48_000, abs=2 * 960)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
def test_sound_of_any_rate_has_no_seams(rate: int) -> None:
    sound, listener, _, clock = listening()
    tone = (np.sin(2 * np.pi * 440 / rate * np.arange(rate // 2)) * 12_000).astype(np.int16)
    step = rate // 77
    for start in range(0, len(tone), step):
        sound.write(frame(tone[start : start + step], rate), start / rate)
    clock.advance(0.6)
    heard = listener.samples[2_400:21_600].astype(float)
    reference = np.exp(2j * np.pi * 440 / 48_000 * np.arange(len(heard)))
    # The tone explains all of it: a seam would not be of it.
    rest = heard - 2 * np.real(np.mean(heard * reference.conj()) * reference)
    assert np.abs(rest).max() < 0.02 * 12_000


def test_what_is_written_a_little_too_fast_is_not_dropped_and_does_not_gather() -> None:
    sound, listener, _, clock = listening()
    count = 6_000
    for number in range(count):
        sound.write(frame(np.full(960, number % 30_000 + 1, np.int16)), number * 0.02)
        # Half a percent: far more than clocks differ.
        clock.advance(0.0199)
    assert count - len(listener.frames) < 0.3 / 0.02
    clock.advance(1.0)
    assert [int(each.to_ndarray()[0, 0]) for each in listener.frames[:count]] == list(range(1, count + 1))


def test_a_clock_that_stood_still_is_not_made_up_for_beyond_half_a_second() -> None:
    sound, listener, _, clock = listening()
    sound.write(frame(ramp(0, 960)), 0.0)
    clock.advance(0.1)
    count = len(listener.frames)
    clock.now += 3.0
    clock.advance(0.0)
    assert 0.4 < (len(listener.frames) - count) * 0.02 < 0.6
    assert listener.pts[-1] == pytest.approx(3.1 * 48_000, abs=2 * 960)
