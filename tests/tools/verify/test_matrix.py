"""The matrix runs what was asked for, each cell in its environment, and forgets no failure."""

import json
import shutil
import subprocess

import pytest

from tools.verify import matrix
from tools.verify.matrix import (
    RUNNING,
    Cell,
    append,
    command_of,
    environment_of,
    read_results,
    table,
)

CELL = Cell(RUNNING, matrix.pinned("tensorflow"), matrix.pinned("keras"), 1, 0, 1000)
RESULT = {**CELL._asdict(), "notebooks": [], "passed": 9, "failed": 0, "commit": "abc"}


def test_settings_reach_the_notebooks():
    words = command_of(CELL, "python3", ["notebooks/00.ipynb"])
    assert words[-3:] == ["make", "test", "ARGS=notebooks/00.ipynb"]
    settings = dict(word.split("=") for word in words[1:-3])
    threads = "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"
    assert settings == dict.fromkeys(threads, "1") | {
        "COURSE_FIRST_SEED": "1000",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    assert command_of(CELL, "python3", [])[-1] == "ARGS=notebooks"


@pytest.mark.parametrize(
    ("changes", "choices"),
    [
        ({}, []),
        ({"tensorflow": "2.20"}, ["TENSORFLOW=2.20.*", "PYTHON=py"]),
        ({"keras": "3.13"}, ["KERAS=3.13.*", "PYTHON=py"]),
        ({"python": "3.9", "tensorflow": "2.20", "keras": "3.13"},
         ["TENSORFLOW=2.20.*", "KERAS=3.13.*",
          "ENV=.venv-python-3.9-tensorflow-2.20-keras-3.13", "PYTHON=py"]),
    ],
)  # fmt: skip
def test_each_version_has_an_environment_of_its_own(changes, choices):
    assert environment_of(CELL._replace(**changes), "py") == choices


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty file of results, and a stand-in for make that prints `answer`."""
    monkeypatch.setattr(matrix, "RESULTS", tmp_path / "matrix.jsonl")
    monkeypatch.setattr(matrix, "ROOT", tmp_path)
    monkeypatch.setattr(matrix, "BUILD", tmp_path)
    monkeypatch.setattr(matrix, "pinned", lambda package: getattr(CELL, package))
    return tmp_path


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
@pytest.mark.parametrize(
    ("answer", "code", "passed", "failed"),
    [
        ("12 passed, 0 failed", 0, 12, 0),
        ("12 passed, 0 failed, 1 skipped", 0, 12, 0),
        ("11 passed, 1 failed", 1, 11, 1),
        ("No such environment", 2, 0, 1),
        ("12 passed, 0 failed\nkilled", 1, 12, 1),
    ],
)
def test_a_cell_passes_only_if_make_says_so(results, monkeypatch, answer, code, passed, failed):
    shell = ["sh", "-c", f"printf '{answer}\\n'; exit {code}"]
    monkeypatch.setattr(matrix, "command_of", lambda *_: shell)
    monkeypatch.setattr(matrix, "commit", lambda: "abc")
    result = matrix.run(CELL, "python3", [])
    assert (result["passed"], result["failed"]) == (passed, failed)
    assert answer.splitlines()[0] in (results / result["log"]).read_text()


def test_the_last_result_counts_and_other_notebooks_are_other_runs(results):
    assert read_results([]) == {}
    append(RESULT | {"failed": 2})
    append(RESULT)
    append(RESULT | {"notebooks": ["x.ipynb"], "failed": 1})
    assert read_results([]) == {CELL: RESULT}
    assert read_results(["x.ipynb"])[CELL]["failed"] == 1


def test_cells_that_passed_are_not_run_again(results, monkeypatch, capsys):
    ran = []

    def run(cell, python, notebooks):
        ran.append(cell)
        return RESULT | cell._asdict() | {"failed": int(cell.threads == 2), "seconds": 1, "log": ""}

    monkeypatch.setattr(matrix, "run", run)
    arguments = ["matrix", "--tensorflow", CELL.tensorflow, "--onednn", "1", "--seeds", "0"]
    monkeypatch.setattr(matrix.sys, "argv", arguments)
    assert matrix.main() == 1
    assert [cell.threads for cell in ran] == [1, 2]
    assert matrix.main() == 1
    assert [cell.threads for cell in ran] == [1, 2, 2]
    lines = [json.loads(line) for line in (results / "matrix.jsonl").read_text().splitlines()]
    assert [line["failed"] for line in lines] == [0, 1, 1]
    monkeypatch.setattr(matrix.sys, "argv", [*arguments, "--table"])
    assert matrix.main() == 1
    assert len(ran) == 3
    assert "**1 failed**" in capsys.readouterr().out


def test_the_table_names_settings_gaps_and_failures():
    later = CELL._replace(first_seed=2000, onednn=1)
    failed = RESULT | later._asdict() | {"failed": 2, "commit": "def"}
    lines = table({CELL: RESULT, later: failed}).splitlines()
    assert lines[0].endswith("| oneDNN | first seed 1000 | first seed 2000 |")
    start = f"| {CELL.python} | {CELL.tensorflow} | {CELL.keras} | 1 |"
    assert lines[2:4] == [
        f"{start} off | 9 passed | – |",
        f"{start} on | – | **2 failed**, 9 passed |",
    ]
    assert lines[-1] == "Run at abc, def."


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_takes_what_the_matrix_gives():
    environment = environment_of(CELL._replace(tensorflow="2.20", keras="3.13"), "py")
    command = ["make", "--dry-run", "test", *environment, "ARGS=notebooks"]
    shown = subprocess.run(command, cwd=matrix.ROOT, capture_output=True, text=True).stdout
    assert ".venv-tensorflow-2.20-keras-3.13/bin/python -m tools.verify.test  notebooks" in shown
