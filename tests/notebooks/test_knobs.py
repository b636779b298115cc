"""Titles stay true at each value that a knob offers; one that does not is found."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.guards import SECOND_EDITION
from tests.notebooks.knobs import Knob, dependents, knobs_of, turn, turned_notebook, untrue_titles
from tools.notebooks import NOTEBOOKS, ROOT, find_notebooks

LESSONS = [path for path in find_notebooks() if path.stem in SECOND_EDITION]
TURNED = [path for path in LESSONS if knobs_of(nbformat.read(path, as_version=4))]


@pytest.mark.slow
@pytest.mark.parametrize("path", TURNED, ids=lambda path: path.relative_to(NOTEBOOKS).as_posix())
def test_titles_hold_at_each_value_of_each_knob(path, tmp_path):
    assert untrue_titles(path, tmp_path) == []


SETUP = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from utils import plots
from utils.claims import claim"""
SIZE = "SIZE = 3  # try 0, -2"
SUM = "total = sum(range(SIZE)) - 1"
OTHER = "fig, ax = plots.panels()\nother = 0"
FIGURE = """title = "It is above zero"
fig, ax = plots.panels()
ax.set(title=title)
claim(title, total > 0)
plots.show(fig, "One panel without a line, of which the title is what counts.", CONDITIONS)"""
RIGHT = FIGURE.replace("CONDITIONS", "{title: total > 0}")
NEUTRAL = RIGHT.replace("is above zero", "is above zero?").replace("total > 0}", "None}")
SIZE_CELL = f"{SIZE}\n{SUM}"


def notebook(*sources):
    names = ["setup", "knob", "other", "figure"]
    cells = [new_code_cell(text, id=name) for name, text in zip(names, sources, strict=False)]
    return new_notebook(cells=cells)


def test_a_title_that_fails_at_one_value_is_found_and_a_question_is_not(tmp_path):
    path = tmp_path / "a.ipynb"
    (tmp_path / "scratch").mkdir()
    nbformat.write(notebook(SETUP, SIZE_CELL, OTHER, RIGHT), path)
    before = path.read_bytes()
    assert untrue_titles(path, tmp_path / "scratch") == [
        "SIZE = 0, cell figure: It is above zero",
        "SIZE = -2, cell figure: It is above zero",
    ]
    assert path.read_bytes() == before
    nbformat.write(notebook(SETUP, SIZE_CELL, OTHER, NEUTRAL), path)
    assert untrue_titles(path, tmp_path / "scratch") == []


def test_a_knob_offers_what_stands_behind_it():
    assert knobs_of(notebook(SETUP, SIZE_CELL)) == [Knob("knob", "SIZE", ["3", "0", "-2"])]
    for no_knob in ("size = 3  # try 0", "SIZE = 3  # images", "SIZE = 3", "x = SIZE  # try 0"):
        assert knobs_of(notebook(SETUP, no_knob)) == []
    assert turn("SIZE = 3  # try 0\nN = SIZE", Knob("", "SIZE", []), "0").startswith("SIZE = 0  #")


def test_only_what_depends_on_the_knob_is_run_again():
    whole = notebook(SETUP, SIZE_CELL, OTHER, RIGHT)
    [knob] = knobs_of(whole)
    assert dependents(whole, knob) == ["knob", "figure"]
    ids = [cell.id for cell in turned_notebook(whole, knob).cells]
    again = ["knob-at-1", "figure-at-1", "knob-at-2", "figure-at-2"]
    assert ids == ["setup", "knob", "other", "figure", *again]


@pytest.mark.parametrize(
    ("source", "moved"),
    [
        ("print(total)", True),
        ("for n in range(total):\n    pass", True),
        ("def f():\n    return total\nprint(1)", True),
        ("total = 3\nprint(total)", False),  # it is made anew before it is used
        ("fig = 1\nprint(fig)", False),
        ("SIZE_2 = 1", False),
    ],
)
def test_a_cell_depends_on_a_knob_through_what_its_cell_makes(source, moved):
    whole = notebook(SETUP, f"{SIZE_CELL}\nfig = total", source)
    [knob] = knobs_of(whole)
    assert ("other" in dependents(whole, knob)) == moved


def test_a_cell_depends_on_a_knob_through_another_cell():
    whole = notebook(SETUP, SIZE_CELL, "def f():\n    return total", "f()")
    [knob] = knobs_of(whole)
    assert dependents(whole, knob) == ["knob", "other", "figure"]
