"""Exercise notebooks are their solution notebooks without the solutions."""

import re

import nbformat
import pytest

from tests.notebooks.guards import tags
from tools.execute import refresh
from tools.notebooks import NOTEBOOKS, NotebookError, taught_lessons
from tools.write import exercises
from tools.write.exercises import (
    EXERCISES,
    SOLUTIONS,
    exercise_of,
    generate,
    is_current,
    without_outputs,
)
from utils import checks

STEMS = [path.stem for path in sorted(SOLUTIONS.glob("*.ipynb"))]


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("stem", STEMS)
def test_the_stored_exercises_are_the_generated_ones(stem):
    stored = without_outputs(read(EXERCISES / f"{stem}.ipynb"))
    assert stored == exercise_of(read(SOLUTIONS / f"{stem}.ipynb")), (
        "run python -m tools.write.exercises"
    )


def test_no_exercise_is_left_over():
    assert [path.stem for path in sorted(EXERCISES.glob("*.ipynb"))] == STEMS


def test_every_lesson_has_exercises_but_that_on_ones_own_model():
    lessons = [path.stem for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))]
    assert lessons == [*STEMS, "05_your_own_model"]
    assert [path.stem for path in taught_lessons()] == STEMS


@pytest.mark.parametrize("stem", STEMS)
def test_no_exercise_opens_the_test_split(stem):
    """Not even those of lesson 04: the lesson itself does, once."""
    for folder in (SOLUTIONS, EXERCISES):
        code = [cell.source for cell in read(folder / f"{stem}.ipynb").cells]
        assert not re.search(r"\b[xy]_test\b", "\n".join(code))


@pytest.mark.parametrize("stem", STEMS)
def test_an_exercise_notebook_is_complete(stem):
    """Each exercise has a text with its minutes, a stub, a solution and a check."""
    notebook = read(SOLUTIONS / f"{stem}.ipynb")
    cells = {cell.id: cell for cell in notebook.cells}
    names = checks.LESSONS[stem[:2]]
    for name in names:
        assert re.search(r"^\*.+ · \d+ minutes\*$", cells[name].source, re.M)
        assert f'check("{name}", ' in cells[f"{name}-check"].source
        assert not tags(cells[f"{name}-start"])
        assert tags(cells[f"{name}-solution"]) == ["solution"]
    title, end = notebook.cells[0].source, notebook.cells[-1].source
    minutes = [int(n) for name in names for n in re.findall(r"(\d+) minutes\*", cells[name].source)]
    assert f"{len(names)} exercises, about {sum(minutes)} minutes" in title
    for text in (title, end):
        assert f"](../{stem}.ipynb)" in text
    lesson = read(NOTEBOOKS / f"{stem}.ipynb").cells[-1].source
    there = f"({sum(minutes)} minutes): [exercises/{stem[:2]}](exercises/{stem}.ipynb)"
    assert f"**Exercises** that check themselves {there}" in lesson
    assert notebook.cells[-2].source == f'progress("{stem[:2]}")'


@pytest.mark.parametrize("stem", STEMS)
def test_stored_exercises_pass_no_check_and_solutions_all(stem):
    count = len(checks.LESSONS[stem[:2]])
    for folder, passed in ((EXERCISES, 0), (SOLUTIONS, count)):
        line = read(folder / f"{stem}.ipynb").cells[-2].outputs[0].text
        assert line.startswith(f"{passed} of {count} checks passed")


@pytest.mark.parametrize("stem", STEMS)
def test_an_exercise_shows_no_result_before_the_prediction(stem):
    cells = {cell.id: cell for cell in read(EXERCISES / f"{stem}.ipynb").cells}
    predictions = [name for name in checks.LESSONS[stem[:2]] if "*Predict" in cells[name].source]
    assert predictions
    for name in predictions:
        (output,) = cells[f"{name}-run"].outputs
        assert output.text == "Predict first, then run this cell again.\n"


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("solutions", "exercises"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(exercises, name.upper(), tmp_path / name)
    cells = [
        nbformat.v4.new_code_cell("answer = 1", id="start"),
        nbformat.v4.new_code_cell("answer = 2", id="right", metadata={"tags": ["solution"]}),
        nbformat.v4.new_code_cell("print(answer)", id="show", metadata={"tags": ["exact"]}),
    ]
    path = tmp_path / "solutions" / "00_x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    refresh(path)
    return tmp_path


def test_generating_drops_solutions_and_runs_the_stubs(folders):
    path = folders / "exercises" / "00_x.ipynb"
    before = (folders / "solutions" / "00_x.ipynb").read_bytes()
    assert not is_current(path)
    generate(path)
    assert is_current(path)
    assert [cell.id for cell in read(path).cells] == ["start", "show"]
    assert read(path).cells[1].outputs[0].text == "1\n"
    assert (folders / "solutions" / "00_x.ipynb").read_bytes() == before


def test_what_is_current_is_left_alone(folders):
    path = folders / "exercises" / "00_x.ipynb"
    generate(path)
    first = path.stat().st_mtime_ns
    assert "current" in generate(path)
    assert path.stat().st_mtime_ns == first
    edited = read(path)
    edited.cells[0].source = "answer = 3"
    nbformat.write(edited, path)
    assert not is_current(path)
    generate(path)
    assert read(path).cells[0].source == "answer = 1"


def test_a_stub_that_fails_leaves_nothing_behind(folders):
    source = folders / "solutions" / "00_x.ipynb"
    notebook = read(source)
    notebook.cells[0].source = "no_such_name"
    nbformat.write(notebook, source)
    with pytest.raises(NotebookError, match="cell start: NameError"):
        generate(folders / "exercises" / "00_x.ipynb")
    assert list((folders / "exercises").iterdir()) == []
