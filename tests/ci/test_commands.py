"""The commands that people read about, that make knows and that CI runs are the same."""

import re

import pytest
import yaml

from tools.notebooks import ROOT

PROMISED = {"lab", "test", "run", "outputs"}
WORKFLOW = ".github/workflows/tests.yml"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^(\w+):.*##", read("Makefile"), re.M))


def commands(text: str) -> set[str]:
    return set(re.findall(r"\bmake (?:[A-Z_]+=\S+ )*([a-z]+)\b", text))


def test_make_keeps_its_promises():
    assert targets() >= PROMISED


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
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
    without_make = set(re.findall(r"python -m (pip install|tools\.[\w.]+)", readme))
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
        ("python -m tools.verify.test\n", "python -m tools.tests\n"),
    ],
)
def test_a_command_of_its_own_is_found(old, new):
    spoilt = read(WORKFLOW).replace(old, new)
    assert strange_commands(spoilt, read("README.md")) == [new.strip()]
