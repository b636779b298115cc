"""The figures: what is drawn, what is described, and what is refused."""

import io
import subprocess
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from utils import plots
from utils.plots import _style

ALT = "Two lines that rise and then part, the dashed one below the solid one."
HISTORY = {"loss": [3, 2, 1], "val_loss": [3, 2.5, 2.6], "accuracy": [0, 0.5, 1]}
HISTORY["val_accuracy"] = [0, 0.5, 0.6]


@pytest.fixture
def shown(monkeypatch):
    calls = []
    monkeypatch.setattr(_style, "display", lambda *args, **options: calls.append((*args, options)))
    return calls


def test_show_describes_the_image_in_its_metadata_and_as_text(shown):
    fig, _ = plots.panels()
    plots.show(fig, ALT)
    (data, options) = shown[0]
    assert data["text/plain"] == ALT
    assert options["metadata"]["image/png"]["alt"] == ALT
    assert options["raw"] is True


def test_a_shown_figure_is_small_sharp_opaque_and_closed(shown):
    fig, ax = plots.panels()
    curves = np.exp(-np.arange(40) / 9) + np.linspace(0, 0.1, 10)[:, np.newaxis]
    plots.draw_runs(ax, curves, "training")
    plots.show(fig, ALT)
    png = shown[0][0]["image/png"]
    image = Image.open(io.BytesIO(png))
    width = shown[0][1]["metadata"]["image/png"]["width"]
    assert len(png) < 40_000
    assert (width, image.width) == (768, 1152)
    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", [None, "", "a figure", 3])
def test_a_figure_without_a_description_is_refused(alt):
    with pytest.raises(ValueError, match=r"alt is .*; describe"):
        plots.show(plots.panels()[0], alt)


def test_many_runs_are_thin_and_their_mean_is_thick():
    _, ax = plots.panels()
    plots.draw_runs(ax, [[1, 2], [3, 6]], "training", linestyle="--")
    *runs, mean = ax.lines
    assert len(runs) == 2
    assert all(run.get_linewidth() < 1 < mean.get_linewidth() for run in runs)
    assert all(run.get_alpha() > 0.2 and run.get_linewidth() > 0.4 for run in runs)
    assert [run.get_ydata().tolist() for run in runs] == [[1, 2], [3, 6]]
    assert all(run.get_color() == mean.get_color() for run in runs)
    assert mean.get_ydata().tolist() == [2, 4]
    assert mean.get_xdata().tolist() == [1, 2]
    assert {line.get_linestyle() for line in ax.lines} == {"--"}


def test_the_mean_covers_the_runs_that_are_still_going():
    _, ax = plots.panels()
    plots.draw_runs(ax, [[1, np.nan, np.nan], [3, 5, np.nan]], "training")
    assert ax.lines[-1].get_ydata().tolist() == [2, 5]


@pytest.mark.parametrize("values", [[], np.ones((2, 2, 2)), [[]]])
def test_runs_of_another_shape_are_refused(values):
    with pytest.raises(ValueError, match="values has shape"):
        plots.draw_runs(plots.panels()[1], values, "training")


def test_x_must_fit_the_values():
    with pytest.raises(ValueError, match="x has shape"):
        plots.draw_runs(plots.panels()[1], [1, 2, 3], "training", x=[1, 2])


def test_learning_curves_are_solid_for_training_and_dashed_for_validation():
    fig = plots.learning_curves(HISTORY, ["It falls", "It rises"])
    for ax, name in zip(fig.axes, ("loss", "accuracy"), strict=True):
        styles = {line.get_label(): line.get_linestyle() for line in ax.lines}
        assert styles == {"training": "-", "validation": "--"}
        assert ax.lines[1].get_ydata().tolist() == HISTORY[f"val_{name}"]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", name)


def test_learning_curves_name_what_the_history_lacks():
    with pytest.raises(ValueError, match=r"history has no 'val_loss'; it has loss"):
        plots.learning_curves({"loss": [1]}, ["It falls"], names=["loss"])


def test_before_and_after_share_their_axes():
    high = {name: np.multiply(values, 10) for name, values in HISTORY.items()}
    before, after = plots.before_after(HISTORY, high, ["Low", "High"]).axes
    assert before.get_ylim() == after.get_ylim()
    assert before.lines[0].get_color() != after.lines[0].get_color()


def test_the_lowest_epoch_is_marked():
    _, ax = plots.panels()
    plots.mark_best(ax, [3, 1, np.nan])
    assert ax.lines[0].get_xydata().tolist() == [[2, 1]]
    corners = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (corners.x0, corners.x1) == pytest.approx((2, 3))
    assert ax.patches[0].get_label() == "wasted epochs"


def test_thin_runs_can_be_seen(shown):
    fig, ax = plots.panels()
    plots.draw_runs(ax, [[0, 0], [1, 1]], "training", plots.FIX)
    ax.set_axis_off()
    plots.show(fig, ALT)
    image = np.array(Image.open(io.BytesIO(shown[0][0]["image/png"])).convert("L"))
    column = image[:, image.shape[1] // 2]
    runs = np.flatnonzero(np.diff((column < 250).astype(int)) == 1)
    assert len(runs) == 3  # two runs and their mean


def test_every_image_is_wrong_or_not():
    with pytest.raises(ValueError, match="wrong has 2 values for 3 images"):
        plots.draw_images(np.zeros((3, 4, 4)), ["a", "b", "c"], wrong=[True, False])


def test_pairs_join_the_runs_of_one_seed():
    _, ax = plots.panels()
    colors = [plots.BASELINE, plots.FIX]
    plots.draw_pairs(ax, [[1, 2, 3], [4, 5, 6]], ["baseline", "fix"], colors, "More", "loss")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 4], [2, 5], [3, 6]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["baseline", "fix"]


def test_equal_runs_of_an_arm_lie_side_by_side_and_lines_end_at_them():
    _, ax = plots.panels()
    looks = ["a", "b"], [plots.BASELINE, plots.FIX]
    plots.draw_pairs(ax, [[1, 1, 1], [2, 2, 2]], *looks, "More", "loss")
    places = np.concatenate(
        [
            dots.get_offsets()[:, 0]
            for dots in ax.collections
            if dots.get_paths() and len(dots.get_offsets()) == 3
        ]
    )
    np.testing.assert_allclose(places, [-0.15, 0, 0.15, 0.85, 1, 1.15])
    assert [line.get_xdata().tolist() for line in ax.lines] == [[-0.15, 0.85], [0, 1], [0.15, 1.15]]
    _, ax = plots.panels()
    plots.draw_pairs(ax, [[1], [2]], *looks, "More", "loss")
    assert ax.lines[0].get_xdata().tolist() == [0, 1]


def test_pairs_need_a_label_for_every_arm():
    with pytest.raises(ValueError, match="arms has shape"):
        plots.draw_pairs(plots.panels()[1], [[1, 2], [3, 4]], ["baseline"], ["k"], "", "")


def arm_of(seeds, values, name="arm"):
    """An arm that ends with these values on every metric."""
    return SimpleNamespace(name=name, seeds=tuple(seeds), final=lambda metric: np.array(values))


def lines_of(ax):
    """The lines between arms, each end put in the middle of its arm."""
    return [line.get_xydata().round().tolist() for line in ax.lines]


@pytest.mark.parametrize(
    ("arms", "lines"),
    [
        (  # another order
            [arm_of([0, 1], [1.0, 2.0]), arm_of([1, 0], [4.0, 3.0])],
            [[[0, 1], [1, 3]], [[0, 2], [1, 4]]],
        ),
        (  # an interrupted arm
            [arm_of([0, 1], [1.0, 2.0]), arm_of([0], [3.0])],
            [[[0, 1], [1, 3]], [[0, 2]]],
        ),
        (  # no seed in common
            [arm_of([0], [1.0]), arm_of([7], [3.0])],
            [[[0, 1]], [[1, 3]]],
        ),
        (  # a gap in the middle
            [arm_of([5], [1.0]), arm_of([6], [2.0]), arm_of([5], [3.0])],
            [[[0, 1], [2, 3]], [[1, 2]]],
        ),
        (  # a diverged run
            [arm_of([0, 1], [1.0, 2.0]), arm_of([0, 1], [np.inf, 4.0])],
            [[[0, 1]], [[0, 2], [1, 4]]],
        ),
    ],
)
def test_runs_are_joined_by_seed_and_not_by_place(arms, lines):
    fig = plots.paired_arms(arms, ["loss"], ["Lower"])
    assert lines_of(fig.axes[0]) == lines


def test_more_arms_than_colours():
    arms = [arm_of([0, 1], [n, n], name=str(n)) for n in range(9)]
    fig = plots.paired_arms(arms, ["loss"], ["Lower"])
    assert len(fig.axes[0].get_xticks()) == 9


def test_arms_are_drawn_one_panel_per_metric():
    arms = [arm_of(range(3), [0, 1, 2], name) for name in ("a", "b")]
    fig = plots.paired_arms(arms, ["loss", "accuracy"], ["Lower", "Higher"])
    assert [ax.get_ylabel() for ax in fig.axes] == ["loss", "accuracy"]


def test_arms_over_training_begin_with_epoch_zero_where_they_were_watched():
    arm = SimpleNamespace(history={"val_loss": np.ones((2, 3))}, watched={"norm": np.ones((2, 4))})
    fig = plots.over_training([arm, arm], ["norm", "val_loss"], ["A", "B"], ["before", "after"])
    norm, loss = ([line for line in ax.lines if line.get_label()[0] != "_"] for ax in fig.axes)
    assert [list(line.get_xdata()) for line in norm] == [[0, 1, 2, 3]] * 2
    assert list(loss[0].get_xdata()) == [1, 2, 3]
    assert [line.get_linestyle() for line in norm] == ["-", "--"]
    assert fig.axes[1].get_ylabel() == "validation loss"


def test_every_arm_is_drawn_over_training_in_a_look_of_its_own():
    arms = [SimpleNamespace(history={"loss": np.ones((2, 3)) * n}, watched={}) for n in range(9)]
    labels = [str(number) for number in range(9)]
    for colors in ({}, {"colors": ["k", "b"]}):
        fig = plots.over_training(arms, ["loss"], ["A"], labels, **colors)
        means = [line for line in fig.axes[0].lines if line.get_label()[0] != "_"]
        assert [line.get_label() for line in means] == labels
        assert [line.get_ydata()[0] for line in means] == list(range(9))
    looks = {(line.get_color(), line.get_linestyle()) for line in means[:4]}
    assert len(looks) == 4


def test_over_training_needs_a_label_for_every_arm_and_a_known_name():
    arm = SimpleNamespace(history={"loss": np.ones((1, 2))}, watched={"norm": np.ones((1, 3))})
    with pytest.raises(ValueError, match="shorter"):
        plots.over_training([arm, arm], ["loss"], ["A"], ["one"])
    with pytest.raises(ValueError, match="names has 'los'; this arm has loss, norm"):
        plots.over_training([arm], ["los"], ["A"], ["one"])


def test_one_difference_has_no_interval():
    _, ax = plots.panels()
    one = SimpleNamespace(differences=np.array([2.0]), mean=2.0, half_width=np.nan)
    plots.draw_differences(ax, [one], ["loss"], [plots.FIX], "Higher", "loss")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["loss\n(no interval)"]
    assert not ax.containers[0].has_xerr


DARK = """
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
plt.style.use({style!r})
from matplotlib.colors import to_rgb
from utils import plots
fig, ax = plots.panels()
ax.plot([1, 2], label="run")
ax.set(title="title", xlabel="epoch", ylabel="loss")
legend = ax.legend()
fig.canvas.draw()
texts = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()]
texts += [*legend.get_texts(), ax.text(0, 0, "x")]
dark = [sum(to_rgb(text.get_color())) for text in texts]
dark += [sum(to_rgb(ax.spines["left"].get_edgecolor()))]
light = [sum(to_rgb(part.get_facecolor())) for part in (fig, ax)]
light += [sum(to_rgb(plt.rcParams["savefig.facecolor"].replace("auto", "white")))]
print(max(dark), min(light))
"""


@pytest.mark.parametrize("style", ["dark_background", "ggplot", "Solarize_Light2"])
def test_a_style_chosen_before_leaves_figures_readable(style):
    code = DARK.replace("{style!r}", repr(style))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "0.0 3.0\n"


def test_differences_show_every_pair_and_the_interval():
    _, ax = plots.panels()
    pairs = SimpleNamespace(differences=np.array([1.0, 3.0]), mean=2.0, half_width=0.5)
    plots.draw_differences(ax, [pairs], ["loss"], [plots.FIX], "Higher", "loss")
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [1, 3]
    low, high = ax.containers[0][2][0].get_segments()[0][:, 0]
    assert (low, high) == (1.5, 2.5)


def test_images_have_captions_and_wrong_ones_a_dashed_frame():
    fig = plots.draw_images(np.zeros((3, 4, 4)), ["a", "b", "c"], columns=2, wrong=[0, 1, 0])
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", ""]
    assert [len(ax.patches) for ax in fig.axes] == [0, 1, 0, 0]
    assert fig.axes[1].patches[0].get_linestyle() == "--"
    assert fig.get_suptitle() == ""


def test_images_may_have_a_finding_above_them():
    fig = plots.draw_images(np.zeros((1, 4, 4)), ["a"], title="It is white")
    assert fig.get_suptitle() == "It is white"


@pytest.mark.parametrize(("shape", "captions"), [((3, 4), "abc"), ((3, 4, 4), "ab")])
def test_images_need_three_axes_and_a_caption_each(shape, captions):
    with pytest.raises(ValueError, match="images has shape"):
        plots.draw_images(np.zeros(shape), list(captions))


def test_curves_give_each_arm_a_colour_and_a_line_style_of_its_own():
    fig = plots.curves([0, 1], {str(n): [n, n] for n in range(5)}, "title", xlabel="share")
    lines = fig.axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 5
    assert fig.axes[0].get_xlabel() == "share"
    assert len(fig.axes[0].get_legend().get_texts()) == 5


def test_effects_have_one_panel_per_title_and_name_the_fixes_once():
    fixes = [SimpleNamespace(name=n, differences=np.ones(3), mean=1.0, half_width=0) for n in "ab"]
    for share in (False, True):
        colors = [[plots.FIX] * 2] * 2
        fig = plots.effects([fixes, fixes], ["one", "two"], ["x", "y"], colors, share=share)
        names = [[label.get_text() for label in ax.get_yticklabels()] for ax in fig.axes]
        assert names[0] == ["a", "b"]
        assert fig.axes[1].get_xlabel() == "y"
        visible = [label.get_visible() for label in fig.axes[1].get_yticklabels()]
        assert names[1] == ["", ""] or not any(visible)


def test_maps_have_one_scale_and_a_bar():
    maps = np.stack([np.eye(3), 4 * np.eye(3)])
    fig = plots.draw_maps(maps, ["small", "large"], "Larger", "norm", columns=2)
    drawn = [ax.images[0] for ax in fig.axes[:2]]
    assert [image.get_clim() for image in drawn] == [(0, 4), (0, 4)]
    assert [ax.get_title() for ax in fig.axes[:2]] == ["small", "large"]
    assert fig.axes[2].get_ylabel() == "norm"


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (np.ones((3, 3)), "give .n, height, width. and one caption each"),
        (np.ones((1, 3, 3)), "with 2 captions"),
        (-np.ones((2, 3, 3)), "below 0"),
        (np.zeros((2, 3, 3)), "all 0; give norms"),
        (np.full((2, 3, 3), np.nan), "not finite"),
    ],
)
def test_maps_that_are_no_norms_are_refused(maps, message):
    with pytest.raises(ValueError, match=message):
        plots.draw_maps(maps, ["one", "two"], "Title", "norm")
