"""What a layer puts out: bands over training, and the parts that a normalization averages over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike

from utils.plots._style import BASELINE, FIX, OVER_ALL, look_of, panels

EDGE = 4  # cells along each edge of a cube
SLANT = np.array([0.42, 0.34])  # one step into depth, in widths of a cell
NORMALIZATIONS = {  # which cells (image, position, channel) share one mean
    "BatchNorm:\none channel, all images": lambda image, channel: channel == EDGE - 1,
    "LayerNorm:\none image, all channels": lambda image, channel: image == 0,
    "GroupNorm:\none image, some channels": lambda image, channel: (
        image == 0 and channel >= EDGE // 2
    ),
}


def draw_bands(
    arms: Mapping[str, ArrayLike],
    every: int,
    title: str,
    colors: Sequence[str] = (BASELINE, FIX),
    channels: int = 4,
) -> Figure:
    """Draw how the outputs of the first channels move over training: a row per arm, one scale.

    arms    name -> (times, 3, channels): low, median and high of each channel, the first before
            training; drawn as they are, so that rows can be compared and nothing is cut off
    every   steps between two times
    Returns the figure. Raises ValueError for other shapes, and for numbers that are not finite.
    """
    arms = {name: np.asarray(values, dtype=float) for name, values in arms.items()}
    for values in arms.values():
        if values.ndim != 3 or values.shape[1] != 3 or values.shape[2] < channels:
            raise ValueError(
                f"arms has a shape {values.shape}; give (times, 3, at least {channels} channels)"
            )
        if not np.isfinite(values).all():
            raise ValueError("arms has values that are not finite; the training has diverged")
    fig, axes = panels(channels, len(arms), height=1.15 + 1.45 / len(arms))
    axes = np.reshape(axes, (len(arms), channels))
    for number, (row, (name, values)) in enumerate(zip(axes, arms.items(), strict=True)):
        color, _ = look_of(number, colors)
        row[0].set_ylabel(f"{name}:\noutput")
        for channel, ax in enumerate(row):
            low, median, high = values[:, :, channel].T
            steps = every * np.arange(len(values))
            ax.fill_between(steps, low, high, color=color, alpha=0.25, linewidth=0)
            ax.plot(steps, median, color=color)
    for channel in range(channels):
        axes[0, channel].set_title(f"channel {channel + 1}", fontweight="normal", fontsize=11)
        axes[-1, channel].set_xlabel("step")
    fig.suptitle(title, **OVER_ALL)
    return fig


def draw_cubes(title: str) -> Figure:
    """Draw what a convolution puts out as a cube of images × positions × channels, three times.

    The cells that share one mean are filled: with batch, layer and group normalization.
    Returns the figure.
    """
    fig, axes = panels(columns=len(NORMALIZATIONS), height=2.9)
    for ax, (caption, shares), color in zip(
        axes, NORMALIZATIONS.items(), (FIX, "#009e73", "#cc79a7"), strict=True
    ):
        draw_cube(ax, shares, color)
        ax.set_title(caption, fontweight="normal", fontsize=11)
    fig.suptitle(title, **OVER_ALL)
    return fig


def draw_cube(ax: Axes, shares: object, color: str) -> None:
    """Draw one cube: channels to the right, positions upwards, images into depth."""
    for first, second in product(range(EDGE), repeat=2):
        front = shares(0, first), corners(first, second, 0, (1, 0, 0), (0, 1, 0))
        top = shares(second, first), corners(first, EDGE, second, (1, 0, 0), (0, 0, 1))
        side = shares(first, EDGE - 1), corners(EDGE, second, first, (0, 1, 0), (0, 0, 1))
        for filled, places in (front, top, side):
            face = {"facecolor": color if filled else "white", "edgecolor": "#777777"}
            ax.add_patch(Polygon(places, linewidth=0.8, **face))
    ax.text(EDGE / 2, -0.3, "channels →", ha="center", va="top", fontsize=10)
    ax.text(-0.3, EDGE / 2, "positions →", ha="right", va="center", rotation=90, fontsize=10)
    x, y = np.array([EDGE + 0.25, -0.15]) + SLANT * EDGE / 2
    ax.text(x, y, "images →", rotation=39, va="top", ha="center", fontsize=10)
    ax.set(xlim=(-1, EDGE * 1.5 + 0.3), ylim=(-1, EDGE * 1.4), aspect="equal")
    ax.axis("off")


def corners(channel: int, position: int, image: int, *edges: tuple) -> list[np.ndarray]:
    """Where the four corners of a cell's face are drawn: float (4, 2)."""
    start, (one, other) = np.array([channel, position, image]), np.array(edges)
    return [
        np.array([x, y]) + z * SLANT
        for x, y, z in (start, start + one, start + one + other, start + other)
    ]
