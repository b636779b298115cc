"""Where the course's notebooks are, and what a committed one holds beside its cells."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"  # what the commands make

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python"}
CELL_METADATA = {"tags", "slideshow"}
MAX_BYTES = 400_000
CELL_TIMEOUT = 600  # seconds; the longest notebook is meant to take 120


class NotebookError(Exception):
    """Says why a notebook cannot be used, and in which cell."""


def find_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """All notebooks below `folder` in reading order: the lessons, then each folder of more."""
    found = [path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    return sorted(found, key=lambda path: (path.parent != folder, path))
