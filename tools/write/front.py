"""Writes the README's results: a table and a figure, from the runs stored in the lessons.

Nothing is trained here. The lessons print every run of their ten seeds (`compare`) and the means
of their arms (`overview`); this reads those outputs, so the front page shows what they show.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from tools.notebooks import NOTEBOOKS, ROOT, NotebookError, read_notebook
from utils import plots

README = ROOT / "README.md"
FIGURE = ROOT / "docs" / "results.png"
BEGIN, END = "<!-- results: written by `make front` -->", "<!-- end of results -->"
OVERVIEW = re.compile(r"mean of \d+ seeds .*")
NUMBER = r"[+−-]?\d+\.\d+|nan"


class Lesson(NamedTuple):
    stem: str
    problem: str
    fix: str
    metric: str
    meter: str  # in the words of the front page
    title: str  # of its panel, the finding
    lower: bool  # whether the finding is that the fix lowers the meter


LESSONS = [
    Lesson(
        "01_covariate_shift_batch_normalization",
        "internal covariate shift",
        "`BatchNormalization`",
        "drift",
        "drift of a layer's outputs",
        "Outputs drift less",
        True,
    ),
    Lesson(
        "02_co_adaptation_dropout",
        "co-adaptation",
        "`Dropout`",
        "mean need",
        "how much pairs of units need each other",
        "Units need each other less",
        True,
    ),
    Lesson(
        "03_large_weights_l1_l2",
        "large weights",
        "`L2`",
        "share memorized",
        "wrong labels memorized",
        "Few are memorized",
        True,
    ),
]


def texts_of(stem: str) -> list[str]:
    """What the cells of a lesson printed, as stored."""
    notebook = read_notebook(NOTEBOOKS / f"{stem}.ipynb")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.text for output in outputs if "text" in output]


def overview_of(lesson: Lesson) -> tuple[list[str], str]:
    """The means of the lesson's arms (baseline, fix, stopped) on its meter, and the difference."""
    for text in texts_of(lesson.stem):
        lines = text.splitlines()
        for head, line in enumerate(lines):
            if not OVERVIEW.fullmatch(line):
                continue
            for row in lines[head + 1 :]:
                if row.startswith(f"{lesson.metric} "):
                    means, difference = row.removeprefix(lesson.metric).rsplit("   ", 1)
                    return means.split(), difference.strip()
    raise NotebookError(f"{lesson.stem} stores no overview with a row {lesson.metric!r}")


def pairs_of(lesson: Lesson) -> np.ndarray:
    """Every run of the lesson's baseline and fix on its meter: float64 (2, seeds)."""
    for text in texts_of(lesson.stem):
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if line == f"{lesson.metric}, one column per seed":
                rows = lines[number + 1 : number + 3]
                pairs = np.array([[float(n) for n in re.findall(NUMBER, row)] for row in rows])
                check_title(lesson, pairs)
                return pairs
    raise NotebookError(f"{lesson.stem} stores no comparison of {lesson.metric!r}")


def check_title(lesson: Lesson, pairs: np.ndarray) -> None:
    """Refuse a finding that fewer than 8 of 10 runs show."""
    without, with_fix = pairs[:, np.isfinite(pairs).all(axis=0)]
    shown = np.mean(with_fix < without if lesson.lower else with_fix > without)
    if shown < 0.8:
        raise NotebookError(f"{lesson.title!r} holds in {shown:.0%} of the runs only; say less")


def table() -> str:
    columns = ["problem → fix", "meter", "without", "with", "difference, ten seeds"]
    head = f"| {' | '.join(columns)} | without, at its best epoch |"
    lines = [head, "|---|---|---|---|---|---|"]
    for lesson in LESSONS:
        (baseline, fix, *stopped), difference = overview_of(lesson)
        name, in_time = f"{lesson.problem} → {lesson.fix}", stopped[0] if stopped else "–"
        lines.append(f"| {name} | {lesson.meter} | {baseline} | {fix} | {difference} | {in_time} |")
    return "\n".join(lines)


def section() -> str:
    """The part of the README between its two markers."""
    alt = "Three panels, ten runs each, joined by seed, without and with the fix. " + " ".join(
        f"{lesson.title} with {lesson.fix.strip('`')}." for lesson in LESSONS
    )
    image = f"![{alt}]({FIGURE.relative_to(ROOT).as_posix()})"
    return f"{BEGIN}\n{image}\n\n{table()}\n{END}"


def draw() -> plt.Figure:
    fig, axes = plots.panels(columns=len(LESSONS), share=False, height=2.8)
    for ax, lesson in zip(axes, LESSONS, strict=True):
        labels, colors = ["without", "with"], (plots.BASELINE, plots.FIX)
        plots.draw_pairs(ax, pairs_of(lesson), labels, colors, lesson.title, lesson.metric)
        ax.set_xlabel(lesson.fix.strip("`"))
        ax.set_ylim(bottom=0)  # so that no panel makes a small effect look large
    return fig


def with_section(text: str, new: str) -> str:
    """`text` with what stands between the markers replaced."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise NotebookError(f"README.md has no lines {BEGIN} and {END}")
    return before + new + after


def main() -> int:
    try:
        new = with_section(README.read_text(encoding="utf-8"), section())
        image = plots.png(draw())
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    README.write_text(new, encoding="utf-8")
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_bytes(image)
    print(f"README.md and {FIGURE.relative_to(ROOT)} show what the lessons store")
    return 0


if __name__ == "__main__":
    sys.exit(main())
