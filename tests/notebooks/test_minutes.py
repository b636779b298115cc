"""The minutes that a lesson says it takes follow from what is in it; the README repeats them."""

import math
import re

import nbformat
import pytest

from tests.notebooks import guards
from tests.notebooks.knobs import code_cells, knobs_of
from tools.notebooks import NOTEBOOKS, ROOT

WORDS_PER_MINUTE = 100  # read, and thought about
LINES_PER_MINUTE = 12  # of code: read, and run
FIGURE = 1  # minutes to look at one
PREDICTION = 2  # to guess, before the folded answer is opened
KNOB = 2  # to turn it, wait, and look
WAITING = 2  # for the runs, which take a minute where nothing else runs
FOLDED_ANSWER = "<details>"
SAID = re.compile(r"(\d+) minutes · you need")


def minutes(notebook, path):
    """A cold reader's time by the rule of CONTRIBUTING.md, rounded up to five minutes."""
    prose, code = guards.prose_cells(notebook), guards.visible(notebook)
    if not guards.is_second(path):
        code = [cell for cell in code_cells(notebook) if cell.id != "setup"]
    lines = sum(map(guards.lines_of_code, code))
    reading = guards.words(prose) / WORDS_PER_MINUTE + lines / LINES_PER_MINUTE
    doing = 0
    if guards.is_second(path):
        predictions = sum(FOLDED_ANSWER in cell.source for cell in prose)
        doing = FIGURE * len(guards.images(notebook)) + PREDICTION * predictions + WAITING
        doing += KNOB * len(knobs_of(notebook))
    return 5 * math.ceil((reading + doing) / 5)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_a_lesson_says_the_minutes_that_its_length_gives(path):
    notebook = nbformat.read(path, as_version=4)
    said = int(SAID.search(notebook.cells[0].source)[1])
    assert said == minutes(notebook, path)
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if path.name in line)
    assert row.endswith(f"| {said} |")


def test_more_text_code_figures_guesses_and_knobs_take_longer(monkeypatch):
    path = NOTEBOOKS / "00_overfitting.ipynb"
    monkeypatch.setattr(guards, "SECOND_EDITION", set())
    text = nbformat.v4.new_markdown_cell("word " * 450)
    code = nbformat.v4.new_code_cell("\n\n".join(["x = 1"] * 12))
    notebook = nbformat.v4.new_notebook(cells=[text])
    assert minutes(notebook, path) == 5  # 4.5
    notebook.cells.append(code)
    assert minutes(notebook, path) == 10  # 5.5
    monkeypatch.setattr(guards, "SECOND_EDITION", {path.stem})
    assert minutes(notebook, path) == 10  # 7.5, with waiting
    text.source += "<details>"
    assert minutes(notebook, path) == 10  # 9.5
    figure = nbformat.v4.new_output("display_data", {"image/png": ""})
    code.outputs = [figure]
    assert minutes(notebook, path) == 15  # 10.5
    code.outputs = [figure] * 4
    code.source = code.source.replace("x = 1", "X = 1  # try 2", 1)
    assert minutes(notebook, path) == 20  # 15.5
    code.metadata.update(guards.FOLDED)
    assert minutes(notebook, path) == 15  # 14.5
