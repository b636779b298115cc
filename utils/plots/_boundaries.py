"""Decision boundaries: where a network of two inputs changes its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import FIX, STOPPED, panels

STEPS = 200  # of the grid, in each direction
LOOKS = ((STOPPED, "o"), (FIX, "s"))  # of class 0 and class 1


def draw_boundary(
    ax: Axes,
    model: Callable[[np.ndarray], ArrayLike],
    points: ArrayLike,
    labels: ArrayLike,
    title: str,
) -> None:
    """Draw what `model` answers everywhere around `points`, the boundary as a line, and the points.

    model    a network of two inputs, or a function of float32 (n, 2): its logits, (n, 2) or (n, 1)
    points   (n, 2)
    labels   (n,): 0 or 1
    """
    points, labels = np.asarray(points, dtype=float), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            f"points has shape {points.shape} and labels {labels.shape}; give (n, 2) and (n,)"
        )
    if not np.isin(labels, [0, 1]).all():
        raise ValueError(f"labels has {np.unique(labels).tolist()}; give 0 and 1 only")
    low, high = points.min(axis=0) - 0.3, points.max(axis=0) + 0.3
    x, y = np.meshgrid(*np.linspace(low, high, STEPS).T)
    grid = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    lead = lead_of_class_1(np.asarray(model(grid)), len(grid)).reshape(x.shape)
    ax.contourf(x, y, lead > 0, levels=[-0.5, 0.5, 1.5], colors=[c for c, _ in LOOKS], alpha=0.25)
    if lead.min() < 0 < lead.max():
        ax.contour(x, y, lead, levels=[0], colors="black", linewidths=1.5)
    for label, (color, marker) in enumerate(LOOKS):
        here = points[labels == label]
        ax.scatter(*here.T, s=30, color=color, marker=marker, edgecolor="black", linewidth=0.7)
    ax.set(title=title, xticks=[], yticks=[], aspect="equal")
    ax.grid(visible=False)


def lead_of_class_1(logits: np.ndarray, count: int) -> np.ndarray:
    """By how much class 1 comes before class 0: (count,)."""
    if logits.shape == (count, 2):
        return logits[:, 1] - logits[:, 0]
    if logits.size == count:
        return logits.ravel()
    raise ValueError(f"model gives shape {logits.shape} for {count} points; give (n, 2) or (n, 1)")


def boundaries(
    models: Iterable[Callable[[np.ndarray], ArrayLike]],
    points: ArrayLike,
    labels: ArrayLike,
    titles: Iterable[str],
) -> Figure:
    """Draw the decision boundary of several networks side by side, one panel per title."""
    titles = list(titles)
    fig, axes = panels(columns=len(titles), height=2.9)
    for ax, model, title in zip(np.atleast_1d(axes), models, titles, strict=True):
        draw_boundary(ax, model, points, labels, title)
    return fig
