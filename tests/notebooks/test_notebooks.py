"""The guards hold for every notebook, and each rejects the notebook that it is there to reject."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import guards
from tests.notebooks.guards import GUARDS, IGNORE, RAISES, setups_agree
from tools.execute import refresh
from tools.notebooks import FOLDED, KERNELSPEC, LANGUAGE_INFO, NOTEBOOKS, ROOT, find_notebooks

PATH = Path("notebooks/00_overfitting.ipynb")
ALT = "Training accuracy climbs to the top while validation accuracy stays behind"
BADGE = "https://colab.research.google.com/github/OWNER/NAME/blob/main/notebooks/"


@pytest.mark.parametrize("check", GUARDS, ids=lambda check: check.__name__)
def test_every_notebook(check):
    problems = [
        f"{path.relative_to(ROOT)}: {problem}"
        for path in find_notebooks()
        for problem in check(nbformat.read(path, as_version=4), path)
    ]
    assert not problems, "\n" + "\n".join(problems)


def test_every_notebook_has_the_same_setup():
    notebooks = {path: nbformat.read(path, as_version=4) for path in find_notebooks()}
    assert setups_agree(notebooks) == []


def test_lessons_are_found_first_and_checkpoints_not_at_all(tmp_path):
    for name in ["deeper/00.ipynb", "01.ipynb", "00.ipynb", ".ipynb_checkpoints/00.ipynb"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_notebooks(tmp_path)]
    assert found == ["00.ipynb", "01.ipynb", "deeper/00.ipynb"]


def test_the_questions_are_no_lesson():
    assert guards.kind(PATH) == "lesson"
    assert guards.kind(PATH.with_name("questions.ipynb")) == "beside"
    assert guards.kind(Path("notebooks/deeper/00_overfitting.ipynb")) == "deeper"


def figure(alt=ALT, text=ALT, mime="image/png"):
    return new_output(
        "display_data", {mime: "iVBORw0=", "text/plain": text}, metadata={mime: {"alt": alt}}
    )


def stdout(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def good_notebook():
    """A lesson that every guard accepts; the tests below spoil one thing each."""
    metadata = {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    training = {"metadata": {"tags": [IGNORE]}, "outputs": [stdout("0.83\n")]}
    claim = {"outputs": [stdout("✓ It overfits\n")]}
    cells = [
        new_markdown_cell(f"# 00 · Overfitting\n\n[Open in Colab]({BADGE}{PATH.name})", id="title"),
        new_code_cell("# @title Setup\nimport sys", id="setup", metadata=FOLDED),
        new_markdown_cell("The error is $\\frac{1}{n} \\sum_i e_i$, a mean.", id="problem"),
        new_code_cell("RATE = 0.5  # try 0\nshow(fig, alt, {})", id="curves", outputs=[figure()]),
        new_code_cell("fit()", id="training", **training),
        new_markdown_cell("The last is a claim: a sentence, and a condition of it.", id="reading"),
        new_code_cell("claim('It overfits', gap > 0, gap=gap)", id="gap", **claim),
        new_markdown_cell("## Summary", id="summary"),
    ]
    notebook = new_notebook(cells=cells, metadata=metadata)
    number_cells(notebook)
    return notebook


def number_cells(notebook):
    for count, cell in enumerate(guards.code_cells(notebook), 1):
        cell.execution_count = count


def cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def set_source(name, source):
    return lambda notebook: cell(notebook, name).update(source=source)


def set_outputs(name, *outputs):
    return lambda notebook: cell(notebook, name).update(outputs=list(outputs))


def set_tags(name, *tags):
    return lambda notebook: cell(notebook, name).metadata.update(tags=list(tags))


def set_slideshow(**plan):
    return lambda notebook: cell(notebook, "gap").metadata.update(slideshow=plan)


def set_id(name, new):
    return lambda notebook: cell(notebook, name).update(id=new)


def add_code(*sources):
    def spoil(notebook):
        notebook.cells += [new_code_cell(text, id=f"more-{n}") for n, text in enumerate(sources)]
        number_cells(notebook)

    return spoil


def add_prose(source, repeat=1):
    return lambda notebook: notebook.cells.extend(
        new_markdown_cell(source, id=f"prose-{n}") for n in range(repeat)
    )


def drop(name):
    return lambda notebook: notebook.cells.remove(cell(notebook, name))


def drop_code(notebook):
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type != "code"]


def unrun(notebook):
    for code in guards.code_cells(notebook):
        code.update(execution_count=None, outputs=[])


def unfold(name, *keys):
    return lambda notebook: [cell(notebook, name).metadata.pop(key) for key in keys]


def set_notes(name, notes):
    return lambda notebook: cell(notebook, name).metadata.update(slideshow={"notes": notes})


WIDGET = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})
ERROR = new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"])

REJECTED = [
    (guards.counts_are_consecutive, unrun, r"counts are \[None, None, None, None\]"),
    (guards.counts_are_consecutive, drop("setup"), r"counts are \[2, 3, 4\]"),
    (guards.outputs_are_stored, set_outputs("gap"), "gap: no output"),
    (guards.outputs_are_stored, set_outputs("curves"), "curves: no output"),
    (guards.errors_are_expected, set_outputs("curves", ERROR), "without the tag"),
    (guards.errors_are_expected, set_tags("curves", RAISES), "stores no error"),
    (guards.stderr_is_empty, set_outputs("curves", stdout("Warning", "stderr")), "stderr: Warning"),
    (guards.plain_python, set_source("setup", "%matplotlib inline\nimport sys"), "setup: is not"),
    (guards.plain_python, set_source("setup", "!pip install keras"), "setup: is not"),
    (guards.plain_python, set_source("setup", "get_ipython().run_line_magic()"), "setup: is not"),
    (guards.tags_are_known, set_tags("training", "nbval-ignore-ouput"), "'nbval-ignore-ouput'"),
    (guards.tags_are_known, set_tags("training", IGNORE.upper()), "'NBVAL-IGNORE-OUTPUT'"),
    (guards.tags_are_known, set_tags("training", "nbval-skip"), "'nbval-skip'"),
    (guards.no_comment_markers, set_source("gap", "#NBVAL_SKIP now"), "comment NBVAL_SKIP"),
    (guards.ignored_cells_lead_to_claims, set_tags("setup", IGNORE), "setup: .* makes no claim"),
    (guards.ignored_cells_lead_to_claims, drop("gap"), "training: .* makes no claim"),
    (guards.ignored_cells_lead_to_claims, set_tags("gap", IGNORE), "gap: makes a claim that"),
    (guards.makes_a_claim, set_source("gap", "print('claim(1)')"), "no claim"),
    (guards.thresholds_show_numbers, set_source("gap", "claim('It', g > 1)"), "'It' compares"),
    (guards.makes_a_claim, drop_code, "no claim"),
    (guards.compared_text_is_constant, set_tags("training"), r"'0\.83'"),
    (guards.compared_text_is_constant, set_outputs("gap", stdout("7e-05")), "'7e-05'"),
    (guards.compared_text_is_constant, set_outputs("gap", stdout("83 %")), "'83 %'"),
    (guards.compared_text_is_constant, set_outputs("gap", stdout("9 of 10")), "'9 of 10'"),
    (guards.claims_are_constant, set_outputs("gap", stdout("✓ It is 8\n")), "'It is 8' is not"),
    (guards.claims_hold, set_outputs("gap", stdout("✗ does not hold\n")), "✗ does not hold"),
    (guards.outputs_are_stored, set_source("setup", "check('gap', gap)"), "setup: no output"),
    (guards.checks_agree_with_the_folder, set_outputs("gap", stdout("☐ gap: not yet\n")), "☐ gap"),
    (guards.exercises_hold_no_solution, set_tags("gap", "solution"), "gap: is tagged solution"),
    (guards.figures_are_described, set_outputs("curves", figure("A curve", "A curve")), "7 of 40"),
    (guards.figures_are_described, set_outputs("curves", figure(text="<Figure>")), "differs"),
    (guards.figures_are_described, set_outputs("curves", figure(mime="image/svg+xml")), "svg"),
    (guards.descriptions_hold_no_results, set_outputs("curves", figure(f"0.83 {ALT}")), r"'0\.83'"),
    (guards.descriptions_hold_no_results, set_outputs("curves", figure(f"9 of 10 {ALT}")), "'9 of"),
    (guards.ids_are_permanent, set_id("gap", "title"), "title: id is used twice"),
    (guards.ids_are_permanent, set_id("gap", "0badcafe"), "'0badcafe': id must be"),
    (guards.ids_are_permanent, set_id("gap", "The_gap"), "'The_gap': id must be"),
    (guards.metadata_is_clean, lambda nb: nb.metadata.update(widgets={}), "not only python3's"),
    (guards.metadata_is_clean, lambda nb: nb.metadata.kernelspec.update(name="x"), "not only"),
    (guards.metadata_is_clean, lambda nb: nb.cells[1].metadata.update(execution={}), "execution"),
    (guards.metadata_is_clean, lambda nb: nb.cells[1].metadata.update(collapsed=True), "collapsed"),
    (guards.metadata_is_clean, set_outputs("gap", WIDGET), "gap: stores a widget"),
    (guards.slides_are_planned, set_slideshow(slide_type="slid"), "gap: .* slide_type='slid'"),
    (guards.slides_are_planned, set_slideshow(slide_type="slide", note="x"), "gap: .* note='x'"),
    (guards.file_is_small, add_prose("x" * 400_000), "kB of at most 400"),
    (guards.shape_is_a_lessons, add_prose("More.", 23), "31 cells of at most 30"),
    (guards.shape_is_a_lessons, add_code("1", "2", "3"), "40.0% of the cells are prose"),
    (guards.shape_is_a_lessons, set_source("curves", "1\n" * 21), "curves: 21 lines of at most 20"),
    (guards.shape_is_a_lessons, add_code(*["1\n" * 9] * 10), "median code cell of 9"),
    (guards.shape_is_a_lessons, set_outputs("curves", *[figure()] * 9), "9 figures"),
    (guards.setup_comes_first, set_id("setup", "imports"), "id 'setup'"),
    (guards.folds_agree, unfold("setup", "cellView"), "setup: give it"),
    (guards.folds_agree, unfold("setup", "jupyter"), "setup: give it"),
    (guards.folds_agree, set_source("setup", "import sys"), "setup: give it"),
    (guards.folds_agree, set_source("gap", "# @title Gap\n1"), "gap: give it"),
    (guards.folds_agree, set_source("setup", "# @title A\nclaim('It', a)"), "and is folded"),
    (guards.folds_agree, lambda nb: cell(nb, "setup").update(metadata={}), "setup: is not folded"),
    (guards.budget_is_kept, add_prose("More.", 19), "27 cells of at most 26"),
    (guards.budget_is_kept, set_outputs("curves", *[figure()] * 7), "7 figures of at most 6"),
    (guards.budget_is_kept, add_code(*["1\n" * 15] * 6), "94 visible lines of code of at most 90"),
    (guards.budget_is_kept, add_prose("word " * 1100), r"11\d\d words of at most 1100"),
    (guards.budget_is_kept, set_source("gap", "1\n" * 16), "gap: 16 visible lines of at most 15"),
    (guards.budget_is_kept, set_source("gap", "1 + 1 + 1 + 1 + 1 + 1 + 1"), "of the words are"),
    (guards.claims_are_few, set_source("gap", "claim(1)\n" * 4), "gap: 4 claims of at most 3"),
    (guards.words_are_the_fields, add_prose("Learnt by\nheart."), "'Learnt by heart'"),
    (guards.words_are_the_fields, add_prose("The dropout\nrate and the rate"), "'rate'"),
    (guards.words_are_the_fields, set_source("gap", "claim('Judged loss')"), "gap: 'Judged'"),
    (guards.words_are_the_fields, set_source("gap", "1  # the price"), "gap: 'price'"),
    (guards.words_are_the_fields, set_notes("gap", "A silent unit"), "gap: 'silent'"),
    (guards.titles_are_checked, set_source("curves", "plots.show(fig, alt)"), "curves: plots.show"),
    (guards.knobs_are_read_in_their_cell, set_source("gap", "f(RATE)"), "gap: reads the knob RATE"),
    (guards.only_lesson_04_tests, set_source("setup", "data.x_test"), "uses x_test"),
    (guards.links_are_secure, add_prose("[a](http://a.org)"), "prose-0: links to http:"),
    (guards.badge_opens_this_notebook, set_source("title", "# 00"), "no Colab badge"),
    (guards.badge_opens_this_notebook, set_source("title", f"({BADGE}01.ipynb)"), "01.ipynb, not"),
    (guards.formulas_can_be_shown, add_prose("$\\nosuch{x}$"), r"uses \\nosuch"),
    (guards.formulas_can_be_shown, add_prose("$\\left( a$"), "cannot be read"),
]  # fmt: skip


@pytest.fixture
def second_edition(monkeypatch):
    monkeypatch.setattr(guards, "SECOND_EDITION", {PATH.stem})


@pytest.mark.usefixtures("second_edition")
@pytest.mark.parametrize("check", GUARDS, ids=lambda check: check.__name__)
def test_good_notebook_is_accepted(check):
    assert check(good_notebook(), PATH) == []


@pytest.mark.usefixtures("second_edition")
@pytest.mark.parametrize(
    ("check", "spoil", "message"), REJECTED, ids=[check.__name__ for check, *_ in REJECTED]
)
def test_bad_notebook_is_rejected(check, spoil, message):
    notebook = good_notebook()
    spoil(notebook)
    problems = check(notebook, PATH)
    assert any(re.search(message, problem) for problem in problems), problems


def test_every_guard_rejects_something():
    assert {check for check, *_ in REJECTED} == set(GUARDS)


def test_setups_must_agree():
    notebooks = {PATH: good_notebook(), Path("01.ipynb"): good_notebook()}
    assert setups_agree(notebooks) == []
    set_source("setup", "import os")(notebooks[Path("01.ipynb")])
    assert setups_agree(notebooks) == [f"01.ipynb: setup differs from {PATH}"]


@pytest.mark.usefixtures("second_edition")
@pytest.mark.parametrize(
    ("check", "spoil", "path"),
    [
        (guards.makes_a_claim, set_source("gap", "1"), "exercises/00_x.ipynb"),
        (guards.claims_hold, set_outputs("gap", stdout("✗ no\n")), "exercises/00_x.ipynb"),
        (guards.checks_agree_with_the_folder, set_outputs("gap", stdout("☐")), "exercises/0.ipynb"),
        (guards.thresholds_show_numbers, set_source("gap", "claim(1, g > 1)"), "solutions/0.ipynb"),
        (guards.thresholds_show_numbers, set_source("gap", "claim('It', alike(a, b))"), "0.ipynb"),
        (guards.checks_agree_with_the_folder, set_outputs("gap", stdout("☑")), "solutions/0.ipynb"),
        (guards.exercises_hold_no_solution, set_tags("gap", "solution"), "solutions/00_x.ipynb"),
        (guards.shape_is_a_lessons, add_code(*"12345"), "solutions/00_x.ipynb"),
        (guards.shape_is_a_lessons, add_prose("More.", 23), "deeper/00_x.ipynb"),
        (guards.only_lesson_04_tests, set_source("gap", "x_test"), "deeper/04_x.ipynb"),
        (guards.badge_opens_this_notebook, set_source("title", "# 00"), "deeper/00_x.ipynb"),
        (guards.makes_a_claim, drop_code, "quiz/quiz.ipynb"),
        (guards.setup_comes_first, drop_code, "quiz/quiz.ipynb"),
        (guards.compared_text_is_constant, set_tags("training", "exact"), PATH.name),
        (guards.compared_text_is_constant, set_outputs("curves", stdout("0.5")), PATH.name),
        (guards.descriptions_hold_no_results, set_outputs("curves", figure(f"50 %{ALT}")), "0"),
        (guards.budget_is_kept, add_prose("word " * 1100), "deeper/00_overfitting.ipynb"),
        (guards.budget_is_kept, add_prose("word " * 1100), "01_x.ipynb"),
        (guards.words_are_the_fields, add_prose("silent"), "01_x.ipynb"),
        (guards.words_are_the_fields, add_prose("a learning rate, lessons"), PATH.name),
        (guards.words_are_the_fields, set_source("gap", "rate = 0.1"), PATH.name),
        (guards.words_are_the_fields, add_prose("[a](https://a.org/pull/1)"), PATH.name),
        (guards.claims_are_few, set_source("gap", "claim(1)\n" * 4), "01_x.ipynb"),
        (guards.titles_are_checked, set_source("curves", "show(fig, alt, titles=t)"), PATH.name),
        (guards.titles_are_checked, set_source("curves", "show(fig, alt)"), "01_x.ipynb"),
        (guards.knobs_are_read_in_their_cell, set_source("gap", "f(RATE)"), "01_x.ipynb"),
        (guards.budget_is_kept, set_source("setup", "# @title A\n" + "1\n" * 90), PATH.name),
    ],
)  # fmt: skip
def test_exemptions(check, spoil, path):
    notebook = good_notebook()
    spoil(notebook)
    assert check(notebook, PATH.parent / path) == []


def test_an_exercise_that_is_solved_already_is_rejected():
    notebook = good_notebook()
    set_outputs("gap", stdout("☑ gap: right\n"))(notebook)
    problems = guards.checks_agree_with_the_folder(notebook, PATH.parent / "exercises/00_x.ipynb")
    assert problems == ["cell gap: a check passes before anybody has answered: ☑ gap: right"]


def pytest_here(*arguments):
    """Run pytest as `make test` does, with the settings of pyproject.toml."""
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "no:xdist", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout


def write_cells(path, *sources):
    cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_an_altered_output_and_a_claim_that_fails_are_found(tmp_path):
    good = write_cells(tmp_path / "good.ipynb", "print('✓ two is even')")
    refresh(good)
    stored = good.read_text(encoding="utf-8")
    altered = stored.replace('"✓ two is even\\n"', '"✓ two is odd\\n"')
    (tmp_path / "altered.ipynb").write_text(altered, encoding="utf-8")
    setup = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom utils.claims import claim"
    write_cells(tmp_path / "false.ipynb", setup, "claim('Two is less', 2 < 1)")

    code, report = pytest_here(tmp_path)
    assert code == 1
    assert "two is odd" in report
    assert "ClaimError" in report
    failed = set(re.findall(r"^FAILED .*?(\w+)\.ipynb", report, re.M))
    assert failed == {"altered", "false"}
    assert re.match(r".*2 failed, 2 passed in ", report.splitlines()[-1])


def test_every_notebook_is_among_the_tests_the_longest_first():
    code, listed = pytest_here("--collect-only", "--quiet", "notebooks")
    assert code == 0, listed
    collected = list(dict.fromkeys(re.findall(r"^(\S+\.ipynb)::", listed, re.M)))
    with_code = [
        path.relative_to(ROOT).as_posix()
        for path in find_notebooks()
        if guards.code_cells(nbformat.read(path, as_version=4))
    ]
    assert sorted(collected) == sorted(with_code)
    assert collected[:5] == [path for path in sorted(with_code) if "/deeper/" in path]


def test_make_test_runs_tests_and_notebooks(pytestconfig):
    assert pytestconfig.getini("testpaths") == ["tests", "notebooks"]


def test_there_are_lessons():
    assert list(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
