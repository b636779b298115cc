"""One side of a comparison: its runs, trained in one go or in several."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from utils.checkup._meters import drift_of
from utils.comparisons import Differences
from utils.repeats import Runs

# What a row of the report is called, and where its numbers come from.
ROWS = {
    "validation loss": "val_data_loss",
    "training loss": "train_data_loss",
    "penalty": "penalty",
}


@dataclass(frozen=True)
class Paired(Differences):
    """Differences of two arms, seed against seed: float64 (pairs,)."""

    differences: np.ndarray


@dataclass
class Arm:
    """An arm and what is known of it; `best` are the same runs at their best epochs."""

    name: str
    parts: list[Runs] = field(default_factory=list)
    seconds: float = np.nan  # one seed, training and meters
    differs: list[str] = field(default_factory=list)

    @property
    def seeds(self) -> tuple[int, ...]:
        return sum((part.seeds for part in self.parts), ())

    @property
    def diverged(self) -> np.ndarray:
        return np.concatenate([part.diverged for part in self.parts])

    @property
    def best_epoch(self) -> np.ndarray:
        """From 1: int (seeds,)."""
        return np.concatenate([part.best.kept_epoch for part in self.parts]) + 1

    def history(self, name: str) -> np.ndarray:
        """float64 (seeds, epochs); NaN where there is none."""
        found = [part.history.get(name) for part in self.parts]
        if any(one is None for one in found):
            return np.full((len(self.seeds), 1), np.nan)
        return np.concatenate(found)

    def values(self, row: str, best: bool = False) -> np.ndarray:
        """What each seed ends with, or has at its best epoch: float64 (seeds, …)."""
        if row == "gap":
            return self.values("training score", best) - self.values("validation score", best)
        name = ROWS.get(row, row)
        return np.concatenate([self.of_part(part, name, best) for part in self.parts])

    def of_part(self, part: Runs, name: str, best: bool) -> np.ndarray:
        runs = part.best if best else part
        if name in runs.watched:
            return np.array([drift_of(one) for one in runs.watched[name]])
        if name in runs.measured or name in runs.history:
            return np.asarray(runs.final(name), dtype=float)
        return np.full(len(part.seeds), np.nan)

    def minus(self, other: Arm, row: str, best: bool = True) -> Paired:
        """This arm less the other, on the seeds that both have and that did not diverge."""
        mine, theirs = (dict(zip(a.seeds, a.values(row, best), strict=True)) for a in (self, other))
        pairs = [mine[seed] - theirs[seed] for seed in mine if seed in theirs]
        return Paired(np.array([one for one in pairs if np.isfinite(one)]))


def mean(values: np.ndarray) -> float:
    """The mean of the finite values; NaN where there is none."""
    values = np.asarray(values, dtype=float)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan
