"""Two arms, seed against seed: differences of pairs, their mean, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from utils._shared.arguments import whole_number
from utils.comparisons._confounds import confounds
from utils.repeats import Runs

# Quantiles of Student's t for a 95 % interval (97.5 %), by degrees of freedom, 1 to 30.
T_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def smallest_effect(deviation: ArrayLike, pairs: int) -> np.ndarray:
    """The smallest mean difference that so many pairs can show: half of a 95 % t interval.

    With a smaller one, zero lies inside of the interval.

    deviation   the standard deviation of the differences; one, or an array of them
    pairs       two or more; beyond 31 the quantile of 31 is taken, which is a little too large
    """
    if whole_number("pairs", pairs) < 2:
        raise ValueError(f"pairs is {pairs}; give two or more: one difference has no interval")
    quantile = T_QUANTILES[min(pairs - 1, len(T_QUANTILES)) - 1]
    return quantile * np.asarray(deviation, dtype=float) / np.sqrt(pairs)


class Differences:
    """What can be said about `self.differences`, float64 (n,): one for each pair, or each seed."""

    differences: np.ndarray

    @property
    def mean(self) -> float:
        """The mean difference; NaN if every pair diverged."""
        return float(self.differences.mean()) if len(self.differences) else np.nan

    @property
    def standard_error(self) -> float:
        """Of the mean difference: the differences' standard deviation / √n; NaN for one."""
        if len(self.differences) < 2:
            return np.nan
        return float(self.differences.std(ddof=1) / np.sqrt(len(self.differences)))

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % t interval of the mean difference; NaN for one difference."""
        if len(self.differences) < 2:
            return np.nan
        return float(smallest_effect(self.differences.std(ddof=1), len(self.differences)))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % t interval of the mean difference: (low, high)."""
        return self.mean - self.half_width, self.mean + self.half_width

    def write_mean(self) -> str:
        """`+0.012 ± 0.003`; for one difference, that it has no interval."""
        if len(self.differences) == 0:
            return "none: every pair diverged"
        if len(self.differences) == 1:
            return f"{self.mean:+.3f} (one seed: no interval)"
        return f"{self.mean:+.3f} ± {self.half_width:.3f}"

    @property
    def rises(self) -> int:
        """How many differences are above zero: the treated run is higher."""
        return int((self.differences > 0).sum())

    @property
    def falls(self) -> int:
        """How many differences are below zero: the treated run is lower."""
        return int((self.differences < 0).sum())


@dataclass(frozen=True)
class Comparison(Differences):
    """The pairs of two arms. Diverged pairs are counted, and left out of everything else.

    baseline, treated   float64 (seeds,): what each run of the arms ends with
    pairs               bool (seeds,): the pairs in which neither run diverged
    confounds           what differs between the arms, a line each
    """

    metric: str
    names: tuple[str, str]
    seeds: tuple[int, ...]
    baseline: np.ndarray
    treated: np.ndarray
    pairs: np.ndarray
    confounds: tuple[str, ...]

    @property
    def differences(self) -> np.ndarray:
        """treated − baseline of each finished pair: float64 (pairs,)."""
        return (self.treated - self.baseline)[self.pairs]

    def __str__(self) -> str:
        return "\n".join([*self.table(), self.summary(), "What differs:", *self.confound_lines()])

    def table(self) -> Iterator[str]:
        """Every run of both arms, a row an arm."""
        rows = (self.names[0], self.baseline), (self.names[1], self.treated)
        rows += (("difference", self.treated - self.baseline),)
        width = max(len(name) for name, _ in rows)
        marks = ["" if pair else " (diverged)" for pair in self.pairs]
        yield f"{self.metric}, one column per seed"
        for name, values in rows:
            cells = "".join(
                f"{value:>8.3f}{mark}" for value, mark in zip(values, marks, strict=True)
            )
            yield f"{name:<{width}}{cells}"

    def summary(self) -> str:
        pairs = len(self.differences)
        left_out = len(self.seeds) - pairs
        notes = ["95 % t interval"] if pairs > 1 else []
        notes += [f"{left_out} diverged and are left out"] if left_out else []
        note = f" ({'; '.join(notes)})" if notes else ""
        return (
            f"higher in {self.rises} of {pairs} seeds, lower in {self.falls}; "
            f"mean difference {self.write_mean()}{note}"
        )

    def confound_lines(self) -> list[str]:
        return [f"  {line}" for line in self.confounds] or ["  nothing"]


def compare(baseline: Runs, treated: Runs, metric: str) -> Comparison:
    """Compare two arms of `repeat` on `metric`, seed against seed.

    metric   a name in the arms' history or among what they measured (one number per seed)
    Raises TypeError for what is no arm; ValueError for arms with different seeds or evaluation
    data (the same numbers in another precision are the same data), and where no pair is finished.
    """
    check_arms(baseline, treated)
    pairs = ~(baseline.diverged | treated.diverged)
    if not pairs.any():
        raise ValueError(f"all {len(pairs)} pairs diverged; there is nothing left to compare")
    return compare_pairs(baseline, treated, metric)


def check_arms(baseline: Runs, treated: Runs) -> None:
    """Refuse arms whose runs are no pairs."""
    for name, arm in (("baseline", baseline), ("treated", treated)):
        if not isinstance(arm, Runs):
            raise TypeError(f"{name} is {type(arm).__name__}; give the Runs that `repeat` returns")
    if baseline.seeds != treated.seeds:
        raise ValueError(
            f"baseline has seeds {baseline.seeds} and treated {treated.seeds}; "
            "pairs need the same seeds: repeat both arms with the same `seeds`"
        )
    data = [[part.values for part in arm.setup.evaluation_data] for arm in (baseline, treated)]
    if data[0] != data[1]:
        raise ValueError(
            "baseline and treated were evaluated on different data; "
            "give both arms the same x_val and y_val"
        )


def compare_pairs(baseline: Runs, treated: Runs, metric: str) -> Comparison:
    """The pairs of two arms that fit together, also where none of them is left."""
    return Comparison(
        metric=metric,
        names=(baseline.name, treated.name),
        seeds=baseline.seeds,
        baseline=values_of(baseline, metric),
        treated=values_of(treated, metric),
        pairs=~(baseline.diverged | treated.diverged),
        confounds=tuple(confounds(baseline, treated)),
    )


def values_of(arm: Runs, metric: str) -> np.ndarray:
    """What each run of an arm ends with, float64 (seeds,)."""
    values = np.asarray(arm.final(metric), dtype=float)
    if values.ndim != 1:
        raise ValueError(f"metric {metric!r} has shape {values.shape}; give one number per seed")
    return values
