"""The commands that people read about, that make knows and that CI runs are the same."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tools.notebooks import ROOT

PROMISED = {"lab", "test", "test-all", "run", "outputs"}
WORKFLOW = ".github/workflows/tests.yml"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):.*##", read("Makefile"), re.M))


def commands(text: str) -> set[str]:
    return set(re.findall(r"\bmake (?:[A-Z_]+=\S+ )*([a-z-]+)\b", text))


def test_make_keeps_its_promises():
    assert targets() >= PROMISED


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "TEACHING.md"])
def test_documents_name_commands_that_exist(name):
    in_code = "\n".join(re.findall(r"`[^`\n]+`|```.*?```", read(name), re.S))
    assert commands(in_code) <= targets()


def test_readme_shows_every_promised_command():
    assert commands(read("README.md")) >= PROMISED


@pytest.mark.parametrize("name", [".ci/run", WORKFLOW])
def test_ci_runs_what_the_readme_says(name):
    assert "test" in commands(read(name))


def test_ci_tries_every_python_that_setting_up_accepts():
    tried = str(jobs(read(WORKFLOW))["everything"]["strategy"]["matrix"]["python"])
    script = read("tools/setup/environment.sh")
    accepted = re.search(r"^(?:pythons=')?\s*(3\.\d+\b[^)'\n]*)[)']", script, re.M)[1]
    assert set(re.findall(r"3\.\d+", tried)) == set(re.findall(r"3\.\d+", accepted))


def jobs(workflow: str) -> dict[str, dict]:
    return yaml.safe_load(workflow)["jobs"]


def strange_commands(workflow: str, readme: str) -> list[str]:
    """What the workflow runs that neither make nor the README's steps without make know."""
    steps = [step.get("run", "") for job in jobs(workflow).values() for step in job["steps"]]
    ran = [command for step in steps for command in step.splitlines()]
    without_make = set(re.findall(r"python -m (pip install|pytest|tools\.[\w.]+)", readme))
    return [
        command
        for command in ran
        if not commands(command) & targets()
        and not any(
            re.match(rf"python -m {re.escape(known)}(\s|$)", command) for known in without_make
        )
    ]


def test_the_workflow_runs_what_people_run():
    assert strange_commands(read(WORKFLOW), read("README.md")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("make test PYTHON=python\n", "pytest tests\n"),
        ("make test PYTHON=python\n", "make tests\n"),
        ("python -m pytest\n", "python -m tools.tests\n"),
    ],
)
def test_a_command_of_its_own_is_found(old, new):
    spoilt = read(WORKFLOW).replace(old, new)
    assert strange_commands(spoilt, read("README.md")) == [new.strip()]


# In place of Python: writes down what it is told, and ends as it is told.
PYTHON = """#!/bin/sh
echo "$*" >>calls
exit $ENDS
"""


@pytest.fixture
def make(tmp_path):
    """Run make in an empty folder; returns its exit status and what it told Python."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "tests").mkdir()
    outer = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "JOBS", "TENSORFLOW", "KERAS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}

    def run(*words, ends=0):
        set_up = ["-o", "environment", "-o", "test-environment", "-o", "browser-environment"]
        command = ["make", f"--file={ROOT / 'Makefile'}", *set_up, *words]
        (tmp_path / "calls").write_text("")
        result = subprocess.run(
            command, cwd=tmp_path, env=environment | {"ENDS": str(ends)}, capture_output=True
        )
        return result.returncode, (tmp_path / "calls").read_text().splitlines()

    return run


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="needs make")
TWO_AT_A_TIME = "-m pytest -n 2 --dist loadfile --no-loadscope-reorder --color=no"


@needs_make
def test_make_test_is_pytest(make):
    assert make("test") == (0, [TWO_AT_A_TIME])
    assert make("test", ends=1) == (2, [TWO_AT_A_TIME])
    one = make("test", "ARGS=notebooks/00_overfitting.ipynb", "JOBS=1")
    assert one[1] == [f"{TWO_AT_A_TIME.replace('2', '1')} notebooks/00_overfitting.ipynb"]


@needs_make
def test_only_a_whole_run_that_passed_is_noted(make, tmp_path):
    noted = tmp_path / "tests" / "ALL_PASSED"
    everything = f"{TWO_AT_A_TIME} -m  -rs"
    assert make("test-all", ends=1) == (2, [everything])
    assert not noted.exists()
    assert make("test-all", "ARGS=tests") == (0, [f"{everything} tests"])
    assert not noted.exists()
    assert make("test-all") == (0, [everything])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, no commit\n", noted.read_text())


SLOW_AND_FAST = """import pytest

@pytest.mark.slow
def test_slow(): pass

def test_fast(): pass
"""


@pytest.mark.parametrize(
    ("words", "passed"), [([], "1 passed, 1 deselected"), (["-m", ""], "2 passed")]
)
def test_slow_tests_are_for_test_all(tmp_path, words, passed):
    (tmp_path / "test_some.py").write_text(SLOW_AND_FAST)
    pytest_here = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", *words]
    result = subprocess.run([*pytest_here, tmp_path], capture_output=True, text=True)
    assert passed in result.stdout.splitlines()[-1], result.stdout
