"""`make test` counts what passed and failed, runs all its stages, and fails if one does."""

from pathlib import Path

import pytest

from tools.verify import test as course
from tools.verify.test import Result, run_stage, stages, summary

TESTS = "def test_good(): pass\ndef test_bad(): assert False\n"


@pytest.fixture
def tests(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "REPORT", tmp_path / "report.xml")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    report = f"--junitxml={tmp_path / 'report.xml'}"
    return ["pytest", "-p", "no:cacheprovider", report, "test_some.py"]


def test_a_stage_counts_its_tests_and_names_failures(tests):
    result = run_stage("unit tests", tests)
    assert (result.passed, result.failed, result.skipped) == (1, 1, 0)
    assert result.failures == ["test_some test_bad"]


@pytest.mark.parametrize(
    ("arguments", "passed", "failed"),
    [(["--version"], 1, 0), (["--no-such-option"], 0, 1), (["-k", "nothing"], 0, 1)],
)
def test_a_stage_without_tests_counts_by_how_it_ends(tests, arguments, passed, failed):
    result = run_stage("unit tests", [*tests, *arguments])
    assert (result.passed, result.failed) == (passed, failed)
    assert result.failures == ["unit tests"] * failed


def test_a_test_file_that_cannot_be_read_is_a_failure(tests, tmp_path):
    (tmp_path / "test_some.py").write_text("import no_such_module\n")
    result = run_stage("unit tests", tests)
    assert (result.passed, result.failed) == (0, 1)


def test_the_summary_ends_with_the_totals():
    results = [
        Result("lint", 1, 0, 0, 0.4, []),
        Result("notebooks", 8, 2, 1, 61.0, ["a b", "c d"]),
    ]
    lines = summary(results).splitlines()
    assert lines[-1] == "9 passed, 2 failed, 1 skipped"
    assert "passed  lint" in lines[2]
    assert "FAILED  notebooks" in lines[3]
    assert lines[4:6] == ["  failed: a b", "  failed: c d"]


def test_notebooks_run_in_parallel_by_file_the_longest_first():
    notebooks = ["notebooks/00.ipynb", "notebooks/deeper/00.ipynb"]
    command = stages(notebooks, jobs=2)["notebooks"]
    assert command[-2:] == notebooks[::-1]
    assert "loadfile" in command
    assert "loadfile" not in stages(notebooks, jobs=1)["notebooks"]


def test_every_stage_runs_and_one_failure_fails(tests, monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "argv", ["test"])
    monkeypatch.setattr(course, "find_notebooks", lambda: [Path("a.ipynb")])
    commands = {"bad": ["pytest", "--no-such-option"], "good": ["pytest", "--version"]}
    monkeypatch.setattr(course, "stages", lambda notebooks, jobs: commands)
    assert course.main() == 1
    assert capsys.readouterr().out.endswith("1 passed, 1 failed\n")
    del commands["bad"]
    assert course.main() == 0


def test_a_course_without_notebooks_is_no_success(monkeypatch, capsys):
    monkeypatch.setattr(course.sys, "argv", ["test"])
    monkeypatch.setattr(course, "find_notebooks", list)
    with pytest.raises(SystemExit):
        course.main()
    assert "there are no notebooks" in capsys.readouterr().err
