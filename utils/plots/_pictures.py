"""Images with captions."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from utils.plots._style import OVER_ALL, WIDTH, panels


def draw_images(
    images: ArrayLike,
    captions: Sequence[str],
    columns: int = 5,
    wrong: ArrayLike | None = None,
    title: str | None = None,
) -> Figure:
    """Draw images in a grid, each with its caption; those in `wrong` get a red, dashed frame.

    images   (n, height, width), from 0 for white to 1 for black
    wrong    bool (n,), by default none
    title    one sentence over all images: what the reader finds there
    Returns the figure.
    """
    images = np.asarray(images)
    if images.ndim != 3 or len(images) != len(captions):
        raise ValueError(
            f"images has shape {images.shape} with {len(captions)} captions; "
            "give (n, height, width) and one caption each"
        )
    wrong = np.zeros(len(images), dtype=bool) if wrong is None else np.asarray(wrong)
    if len(wrong) != len(images):
        raise ValueError(f"wrong has {len(wrong)} values for {len(images)} images; give one each")
    rows = -(-len(images) // columns)
    fig, axes = panels(columns, rows, height=WIDTH / columns * 1.12)
    for ax in np.ravel(axes):
        ax.set_axis_off()
    for ax, image, caption, is_wrong in zip(np.ravel(axes), images, captions, wrong, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(caption, fontsize=10, fontweight="normal", loc="center")
        if is_wrong:
            frame = plt.Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False)
            frame.set(edgecolor="#d55e00", linestyle="--", linewidth=3)
            ax.add_patch(frame)
    if title:
        fig.suptitle(title, **OVER_ALL)
    return fig


def draw_maps(
    maps: ArrayLike, captions: Sequence[str], title: str, label: str, columns: int = 4
) -> Figure:
    """Draw maps of numbers from 0 upwards, such as a norm for every pixel, on one common scale.

    maps    (n, height, width)
    label   what the bar beside them measures
    Returns the figure.
    """
    maps = np.asarray(maps, dtype=float)
    if maps.ndim != 3 or len(maps) != len(captions):
        raise ValueError(
            f"maps has shape {maps.shape} with {len(captions)} captions; "
            "give (n, height, width) and one caption each"
        )
    if not np.isfinite(maps).all() or maps.min() < 0 or not maps.max() > 0:
        raise ValueError("maps has numbers that are not finite, below 0, or all 0; give norms")
    rows = -(-len(maps) // columns)
    fig, axes = panels(columns, rows, height=WIDTH / columns * 1.05)
    for ax in np.ravel(axes):
        ax.set_axis_off()
    for ax, values, caption in zip(np.ravel(axes), maps, captions, strict=False):
        drawn = ax.imshow(values, cmap="gray_r", vmin=0, vmax=maps.max())
        ax.set_title(caption, fontsize=10, fontweight="normal", loc="center")
    fig.colorbar(drawn, ax=axes, label=label, shrink=0.8)
    fig.suptitle(title, **OVER_ALL)
    return fig
