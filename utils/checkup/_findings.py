"""All that a check-up has found, for the rules to read."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from utils.checkup._arms import Arm, mean
from utils.checkup._kind import BINARY, CLASSES, LABELS, Kind

PLAIN = "a plain network"  # what the check-up trains beside the reader's model
SLOWER, FASTER = "learning rate × 0.1", "learning rate × 10"
FAR_SLOWER = "learning rate × 0.01"
HALF = "half of the training data"
FLIPS = "5 % of the labels flipped"
PROGRESS = "progress"  # what is watched to show how far a training is: no meter


@dataclass
class Findings:
    """What was seen before, in and after the training; NaN and empty where it was not.

    yours       the reader's model; with no parts where nothing was finished
    fixes       the reader's fixes; `trials`: what the check-up tried itself, one seed each
    why_not     meter -> why it does not apply
    left_out    what there was no time for, a sentence each
    """

    examples: int
    validation_examples: int
    epochs: int
    steps: int
    kind: Kind | None = None
    bad_values: list[str] = field(default_factory=list)
    answers: int = 2  # different labels in the training data
    largest_input: float = 0.0
    leaked: float = 0.0
    repeated: float = 0.0
    dead_penalties: list[str] = field(default_factory=list)
    logits: str = ""
    first_statistics_left: float = 0.0
    dropout_before: bool = False
    rate: float = np.nan
    yours: Arm = field(default_factory=lambda: Arm("yours"))
    fixes: list[Arm] = field(default_factory=list)
    trials: dict[str, Arm] = field(default_factory=dict)
    seconds: float = 0.0
    why_not: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def trained(self) -> bool:
        return bool(self.yours.parts)

    @property
    def diverged(self) -> bool:
        return self.trained and bool(self.yours.diverged.any())

    def at_end(self, row: str) -> float:
        return mean(self.yours.values(row)) if self.trained else np.nan

    def at_best(self, row: str) -> float:
        return mean(self.yours.values(row, best=True)) if self.trained else np.nan

    def trial(self, name: str, row: str) -> float:
        """What a trial of the check-up reached at its best epoch; NaN where it did not run."""
        return mean(self.trials[name].values(row, best=True)) if name in self.trials else np.nan

    def share_of(self, name: str) -> float:
        """What is left of the guessing loss in a trial, on training data; NaN where not known."""
        guess = self.kind.guess if self.kind else np.nan
        return self.trial(name, "training loss") / guess

    @property
    def is_classified(self) -> bool:
        return self.kind is not None and self.kind.task in (CLASSES, BINARY, LABELS)

    @property
    def margin(self) -> float:
        """A difference of validation scores that chance hardly makes: 3 standard errors, or 5 %."""
        share = np.clip(np.nan_to_num(self.at_best("validation score"), nan=0.5), 0.1, 0.9)
        return max(0.05, 3 * float(np.sqrt(share * (1 - share) / self.validation_examples)))

    @property
    def is_behind(self) -> bool:
        """Whether a plain network does better on new data than this one on its training data."""
        mine = max(self.at_best("training score"), self.at_best("validation score"))
        return self.trial(PLAIN, "validation score") - mine > self.margin

    @property
    def learnt(self) -> float:
        """How much of the guessing loss the training took away, on training data: at most 1."""
        if self.kind is None or not self.kind.guess > 0:
            return np.nan
        return 1 - self.at_end("training loss") / self.kind.guess
