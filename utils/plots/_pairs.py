"""Arms seed against seed: what every run ends with, and the differences of pairs."""

import numpy as np

from utils.plots._style import BASELINE, FIX, MARKERS, OTHERS, STOPPED, panels


def paired_arms(arms, metrics, titles, colors=(BASELINE, FIX, STOPPED, OTHERS[3])):
    """Draw what every run of every arm ends with, one panel per metric.

    arms      `Runs`, the baseline first
    metrics   names in their history, or of what they measured
    titles    one sentence per panel
    """
    fig, axes = panels(columns=len(metrics), share=False)
    labels = [arm.name.replace(", ", ",\n").replace(" ", "\n", 1) for arm in arms]
    for ax, metric, title in zip(np.atleast_1d(axes), metrics, titles, strict=True):
        values = [arm.final(metric) for arm in arms]
        draw_pairs(ax, values, labels, colors[: len(arms)], title, metric)
    return fig


def draw_pairs(ax, arms, labels, colors, title, ylabel):
    """Draw what each run of each arm ends with, the runs of one seed joined by a line.

    arms   one array (seeds,) per arm, in the order of `labels` and `colors`
    """
    values = np.stack([np.asarray(arm, dtype=float) for arm in arms])
    if values.ndim != 2 or not len(values) == len(labels) == len(colors):
        raise ValueError(
            f"arms has shape {values.shape}; give one array of numbers per seed for each label"
        )
    places = np.arange(len(values))
    ax.plot(places, values, color="#999999", linewidth=0.8, zorder=1)
    for place, row, color in zip(places, values, colors, strict=True):
        marker = MARKERS.get(color, "D")
        ax.scatter(np.full(len(row), place), row, color=color, marker=marker, s=28, zorder=2)
        ax.hlines(row.mean(), place - 0.22, place + 0.22, color=color, linewidth=3)
    ax.set(title=title, ylabel=ylabel, xlim=(-0.5, len(values) - 0.5))
    ax.set_xticks(places, labels)
    ax.grid(axis="x", visible=False)


def draw_differences(ax, comparisons, labels, colors, title, xlabel):
    """Draw each pair's difference as a dot, and the mean with its 95 % interval; zero is marked."""
    rows = np.arange(len(comparisons))[::-1]
    for row, comparison, color in zip(rows, comparisons, colors, strict=True):
        points = comparison.differences
        ax.scatter(points, np.full(len(points), row), color=color, alpha=0.5, s=24)
        ax.errorbar(
            comparison.mean,
            row - 0.22,
            xerr=comparison.half_width,
            fmt=MARKERS.get(color, "D"),
            color=color,
            capsize=4,
        )
    ax.axvline(0, color="black", linewidth=1)
    ax.set(title=title, xlabel=xlabel, ylim=(-0.6, len(rows) - 0.4))
    ax.set_yticks(rows, labels)
    ax.grid(axis="y", visible=False)


def effects(columns, titles, xlabels, colors=None, share=False):
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
