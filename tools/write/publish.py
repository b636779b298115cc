"""Writes where the course is published into all that names it.

The one place is [tool.course] of pyproject.toml. Made from it: the setup cell of every notebook,
the lessons' badges, the lines of README and TEACHING that a learner or a hub follows, the site's
address, what is in deploy/, and CITATION.cff.

    python -m tools.write.publish owner/name v1.0   publish under this name, at this tag or branch
    python -m tools.write.publish nowhere           take it back: links then say that there are none
    python -m tools.write.publish                   write all again from pyproject.toml

With --keep, a course that is published under this name already keeps its tag or branch.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from nbformat import NotebookNode

from tools.notebooks import (
    FOLDED,
    NOTEBOOKS,
    ROOT,
    NotebookError,
    find_notebooks,
    notebook_bytes,
    read_notebook,
    replace_file,
)

NOWHERE = "nowhere"
SETUP_CELL = Path(__file__).with_name("setup_cell.py")
SLUG = re.compile(r"[a-zA-Z0-9](?:[-_]?[a-zA-Z0-9])*/(?!\.+$)[\w.-]+(?<!\.git)", re.ASCII)
PART = r"(?!.*\.\.)[a-zA-Z0-9_][\w.-]*(?<!\.)(?<!\.lock)"  # of a tag or branch, between slashes
REF = re.compile(rf"{PART}(?:/{PART})*", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")

NOT_YET = "not published yet"
NO_BADGE = f"*Colab: {NOT_YET}; upload this notebook, then `course.zip` as its first cell asks.*"
ICONS = {
    "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
    "Kaggle": "https://kaggle.com/static/images/open-in-kaggle.svg",
    "Binder": "https://mybinder.org/badge_logo.svg",
    "Codespaces": "https://github.com/codespaces/badge.svg",
}
A_BADGE = r"\[!\[Open in \w+\]\(\S+\)\]\(\S+\)"
BADGES = rf"{A_BADGE}(?: {A_BADGE})*|\*Colab: [^*]+\*"
FIRST_LESSON = "notebooks/00_overfitting.ipynb"
FOLDER = "course"  # what a hub and the setup cell call the course's folder


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
        raise ValueError(f"ref {ref!r} is not a tag or branch such as v1.0 (no spaces, no colon)")
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
    note = "" if course.url else f"  # {NOT_YET}"
    line = f'REPOSITORY, REF = "{course.url}", "{course.ref}"{note}'
    source = SETUP_CELL.read_text(encoding="utf-8").rstrip("\n")
    return replace_line(source, r"^REPOSITORY, REF = .*$", line)


def link(course: Course, place: str, path: str = FIRST_LESSON) -> str:
    """Where the notebook at `path` opens at this place, Colab or another."""
    ref = quote(course.ref, safe="")  # a branch may hold a slash
    file = f"{course.repository}/blob/{ref}/{path}"
    return {
        "Colab": f"https://colab.research.google.com/github/{file}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src=https://github.com/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{course.repository}/{ref}?urlpath=lab/tree/{path}",
        "Codespaces": f"https://codespaces.new/{course.repository}?quickstart=1",
    }[place]


def badges(course: Course, path: str, *places: str) -> str:
    shown = [f"[![Open in {at}]({ICONS[at]})]({link(course, at, path)})" for at in places]
    return " ".join(shown) if course.url else NO_BADGE


def number(path: Path) -> str:
    """`03` of a lesson; a name, where there is no number."""
    return path.stem.partition("_")[0]


def colab_line(course: Course) -> str:
    if not course.url:
        return (
            "- **On Colab:** upload a notebook, and `course.zip` when its first cell asks; `make"
            " bundle` writes it. Links come by themselves with the first push to a public"
            " repository on GitHub."
        )
    kinds = ["lessons", "deeper", "exercises"]
    folders = [NOTEBOOKS / ("" if kind == "lessons" else kind) for kind in kinds]
    links = [
        f"{kind} "
        + " · ".join(f"[{number(p)}]({link(course, 'Colab', relative(p))})" for p in paths)
        for kind, paths in zip(kinds, (sorted(f.glob("*.ipynb")) for f in folders), strict=True)
    ]
    note = f"Nothing to install: the first cell fetches the course at {course.ref}"
    return f"- **On Colab:** {'; '.join(links)}. {note}."


def elsewhere_line(course: Course) -> str:
    where = "- **On Kaggle, Binder, Codespaces:**"
    if not course.url:
        return f"{where} with the same push; `.binder/` and `.devcontainer/` say what they install."
    shown = badges(course, FIRST_LESSON, "Kaggle", "Binder", "Codespaces")
    return f"{where} {shown}. On Kaggle, first switch on Settings → Internet."


def site_line(course: Course) -> str:
    owner, _, name = course.repository.partition("/")
    link = f"[{owner}.github.io/{name}](https://{owner}.github.io/{name}/), or " if owner else ""
    what = "all of it to read and search, on a phone, on paper, with no network"
    return f"- **As a site:** {link}`make site`, which writes `build/site/`: {what}."


def readme(text: str, course: Course) -> str:
    text = replace_line(text, r"^- \*\*As a site:\*\* .*$", site_line(course))
    text = replace_line(text, r"^- \*\*On Colab:\*\* .*$", colab_line(course))
    return replace_line(text, r"^- \*\*On Kaggle, .*$", elsewhere_line(course))


def hub_link(course: Course) -> str:
    """The link that copies the course into a learner's home, and opens its first lesson."""
    repository = course.url or "https://github.com/OWNER/NAME"
    wanted = {
        "repo": repository,
        "branch": course.ref or "BRANCH",
        "targetPath": FOLDER,
        "urlpath": f"lab/tree/{FOLDER}/{FIRST_LESSON}",
    }
    return f"https://HUB/hub/user-redirect/git-pull?{urlencode(wanted, safe='/:')}"


def teaching(text: str, course: Course) -> str:
    how = (
        "the README's links open every notebook, and its first cell fetches the course."
        if course.url
        else "everybody uploads a lesson, and `course.zip` when its first cell asks; `make bundle`"
        " writes it. On GitHub, links come by themselves with the first push."
    )
    text = replace_line(text, r"^\*\*Colab only:\*\* .*$", f"**Colab only:** {how}")
    return replace_line(text, r"^https://HUB/\S*git-pull\S*$", hub_link(course))


def deployed(text: str, course: Course) -> str:
    """A hub's values, with the place that it copies the course from."""
    repository = course.url or "https://github.com/OWNER/NAME"
    text = replace_line(text, r"https://github\.com/\S+", repository)
    return replace_line(text, r"(?<=branch=)[^;]+", course.ref or "BRANCH")


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
        if cell.id == "title" and (lesson or re.search(BADGES, cell.source)):
            shown = badges(course, relative(path), "Colab", "Kaggle", "Binder")
            cell.source = replace_line(cell.source, BADGES, shown)
    return changed


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


TEXTS = {
    "pyproject.toml": pyproject,
    "README.md": readme,
    "TEACHING.md": teaching,
    "CITATION.cff": citation,
    "deploy/zero-to-jupyterhub.yaml": deployed,
}


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
    parser.add_argument("--keep", action="store_true", help="the ref, if the name is the same")
    choice = parser.parse_args()
    name = choice.repository or ""
    try:
        course = read_course()
        if name and not (choice.keep and name.lower() == course.repository.lower()):
            course = course_of("" if name == NOWHERE else name, choice.ref)
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
