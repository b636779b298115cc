"""The figures of the course: one visual language for every notebook.

Solid line: training. Dashed line: validation. Thin: one run. Thick: the mean of the runs.
One colour per arm, from the Okabe-Ito palette, which colour-blind readers can tell apart:
grey for the baseline, blue for the fix, orange for the baseline stopped early.
"""

import io
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
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


def draw_runs(ax, values, label, color=BASELINE, linestyle="-", x=None):
    """Draw every run thin and their mean thick; one run is drawn thick.

    values   (n,) or (runs, n); NaN where a run has ended
    x        (n,): by default the epochs 1 to n
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"values has shape {values.shape}; give (n,) or (runs, n)")
    x = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
    if x.shape != values.shape[1:]:
        raise ValueError(f"x has shape {x.shape}; give one x for each of {values.shape[1]} values")
    if len(values) > 1:
        ax.plot(x, values.T, color=color, linestyle=linestyle, linewidth=0.7, alpha=0.45)
    alive = ~np.isnan(values).all(axis=0)
    mean = np.nanmean(values[:, alive], axis=0)
    ax.plot(x[alive], mean, color=color, linestyle=linestyle, label=label)


def learning_curves(history, titles, color=BASELINE, axes=None, names=("loss", "accuracy")):
    """Draw training (solid) and validation (dashed) over the epochs, one panel per name.

    history   name -> (epochs,) or (seeds, epochs), as `fit(…).history` or `Runs.history`
    titles    one sentence per panel: what the reader finds there
    axes      the panels of an earlier figure, to draw another arm into; by default a new figure
    Returns the figure.
    """
    missing = [key for name in names for key in (name, f"val_{name}") if key not in history]
    if missing:
        raise ValueError(f"history has no {missing[0]!r}; it has {', '.join(history)}")
    if axes is None:
        _, axes = panels(columns=len(names), share=False)
    axes = np.atleast_1d(axes)
    for ax, name, title in zip(axes, names, titles, strict=True):
        draw_runs(ax, history[name], "training", color)
        draw_runs(ax, history[f"val_{name}"], "validation", color, "--")
        ax.set(title=title, xlabel="epoch", ylabel=name)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    return axes[0].figure


def before_after(before, after, titles, name="loss", colors=(BASELINE, FIX)):
    """Draw the learning curves of two arms side by side, on the same axes.

    before, after   histories, as `learning_curves` takes them
    titles          one sentence per panel
    """
    fig, axes = panels(columns=2)
    for ax, history, title, color in zip(axes, (before, after), titles, colors, strict=True):
        learning_curves(history, [title], color, ax, [name])
    return fig


def curves(x, arms, title, colors=(BASELINE, FIX, STOPPED, *OTHERS), **settings):
    """Draw one panel with a curve for each arm: every run thin, their mean thick.

    x          (n,)
    arms       name -> (n,) or (runs, n); each has a colour and a line style of its own
    settings   of the axes, as `xlabel="epoch", ylim=(0, 1)`
    Returns the figure.
    """
    fig, ax = panels(height=2.8)
    for number, (name, values) in enumerate(arms.items()):
        look = colors[number % len(colors)], LINE_STYLES[number % len(LINE_STYLES)]
        draw_runs(ax, values, name, *look, x=x)
    ax.set(title=title, **settings)
    ax.legend()
    return fig


def mark_best(ax, values):
    """Mark the epoch with the lowest of `values` (epochs,), and shade the epochs after it."""
    best = int(np.nanargmin(values))
    ax.axvspan(best + 1, len(values), color=STOPPED, alpha=0.2, label="wasted epochs")
    ax.plot(best + 1, values[best], "^", color=STOPPED, markersize=12, label="best epoch")
    ax.legend()


def over_training(arms, names, titles, labels, colors=(BASELINE, FIX)):
    """Draw arms over the epochs, one panel per name, every run thin and the mean thick.

    arms     `Runs`; what they watched after every epoch begins with epoch 0, before training
    names    of what they watched, or in their history
    titles   one sentence per panel
    Returns the figure.
    """
    fig, axes = panels(columns=len(names), share=False)
    for ax, name, title in zip(np.atleast_1d(axes), names, titles, strict=True):
        for arm, label, *look in zip(arms, labels, colors, LINE_STYLES, strict=False):
            values = arm.watched.get(name)
            if values is None:
                draw_runs(ax, arm.history[name], label, *look)
            else:
                draw_runs(ax, values, label, *look, x=np.arange(values.shape[1]))
        ax.set(title=title, xlabel="epoch", ylabel=name.replace("val_", "validation "))
    np.ravel(axes)[0].legend()
    return fig


def paired_arms(arms, metrics, titles, colors=(BASELINE, FIX, STOPPED, OTHERS[3])):
    """Draw what every run of every arm ends with, one panel per metric.

    arms      `Runs`, the baseline first
    metrics   names in their history, or of what they measured
    titles    one sentence per panel
    """
    fig, axes = panels(columns=len(metrics), share=False)
    labels = [arm.name.replace(", ", ",\n").replace(" ", "\n", 1) for arm in arms]
    for ax, metric, title in zip(np.atleast_1d(axes), metrics, titles, strict=True):
        values = [arm.final(metric) for arm in arms]
        draw_pairs(ax, values, labels, colors[: len(arms)], title, metric)
    return fig


def draw_pairs(ax, arms, labels, colors, title, ylabel):
    """Draw what each run of each arm ends with, the runs of one seed joined by a line.

    arms   one array (seeds,) per arm, in the order of `labels` and `colors`
    """
    values = np.stack([np.asarray(arm, dtype=float) for arm in arms])
    if values.ndim != 2 or not len(values) == len(labels) == len(colors):
        raise ValueError(
            f"arms has shape {values.shape}; give one array of numbers per seed for each label"
        )
    places = np.arange(len(values))
    ax.plot(places, values, color="#999999", linewidth=0.8, zorder=1)
    for place, row, color in zip(places, values, colors, strict=True):
        marker = MARKERS.get(color, "D")
        ax.scatter(np.full(len(row), place), row, color=color, marker=marker, s=28, zorder=2)
        ax.hlines(row.mean(), place - 0.22, place + 0.22, color=color, linewidth=3)
    ax.set(title=title, ylabel=ylabel, xlim=(-0.5, len(values) - 0.5))
    ax.set_xticks(places, labels)
    ax.grid(axis="x", visible=False)


def draw_differences(ax, comparisons, labels, colors, title, xlabel):
    """Draw each pair's difference as a dot, and the mean with its 95 % interval; zero is marked."""
    rows = np.arange(len(comparisons))[::-1]
    for row, comparison, color in zip(rows, comparisons, colors, strict=True):
        points = comparison.differences
        ax.scatter(points, np.full(len(points), row), color=color, alpha=0.5, s=24)
        ax.errorbar(
            comparison.mean,
            row - 0.22,
            xerr=comparison.half_width,
            fmt=MARKERS.get(color, "D"),
            color=color,
            capsize=4,
        )
    ax.axvline(0, color="black", linewidth=1)
    ax.set(title=title, xlabel=xlabel, ylim=(-0.6, len(rows) - 0.4))
    ax.set_yticks(rows, labels)
    ax.grid(axis="y", visible=False)


def effects(columns, titles, xlabels, colors=None, share=False):
    """Draw what fixes change, with 95 % intervals, one panel per title.

    columns   per panel the `Effect` of each fix
    colors    per panel the colour of each fix; by default one for all
    Returns the figure.
    """
    colors = colors or [[FIX] * len(column) for column in columns]
    height = 1.3 + 0.44 * max(map(len, columns))
    fig, axes = panels(columns=len(titles), share=share, height=height)
    for ax, effects, *labels, look in zip(axes, columns, titles, xlabels, colors, strict=True):
        names = [effect.name if share or ax is axes[0] else "" for effect in effects]
        draw_differences(ax, effects, names, look, *labels)
        ax.locator_params(axis="x", nbins=4)
    return fig


def draw_bands(percentiles, every, title, color=BASELINE, channels=4):
    """Draw how the outputs of the first channels move over training, a panel per channel.

    percentiles   (times, 3, channels): low, median and high of each channel, the first before
                  training; drawn from the first median, in units of the channel's mean spread
    every         steps between two times
    Returns the figure.
    """
    values = np.asarray(percentiles, dtype=float)
    if values.ndim != 3 or values.shape[1] != 3 or values.shape[2] < channels:
        raise ValueError(
            f"percentiles has shape {values.shape}; give (times, 3, at least {channels} channels)"
        )
    values = (values - values[0, 1]) / (values[:, 2] - values[:, 0]).mean(axis=0)
    steps = every * np.arange(len(values))
    fig, axes = panels(columns=channels, height=2.6)
    for number, ax in enumerate(np.atleast_1d(axes)):
        low, median, high = values[:, :, number].T
        ax.fill_between(steps, low, high, color=color, alpha=0.25, linewidth=0)
        ax.plot(steps, median, color=color)
        ax.set_title(f"channel {number + 1}", fontweight="normal", fontsize=11)
        ax.set(xlabel="step", ylim=(-3, 3))
    fig.axes[0].set_ylabel("output, in spreads")
    fig.suptitle(title, **OVER_ALL)
    return fig


def histograms(columns, titles, labels, xlabel, colors=(STOPPED, BASELINE)):
    """Draw histograms side by side, one panel per title, each of several sets on the same bins.

    columns   per panel a list of arrays (n,), one per label
    Returns the figure.
    """
    fig, axes = panels(columns=len(titles), share=False, height=2.8)
    for ax, sets, title in zip(np.atleast_1d(axes), columns, titles, strict=True):
        bins = np.linspace(*np.percentile(np.concatenate(sets), [1, 99]), 41)
        for values, label, color in zip(sets, labels, colors, strict=True):
            share = np.full(len(values), 1 / len(values))
            ax.hist(values, bins, weights=share, color=color, alpha=0.6, label=label)
        ax.set(title=title, xlabel=xlabel, ylabel="share of the outputs")
        ax.legend()
    return fig


def boxes(rows, headers, title):
    """Draw rows of text boxes, each row joined by arrows from left to right, under headers.

    rows   lists of as many texts as there are headers, each broken into lines where it is long
    Returns the figure.
    """
    if any(len(row) != len(headers) for row in rows):
        raise ValueError(f"rows have {[len(row) for row in rows]} texts for {len(headers)} headers")
    fig, ax = panels(height=0.75 * len(rows) + 0.8)
    ax.set(xlim=(-0.5, len(headers) - 0.5), ylim=(-len(rows) + 0.4, 0.9), title=title)
    ax.axis("off")
    reach = 0.36 / len(headers)
    for column, header in enumerate(headers):
        ax.text(column, 0.6, header, ha="center", fontweight="bold")
        color = (BASELINE, STOPPED, FIX)[min(column, 2)]
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": color}
        for row, texts in enumerate(rows):
            text = fill(texts[column], 80 // len(headers), break_long_words=False)
            ax.text(column, -row, text, ha="center", va="center", fontsize=9.5, bbox=box)
            if column:
                ends = {"xy": (column - 0.5 + reach, -row), "xytext": (column - 0.5 - reach, -row)}
                ax.annotate("", **ends, arrowprops={"arrowstyle": "->", "color": "#777777"})
    return fig


def draw_images(images, captions, columns=5, wrong=None, title=None):
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
