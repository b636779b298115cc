"""The course's one visual language: palette, figure size, and how a figure is shown."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from utils.plots._titles import check_titles, report_untrue

BASELINE, FIX, STOPPED = "#4d4d4d", "#0072b2", "#e69f00"
OTHERS = ("#009e73", "#cc79a7", "#d55e00", "#56b4e9")

LINE_STYLES = ("-", "--", ":", "-.")

MARKERS = {BASELINE: "o", FIX: "s", STOPPED: "^"}

WIDTH = 8.0

PIXELS_PER_INCH = 96

SHARPNESS = 1.5

COLOURS = 96

# Set anew, so that a style chosen before, as a dark one, shows through nowhere.
RELIED_ON = ("axes", "figure", "font", "grid", "hatch", "legend", "lines", "patch", "path")
RELIED_ON += ("savefig", "scatter", "text", "xaxis", "xtick", "yaxis", "ytick", "errorbar", "image")
USUAL = {name: v for name, v in mpl.rcParamsDefault.items() if name.split(".")[0] in RELIED_ON}

STYLE = USUAL | {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "lines.linewidth": 2.2,
}

OVER_ALL = {"fontweight": "bold", "fontsize": 12, "x": 0.01, "ha": "left"}
plt.rcParams.update(STYLE)


def look_of(number: int, colors: Sequence[str]) -> tuple[str, str]:
    """The colour and the line style of the arm with this number; colours repeat, looks do not."""
    return colors[number % len(colors)], LINE_STYLES[number % len(LINE_STYLES)]


def panels(columns: int = 1, rows: int = 1, height: float = 3.2, share: bool = True) -> tuple:
    """A figure 768 pixels wide, and its axes: one, or an array of them.

    height   of a row, in inches of 96 pixels
    share    whether the panels share both axes, so that before and after can be compared by eye
    """
    return plt.subplots(rows, columns, figsize=(WIDTH, height * rows), sharex=share, sharey=share)


def show(fig: Figure, alt: str, titles: Mapping[str, bool | None] | None = None) -> None:
    """Show `fig` with a description for people who do not see it, and close it.

    alt      what the figure shows, in a sentence or two without measured numbers: it stands in the
             image's metadata and as the output's plain text, which nbval compares
    titles   every title of the figure, with the condition under which it holds; None where a title
             asks a question or gives a computed number. The dict will do as the `titles` of
             whatever draws the figure. An untrue title is named below the figure with ✗; with
             `COURSE_STRICT=1` it raises a `ClaimError`.
    """
    if not isinstance(alt, str) or len(alt) < 40:
        raise ValueError(f"alt is {alt!r}; describe in a sentence what the figure shows")
    if titles is not None:
        check_titles(fig, titles)
    width, height = (int(inches * PIXELS_PER_INCH) for inches in fig.get_size_inches())
    metadata = {"image/png": {"alt": alt, "width": width, "height": height}}
    display({"image/png": png(fig), "text/plain": alt}, raw=True, metadata=metadata)
    plt.close(fig)
    report_untrue(titles or {})


def png(fig: Figure) -> bytes:
    """The figure as PNG bytes, with few colours so that notebooks stay small."""
    with io.BytesIO() as file:
        fig.savefig(file, format="png", dpi=PIXELS_PER_INCH * SHARPNESS)
        image = Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    with io.BytesIO() as file:
        image.save(file, format="png", optimize=True)
        return file.getvalue()
