"""The report: a table of meters, and a reading of it; as text, as a figure, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from utils.checkup._arms import Arm, Paired, mean
from utils.checkup._drawing import draw
from utils.checkup._findings import FLIPS, PROGRESS, Findings
from utils.checkup._page import write_page
from utils.checkup._rules import RULES, Diagnosis
from utils.comparisons import Differences

LESSONS = {
    "00": "notebooks/00_overfitting.ipynb",
    "01": "notebooks/01_covariate_shift_batch_normalization.ipynb",
    "02": "notebooks/02_co_adaptation_dropout.ipynb",
    "03": "notebooks/03_large_weights_l1_l2.ipynb",
}
FIRST_ROWS = (
    "validation loss",
    "training loss",
    "validation score",
    "training score",
    "gap",
    "penalty",
)


class Report:
    """What a check-up found.

    diagnoses   the signs that were found, the first of them first
    no_sign     what was looked for and not found
    rows        name of a meter -> one text for each of `columns`: mean ± half of a 95 % t interval
    left_out    what there was no time for
    why_not     meter -> why it does not apply to this model
    """

    def __init__(self, found: Findings) -> None:
        self._found = found
        evidence = [(rule, rule.evidence(found)) for rule in RULES]
        self.diagnoses = [
            Diagnosis(rule.sign, seen, rule.fix, LESSONS.get(rule.lesson, ""))
            for rule, seen in evidence
            if seen
        ]
        self.no_sign = [rule.sign for rule, seen in evidence if not seen]
        self.columns = columns_of(found)
        self.rows = dict(rows_of(found))
        self.reading = list(reading_of(found))
        self.left_out, self.notes = found.left_out, found.notes
        self.why_not = {} if found.diverged else found.why_not

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def differences(self, fix: str, meter: str = "validation loss") -> Differences:
        """Fix less yours, seed against seed, both at their best epochs.

        meter   the name of a row; "validation score" and "training score" for what it is called
        """
        arms = {arm.name: arm for arm in self._found.fixes}
        if fix not in arms:
            raise ValueError(f"fix is {fix!r}; this report has {', '.join(arms) or 'none'}")
        return arms[fix].minus(self._found.yours, self._name_of(meter))

    def values(self, meter: str, best: bool = True) -> np.ndarray:
        """What each seed of your model has at its best epoch, or at the end: float64 (seeds,)."""
        return self._found.yours.values(self._name_of(meter), best)

    def _name_of(self, meter: str) -> str:
        names = {
            label_of(name, self._found): name for name in ("validation score", "training score")
        }
        name = names.get(meter, meter)
        if name not in {*self.rows, *names.values()}:
            raise ValueError(f"meter is {meter!r}; this report has {', '.join(self.rows)}")
        return name

    def heading(self) -> str:
        found = self._found
        seeds = len(found.yours.seeds) if found.trained else 0
        return (
            f"Check-up: {seeds} seeds × {found.epochs} epochs, {found.examples:,} training and "
            f"{found.validation_examples:,} validation examples, {found.seconds:.0f} s"
        )

    @property
    def without_signs(self) -> str:
        """What stands in place of signs, where there are none."""
        return "No sign of anything wrong." if self._found.trained else "Nothing was trained."

    def lines(self) -> Iterator[str]:
        yield self.heading()
        yield ""
        for number, diagnosis in enumerate(self.diagnoses, 1):
            yield f"{number}. {str(diagnosis)[:1].upper()}{str(diagnosis)[1:]}"
        if not self.diagnoses:
            yield self.without_signs
        if self._found.trained:
            yield ""
            yield from self.table()
        yield ""
        yield from self.reading
        yield f"No sign of: {'; '.join(self.no_sign)}."
        for name, why in self.why_not.items():
            yield f"Does not apply: {name} ({why})"
        for sentence in [*self.left_out, *self.notes]:
            yield f"Note: {sentence}"

    def table(self) -> Iterator[str]:
        names = max(map(len, self.rows), default=0) + 2
        widths = [
            max(len(column), *(len(cells[place]) for cells in self.rows.values())) + 2
            for place, column in enumerate(self.columns)
        ]

        def line(name, cells):
            pairs = zip(cells, widths, strict=True)
            return f"{name:<{names}}" + "".join(f"{cell:>{width}}" for cell, width in pairs)

        yield line("", self.columns)
        yield from (line(name, cells) for name, cells in self.rows.items())

    def figure(self) -> Figure:
        """The losses over the epochs, and what each arm reaches. `plots.show` shows it."""
        return draw(self._found)

    def save(self, path: str | PathLike) -> Path:
        """Write one HTML file that needs nothing else: no script, no network."""
        path = Path(path)
        path.write_text(write_page(self), encoding="utf-8")
        return path


def columns_of(found: Findings) -> list[str]:
    if not found.trained:
        return []
    return ["yours, at the end", "at its best epoch", *(f"{a.name} (best)" for a in found.fixes)]


def rows_of(found: Findings) -> Iterator[tuple[str, list[str]]]:
    """The meters that have a number, each with its cells."""
    if not found.trained:
        return
    first = found.yours.parts[0]
    names = [*FIRST_ROWS, *first.measured, *first.watched]
    for name in dict.fromkeys(names):
        if name in ("statistics", PROGRESS) or (name == "penalty" and not found.at_end(name)):
            continue
        cells = [written(found.yours.values(name)), written(found.yours.values(name, best=True))]
        if name.startswith("drift"):
            cells[1] = "–"  # of a whole training
        cells += [
            written(arm.values(name, best=not name.startswith("drift"))) for arm in found.fixes
        ]
        if any(cell != "–" for cell in cells):
            yield label_of(name, found), cells
    times = [found.yours.seconds, *(arm.seconds for arm in found.fixes)]
    shown = [f"{time:.1f}" if np.isfinite(time) else "–" for time in times]
    yield "seconds a seed", [shown[0], "–", *shown[1:]]


def label_of(name: str, found: Findings) -> str:
    return name.replace("score", found.kind.score if found.kind else "score")


def written(values: np.ndarray) -> str:
    """`0.512 ± 0.034`: the mean over the seeds, and half of its 95 % t interval; – for none."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return "–"
    if finite.size == 1:
        return f"{finite[0]:.3f}"
    return f"{finite.mean():.3f} ± {Paired(finite).half_width:.3f}"


def reading_of(found: Findings) -> Iterator[str]:
    """What the numbers say beyond the signs, a line each."""
    if not found.trained:
        return
    kind, yours = found.kind, found.yours
    if kind is not None and np.isfinite(kind.guess):
        first = mean(yours.history("val_data_loss")[:, 0])
        yield f"After one epoch the validation loss is {first:.3f}; guessing has {kind.guess:.3f}."
    if found.at_end("penalty"):
        yield (
            f"Without the penalty of {found.at_end('penalty'):.3f} the validation loss is "
            f"{found.at_end('validation loss'):.3f} at the end."
        )
    for arm in found.fixes:
        yield from fix_lines(yours, arm, label_of("validation score", found))
    if FLIPS in found.trials:
        trial = found.trials[FLIPS].values("validation loss", best=True)
        yield (
            f"{FLIPS}: the validation loss at its best epoch goes from "
            f"{found.at_best('validation loss'):.3f} to {mean(trial):.3f} (one seed)."
        )


def fix_lines(yours: Arm, arm: Arm, score: str) -> Iterator[str]:
    """Both at their best epochs, seed against seed; and what else differs."""
    loss = arm.minus(yours, "validation loss")
    points = arm.minus(yours, "validation score")
    yield (
        f"{arm.name}, both at best epochs: validation loss {loss.write_mean()}, "
        f"{score} {points.write_mean()}: {verdict(loss)}."
    )
    if len(arm.differs) > 1:
        yield f"   More than the fix differs: {'; '.join(arm.differs)}."


def verdict(loss: Paired) -> str:
    low, high = loss.interval
    if high < 0:
        return "it lowers the loss"
    if low > 0:
        return "it raises the loss"
    return "these seeds do not tell"
