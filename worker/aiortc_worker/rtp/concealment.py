"""Sound that goes on without packets, for codecs that have no concealment of their own: as G.711, appendix I.

https://www.itu.int/rec/T-REC-G.711-199909-I!AppI/en
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from .stretch import PITCHES, Samples, best_lag

REMEMBERED: Final = 0.05
"Seconds of what was heard that are kept."
PACKETS: Final = 16
"Kept apart."
FULL, SILENT = 0.01, 0.06
"Seconds of concealment after which it begins to fade, and after which it has faded."
MERGE: Final = 0.005
"Seconds in which concealment goes over into what comes then."


class Repetition:
    """Repeats the last period of what was heard, ever more softly."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate = sample_rate
        self._remembered = int(sample_rate * REMEMBERED)
        self._history: list[Samples] = [np.zeros((self._remembered, channels), np.int16)]
        "The last packets, joined only when they are needed."
        self._period: NDArray[np.float32] | None = None
        self._made = 0

    def heard(self, samples: Samples) -> Samples:
        """Takes the samples of a packet; gives them, merged with what went on before them."""
        if self._period is not None:
            count = min(int(self._rate * MERGE), len(samples))
            rise = np.linspace(0, 1, count, dtype=np.float32)[:, None]
            merged = self._continue(count) * (1 - rise) + samples[:count] * rise
            samples = np.concatenate([merged.astype(np.int16), samples[count:]])
            self._period = None
        self._history.append(samples)
        if len(self._history) > PACKETS:
            self._history = [self._joined()]
        return samples

    def conceal(self, count: int) -> Samples:
        """The next `count` samples without a packet."""
        if self._period is None:
            self._period, self._made = self._last_period(), 0
        made = self._continue(count)
        self._made += count
        return made.astype(np.int16)

    def _continue(self, count: int) -> NDArray[np.float32]:
        assert self._period is not None
        at = self._made + np.arange(count)
        gain = np.clip((SILENT - at / self._rate) / (SILENT - FULL), 0, 1).astype(np.float32)
        return self._period[at % len(self._period)] * gain[:, None]

    def _last_period(self) -> NDArray[np.float32]:
        """Its last quarter goes over into the one before it, so that repeats follow each other without a break."""
        heard = self._joined().astype(np.float32)
        # Backwards, so that the last samples are those that are compared.
        lag, _ = best_lag(heard[::-1].sum(axis=1), *(int(self._rate * pitch) for pitch in PITCHES))
        period = heard[-lag:].copy()
        quarter = max(1, lag // 4)
        rise = np.linspace(0, 1, quarter, dtype=np.float32)[:, None]
        period[-quarter:] = period[-quarter:] * (1 - rise) + heard[-lag - quarter : -lag] * rise
        return period

    def _joined(self) -> Samples:
        return np.concatenate(self._history)[-self._remembered :]
