"""What a layer puts out: bands over training, histograms at one moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, OTHERS, OVER_ALL, STOPPED, look_of, panels


def draw_bands(
    percentiles: ArrayLike, every: int, title: str, color: str = BASELINE, channels: int = 4
) -> Figure:
    """Draw how the outputs of the first channels move over training, a panel per channel.

    percentiles   (times, 3, channels): low, median and high of each channel, the first before
                  training; drawn from the first median, in units of the channel's mean spread
    every         steps between two times
    Returns the figure.
    """
    values = np.asarray(percentiles, dtype=float)
    if values.ndim != 3 or values.shape[1] != 3 or values.shape[2] < channels:
        raise ValueError(
            f"percentiles has shape {values.shape}; give (times, 3, at least {channels} channels)"
        )
    values = (values - values[0, 1]) / (values[:, 2] - values[:, 0]).mean(axis=0)
    steps = every * np.arange(len(values))
    fig, axes = panels(columns=channels, height=2.6)
    for number, ax in enumerate(np.atleast_1d(axes)):
        low, median, high = values[:, :, number].T
        ax.fill_between(steps, low, high, color=color, alpha=0.25, linewidth=0)
        ax.plot(steps, median, color=color)
        ax.set_title(f"channel {number + 1}", fontweight="normal", fontsize=11)
        ax.set(xlabel="step", ylim=(-3, 3))
    fig.axes[0].set_ylabel("output, in spreads")
    fig.suptitle(title, **OVER_ALL)
    return fig


def histograms(
    columns: Sequence[Sequence[ArrayLike]],
    titles: Sequence[str],
    labels: Sequence[str],
    xlabel: str,
    colors: Sequence[str] = (STOPPED, BASELINE, FIX, *OTHERS),
) -> Figure:
    """Draw histograms side by side, one panel per title, each of several sets on the same bins.

    columns   per panel a list of arrays (n,), one per label
    Returns the figure.
    """
    fig, axes = panels(columns=len(titles), share=False, height=2.8)
    for ax, sets, title in zip(np.atleast_1d(axes), columns, titles, strict=True):
        bins = np.linspace(*np.percentile(np.concatenate(sets), [1, 99]), 41)
        for number, (values, label) in enumerate(zip(sets, labels, strict=True)):
            color, _ = look_of(number, colors)
            share = np.full(len(values), 1 / len(values))
            ax.hist(values, bins, weights=share, color=color, alpha=0.6, label=label)
        ax.set(title=title, xlabel=xlabel, ylabel="share of the outputs")
        ax.legend()
    return fig
