"""Small networks, drawn: which units pass something on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.plots._style import BASELINE, FIX, OVER_ALL, panels

LAYERS = (3, 5, 5, 2)  # units drawn: inputs, two hidden layers, outputs


def thinned_networks(captions: Sequence[str], title: str, rate: float = 0.4) -> Figure:
    """Draw a full network and thinned ones, in which hidden units are dropped, side by side.

    captions   one per network, the full one first; each of the others drops units of its own
    rate       the share of the units of each hidden layer that are dropped, in [0, 1)
    Returns the figure.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate is {rate}; give a share in [0, 1), as 0.4")
    fig, axes = panels(columns=len(captions), height=2.3)
    for number, (ax, caption) in enumerate(zip(np.atleast_1d(axes), captions, strict=True)):
        dropped = [0, *(round(rate * units) if number else 0 for units in LAYERS[1:-1]), 0]
        rng = np.random.default_rng(number)
        kept = [rng.permutation(units) >= gone for units, gone in zip(LAYERS, dropped, strict=True)]
        draw_network(ax, kept, FIX if number else BASELINE)
        ax.set_title(caption, fontweight="normal", fontsize=11, loc="center")
    fig.suptitle(title, **OVER_ALL)
    return fig


def draw_network(ax: Axes, kept: Sequence[np.ndarray], color: str) -> None:
    """Draw units in columns, a layer each, and connections between those that are kept.

    kept   bool (units,) for each layer; a dropped unit is a dotted circle with a cross
    """
    heights = [np.arange(len(layer)) - (len(layer) - 1) / 2 for layer in kept]
    columns = list(zip(heights, kept, strict=True))
    for column, ((low, low_kept), (high, high_kept)) in enumerate(pairwise(columns)):
        for start in low[low_kept]:
            for end in high[high_kept]:
                ax.plot([column, column + 1], [start, end], color="#999999", linewidth=0.7)
    for column, (height, stays) in enumerate(columns):
        place = np.full(len(height), column)
        ax.scatter(place[stays], height[stays], s=110, color=color, zorder=2)
        gone = {"facecolor": "white", "edgecolor": BASELINE, "linestyle": ":", "zorder": 2}
        ax.scatter(place[~stays], height[~stays], s=110, **gone)
        ax.scatter(place[~stays], height[~stays], s=40, color=BASELINE, marker="x", zorder=3)
    ax.set(xlim=(-0.4, len(kept) - 0.6), ylim=(-2.6, 2.6))
    ax.axis("off")
