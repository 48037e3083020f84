"""Sound made a little shorter or longer, by a period of it, so that neither pitch nor rhythm is heard to change."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"Rows of a sample a channel."

PITCHES: Final = (0.0025, 0.01)
"Seconds of the shortest and the longest period that is cut or put in."
ALIKE: Final = 0.9
"Correlation of a period with the next from which on one of them is not missed."
QUIET: Final = 100
"Below this peak there is nothing to hear a cut in."


def stretched(samples: Samples, sample_rate: int, wished: int, must: bool = False) -> Samples:
    """`samples` with a period more, or less when `wished` is negative; at most `wished` or 2.5 ms, or as they are.

    Where no period is like the next it changes nothing, unless it `must`.
    """
    shortest = int(sample_rate * PITCHES[0])
    longest = min(len(samples) // 2, int(sample_rate * PITCHES[1]), max(shortest, abs(wished)))
    if abs(wished) < shortest or longest < shortest:
        return samples
    lag, likeness = best_lag(samples.astype(np.float32).sum(axis=1), shortest, longest)
    if likeness < ALIKE and not must and int(np.abs(samples).max()) >= QUIET:
        return samples
    first = (len(samples) - 2 * lag) // 2
    one, other = samples[first : first + lag], samples[first + lag : first + 2 * lag]
    if wished < 0:
        return np.concatenate([samples[:first], _blend(one, other), samples[first + 2 * lag :]])
    return np.concatenate([samples[: first + lag], _blend(other, one), samples[first + lag :]])


def best_lag(wave: NDArray[np.float32], shortest: int, longest: int) -> tuple[int, float]:
    """The longest of the lags at which `wave` is most like its beginning, and how much, -1 to 1."""
    window = len(wave) - longest
    head = wave[:window]
    products = np.correlate(wave[shortest : longest + window], head, "valid")
    squares = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
    lags = np.arange(shortest, longest + 1)
    energies = (squares[lags + window] - squares[lags]) * squares[window]
    likeness = products / np.sqrt(np.maximum(energies, 1.0))
    # Of a tone, every multiple of its period is as good: the longest saves steps.
    best = int(np.flatnonzero(likeness >= likeness.max() - 0.02)[-1])
    return int(lags[best]), float(likeness[best])


def _blend(one: Samples, other: Samples) -> Samples:
    rise = np.linspace(0, 1, len(one), dtype=np.float32)[:, None]
    return (one * (1 - rise) + other * rise).astype(np.int16)
