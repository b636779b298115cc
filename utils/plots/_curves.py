"""Curves over training: every run thin, the mean of the runs thick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, OTHERS, STOPPED, look_of, panels

if TYPE_CHECKING:
    from utils.repeats import Runs

COLORS = (BASELINE, FIX, STOPPED, *OTHERS)


def draw_runs(
    ax: Axes,
    values: ArrayLike,
    label: str,
    color: str = BASELINE,
    linestyle: str = "-",
    x: ArrayLike | None = None,
) -> None:
    """Draw every run thin and their mean thick; one run is drawn thick.

    values   (n,) or (runs, n); NaN where a run has ended
    x        (n,): by default the epochs 1 to n
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"values has shape {values.shape}; give (n,) or (runs, n)")
    x = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
    if x.shape != values.shape[1:]:
        raise ValueError(f"x has shape {x.shape}; give one x for each of {values.shape[1]} values")
    if len(values) > 1:
        ax.plot(x, values.T, color=color, linestyle=linestyle, linewidth=0.7, alpha=0.45)
    alive = ~np.isnan(values).all(axis=0)
    mean = np.nanmean(values[:, alive], axis=0)
    ax.plot(x[alive], mean, color=color, linestyle=linestyle, label=label)


def learning_curves(
    history: Mapping[str, ArrayLike],
    titles: Sequence[str],
    color: str = BASELINE,
    axes: Axes | Sequence[Axes] | None = None,
    names: Sequence[str] = ("loss", "accuracy"),
) -> Figure:
    """Draw training (solid) and validation (dashed) over the epochs, one panel per name.

    history   name -> (epochs,) or (seeds, epochs), as `fit(…).history` or `Runs.history`
    titles    one sentence per panel: what the reader finds there
    axes      the panels of an earlier figure, to draw another arm into; by default a new figure
    Returns the figure.
    """
    missing = [key for name in names for key in (name, f"val_{name}") if key not in history]
    if missing:
        raise ValueError(f"history has no {missing[0]!r}; it has {', '.join(history)}")
    if axes is None:
        _, axes = panels(columns=len(names), share=False)
    axes = np.atleast_1d(axes)
    for ax, name, title in zip(axes, names, titles, strict=True):
        draw_runs(ax, history[name], "training", color)
        draw_runs(ax, history[f"val_{name}"], "validation", color, "--")
        ax.set(title=title, xlabel="epoch", ylabel=name)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    return axes[0].figure


def before_after(
    before: Mapping[str, ArrayLike],
    after: Mapping[str, ArrayLike],
    titles: Sequence[str],
    name: str = "loss",
    colors: Sequence[str] = (BASELINE, FIX),
) -> Figure:
    """Draw the learning curves of two arms side by side, on the same axes.

    before, after   histories, as `learning_curves` takes them
    titles          one sentence per panel
    """
    fig, axes = panels(columns=2)
    for ax, history, title, color in zip(axes, (before, after), titles, colors, strict=True):
        learning_curves(history, [title], color, ax, [name])
    return fig


def curves(
    x: ArrayLike,
    arms: Mapping[str, ArrayLike],
    title: str,
    colors: Sequence[str] = COLORS,
    **settings: object,
) -> Figure:
    """Draw one panel with a curve for each arm: every run thin, their mean thick.

    x          (n,)
    arms       name -> (n,) or (runs, n); each has a colour and a line style of its own
    settings   of the axes, as `xlabel="epoch", ylim=(0, 1)`
    Returns the figure.
    """
    fig, ax = panels(height=2.8)
    for number, (name, values) in enumerate(arms.items()):
        draw_runs(ax, values, name, *look_of(number, colors), x=x)
    ax.set(title=title, **settings)
    ax.legend()
    return fig


def mark_best(ax: Axes, values: ArrayLike) -> None:
    """Mark the epoch with the lowest of `values` (epochs,), and shade the epochs after it."""
    best = int(np.nanargmin(values))
    ax.axvspan(best + 1, len(values), color=STOPPED, alpha=0.2, label="wasted epochs")
    ax.plot(best + 1, values[best], "^", color=STOPPED, markersize=12, label="best epoch")
    ax.legend()


def over_training(
    arms: Sequence[Runs],
    names: Sequence[str],
    titles: Sequence[str],
    labels: Sequence[str],
    colors: Sequence[str] = COLORS,
) -> Figure:
    """Draw arms over the epochs, one panel per name, every run thin and the mean thick.

    arms     `Runs`; what they watched after every epoch begins with epoch 0, before training
    names    of what they watched, or in their history
    titles   one sentence per panel
    labels   one per arm
    colors   as many as there are arms, or they are used again, with another line style
    Returns the figure.
    """
    fig, axes = panels(columns=len(names), share=False)
    for ax, name, title in zip(np.atleast_1d(axes), names, titles, strict=True):
        for number, (arm, label) in enumerate(zip(arms, labels, strict=True)):
            values, first = values_over_epochs(arm, name)
            x = np.arange(first, first + values.shape[1])
            draw_runs(ax, values, label, *look_of(number, colors), x=x)
        ax.set(title=title, xlabel="epoch", ylabel=name.replace("val_", "validation "))
    np.ravel(axes)[0].legend()
    return fig


def values_over_epochs(arm: Runs, name: str) -> tuple[np.ndarray, int]:
    """What an arm watched, or its history, (runs, epochs); and the first epoch: 0, or 1."""
    if name in arm.watched:
        return arm.watched[name], 0
    if name not in arm.history:
        known = ", ".join([*arm.history, *arm.watched])
        raise ValueError(f"names has {name!r}; this arm has {known}")
    return arm.history[name], 1
