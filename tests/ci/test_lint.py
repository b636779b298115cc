"""Code and notebooks are linted and formatted, by the rules of pyproject.toml."""

import subprocess
import sys

import pytest

from tools.notebooks import ROOT

LINT, FORMAT = ["check"], ["format", "--check"]


def complaints(command: list[str], *paths: str) -> str:
    """What ruff says of the paths, which are all by default; empty if it has nothing to say."""
    ruff = [sys.executable, "-m", "ruff", *command, "--config=pyproject.toml", "--no-cache"]
    result = subprocess.run([*ruff, *(paths or ["."])], cwd=ROOT, capture_output=True, text=True)
    return result.stdout + result.stderr if result.returncode else ""


@pytest.mark.parametrize("command", [LINT, FORMAT], ids=["lint", "format"])
def test_the_course_is_tidy(command):
    assert complaints(command) == ""


@pytest.mark.parametrize(
    ("command", "source", "found"),
    [
        (LINT, "import os\n", "F401"),
        (LINT, f"x = '{'x' * 100}'\n", "E501"),
        (FORMAT, "x = 'single quotes'\n", "reformat"),
        (FORMAT, f"x = [{'1, ' * 40}]\n", "reformat"),
    ],
)
def test_untidy_code_is_found(command, source, found, tmp_path):
    path = tmp_path / "untidy.py"
    path.write_text(source)
    assert found in complaints(command, str(path))
