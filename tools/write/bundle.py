"""Writes build/course.zip: the course for who cannot fetch it, as on Colab where it is unpublished.

It holds what a learner needs, notebooks without their stored outputs. The setup cell of a notebook
that somebody has uploaded to Colab asks for it, and unpacks it.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tools.notebooks import BUILD, ROOT, find_notebooks, notebook_bytes, read_notebook, replace_file

BUNDLE = BUILD / "course.zip"
MOST_BYTES = 10_000_000
HELD = ["utils/**/*.py", "data/**/*", "README.md", "LICENSE", "requirements.txt", "constraints.txt"]


def held(root: Path = ROOT) -> list[Path]:
    """The files of the course that a learner needs."""
    found = [path for pattern in HELD for path in root.glob(pattern) if path.is_file()]
    found += find_notebooks(root / "notebooks")
    return sorted(path for path in found if "__pycache__" not in path.parts)


def content(path: Path) -> bytes:
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = read_notebook(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook_bytes(notebook)


def bundle(root: Path = ROOT) -> bytes:
    """The zip: the same bytes for the same course."""
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        for path in held(root):
            entry = ZipInfo(path.relative_to(root).as_posix())  # of 1980, whenever it is written
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content(path), ZIP_DEFLATED)
    return written.getvalue()


def main() -> int:
    data = bundle()
    if len(data) > MOST_BYTES:
        print(f"{len(data) / 1e6:.1f} MB, of at most {MOST_BYTES / 1e6:.0f}", file=sys.stderr)
        return 1
    replace_file(BUNDLE, data)
    print(f"{BUNDLE.relative_to(ROOT)}: {len(data) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
