"""What a search over several knobs found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, OVER_ALL, panels


def search_results(
    settings: Sequence[Mapping[str, float]],
    losses: ArrayLike,
    title: str,
    names: Mapping[str, str],
    by_powers: Collection[str] = (),
) -> Figure:
    """Draw the loss of each setting over each of its knobs, a panel a knob; a square is the lowest.

    settings   what was tried; one without a knob that others have, as {}, is a dotted line
    losses     (settings,), one each
    names      knob -> what to call it, in the order of the panels
    by_powers  the knobs that are drawn by powers of ten
    Returns the figure.
    """
    losses = np.asarray(losses, dtype=float)
    if losses.shape != (len(settings),):
        raise ValueError(f"losses has shape {losses.shape} for {len(settings)} settings; give each")
    fig, axes = panels(columns=len(names), share=False, height=3)
    axes = np.atleast_1d(axes)
    for ax, (knob, name) in zip(axes, names.items(), strict=True):
        for setting, loss in zip(settings, losses, strict=True):
            if knob not in setting:
                ax.axhline(loss, color="black", linestyle=":", linewidth=1.2, zorder=0)
                continue
            size, color, marker = (90, FIX, "s") if loss == losses.min() else (36, BASELINE, "o")
            ax.scatter(setting[knob], loss, size, color, marker=marker, zorder=2)
        ax.set_xlabel(name)
        if knob in by_powers:
            values = np.log10([setting[knob] for setting in settings if knob in setting])
            ends = np.floor(min(values)) - 0.1, np.ceil(max(values)) + 0.1  # whole decades
            ax.set(xscale="log", xlim=np.power(10, ends))
            ax.minorticks_off()
        ax.sharey(axes[0])
    axes[0].set_ylabel("selection loss")
    fig.suptitle(title, **OVER_ALL)
    return fig
