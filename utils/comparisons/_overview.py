"""Several arms in one table: the mean of each on each metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.comparisons._pairs import check_arms, compare_pairs, values_of
from utils.repeats import Runs

LABEL = 24  # letters of the first column


def overview(arms: Sequence[Runs], metrics: Sequence[str]) -> str:
    """A table as text: the mean of every arm on every metric, a row a metric.

    arms      `Runs` of the same seeds and evaluation data, the baseline first and the fix second;
              the last column is fix − baseline, with the 95 % t interval; with one arm there is
              none. Diverged runs are left out, and counted below.
    """
    arms = check_many(arms)
    count = len(arms[0].seeds)
    widths = [max(9, len(arm.name)) + 2 for arm in arms]
    names = [f"{arm.name:>{width}}" for arm, width in zip(arms, widths, strict=True)]
    title = f"mean of {count} seeds" if count > 1 else "one seed"
    last = f"   {arms[1].name} − {arms[0].name}" if len(arms) > 1 else ""
    lines = [f"{title:<{LABEL}}{''.join(names)}{last}"]
    lines += [write_row(arms, widths, metric) for metric in metrics]
    lines += [
        f"left out of {arm.name}: {arm.diverged.sum()} of {len(arm.seeds)} runs, diverged"
        for arm in arms
        if arm.diverged.any()
    ]
    return "\n".join(lines)


def check_many(arms: Sequence[Runs]) -> list[Runs]:
    """The arms as a list; one arm alone will do, none will not."""
    arms = [arms] if isinstance(arms, Runs) else list(arms)
    if not arms:
        raise ValueError("arms is empty; give the Runs that `repeat` returns, the baseline first")
    for arm in arms:
        check_arms(arms[0], arm)
    return arms


def write_row(arms: list[Runs], widths: list[int], metric: str) -> str:
    """One metric: the mean of each arm, and the difference of the first two."""
    cells = [
        f"{write_mean(values_of(arm, metric)[~arm.diverged]):>{width}}"
        for arm, width in zip(arms, widths, strict=True)
    ]
    last = f"   {compare_pairs(*arms[:2], metric).write_mean()}" if len(arms) > 1 else ""
    return f"{metric:<{LABEL}}{''.join(cells)}{last}"


def write_mean(values: np.ndarray) -> str:
    return f"{values.mean():.3f}" if len(values) else "–"
