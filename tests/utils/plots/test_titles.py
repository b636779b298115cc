"""A title of a figure is held to its condition, like a claim."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import plots
from utils.claims import ClaimError
from utils.plots import _style
from utils.plots._titles import titles_of

ALT = "Two lines that rise and then part, the dashed one below the solid one."


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    plt.switch_backend("agg")
    monkeypatch.setattr(_style, "display", lambda *args, **options: None)
    monkeypatch.setenv("COURSE_STRICT", "0")
    yield
    plt.close("all")


def figure(*titles, over_all=None):
    fig, axes = plots.panels(columns=len(titles))
    for ax, title in zip(np.atleast_1d(axes), titles, strict=True):
        ax.set(title=title, xlabel="epoch")
        ax.text(0, 0, "inside", fontweight="bold")
    if over_all:
        fig.suptitle(over_all, **plots._style.OVER_ALL)
    return fig


def test_titles_are_what_stands_in_bold_above_the_panels_and_the_figure():
    fig = figure("It falls", "", over_all="All in all")
    fig.axes[1].set_title("a caption", fontweight="normal")
    assert sorted(titles_of(fig)) == ["All in all", "It falls"]


def test_titles_that_hold_are_shown_without_a_word(capsys, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    titles = {"It falls": True, "And then?": None, "Gap 0.14": None, "It rises": np.bool_(True)}
    plots.show(figure(*titles), ALT, titles)
    assert capsys.readouterr().out == ""


def test_an_untrue_title_is_named_and_raises_where_claims_do(capsys, monkeypatch):
    titles = {"It falls": True, "It rises": np.bool_(False)}
    plots.show(figure(*titles), ALT, titles)
    assert capsys.readouterr().out == "✗ the title does not hold here: It rises\n"
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ClaimError, match="does not hold here: It rises"):
        plots.show(figure(*titles), ALT, titles)


@pytest.mark.parametrize(
    ("titles", "error", "message"),
    [
        ({"It falls": True}, ValueError, r"differ in \['It rises'\]"),
        ({"It falls": True, "It rises": True, "It is": True}, ValueError, r"differ in \['It is'\]"),
        ({"It falls": True, "It rises": None}, ValueError, "None for 'It rises', which states"),
        ({"It falls": True, "It rises": 1}, TypeError, "int .1. for 'It rises'; give one True"),
        ({"It falls": True, "It rises": np.ones(2) > 0}, TypeError, "ndarray"),
        (["It falls", "It rises"], TypeError, "titles is list; give {title: condition}"),
    ],
)
def test_titles_and_conditions_must_belong_together(titles, error, message):
    with pytest.raises(error, match=message):
        plots.show(figure("It falls", "It rises"), ALT, titles)


def test_the_dict_of_titles_will_do_for_whatever_draws_them():
    titles = {"It falls": True, "It rises": True}
    history = {name: [1, 2] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    plots.show(plots.learning_curves(history, titles), ALT, titles)
    arm = {"loss": [1, 2], "val_loss": [1, 2]}
    plots.show(plots.before_after(arm, arm, titles), ALT, titles)
