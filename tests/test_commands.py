"""The commands that people read about, that make knows and that CI runs are the same."""

import re

import pytest

from tools.notebooks import ROOT

PROMISED = {"lab", "test", "run", "outputs"}


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


@pytest.mark.parametrize("name", [".ci/run", ".github/workflows/tests.yml"])
def test_ci_runs_what_the_readme_says(name):
    assert "test" in commands(read(name))


def test_ci_tries_every_python_that_setting_up_accepts():
    tried = re.search(r"python: \[(.*)\]", read(".github/workflows/tests.yml"))[1]
    accepted = re.search(r"^ +(3\.\d+ .*)\) ;;", read("tools/environment.sh"), re.M)[1]
    assert re.findall(r"3\.\d+", tried) == re.findall(r"3\.\d+", accepted)
