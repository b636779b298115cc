"""The minutes that a lesson says it takes follow from its length, and the README repeats them."""

import math
import re

import nbformat
import pytest

from tools.notebooks import NOTEBOOKS, ROOT

WORDS_PER_MINUTE = 100  # read, and thought about
LINES_PER_MINUTE = 12  # of code: read, and run
SAID = re.compile(r"(\d+) minutes · you need")


def minutes(notebook):
    """Reading time by the rule of CONTRIBUTING.md, rounded up to five minutes."""
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != "setup"]
    lines = sum(bool(line.strip()) for cell in code for line in cell.source.splitlines())
    return 5 * math.ceil((words / WORDS_PER_MINUTE + lines / LINES_PER_MINUTE) / 5)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_lesson_says_the_minutes_that_its_length_gives(path):
    notebook = nbformat.read(path, as_version=4)
    said = int(SAID.search(notebook.cells[0].source)[1])
    assert said == minutes(notebook)
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if path.name in line)
    assert row.endswith(f"| {said} |")


def test_more_text_and_more_code_take_longer():
    text = nbformat.v4.new_markdown_cell("word " * 450)
    code = nbformat.v4.new_code_cell("\n\n".join(["x = 1"] * 12))
    notebook = nbformat.v4.new_notebook(cells=[text])
    assert minutes(notebook) == 5
    notebook.cells.append(code)
    assert minutes(notebook) == 10
