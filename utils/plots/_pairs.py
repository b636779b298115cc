"""Arms seed against seed: what every run ends with, and the differences of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, MARKERS, OTHERS, STOPPED, look_of, panels

if TYPE_CHECKING:
    from utils.comparisons import Differences
    from utils.repeats import Runs

ASIDE = 0.15  # how far the first and the last seed lie from the middle of their arm


def paired_arms(
    arms: Sequence[Runs],
    metrics: Sequence[str],
    titles: Sequence[str],
    colors: Sequence[str] = (BASELINE, FIX, STOPPED, *reversed(OTHERS)),
) -> Figure:
    """Draw what every run of every arm ends with, one panel per metric.

    A grey line joins the runs of one seed.

    arms      `Runs`, the baseline first; an arm without some of the seeds has gaps there
    metrics   names in their history, or of what they measured
    titles    one sentence per panel
    """
    fig, axes = panels(columns=len(metrics), share=False)
    labels = [arm.name.replace(", ", ",\n").replace(" ", "\n", 1) for arm in arms]
    looks = [look_of(number, colors)[0] for number in range(len(arms))]
    for ax, metric, title in zip(np.atleast_1d(axes), metrics, titles, strict=True):
        draw_pairs(ax, by_seed(arms, metric), labels, looks, title, metric)
    return fig


def by_seed(arms: Sequence[Runs], metric: str) -> np.ndarray:
    """What each run ends with, float64 (arms, seeds), NaN where an arm has no run of a seed."""
    seeds = sorted({seed for arm in arms for seed in arm.seeds})
    values = np.full((len(arms), len(seeds)), np.nan)
    for row, arm in zip(values, arms, strict=True):
        row[[seeds.index(seed) for seed in arm.seeds]] = arm.final(metric)
    return values


def draw_pairs(
    ax: Axes,
    arms: ArrayLike,
    labels: Sequence[str],
    colors: Sequence[str],
    title: str,
    ylabel: str,
) -> None:
    """Draw what each run of each arm ends with, the runs of one seed joined by a line.

    The runs of an arm lie side by side, in the order of their seeds, so that equal ones show.

    arms   one array (seeds,) per arm, in the order of `labels` and `colors`; NaN where there is no
           run of a seed. The mean of an arm is that of its finite numbers.
    """
    values = np.stack([np.asarray(arm, dtype=float) for arm in arms])
    if values.ndim != 2 or not len(values) == len(labels) == len(colors):
        raise ValueError(
            f"arms has shape {values.shape}; give one array of numbers per seed for each label"
        )
    values = np.where(np.isfinite(values), values, np.nan)
    places = np.arange(len(values))
    aside = np.linspace(-ASIDE, ASIDE, values.shape[1]) if values.shape[1] > 1 else np.zeros(1)
    for run, shift in zip(values.T, aside, strict=True):
        there = ~np.isnan(run)  # a line over a gap joins the runs on both sides of it
        ax.plot(places[there] + shift, run[there], color="#999999", linewidth=0.8, zorder=1)
    for place, row, color in zip(places, values, colors, strict=True):
        marker = MARKERS.get(color, "D")
        look = {"marker": marker, "edgecolor": "white", "linewidth": 0.5, "zorder": 2}
        ax.scatter(place + aside, row, color=color, s=28, **look)
        if (runs := row[~np.isnan(row)]).size:
            ax.hlines(runs.mean(), place - 0.3, place + 0.3, color=color, linewidth=3, zorder=1)
    ax.set(title=title, ylabel=ylabel, xlim=(-0.5, len(values) - 0.5))
    ax.set_xticks(places, labels)
    ax.grid(axis="x", visible=False)


def draw_differences(
    ax: Axes,
    comparisons: Sequence[Differences],
    labels: Sequence[str],
    colors: Sequence[str],
    title: str,
    xlabel: str,
) -> None:
    """Draw each pair's difference as a dot, and the mean with its 95 % interval; zero is marked.

    One difference alone has no interval, which its label says.
    """
    rows = np.arange(len(comparisons))[::-1]
    for row, comparison, color in zip(rows, comparisons, colors, strict=True):
        points = comparison.differences
        ax.scatter(points, np.full(len(points), row), color=color, alpha=0.5, s=24)
        mean = {"fmt": MARKERS.get(color, "D"), "color": color, "capsize": 4}
        width = comparison.half_width if len(points) > 1 else None
        ax.errorbar(comparison.mean, row - 0.22, xerr=width, **mean)
    names = [
        label if len(comparison.differences) > 1 else f"{label}\n(no interval)"
        for label, comparison in zip(labels, comparisons, strict=True)
    ]
    ax.axvline(0, color="black", linewidth=1)
    ax.set(title=title, xlabel=xlabel, ylim=(-0.6, len(rows) - 0.4))
    ax.set_yticks(rows, names)
    ax.grid(axis="y", visible=False)


def effects(
    columns: Sequence[Sequence[Differences]],
    titles: Sequence[str],
    xlabels: Sequence[str],
    colors: Sequence[Sequence[str]] | None = None,
    share: bool = False,
) -> Figure:
    """Draw what fixes change, with 95 % intervals, one panel per title.

    columns   per panel the `Effect` of each fix
    colors    per panel the colour of each fix; by default one for all
    Returns the figure.
    """
    colors = colors or [[FIX] * len(column) for column in columns]
    height = 1.3 + 0.44 * max(map(len, columns))
    fig, axes = panels(columns=len(titles), share=share, height=height)
    for ax, effects, *labels, look in zip(axes, columns, titles, xlabels, colors, strict=True):
        names = [effect.name if share or ax is axes[0] else "" for effect in effects]
        draw_differences(ax, effects, names, look, *labels)
        ax.locator_params(axis="x", nbins=4)
    return fig
