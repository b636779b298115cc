"""Makes the exercise notebooks: each is its solution notebook without the cells tagged `solution`.

The generated notebook is executed, so that it stores what its stubs show.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode

from tools.execute import for_each, refresh, write_notebook
from tools.notebooks import NOTEBOOKS, NotebookError, read_notebook

SOLUTIONS, EXERCISES = NOTEBOOKS / "solutions", NOTEBOOKS / "exercises"


def exercise_of(solution: NotebookNode) -> NotebookNode:
    """The exercise notebook of a solution notebook, without outputs."""
    notebook, _ = TagRemovePreprocessor(remove_cell_tags={"solution"}).preprocess(solution, {})
    return without_outputs(notebook)


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    copy = nbformat.from_dict(notebook)
    cleared, _ = ClearOutputPreprocessor().preprocess(copy, {})
    return cleared


def is_current(path: Path) -> bool:
    """Whether the exercise notebook at `path` is what its solution notebook gives."""
    return holds(path, exercise_of(read_notebook(SOLUTIONS / path.name)))


def holds(path: Path, generated: NotebookNode) -> bool:
    """Whether the notebook at `path` is the generated one, but for its outputs."""
    return path.exists() and without_outputs(read_notebook(path)) == without_outputs(generated)


def generate(path: Path, all_again: bool = False) -> str:
    """Make and execute one exercise notebook, if it is not what it should be already."""
    return regenerate(path, exercise_of(read_notebook(SOLUTIONS / path.name)), all_again)


def regenerate(path: Path, generated: NotebookNode, all_again: bool = False) -> str:
    """Write and execute a generated notebook, if it is not what stands at `path` already."""
    if holds(path, generated) and not all_again:
        return f" current  {path}"
    write_notebook(generated, path)
    try:
        return refresh(path)
    except NotebookError:
        path.unlink()  # so that it is not taken for current
        raise


def exercise_paths() -> list[Path]:
    return [EXERCISES / path.name for path in sorted(SOLUTIONS.glob("*.ipynb"))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also those that are current")
    all_again = parser.parse_args().all
    return for_each(lambda path: generate(path, all_again), exercise_paths())


if __name__ == "__main__":
    sys.exit(main())
