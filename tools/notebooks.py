"""Where the course's notebooks are, what a committed one holds beside its cells, and its file.

Imports nbformat only, so that `tools.write.publish` runs where nothing else is installed.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"  # what the commands make

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python"}
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}  # in JupyterLab, and on Colab
CELL_METADATA = {"tags", "slideshow", *FOLDED}
MAX_BYTES = 400_000
CELL_TIMEOUT = 600  # seconds; the longest notebook is meant to take 120


class NotebookError(Exception):
    """Says why a notebook cannot be used, and in which cell."""


def is_folded(cell: NotebookNode) -> bool:
    """Whether the cell shows its outputs only, until somebody opens it."""
    return any(cell.metadata.get(key) == value for key, value in FOLDED.items())


def taught_lessons() -> list[Path]:
    """The lessons with exercises, in order: those of a workshop. Others are read alone."""
    return [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if has_exercises(path)]


def has_exercises(lesson: Path) -> bool:
    return (lesson.parent / "solutions" / lesson.name).exists()


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """All notebooks below `folder` in reading order: the lessons, then each folder of more."""
    found = [path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    return sorted(found, key=lambda path: (path.parent != folder, path))


def read_notebook(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise NotebookError(f"cannot be read: {error}") from error


def notebook_bytes(notebook: NotebookNode) -> bytes:
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode()


def replace_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(data)
    os.replace(unfinished, path)
