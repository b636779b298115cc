"""Where the course is published stands in one place, and all that names it says the same."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.notebooks import NOTEBOOKS, ROOT, NotebookError, find_notebooks
from tools.verify.colab import copy_course
from tools.write import publish
from tools.write.publish import Course, course_of, differences, read_course, replace_line

LINK = re.compile(
    r"(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh|src=https://github\.com)"
    r"/([^/\s]+/[^/\s]+)/(?:blob/)?([^/?)\s]+)"
)
COURSE = Course("some-owner/course.name", "v1.0")


def texts(root: Path = ROOT) -> dict[str, str]:
    """What people read: documents and notebooks, by their paths."""
    paths = [*root.glob("*.md"), root / "CITATION.cff", *find_notebooks(root / "notebooks")]
    return {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in paths}


def strangers(texts: dict[str, str], course: Course) -> list[str]:
    """Links that open something else on Colab, Kaggle or Binder than the course at its ref."""
    return [
        f"{name}: {'/'.join(found)}"
        for name, text in texts.items()
        for found in LINK.findall(text)
        if found != tuple(course)
    ]


def test_all_that_names_the_place_agrees_with_it():
    changed = [path.relative_to(ROOT).as_posix() for path in differences(read_course())]
    assert changed == [], "run `make publish`"


def test_no_link_opens_another_course():
    assert strangers(texts(), read_course()) == []


@pytest.mark.parametrize(
    "link",
    [
        "https://colab.research.google.com/github/other/course.name/blob/v1.0/notebooks/x.ipynb",
        "https://colab.research.google.com/github/some-owner/course.name/blob/main/x.ipynb",
        "https://mybinder.org/v2/gh/some-owner/course.name/v1.1?urlpath=lab",
        "https://kaggle.com/kernels/welcome?src=https://github.com/other/name/blob/v1.0/x.ipynb",
    ],
)
def test_a_link_to_another_course_is_found(link):
    assert len(strangers({"README.md": f"[x]({link})"}, COURSE)) == 1


@pytest.mark.parametrize(
    ("repository", "ref", "message"),
    [
        ("name", "v1.0", "repository 'name' is not of the form owner/name"),
        ("https://github.com/a/b", "v1.0", "is not of the form owner/name"),
        ("a/b/c", "v1.0", "is not of the form"),
        ("a/b.git", "v1.0", "is not of the form"),
        ("a/..", "v1.0", "is not of the form"),
        ("-a/b", "v1.0", "is not of the form"),
        ("a/b c", "v1.0", "is not of the form"),
        ("a/b\n", "v1.0", "is not of the form"),
        ("", "v1.0", "repository '' is not"),
        ("a/b", "", "ref '' is not a tag or branch"),
        ("a/b", "--upload-pack=x", "is not a tag or branch"),
        ("a/b", "feature//x", "is not a tag or branch"),
        ("a/b", "feature/.x", "is not a tag or branch"),
        ("a/b", "v1:x", "no colon"),
        ("a/b", "v1..2", "is not a tag or branch"),
        ("a/b", "v1.lock", "is not a tag or branch"),
        ("a/b", 'v1"', "is not a tag or branch"),
        ("a/b", "0123456789" * 4, "is a commit, which git cannot clone"),
    ],
)
def test_malformed_places_are_refused(repository, ref, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        course_of(repository, ref)


@pytest.mark.parametrize("repository", ["a/b", "A-1/b_c.d", "company_user/regularization"])
def test_good_places_are_accepted(repository):
    for ref in ("v1.0-rc.1", "main", "feature/x.y/z"):
        assert course_of(repository, ref) == (repository, ref)
    assert course_of("", "") == ("", "")


def test_a_line_must_be_there_once():
    assert replace_line("a\nb = 1\nc", "^b = .*$", r"b = \1") == "a\nb = \\1\nc"
    for text in ("a", "b = 1\nb = 2"):
        with pytest.raises(NotebookError, match="not one"):
            replace_line(text, "^b = .*$", "b = 2")


# A copy, published and taken back


def run(copy: Path, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


def contents(copy: Path) -> dict[str, bytes]:
    files = [path for path in copy.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(copy).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The course as it is, published nowhere."""
    folder = copy_course(tmp_path_factory.mktemp("publish") / "course")
    assert run(folder, "tools.write.publish", publish.NOWHERE).returncode == 0
    return folder


@pytest.fixture(scope="module")
def published(copy):
    """Another copy, published, and what the command said."""
    folder = shutil.copytree(copy, copy.parent / "published")
    result = run(folder, "tools.write.publish", *COURSE)
    assert result.returncode == 0, result.stderr
    return folder


def test_a_lesson_goes_by_its_number_and_other_pages_by_their_names():
    names = "03_large_weights_l1_l2.ipynb", "questions.ipynb"
    assert [publish.number(Path(name)) for name in names] == ["03", "questions"]


def has_setup(text):
    """Whether this is a notebook with code: the questions of the quiz hold none."""
    return '"id": "setup"' in text


def test_publishing_writes_every_place(published):
    read = texts(published)
    base = f"colab.research.google.com/github/{COURSE.repository}/blob/v1.0/notebooks/"
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        assert f"]({'https://' + base}{path.name})" in read[f"notebooks/{path.name}"]
        assert f"{base}{path.name})" in read["README.md"]
        if (NOTEBOOKS / "deeper" / path.name).exists():
            assert f"{base}deeper/{path.name})" in read["README.md"]
    assert f"mybinder.org/v2/gh/{COURSE.repository}/v1.0?" in read["README.md"]
    assert f"https://codespaces.new/{COURSE.repository}?" in read["README.md"]
    assert f"git-pull?repo={COURSE.url}&branch=v1.0&targetPath=course&" in read["TEACHING.md"]
    assert f'repository-code: "{COURSE.url}"\n' in read["CITATION.cff"]
    setup = f'REPOSITORY, REF = \\"{COURSE.url}\\", \\"v1.0\\"'
    assert all(setup in text for text in read.values() if has_setup(text))
    assert "not published yet" not in "".join(read.values())
    assert "upload a notebook" not in read["README.md"]
    assert "uploads a lesson" not in read["TEACHING.md"]
    assert strangers(read, COURSE) == []


def test_publishing_touches_no_output_and_no_other_file(copy, published):
    before, after = contents(copy), contents(published)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    notebooks = {name for name, text in texts(copy).items() if has_setup(text)}
    assert changed == {*publish.TEXTS} | notebooks
    for name in notebooks:
        old, new = (json.loads(files[name]) for files in (before, after))
        for cell in [*old["cells"], *new["cells"]]:
            if cell["id"] in ("setup", "title"):
                del cell["source"]
        assert old == new


def test_publishing_again_changes_nothing_and_taking_it_back_all(copy, published, tmp_path):
    again = shutil.copytree(published, tmp_path / "again")
    assert ": 0 files changed" in run(again, "tools.write.publish").stdout
    assert "not published" in run(again, "tools.write.publish", publish.NOWHERE).stdout
    assert contents(again) == contents(copy)


@pytest.mark.slow
def test_a_published_copy_passes_what_the_course_passes(published):
    assert run(published, "ruff", "check", "notebooks", "tools").returncode == 0
    notebooks = ["test_notebooks.py::test_every_notebook", "test_minutes.py", "test_links.py"]
    written = ["test_exercises.py::test_the_stored_exercises_are_the_generated_ones"]
    written += ["test_publish.py::test_all_that_names_the_place_agrees_with_it"]
    tests = [f"tests/notebooks/{name}" for name in notebooks]
    tests += [f"tests/tools/write/{name}" for name in written]
    result = run(published, "pytest", "-q", *tests)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("notebooks/02_co_adaptation_dropout.ipynb", "blob/v1.0/", "blob/v1.1/"),
        ("notebooks/deeper/00_overfitting.ipynb", "some-owner", "some-other"),
        ("notebooks/exercises/00_overfitting.ipynb", '\\"v1.0\\"', '\\"main\\"'),
        ("notebooks/00_overfitting.ipynb", "--depth=1", "--depth=2"),
        ("README.md", "blob/v1.0/notebooks/03", "blob/v1.0/notebooks/02"),
        ("README.md", "/v1.0?urlpath", "/main?urlpath"),
        ("TEACHING.md", "branch=v1.0", "branch=main"),
        ("CITATION.cff", "some-owner", "some-other"),
        ("pyproject.toml", 'ref = "v1.0"', 'ref = "v2.0"'),
    ],
)
def test_a_planted_difference_is_found(published, tmp_path, monkeypatch, name, old, new):
    planted = shutil.copytree(published, tmp_path / "planted")
    monkeypatch.setattr(publish, "ROOT", planted)
    monkeypatch.setattr(publish, "NOTEBOOKS", planted / "notebooks")
    monkeypatch.setattr(publish, "find_notebooks", lambda: find_notebooks(planted / "notebooks"))
    assert differences(read_course()) == {}
    text = (planted / name).read_text(encoding="utf-8")
    assert old in text
    (planted / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert planted / name in differences(COURSE)
    assert differences(read_course()) != {}


def test_malformed_arguments_change_nothing(copy):
    before = contents(copy)
    result = run(copy, "tools.write.publish", "a/b", "feature x")
    assert (result.returncode, result.stdout) == (1, "")
    assert "ref 'feature x' is not a tag or branch" in result.stderr
    assert contents(copy) == before


# On GitHub


def elsewhere(course: Course, environment: dict[str, str]) -> str | None:
    """What is wrong if GitHub runs the tests for another repository than the course names.

    A fork keeps the links of the course that it was forked from, so it is not asked.
    """
    running = environment.get("GITHUB_REPOSITORY", "")
    event = Path(environment.get("GITHUB_EVENT_PATH", ""))
    repository = json.loads(event.read_text()).get("repository", {}) if event.is_file() else {}
    if not running or not course.repository or repository.get("fork"):
        return None
    if running.lower() == course.repository.lower():
        return None
    return f"this is {running}, and the links open {course.repository}: make publish REPO={running}"


def test_links_open_the_repository_that_github_tests():
    assert elsewhere(read_course(), dict(os.environ)) is None


@pytest.mark.parametrize(
    ("running", "fork", "found"),
    [
        ("some-owner/course.name", False, False),
        ("Some-Owner/Course.Name", False, False),
        ("some-owner/renamed", False, True),
        ("somebody/course.name", True, False),
        ("somebody/course.name", False, True),
        ("", False, False),
    ],
)
def test_a_renamed_repository_is_found_and_a_fork_left_alone(tmp_path, running, fork, found):
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"fork": fork}}))
    environment = {"GITHUB_REPOSITORY": running, "GITHUB_EVENT_PATH": str(event)}
    assert (elsewhere(COURSE, environment) is not None) == found
    assert elsewhere(Course("", ""), environment) is None


def test_a_schedule_says_nothing_of_forks(tmp_path):
    (tmp_path / "event.json").write_text('{"schedule": "17 4 * * 1"}')
    environment = {
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
    }
    assert "make publish REPO=a/b" in elsewhere(COURSE, environment)
