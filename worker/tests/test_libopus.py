"""libopus is still where PyAV's wheel makes it reachable, and does what its documentation says.

Where it is not, sound is concealed in another way, and in-band FEC is of no use: a failure here, after an upgrade of
PyAV, is a loss of quality that nothing else would tell of.
"""

from __future__ import annotations

import gc
import weakref

import av
import numpy as np
import pytest
from sound_path import payloads

from aiortc_worker.compat import libopus
from aiortc_worker.compat.libopus import LibopusDecoder


def test_libopus_can_be_called_through_pyav() -> None:
    assert libopus.is_available()


def test_it_decodes_as_pyav_does() -> None:
    ours, theirs = LibopusDecoder(48000, 2), av.CodecContext.create("libopus", "r")
    theirs.layout = "stereo"
    for data in payloads("opus", 50, is_voice=True):
        (frame,) = theirs.decode(av.Packet(data))
        # libavcodec asks libopus for floats where it is not told otherwise: they round.
        difference = ours.decode(data).astype(int) - frame.to_ndarray().reshape(-1, 2)
        assert np.abs(difference).max() <= 1


def test_a_packet_carries_the_frame_before_it_for_who_wants_fec_only() -> None:
    decoder = LibopusDecoder(48000, 2)
    assert sum(decoder.repairable(data) for data in payloads("opus", 100, fec=True, is_voice=True)) > 50 * 960
    assert sum(decoder.repairable(data) for data in payloads("opus", 100, is_voice=True)) == 0


@pytest.mark.parametrize("count", [1, 120, 500, 960, 5760])
def test_it_conceals_as_many_samples_as_asked_for(count: int) -> None:
    decoder = LibopusDecoder(48000, 2)
    for data in payloads("opus", 10):
        decoder.decode(data)
    assert decoder.conceal(count).shape == (count, 2)


@pytest.mark.parametrize("data", [b"\xff", b"\xff\xff\xff", b"\x03\x00", b"\x02\xff"])
def test_what_is_no_packet_is_refused_and_what_follows_is_decoded(data: bytes) -> None:
    decoder = LibopusDecoder(48000, 2)
    with pytest.raises(ValueError, match="libopus"):
        decoder.decode(data)
    assert decoder.repairable(data) == 0
    assert len(decoder.decode(payloads("opus", 1)[0])) == 960


def test_a_decoder_that_nobody_has_any_more_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = LibopusDecoder(48000, 2)
    ends = [each for each in weakref.finalize._registry if each.peek() and each.peek()[0] is decoder]  # type: ignore[attr-defined]
    assert len(ends) == 1
    del decoder
    gc.collect()
    assert not ends[0].alive
