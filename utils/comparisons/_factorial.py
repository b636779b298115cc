"""Which fix did it? Effects in an experiment that trains every combination of the fixes."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from utils.comparisons._pairs import Differences


@dataclass(frozen=True)
class Effect(Differences):
    """What a fix, or two together, change, seed by seed.

    differences   float64 (seeds,): the mean over all pairs of arms that differ by it alone
    """

    name: str
    differences: np.ndarray

    def __str__(self):
        return f"{self.name:<14}{self.mean:+.3f} ± {self.half_width:.3f}"


def all_combinations(fixes):
    """Every combination of `fixes`, from none to all: tuples, in the order of `fixes`."""
    fixes = tuple(fixes)
    return [some for size in range(len(fixes) + 1) for some in combinations(fixes, size)]


def main_effect(arms, fix, metric):
    """What `fix` adds to `metric`, on average over the other fixes being on or off.

    arms   combination, a tuple of fixes -> `Runs`, complete over the fixes, all with the same seeds
    """
    return Effect(fix, np.mean(list(pair_differences(arms, fix, metric).values()), axis=0))


def interaction(arms, fix, other, metric):
    """How much more `fix` adds when `other` is on than when it is off. 0: they simply add up."""
    differences = pair_differences(arms, fix, metric)
    known_fix(arms, other)
    if other == fix:
        raise ValueError(f"fix and other are both {fix!r}; give two different fixes")
    with_other = [row for rest, row in differences.items() if other in rest]
    without = [row for rest, row in differences.items() if other not in rest]
    return Effect(f"{fix} × {other}", np.mean(with_other, axis=0) - np.mean(without, axis=0))


def pair_differences(arms, fix, metric):
    """The other fixes that are on -> with `fix` minus without, float64 (seeds,)."""
    known_fix(arms, fix)
    seeds = {arm.seeds for arm in arms.values()}
    if len(seeds) > 1:
        raise ValueError(f"arms have different seeds: {sorted(seeds)}; train all with the same")
    values = {frozenset(on): arm.final(metric) for on, arm in arms.items()}
    rests = [on for on in values if fix not in on]
    missing = [set(on | {fix}) for on in rests if on | {fix} not in values]
    if missing or len(values) != 2 * len(rests):
        raise ValueError(f"arms is not complete: {len(values)} of the combinations are there")
    return {rest: values[rest | {fix}] - values[rest] for rest in rests}


def known_fix(arms, fix):
    known = sorted({name for on in arms for name in on})
    if fix not in known:
        raise ValueError(f"fix is {fix!r}; these arms have {', '.join(known)}")
