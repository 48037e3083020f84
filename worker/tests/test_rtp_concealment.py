"""What is heard when packets of sound are lost, late, or not sent at all."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_path import (
    FIRST,
    G722,
    OPUS,
    OPUS_FEC,
    PCMU,
    Listener,
    Sent,
    frame_of,
    longest_silence,
    payloads,
    sending,
    start_of,
)

from aiortc_worker.rtp import sound_decoder
from aiortc_worker.rtp.audio_encoder import AudioEncoder
from aiortc_worker.rtp.continuous_sound import JUMP
from aiortc_worker.rtp.parameters import Codec
from aiortc_worker.rtp.stretch import stretched

CODECS = {"opus": OPUS, "pcmu": PCMU, "g722": G722}
RATES = {"opus": 48000, "pcmu": 8000, "g722": 16000}


def lossy(sent: list[Sent], loss: float, seed: int = 3) -> list[tuple[float, Sent]]:
    """Arrivals, less a share; the first and the last come, so that both ends of the time are known."""
    chance = random.Random(seed)
    return [(each.at, each) for each in sent if each in (sent[0], sent[-1]) or chance.random() >= loss]


def heard(name: str, loss: float, fec: bool = False, is_voice: bool = True, count: int = 300) -> Listener:
    codec = OPUS_FEC if fec else CODECS[name]
    sent = sending(codec, payloads(name, count, fec, is_voice))
    return Listener(codec).hear(lossy(sent, loss), count * 0.02 + 0.1)


def error(one: Listener, other: Listener) -> float:
    """Root mean square of the difference."""
    a, b = one.samples().astype(float), other.samples().astype(float)
    count = min(len(a), len(b))
    return float(np.sqrt(np.mean((a[:count] - b[:count]) ** 2)))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.6),
    jitter=st.floats(0, 0.055),
    repeats=st.floats(0, 0.3),
    bursts=st.integers(1, 12),
    name=st.sampled_from(["opus", "pcmu"]),
)
def test_there_is_as_much_sound_as_time_whatever_is_lost_reordered_or_repeated(
    seed, loss, jitter, repeats, bursts, name
):
    chance = random.Random(seed)
    sent = sending(CODECS[name], payloads(name, 120))
    lost = {FIRST + at + i for at in range(120) if chance.random() < loss / bursts for i in range(bursts)}
    kept = [each for each in sent if each.sequence not in lost or each in (sent[0], sent[-1])]
    arrivals = [(each.at + (chance.random() * jitter if each.sequence != FIRST else 0), each) for each in kept]
    arrivals += [(at + chance.random() * 0.2, each) for at, each in arrivals if chance.random() < repeats]
    listener = Listener(CODECS[name]).hear(arrivals, 2.6)
    time = sent[-1].timestamp + sent[1].timestamp
    beyond = len(listener.samples()) * CODECS[name].clock_rate // RATES[name] - time
    assert listener.is_continuous()
    # After the last packet some is made up until the track is muted.
    assert 0 <= beyond <= 0.2 * CODECS[name].clock_rate
    assert listener.stats.total_samples_received == len(listener.samples())
    assert listener.stats.silent_concealed_samples <= listener.stats.concealed_samples
    assert listener.stats.inserted_samples_for_deceleration == listener.stats.removed_samples_for_acceleration == 0


@pytest.mark.parametrize("name", ["opus", "pcmu", "g722"])
def test_a_tone_of_which_a_tenth_is_lost_has_no_silence(name):
    listener = heard(name, 0.1, is_voice=False)
    stats = listener.stats
    assert longest_silence(listener.samples()[RATES[name] // 10 :]) < RATES[name] * 0.005
    assert stats.concealed_samples == listener.stream.reception.lost * RATES[name] // 50
    assert 15 < stats.concealment_events <= listener.stream.reception.lost
    assert stats.silent_concealed_samples == 0
    assert stats.packets_discarded == 0


def test_in_band_fec_is_nearer_to_what_was_sent_than_concealment_and_that_than_nothing(monkeypatch):
    whole = heard("opus", 0, fec=True)
    repaired = heard("opus", 0.1, fec=True)
    monkeypatch.setattr(sound_decoder._OpusDecoder, "repairable", lambda self, data: 0)
    concealed = heard("opus", 0.1, fec=True)
    monkeypatch.setattr(sound_decoder._OpusDecoder, "conceal", lambda self, count: np.zeros((count, 2), np.int16))
    nothing = heard("opus", 0.1, fec=True)
    assert repaired.stats.concealed_samples < 0.6 * concealed.stats.concealed_samples
    assert error(repaired, whole) < 0.7 * error(concealed, whole)
    assert error(concealed, whole) < 0.7 * error(nothing, whole)


@pytest.mark.parametrize("name", ["pcmu", "g722"])
def test_a_codec_without_concealment_repeats_what_came_before(name, monkeypatch):
    whole, concealed = heard(name, 0), heard(name, 0.1)
    monkeypatch.setattr(sound_decoder._PlainDecoder, "conceal", lambda self, count: np.zeros((count, 1), np.int16))
    assert error(concealed, whole) < 0.8 * error(heard(name, 0.1), whole)


def test_opus_is_concealed_where_its_library_cannot_be_called(monkeypatch):
    monkeypatch.setattr(sound_decoder, "is_available", lambda: False)
    listener = heard("opus", 0.1, is_voice=False)
    assert listener.is_continuous()
    assert longest_silence(listener.samples()[4800:]) < 240
    assert listener.stats.concealed_samples == listener.stream.reception.lost * 960


@pytest.mark.parametrize("name", ["opus", "pcmu"])
def test_a_long_loss_fades_to_silence_while_it_lasts(name):
    rate = RATES[name]
    sent = sending(CODECS[name], payloads(name, 150))
    listener = Listener(CODECS[name]).hear([(each.at, each) for each in sent if not 1 <= each.at < 2], 3.0)
    samples = np.abs(listener.samples().astype(int))
    assert listener.is_continuous()
    assert len(samples) == 3 * rate
    assert samples[int(1.32 * rate) : int(1.98 * rate)].max() == 0
    assert samples[int(2.1 * rate) : int(2.2 * rate)].max() > 5000
    stats = listener.stats
    assert stats.concealed_samples == rate
    assert 0.65 * rate < stats.silent_concealed_samples < rate
    assert stats.concealment_events == 1
    # It did not come at once when packets came again.
    assert max(after - before for before, after in pairwise(listener.at)) < 0.2


def test_while_muted_there_is_no_sound_and_what_comes_then_has_its_place_in_time():
    sent = sending(OPUS, payloads("opus", 250))
    listener = Listener(OPUS)

    def mute(now: float) -> None:
        if abs(now - 2) < 0.001:
            listener.playout.rest()

    listener.hear([(each.at, each) for each in sent if not 1 <= each.at < 4], 5.0, mute)
    gaps = [float(start_of(b) - start_of(a)) for a, b in pairwise(listener.frames)]
    assert [gap > 0.021 for gap in gaps].count(True) == 1
    assert 2 < max(gaps) < 2.3
    assert float(start_of(listener.frames[-1]) - start_of(listener.frames[0])) == pytest.approx(4.98, abs=0.15)
    assert listener.stats.concealed_samples < 48000


def test_a_pause_of_the_sender_is_filled_and_not_counted_as_concealed():
    # As libopus does it: after a packet without content nothing but one each 400 ms.
    data = payloads("opus", 200)
    sent = [
        each._replace(data=b"\x78" if 1 <= each.at < 3 else each.data)
        for each in sending(OPUS, data)
        if not 1 <= each.at < 3 or round(each.at * 50) % 20 == 10
    ]
    numbered = [each._replace(sequence=FIRST + index) for index, each in enumerate(sent)]
    listener = Listener(OPUS).hear([(each.at, each) for each in numbered], 4.0)
    assert listener.is_continuous()
    assert len(listener.samples()) == 4 * 48000
    # Up to the first such packet it might have been a loss.
    assert listener.stats.concealed_samples <= 0.2 * 48000
    assert max(after - before for before, after in pairwise(listener.at)) < 0.2


def test_silence_that_our_own_sender_leaves_out_is_not_concealed():
    codec = Codec("audio/opus", 111, 48000, 2, {"usedtx": "1"})
    loud, silent = payloads("opus", 100), silence()
    kept = [*range(110), 120, 140, 160, 180, *range(200, 250)]
    data = [*loud, *[silent] * 100, *loud[:50]]
    sent = [Sent(FIRST + index, number * 0.02, number * 960, data[number]) for index, number in enumerate(kept)]
    listener = Listener(codec).hear([(each.at, each) for each in sent], 5.0)
    assert listener.is_continuous()
    assert len(listener.samples()) == 5 * 48000
    assert listener.stats.concealed_samples == 0


def test_packets_that_overtake_each_other_are_put_in_order_and_nothing_is_concealed():
    sent = sending(OPUS, payloads("opus", 100))
    arrivals = [(each.at + (0.045 if index % 7 == 3 else 0), each) for index, each in enumerate(sent)]
    listener = Listener(OPUS).hear(arrivals, 2.0)
    assert listener.stats.concealed_samples == listener.stats.packets_discarded == 0
    assert len(listener.samples()) == 2 * 48000


def test_a_packet_that_comes_after_it_was_concealed_is_discarded():
    sent = sending(OPUS, payloads("opus", 100))
    arrivals = [(each.at + (0.15 if index == 50 else 0), each) for index, each in enumerate(sent)]
    listener = Listener(OPUS).hear(arrivals, 2.0)
    assert listener.stats.packets_discarded == 1
    assert listener.stats.concealed_samples == 960
    assert len(listener.samples()) == 2 * 48000


def test_a_packet_that_cannot_be_decoded_is_concealed():
    sent = sending(OPUS, payloads("opus", 100))
    sent[50] = sent[50]._replace(data=b"\xff" * 3)
    listener = Listener(OPUS).hear([(each.at, each) for each in sent], 2.0)
    assert listener.is_continuous()
    assert len(listener.samples()) == 2 * 48000
    assert listener.stats.concealed_samples == 960


def test_a_path_that_stalls_is_made_up_for_and_what_was_too_much_is_cut_out_later():
    sent = sending(OPUS, payloads("opus", 600, is_voice=True))
    arrivals = [(2.4 if 2 <= each.at < 2.4 else each.at, each) for each in sent]
    listener = Listener(OPUS).hear(arrivals, 12.0)
    stats = listener.stats
    assert listener.is_continuous()
    assert 0.2 * 48000 < stats.concealed_samples <= 0.4 * 48000
    assert stats.packets_discarded == 0
    assert stats.removed_samples_for_acceleration == pytest.approx(stats.concealed_samples, abs=0.05 * 48000)
    assert listener.seconds() == pytest.approx(12, abs=0.05)
    # Not at once: the path might stall again.
    at = [at for at, frame in zip(listener.at, listener.frames, strict=True) if frame.samples not in (960, 0)]
    assert at[0] > 2.4 + 4


@pytest.mark.parametrize(
    ("pace", "counter"), [(0.99, "removed_samples_for_acceleration"), (1.01, "inserted_samples_for_deceleration")]
)
def test_the_clock_of_a_sender_that_runs_fast_or_slow_is_followed(pace, counter):
    sent = sending(OPUS, payloads("opus", 600, is_voice=True), pace)
    listener = Listener(OPUS).hear([(each.at, each) for each in sent], 600 * 0.02 * pace)
    assert listener.is_continuous()
    assert listener.stats.concealed_samples == 0
    assert getattr(listener.stats, counter) == pytest.approx(0.12 * 48000, abs=0.06 * 48000)
    assert listener.seconds() == pytest.approx(12 * pace, abs=0.07)


@pytest.mark.parametrize("is_voice", [True, False])
def test_another_target_is_reached_by_stretching_so_that_sound_neither_stops_nor_hurries(is_voice):
    sent = sending(OPUS, payloads("opus", 900, is_voice=is_voice))
    listener = Listener(OPUS)

    def wish(now: float) -> None:
        listener.playout.jitter.target = 0.4 if 2 <= now < 10 else 0.0

    listener.hear([(each.at, each) for each in sent], 18.0, wish)
    stats = listener.stats
    assert listener.is_continuous()
    assert stats.concealed_samples == 0
    assert stats.inserted_samples_for_deceleration == pytest.approx(0.4 * 48000, abs=0.01 * 48000)
    assert stats.removed_samples_for_acceleration == pytest.approx(0.4 * 48000, abs=0.01 * 48000)
    assert max(after - before for before, after in pairwise(listener.at)) < 0.07
    assert listener.seconds() == pytest.approx(18, abs=0.02)
    held = [at - each for at, each in zip(listener.at, (float(start_of(f)) for f in listener.frames), strict=True)]
    # What is given out keeps to the clock all the time, whatever it is delayed by.
    assert max(held) - min(held) < 0.07
    steps = np.abs(np.diff(listener.samples().astype(int)))
    assert steps[4800:].max() <= 1.3 * np.abs(np.diff(payload_samples(is_voice).astype(int)))[4800:].max()


@pytest.mark.parametrize("wished", [480, -480, 240, -240])
def test_a_tone_is_stretched_without_a_break(wished):
    at = np.arange(960) / 48000
    samples = (np.sin(2 * np.pi * 440 * at) * 12000).astype(np.int16)[:, None]
    longer = stretched(samples, 48000, wished)
    assert 0 < (len(longer) - len(samples)) / wished <= 1
    assert np.abs(np.diff(longer[:, 0].astype(int))).max() <= 1.1 * np.abs(np.diff(samples[:, 0].astype(int))).max()


def test_noise_is_stretched_only_when_it_must():
    noise = np.random.default_rng(1).integers(-9000, 9000, (960, 1)).astype(np.int16)
    assert len(stretched(noise, 48000, 480)) == 960
    assert len(stretched(noise, 48000, 480, must=True)) > 960


def payload_samples(is_voice: bool) -> np.ndarray:
    return heard("opus", 0, is_voice=is_voice, count=100).samples()


def silence() -> bytes:
    """A packet of opus without sound."""

    encoder = AudioEncoder(OPUS, None)
    nothing = np.zeros(960, np.int16)
    return [each.data for at in range(20) for each in encoder.encode([frame_of(nothing, 48000, at)])][-1]


def test_timestamps_that_leap_make_no_more_sound_than_time_passes() -> None:
    step = PCMU.clock_rate // 50
    leap = step + int(1.9 * PCMU.clock_rate)
    sound = payloads("pcmu", 500)
    hostile = [Sent(FIRST + 2 * i, i * 0.002, i * leap, each) for i, each in enumerate(sound)]
    listener = Listener(PCMU).hear([(each.at, each) for each in hostile], 1.1)
    assert listener.seconds() < 500 * 0.02 + 1.1 + JUMP + 1
