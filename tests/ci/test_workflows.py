"""The workflows on GitHub are well formed, pinned, without needless rights, and bounded."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from tools.notebooks import ROOT

WORKFLOW = ROOT / ".github/workflows/tests.yml"
WORKFLOWS = sorted(WORKFLOW.parent.glob("*.yml"))
SCHEMA = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
ZIZMOR = shutil.which("zizmor", path=sysconfig.get_path("scripts"))
SECURITY = [str(ZIZMOR), "--offline", "--no-progress", "--color=never"]


def complaints(linter: list[str], workflow: Path) -> str:
    """What a linter says about a workflow that it refuses; empty if it does not."""
    result = subprocess.run([*linter, str(workflow)], capture_output=True, text=True)
    return result.stdout + result.stderr if result.returncode else ""


def unbounded(workflow: str) -> list[str]:
    """The jobs that may hang for hours."""
    jobs = yaml.safe_load(workflow)["jobs"]
    return [name for name, job in jobs.items() if "timeout-minutes" not in job]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
@pytest.mark.parametrize("linter", [SCHEMA, SECURITY], ids=["schema", "zizmor"])
def test_linters_accept_the_workflow(linter, workflow):
    assert complaints(linter, workflow) == ""


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_ends(workflow):
    assert unbounded(workflow.read_text(encoding="utf-8")) == []


def spoilt(pattern: str, new: str) -> str:
    text, count = re.subn(pattern, new, WORKFLOW.read_text(encoding="utf-8"))
    assert count, "the mistake could not be planted"
    return text


@pytest.mark.parametrize(
    ("linter", "pattern", "new", "found"),
    [
        (SCHEMA, "runs-on: ubuntu-latest", "run-on: ubuntu-latest", "runs-on"),
        (SCHEMA, "timeout-minutes: 60", "timeout: 60", "timeout"),
        (SCHEMA, "contents: read", "contents: look", "look"),
        (SECURITY, "contents: read", "contents: write", "excessive-permissions"),
        (SECURITY, r"checkout@\w+", "checkout@v4", "unpinned-uses"),
        (SECURITY, " *with:\n *persist-credentials: false\n", "", "artipacked"),
        (SECURITY, "PYTHON=python", "${{ github.head_ref }}", "template-injection"),
    ],
)
def test_linters_find_a_planted_mistake(linter, pattern, new, found, tmp_path):
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / WORKFLOW.name).write_text(spoilt(pattern, new), encoding="utf-8")
    assert found in complaints(linter, folder / WORKFLOW.name)


def test_a_job_without_a_limit_is_found():
    assert unbounded(spoilt("    timeout-minutes: 60\n", "")) == ["first-lesson"]


def writers(workflow: str) -> dict[str, set[str]]:
    """What each job may write; jobs that may not are left out."""
    jobs = yaml.safe_load(workflow)["jobs"]
    rights = {name: job.get("permissions", {}) for name, job in jobs.items()}
    return {
        name: {right for right, may in given.items() if may == "write"}
        for name, given in rights.items()
        if "write" in given.values()
    }


def test_one_job_writes_code_and_only_on_the_default_branch_of_what_is_no_fork():
    given = {path.stem: writers(path.read_text(encoding="utf-8")) for path in WORKFLOWS}
    site = {"publish-site": {"pages", "id-token"}}
    assert given == {"publish": {"links": {"contents", "pull-requests"}}, "tests": site}
    job = yaml.safe_load((WORKFLOW.parent / "publish.yml").read_text())["jobs"]["links"]
    for part in (
        "default_branch)",
        "!github.event.repository.fork",
        "!github.event.repository.pri",
    ):
        assert part in job["if"]
    ran = [step["run"] for step in job["steps"] if "run" in step]
    assert not any("${{" in command for command in ran), "names go through the environment"
