"""What penalties do to two weights: the board's circle and diamond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, STOPPED, panels

BEST = np.array([1.0, 2.2])  # where the drawn loss is lowest
CURVATURE = np.array([[1.0, -0.25], [-0.25, 1.0]])
REACH = 1.0  # how long, as the penalty measures it, the weights may be
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 1}
AROUND = np.linspace(0, 2 * np.pi, 2001)


def circle_and_diamond(titles: Sequence[str]) -> Figure:
    """Draw a loss over two weights, and where it is lowest inside of a circle and of a diamond.

    titles   of the circle, which is what L2 allows, and of the diamond, what L1 allows
    Returns the figure.
    """
    fig, axes = panels(columns=2, height=3.3)
    for ax, kind, title in zip(axes, (2, 1), titles, strict=True):
        draw_loss(ax, kind)
        edge = same_penalty(kind)
        ax.fill(*edge, color=FIX, alpha=0.3)
        ax.plot(*edge, color=FIX)
        ax.plot(*BEST, "o", color=BASELINE, markersize=8)
        ax.annotate(
            "no penalty", BEST, (0, 11), textcoords="offset points", ha="center", bbox=BEHIND
        )
        ax.plot(*lowest_within(kind), "^", color=STOPPED, markersize=13, markeredgecolor="black")
        ax.axhline(0, color="black", linewidth=0.8)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set(title=title, xlabel="weight 1", aspect="equal", xlim=(-1.4, 2.6), ylim=(-1.3, 3.1))
        ax.grid(visible=False)
    axes[0].set_ylabel("weight 2")
    return fig


def draw_loss(ax: Axes, kind: int) -> None:
    """Draw the loss by lines on which it is the same; one goes through the lowest one inside."""
    x, y = np.meshgrid(np.linspace(-1.4, 2.6, 201), np.linspace(-1.3, 3.1, 201))
    touching = float(loss_at(lowest_within(kind)))
    levels = touching * np.array([0.08, 0.35, 1, 2, 3.4])
    ax.contour(
        x, y, loss_at(np.stack([x, y])), levels, colors=BASELINE, linewidths=[0.9, 0.9, 2, 0.9, 0.9]
    )


def loss_at(weights: ArrayLike) -> np.ndarray:
    """The drawn loss of weights (2, ...)."""
    away = np.asarray(weights) - BEST.reshape(2, *[1] * (np.ndim(weights) - 1))
    return np.einsum("i...,ij,j...->...", away, CURVATURE, away)


def same_penalty(kind: int) -> np.ndarray:
    """Where Σ|w|^kind is `REACH`: float64 (2, points); a diamond for 1, a circle for 2."""
    direction = np.stack([np.cos(AROUND), np.sin(AROUND)])
    return REACH * direction / (np.abs(direction) ** kind).sum(axis=0) ** (1 / kind)


def lowest_within(kind: int) -> np.ndarray:
    """Where the loss is lowest inside: on the edge, as the lowest point without one is outside."""
    edge = same_penalty(kind)
    return edge[:, loss_at(edge).argmin()].round(9)  # cos(π/2) is not quite 0
