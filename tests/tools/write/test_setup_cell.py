"""The setup cell of every notebook: what it says where another module is called `utils`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.notebooks import NOTEBOOKS
from tools.write.publish import SETUP_CELL

CELL = SETUP_CELL.read_text(encoding="utf-8")
NOTE = "restart the kernel, run this first."


def run(before, folder=NOTEBOOKS):
    """Run the cell in `folder` after `before`; `utils` of the course starts no TensorFlow here."""
    code = "import sys, types\nsys.modules['tensorflow'] = types.ModuleType('tensorflow')\n"
    return subprocess.run(
        [sys.executable, "-c", f"{code}{before}\n{CELL}\nprint(utils.__name__, 'is there')"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def other(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("MINE = 1\n")
    return path


def test_the_course_is_found_from_its_notebooks():
    result = run("")
    assert result.stdout == "utils is there\n", result.stderr


@pytest.mark.parametrize("name", ["utils.py", "utils/__init__.py"])
def test_another_utils_that_is_imported_already_is_named(tmp_path, name):
    path = other(tmp_path, name)
    result = run(f"sys.path.insert(0, {str(tmp_path)!r}); import utils")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("ImportError: `utils` is <module 'utils' from ")
    assert str(path) in last
    assert last.endswith(NOTE)


def test_a_utils_without_a_file_is_named(tmp_path):
    (tmp_path / "utils").mkdir()
    result = run(f"sys.path.insert(0, {str(tmp_path)!r}); import utils")
    assert result.stderr.splitlines()[-1].endswith(NOTE)


def test_another_utils_on_the_path_does_not_shadow_the_courses(tmp_path):
    other(tmp_path, "utils.py")
    result = run(f"sys.path.insert(0, {str(tmp_path)!r})")
    assert result.stdout == "utils is there\n", result.stderr


def test_the_cell_can_be_run_twice():
    assert run(CELL).stdout == "utils is there\n"
