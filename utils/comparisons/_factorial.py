"""Which fix did it? Effects in an experiment that trains every combination of the fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from utils.comparisons._pairs import Differences, values_of
from utils.repeats import Runs

Arms = Mapping[tuple[str, ...], Runs]


@dataclass(frozen=True)
class Effect(Differences):
    """What a fix, or two together, change, seed by seed.

    differences   float64 (seeds,): the mean over all pairs of arms that differ by it alone, of the
                  seeds that have one. A pair is left out where one of its runs diverged.
    left_out      how many pairs are
    """

    name: str
    differences: np.ndarray
    left_out: int

    def __str__(self) -> str:
        note = f" (diverged and left out: {self.left_out} pairs)" if self.left_out else ""
        return f"{self.name:<14}{self.write_mean()}{note}"


def all_combinations(fixes: Iterable[str]) -> list[tuple[str, ...]]:
    """Every combination of `fixes`, from none to all: tuples, in the order of `fixes`."""
    fixes = tuple(fixes)
    return [some for size in range(len(fixes) + 1) for some in combinations(fixes, size)]


def main_effect(arms: Arms, fix: str, metric: str) -> Effect:
    """What `fix` adds to `metric`, on average over the other fixes being on or off.

    arms   combination, a tuple of fixes -> `Runs`, complete over the fixes, all with the same seeds
    """
    rows = np.stack(list(pair_differences(arms, fix, metric).values()))
    return effect_of(fix, mean_of_pairs(rows), rows)


def interaction(arms: Arms, fix: str, other: str, metric: str) -> Effect:
    """Half of what `fix` adds with `other` on, minus what it adds with `other` off: (seeds,).

    0: they simply add up. Halved by convention, as the main effect is: it is what one of the two
    adds beside the other, more than its main effect. So the mean of an arm is that of all arms,
    plus or minus half of each effect.
    """
    differences = pair_differences(arms, fix, metric)
    check_fix(arms, other)
    if other == fix:
        raise ValueError(f"fix and other are both {fix!r}; give two different fixes")
    with_other = np.stack([row for rest, row in differences.items() if other in rest])
    without = np.stack([row for rest, row in differences.items() if other not in rest])
    values = (mean_of_pairs(with_other) - mean_of_pairs(without)) / 2
    return effect_of(f"{fix} × {other}", values, np.concatenate([with_other, without]))


def effect_of(name: str, values: np.ndarray, rows: np.ndarray) -> Effect:
    """The effect over the seeds that have a value; `rows` (pairs, seeds), NaN where left out."""
    return Effect(name, values[~np.isnan(values)], int(np.isnan(rows).sum()))


def mean_of_pairs(rows: np.ndarray) -> np.ndarray:
    """Per seed the mean of the pairs that are left: (pairs, seeds) -> (seeds,), NaN without any."""
    left = ~np.isnan(rows)
    sums = np.where(left, rows, 0).sum(axis=0)
    return np.where(left.any(axis=0), sums / np.maximum(1, left.sum(axis=0)), np.nan)


def pair_differences(arms: Arms, fix: str, metric: str) -> dict[frozenset[str], np.ndarray]:
    """The other fixes that are on -> with `fix` minus without, float64 (seeds,).

    NaN where one of the two runs diverged.
    """
    check_fix(arms, fix)
    seeds = {arm.seeds for arm in arms.values()}
    if len(seeds) > 1:
        raise ValueError(f"arms have different seeds: {sorted(seeds)}; train all with the same")
    values = {
        frozenset(on): np.where(arm.diverged, np.nan, values_of(arm, metric))
        for on, arm in arms.items()
    }
    rests = [on for on in values if fix not in on]
    missing = [on for on in rests if on | {fix} not in values]
    if missing or len(values) != 2 * len(rests):
        raise ValueError(f"arms is not complete: {len(values)} of the combinations are there")
    return {rest: values[rest | {fix}] - values[rest] for rest in rests}


def check_fix(arms: Arms, fix: str) -> None:
    """Refuse a fix that no combination has."""
    known = sorted({name for on in arms for name in on})
    if fix not in known:
        raise ValueError(f"fix is {fix!r}; these arms have {', '.join(known)}")
