"""The front page shows what the lessons store, and says so when they store nothing."""

import nbformat
import numpy as np
import pytest

from tools.notebooks import NotebookError
from tools.write import front

PRINTED = """drift, one column per seed
plain           2.000    1.500     nan (diverged)
with BN         0.500   -0.250   0.125
difference     -1.500   -1.750     nan

mean of 3 seeds              plain  with BN   with BN − plain
drift                        2.417    0.451   -1.966 ± 0.184
other                        1.000    2.000   +1.000 ± 0.100
"""

LESSON = front.Lesson(
    "a_lesson", "shift", "`BN`", "drift", "drift of a layer", "It drifts less", True
)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    def store(text):
        cell = nbformat.v4.new_code_cell("print()")
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a_lesson.ipynb")

    monkeypatch.setattr(front, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(front, "LESSONS", [LESSON])
    return store


def test_the_readme_is_in_sync_with_the_lessons():
    text = front.README.read_text(encoding="utf-8")
    assert front.with_section(text, front.section()) == text
    assert front.FIGURE.exists()


def test_a_row_holds_the_means_and_the_difference(stored):
    stored(PRINTED)
    assert front.overview_of(LESSON) == (["2.417", "0.451"], "-1.966 ± 0.184")
    assert "| drift of a layer | 2.417 | 0.451 | -1.966 ± 0.184 | – |" in front.table()


def test_the_figure_has_every_run(stored):
    stored(PRINTED)
    runs = [[2, 1.5, np.nan], [0.5, -0.25, 0.125]]
    np.testing.assert_array_equal(front.pairs_of(LESSON), runs)


def test_a_finding_that_too_few_runs_show_is_refused(stored):
    runs = np.array([[1.0] * 10, [0.0] * 8 + [2.0] * 2])
    front.check_title(LESSON, runs)
    front.check_title(LESSON._replace(lower=False), 1 - runs)
    runs[1, 7] = 2.0
    for lesson in (LESSON, LESSON._replace(lower=False)):
        with pytest.raises(NotebookError, match=r"'It drifts less' holds in [73]0% of"):
            front.check_title(lesson, runs)


def test_a_changed_number_changes_the_section(stored):
    stored(PRINTED)
    before = front.section()
    stored(PRINTED.replace("0.451", "0.452"))
    assert front.section() != before


@pytest.mark.parametrize("text", ["", "drift 3", PRINTED.replace("drift", "wandering")])
def test_a_lesson_without_its_numbers_is_named(stored, text):
    stored(text)
    for read in (front.overview_of, front.pairs_of):
        with pytest.raises(NotebookError, match="a_lesson stores no"):
            read(LESSON)


def test_a_readme_without_the_markers_is_refused():
    with pytest.raises(NotebookError, match=r"README\.md has no lines"):
        front.with_section("# A course", "new")
