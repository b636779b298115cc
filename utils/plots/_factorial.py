"""A factorial experiment as the corners of a cube."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.plots._style import BASELINE, FIX, OVER_ALL, panels

ALONG = np.array([[1.5, 0.0], [0.0, 1.2], [0.75, 0.5]])  # where each fix leads, on the paper
CORNERS = [np.array(corner) for corner in product((0, 1), repeat=3)]


def factorial_cubes(fixes: Sequence[str], title: str) -> Figure:
    """Draw the eight combinations of three fixes as a cube, once for each fix.

    A corner is an arm. In a fix's panel, thick edges join the four pairs of arms that differ by it
    alone; the arm with the fix is a square, the one without it a circle.
    """
    if len(fixes) != 3 or len(set(fixes)) != 3:
        raise ValueError(f"fixes is {list(fixes)}; give three different names, as a cube has edges")
    fig, axes = panels(columns=3, height=2.5)
    for number, (ax, fix) in enumerate(zip(axes, fixes, strict=True)):
        draw_cube(ax, number)
        for corner, name in zip(np.eye(3, dtype=int), fixes, strict=True):
            label(ax, corner, name)
        label(ax, (0, 0, 0), "none")
        label(ax, (1, 1, 1), "all three")
        ax.set_title(f"the four pairs of {fix}", fontweight="normal", fontsize=11, loc="center")
    fig.suptitle(title, **OVER_ALL)
    return fig


def draw_cube(ax: Axes, fix: int) -> None:
    """Draw corners and edges; thick are those along the fix with this number."""
    for start in CORNERS:
        for number in np.flatnonzero(start == 0):
            end = start + np.eye(3, dtype=int)[number]
            color, width = (FIX, 4) if number == fix else ("#999999", 1)
            ax.plot(*np.transpose([start @ ALONG, end @ ALONG]), color=color, linewidth=width)
        color, marker = (FIX, "s") if start[fix] else (BASELINE, "o")
        ax.scatter(*(start @ ALONG), s=70, color=color, marker=marker, zorder=3)
    ax.set(xlim=(-0.8, 3.2), ylim=(-0.4, 1.9))
    ax.axis("off")


def label(ax: Axes, corner: Sequence[int], name: str) -> None:
    """Write the name of an arm beside its corner, where no edge runs."""
    x, y, depth = corner
    aside = {"left": 9, "center": 0, "right": -9}
    across = "left" if depth else "center" if x else "right"
    offset = aside[across], 5 if depth and not y else -4 if y else -16
    place = np.asarray(corner) @ ALONG
    ax.annotate(name, place, offset, textcoords="offset points", ha=across, fontsize=10)
