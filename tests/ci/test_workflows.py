"""The workflow on GitHub is well formed, pinned, without rights it does not need, and bounded."""

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


@pytest.mark.parametrize("linter", [SCHEMA, SECURITY], ids=["schema", "zizmor"])
def test_linters_accept_the_workflow(linter):
    assert complaints(linter, WORKFLOW) == ""


def test_every_job_ends():
    assert unbounded(WORKFLOW.read_text(encoding="utf-8")) == []


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
