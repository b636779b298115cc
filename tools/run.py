"""Executes the lessons, or the notebooks named, and leaves them alone; copies go to build/run/."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.execute import execute, for_each_named, tidy
from tools.notebooks import BUILD, NOTEBOOKS, ROOT, notebook_bytes, replace_file


def run(path: Path) -> str:
    """Execute the notebook, and write what it gave to build/."""
    notebook, seconds, peak_bytes = execute(path)
    tidy(notebook)
    folder = path.parent.relative_to(NOTEBOOKS) if path.is_relative_to(NOTEBOOKS) else ""
    copy = BUILD / "run" / folder / path.name
    replace_file(copy, notebook_bytes(notebook))
    return f"{seconds:6.1f} s  {peak_bytes / 1e6:6.0f} MB  {copy.relative_to(ROOT)}"


if __name__ == "__main__":
    lessons = [*sorted(NOTEBOOKS.glob("*.ipynb")), *sorted(NOTEBOOKS.glob("deeper/*.ipynb"))]
    sys.exit(for_each_named(run, lessons))
