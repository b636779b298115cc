"""Writes where the course is published into all that names it.

The one place is [tool.course] of pyproject.toml. Made from it: the setup cell of every notebook,
the lessons' Colab badges, the README's lines on Colab and Binder, and CITATION.cff.

    python -m tools.write.publish owner/name v1.0   publish under this name, at this tag or branch
    python -m tools.write.publish nowhere           take it back: links then say that there are none
    python -m tools.write.publish                   write all again from pyproject.toml
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tools.execute import notebook_bytes, read_notebook, replace_file
from tools.notebooks import FOLDED, NOTEBOOKS, ROOT, NotebookError, find_notebooks

NOWHERE = "nowhere"
SETUP_CELL = Path(__file__).with_name("setup_cell.py")
SLUG = re.compile(r"[a-zA-Z0-9](?:[-_]?[a-zA-Z0-9])*/(?!\.+$)[\w.-]+(?<!\.git)", re.ASCII)
REF = re.compile(r"(?!.*\.\.)[a-zA-Z0-9][\w.-]*(?<!\.)(?<!\.lock)", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")

BADGE = r"\[!\[Open in Colab\]\(\S+\)\]\(\S+\)|\*Colab: [^*]+\*"
NO_BADGE = "*Colab: this copy of the course is not published yet, so open it in Jupyter.*"
COLAB_ICON = "https://colab.research.google.com/assets/colab-badge.svg"
BINDER_ICON = "https://mybinder.org/badge_logo.svg"
FIRST_LESSON = "notebooks/00_overfitting.ipynb"


class Course(NamedTuple):
    """Where the course is published; both are empty where it is not."""

    repository: str  # owner/name on GitHub
    ref: str  # a tag or a branch

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}" if self.repository else ""


def course_of(repository: str, ref: str) -> Course:
    """Check a name and a ref; ValueError says what is wrong with them."""
    if not (repository or ref):
        return Course("", "")
    if not SLUG.fullmatch(repository):
        raise ValueError(f"repository {repository!r} is not of the form owner/name, as on GitHub")
    if not REF.fullmatch(ref):
        raise ValueError(f"ref {ref!r} is not a tag or branch such as v1.0 (no slash, no spaces)")
    if COMMIT.fullmatch(ref):
        raise ValueError(f"ref {ref!r} is a commit, which git cannot clone: give it a tag")
    return Course(repository, ref)


def read_course() -> Course:
    """What pyproject.toml says."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return course_of(**settings["tool"]["course"])


def replace_line(text: str, pattern: str, new: str) -> str:
    """`text` with its one match of `pattern` replaced."""
    text, count = re.subn(pattern, lambda _: new, text, flags=re.M)
    if count != 1:
        raise NotebookError(f"there are {count} places to write {new!r} at, not one: {pattern}")
    return text


# What is made from it


def setup_cell(course: Course) -> str:
    note = "" if course.url else "  # not published yet"
    line = f'REPOSITORY, REF = "{course.url}", "{course.ref}"{note}'
    source = SETUP_CELL.read_text(encoding="utf-8").rstrip("\n")
    return replace_line(source, r"^REPOSITORY, REF = .*$", line)


def colab(course: Course, path: str) -> str:
    return f"https://colab.research.google.com/github/{course.repository}/blob/{course.ref}/{path}"


def badge(course: Course, path: str) -> str:
    return f"[![Open in Colab]({COLAB_ICON})]({colab(course, path)})" if course.url else NO_BADGE


def number(path: Path) -> str:
    """`03` of a lesson; a name, where there is no number."""
    return path.stem.partition("_")[0]


def colab_line(course: Course) -> str:
    if not course.url:
        why = "this copy of the course is not published, so there is nothing that a link could open"
        return f"- **On Colab:** not yet: {why}."
    kinds = ["lessons", "deeper", "exercises"]
    folders = [NOTEBOOKS / ("" if kind == "lessons" else kind) for kind in kinds]
    links = [
        f"{kind} " + " · ".join(f"[{number(p)}]({colab(course, relative(p))})" for p in paths)
        for kind, paths in zip(kinds, (sorted(f.glob("*.ipynb")) for f in folders), strict=True)
    ]
    note = f"Nothing to install: the first cell fetches the course at {course.ref}"
    return f"- **On Colab:** {'; '.join(links)}. {note}."


def binder_line(course: Course) -> str:
    if not course.url:
        return (
            "- **On Binder:** not yet, for the same reason; `.binder/` says what it would install."
        )
    start = f"https://mybinder.org/v2/gh/{course.repository}/{course.ref}"
    link = f"{start}?urlpath=lab/tree/{FIRST_LESSON}"
    return f"- **On Binder:** [![Open in Binder]({BINDER_ICON})]({link})"


def readme(text: str, course: Course) -> str:
    text = replace_line(text, r"^- \*\*On Colab:\*\* .*$", colab_line(course))
    return replace_line(text, r"^- \*\*On Binder:\*\* .*$", binder_line(course))


def citation(text: str, course: Course) -> str:
    new = f'repository-code: "{course.url}"\n' if course.url else ""
    return replace_line(text, r"^(?:repository-code: .*\n)?license:", f"{new}license:")


def pyproject(text: str, course: Course) -> str:
    text = replace_line(text, r"^repository = .*$", f'repository = "{course.repository}"')
    return replace_line(text, r"^ref = .*$", f'ref = "{course.ref}"')


def notebook(path: Path, course: Course) -> NotebookNode:
    """The notebook with its setup cell and badge as they should be, its outputs as they are."""
    changed = read_notebook(path)
    for cell in changed.cells:
        if cell.id == "setup":
            cell.source = setup_cell(course)
            cell.metadata.update(FOLDED)
        lesson = path.parent == NOTEBOOKS  # which must have a badge; others may
        if cell.id == "title" and (lesson or re.search(BADGE, cell.source)):
            cell.source = replace_line(cell.source, BADGE, badge(course, relative(path)))
    return changed


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TEXTS = {"pyproject.toml": pyproject, "README.md": readme, "CITATION.cff": citation}


def published(course: Course) -> dict[Path, bytes]:
    """Every file that names the place, as it should be."""
    texts = {
        ROOT / name: write((ROOT / name).read_text(encoding="utf-8"), course).encode()
        for name, write in TEXTS.items()
    }
    return texts | {path: notebook_bytes(notebook(path, course)) for path in find_notebooks()}


def differences(course: Course) -> dict[Path, bytes]:
    """Those of the files that are not as they should be."""
    return {path: data for path, data in published(course).items() if path.read_bytes() != data}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.write.publish", description=__doc__)
    parser.add_argument("repository", nargs="?", help=f"owner/name on GitHub, or {NOWHERE}")
    parser.add_argument("ref", nargs="?", default="", help="a tag or branch")
    choice = parser.parse_args()
    try:
        if choice.repository is None:
            course = read_course()
        else:
            known = choice.repository != NOWHERE
            course = course_of(choice.repository if known else "", choice.ref)
        changed = differences(course)
    except (ValueError, NotebookError) as error:
        print(error, file=sys.stderr)
        return 1
    for path, data in changed.items():
        replace_file(path, data)
    where = f"published at {course.url}, {course.ref}" if course.url else "not published"
    print(f"{where}: {len(changed)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
