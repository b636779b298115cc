"""The report's one figure."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils import plots
from utils.checkup._findings import Findings

LETTERS = 9  # of an arm's name below its points
LEAST_RANGE = 0.1  # of the validation score


def draw(found: Findings) -> Figure:
    """Left: losses over the epochs. Right: what every seed of every arm reaches."""
    fig, (left, right) = plots.panels(columns=2, share=False)
    if not found.trained:
        for ax in (left, right):
            ax.set(title="Nothing was trained", xticks=[], yticks=[])
        return fig
    draw_losses(left, found)
    draw_arms(right, found)
    return fig


def draw_losses(ax: Axes, found: Findings) -> None:
    """Training solid, validation dashed; the best epochs, and the loss of guessing."""
    yours = found.yours
    train, val = (finite(yours.history(f"{part}_data_loss")) for part in ("train", "val"))
    if np.isnan(val).all():
        ax.set(title="The loss is no number", xticks=[], yticks=[])
        return
    plots.draw_runs(ax, train, "training")
    plots.draw_runs(ax, val, "validation", linestyle="--")
    best = yours.best_epoch
    ax.plot(best, val[np.arange(len(best)), best - 1], "^", color=plots.STOPPED, label="best epoch")
    guess = found.kind.guess if found.kind else np.nan
    highest = np.nanmax([np.nanmax(val), np.nanmax(train)])
    if np.isfinite(guess) and guess < 3 * highest:
        ax.axhline(guess, color=plots.OTHERS[2], linestyle=":", label="guessing")
        highest = max(highest, guess)
    ax.set(title=f"Best after epoch {np.median(best):.0f} of {val.shape[1]}", xlabel="epoch")
    ax.set(ylabel="loss, without the penalty", ylim=(0 if np.nanmin(train) >= 0 else None, None))
    ax.set_ylim(top=1.05 * highest)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()


def draw_arms(ax: Axes, found: Findings) -> None:
    """The validation score of each seed: yours at the end and at its best epoch, and each fix."""
    row, score = "validation score", found.kind.score if found.kind else "score"
    arms = values_of_arms(found, row)
    if not any(np.isfinite(values).any() for values in arms.values()):
        score, arms = "loss", values_of_arms(found, "validation loss")
    colors = plots.BASELINE, plots.STOPPED, *[plots.FIX] * len(found.fixes)
    for place, (values, color) in enumerate(zip(arms.values(), colors, strict=True)):
        aside = np.linspace(-0.1, 0.1, len(values)) if len(values) > 1 else [0]
        ax.plot(place + np.array(aside), values, plots.MARKERS.get(color, "o"), color=color)
    ax.set(title="What does every seed reach?", ylabel=f"validation {score}")
    ax.set_xticks(range(len(arms)), list(arms), fontsize=9)
    ax.set_xlim(-0.5, len(arms) - 0.5)
    low, high = ax.get_ylim()
    if (aside := LEAST_RANGE - (high - low)) > 0:  # a thousandth is no difference to look at
        ax.set_ylim(low - aside / 2, high + aside / 2)


def values_of_arms(found: Findings, row: str) -> dict[str, np.ndarray]:
    """Of yours at the end and at its best epoch, and of each fix at its own: (seeds,) each."""
    yours = found.yours
    own = {"yours:\nthe end": yours.values(row), "yours:\nbest": yours.values(row, best=True)}
    return own | {shortened(arm.name): arm.values(row, best=True) for arm in found.fixes}


def shortened(name: str) -> str:
    """Two lines of a name at most; a $ is no formula."""
    name = name.replace("$", r"\$")
    lines = wrap(name, LETTERS)
    return "\n".join(lines[:2]) + ("…" if len(lines) > 2 else "")


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
