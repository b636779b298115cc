"""The course's one visual language: palette, figure size, and how a figure is shown."""

import io

import matplotlib.pyplot as plt
from IPython.display import display
from PIL import Image

BASELINE, FIX, STOPPED = "#4d4d4d", "#0072b2", "#e69f00"
OTHERS = ("#009e73", "#cc79a7", "#d55e00", "#56b4e9")

LINE_STYLES = ("-", "--", ":", "-.")

MARKERS = {BASELINE: "o", FIX: "s", STOPPED: "^"}

WIDTH = 8.0

PIXELS_PER_INCH = 96

SHARPNESS = 1.5

COLOURS = 96

STYLE = {
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


def panels(columns=1, rows=1, height=3.2, share=True):
    """A figure 768 pixels wide, and its axes: one, or an array of them.

    height   of a row, in inches of 96 pixels
    share    whether the panels share both axes, so that before and after can be compared by eye
    """
    return plt.subplots(rows, columns, figsize=(WIDTH, height * rows), sharex=share, sharey=share)


def show(fig, alt):
    """Show `fig` with a description for people who do not see it, and close it.

    alt   what the figure shows, in a sentence or two without measured numbers: it stands in the
          image's metadata and as the output's plain text, which nbval compares
    """
    if not isinstance(alt, str) or len(alt) < 40:
        raise ValueError(f"alt is {alt!r}; describe in a sentence what the figure shows")
    width, height = (int(inches * PIXELS_PER_INCH) for inches in fig.get_size_inches())
    metadata = {"image/png": {"alt": alt, "width": width, "height": height}}
    display({"image/png": png(fig), "text/plain": alt}, raw=True, metadata=metadata)
    plt.close(fig)


def png(fig):
    """The figure as PNG bytes, with few colours so that notebooks stay small."""
    with io.BytesIO() as file:
        fig.savefig(file, format="png", dpi=PIXELS_PER_INCH * SHARPNESS)
        image = Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    with io.BytesIO() as file:
        image.save(file, format="png", optimize=True)
        return file.getvalue()
