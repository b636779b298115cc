"""Two arms, seed against seed: differences of pairs, their mean, and how sure it is."""

from dataclasses import dataclass

import numpy as np

from utils.comparisons._confounds import confounds
from utils.repeats import Runs

# Quantiles of Student's t for a 95 % interval (97.5 %), by degrees of freedom, 1 to 30.
T_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class Differences:
    """What can be said about `self.differences`, float64 (n,): one for each pair, or each seed."""

    @property
    def mean(self):
        return float(self.differences.mean())

    @property
    def standard_error(self):
        """Of the mean difference: the differences' standard deviation / √n."""
        return float(self.differences.std(ddof=1) / np.sqrt(len(self.differences)))

    @property
    def half_width(self):
        """Half the width of the 95 % t interval of the mean difference."""
        degrees = len(self.differences) - 1
        return T_QUANTILES[min(degrees, len(T_QUANTILES)) - 1] * self.standard_error

    @property
    def interval(self):
        """The 95 % t interval of the mean difference: (low, high)."""
        return self.mean - self.half_width, self.mean + self.half_width

    @property
    def rises(self):
        """How many differences are above zero: the treated run is higher."""
        return int((self.differences > 0).sum())

    @property
    def falls(self):
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
    def differences(self):
        """treated − baseline of each finished pair: float64 (pairs,)."""
        return (self.treated - self.baseline)[self.pairs]

    def __str__(self):
        return "\n".join([*self.table(), self.summary(), "What differs:", *self.confound_lines()])

    def table(self):
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

    def summary(self):
        pairs = len(self.differences)
        left_out = len(self.seeds) - pairs
        note = f"; {left_out} diverged and are left out" if left_out else ""
        return (
            f"higher in {self.rises} of {pairs} seeds, lower in {self.falls}; mean difference "
            f"{self.mean:+.3f} ± {self.half_width:.3f} (95 % t interval{note})"
        )

    def confound_lines(self):
        return [f"  {line}" for line in self.confounds] or ["  nothing"]


def compare(baseline, treated, metric):
    """Compare two arms of `repeat` on `metric`, seed against seed.

    metric   a name in the arms' history or among what they measured (one number per seed)
    Raises ValueError for arms with other seeds, evaluation data or numbers of finished runs.
    """
    for name, arm in (("baseline", baseline), ("treated", treated)):
        if not isinstance(arm, Runs):
            raise TypeError(f"{name} is {type(arm).__name__}; give the Runs that `repeat` returns")
    if baseline.seeds != treated.seeds:
        raise ValueError(
            f"baseline has seeds {baseline.seeds} and treated {treated.seeds}; "
            "pairs need the same seeds: repeat both arms with the same `seeds`"
        )
    if baseline.setup.evaluation_data != treated.setup.evaluation_data:
        raise ValueError(
            "baseline and treated were evaluated on different data; "
            "give both arms the same x_val and y_val"
        )
    values = [np.asarray(arm.final(metric), dtype=float) for arm in (baseline, treated)]
    if any(value.ndim != 1 for value in values):
        raise ValueError(f"metric {metric!r} has shape {values[0].shape}; give one number per seed")
    pairs = ~(baseline.diverged | treated.diverged)
    if pairs.sum() < 2:
        raise ValueError(f"only {pairs.sum()} pairs did not diverge; an interval needs two")
    return Comparison(
        metric=metric,
        names=(baseline.name, treated.name),
        seeds=baseline.seeds,
        baseline=values[0],
        treated=values[1],
        pairs=pairs,
        confounds=tuple(confounds(baseline, treated)),
    )


def overview(arms, metrics):
    """A table as text: the mean of every arm on every metric, a row a metric.

    arms      `Runs`, the baseline first and the fix second; its last column is fix − baseline,
              with the 95 % t interval. Diverged runs are left out, and counted below.
    """
    widths = [max(9, len(arm.name)) + 2 for arm in arms]
    names = "".join(f"{arm.name:>{width}}" for arm, width in zip(arms, widths, strict=True))
    lines = [
        f"{f'mean of {len(arms[0].seeds)} seeds':<24}{names}   {arms[1].name} − {arms[0].name}"
    ]
    for metric in metrics:
        difference = compare(arms[0], arms[1], metric)
        means = "".join(
            f"{np.mean(arm.final(metric)[~arm.diverged]):>{width}.3f}"
            for arm, width in zip(arms, widths, strict=True)
        )
        lines.append(f"{metric:<24}{means}   {difference.mean:+.3f} ± {difference.half_width:.3f}")
    lines += [
        f"left out of {arm.name}: {arm.diverged.sum()} of {len(arm.seeds)} runs, diverged"
        for arm in arms
        if arm.diverged.any()
    ]
    return "\n".join(lines)
