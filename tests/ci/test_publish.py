"""What GitHub runs after a push, with a bare repository for GitHub's: links come true, once."""

import os
import shutil
import subprocess
import sys

import pytest

from tools.notebooks import ROOT, find_notebooks
from tools.verify.colab import PLACE, copy_course, git, publish_as_github, push_to
from tools.write.publish import FIRST_LESSON, NOWHERE

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not (shutil.which("git") and shutil.which("bash")),
    reason="needs git and bash, as the Linux machine has that runs it",
)
# In place of GitHub's command: writes down what it is told, and ends as it is told.
GH = '#!/bin/sh\necho "$@" >>"$(dirname "$0")/told"\nexit $(cat "$(dirname "$0")/ends")\n'
# A bare repository's rule that protects its branch.
PROTECTED = '#!/bin/sh\n! grep -q " refs/heads/main$" || { echo protected >&2; exit 1; }\n'


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course, unpublished, with one lesson and without data: enough, and quick."""
    folder = copy_course(tmp_path_factory.mktemp("push") / "course")
    for path in [*find_notebooks(folder / "notebooks"), *folder.glob("data/*.npz")]:
        if path != folder / FIRST_LESSON:
            path.unlink()
    publish = [sys.executable, "-m", "tools.write.publish", NOWHERE]
    subprocess.run(publish, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def pushed(course, tmp_path):
    """A clone as the job has it, after the course was pushed to a bare repository."""
    return clone_of(shutil.copytree(course, tmp_path / "course"), tmp_path)


def clone_of(course, folder, branch=PLACE.ref):
    push_to(folder / "remote", course, branch)
    git(folder, "clone", "--quiet", "--depth=1", (folder / "remote").as_uri(), "clone")
    return folder / "clone"


@pytest.fixture
def gh(tmp_path):
    folder = tmp_path / "commands"
    folder.mkdir()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    (folder / "ends").write_text("0")
    return folder


def log(clone, branch=PLACE.ref):
    git(clone, "fetch", "--quiet", "--unshallow" if is_shallow(clone) else "--all")
    return git(clone, "log", "--format=%s", f"origin/{branch}").splitlines()


def is_shallow(clone):
    return git(clone, "rev-parse", "--is-shallow-repository").strip() == "true"


def shown(clone, path, branch=PLACE.ref):
    git(clone, "fetch", "--quiet", "origin", branch)
    return git(clone, "show", f"FETCH_HEAD:{path}")


def test_the_first_run_pushes_and_the_second_changes_nothing(pushed):
    first = publish_as_github(pushed)
    assert first.returncode == 0, first.stderr
    assert f"published at https://github.com/{PLACE.repository}, main: " in first.stdout
    assert log(pushed) == [f"Links open {PLACE.repository}", "The course"]
    assert f'repository = "{PLACE.repository}"' in shown(pushed, "pyproject.toml")
    link = f"colab.research.google.com/github/{PLACE.repository}/blob/main/notebooks/00_overfitting"
    for name in ("README.md", "notebooks/00_overfitting.ipynb"):
        assert link in shown(pushed, name)
    second = publish_as_github(pushed)
    assert (second.returncode, second.stderr) == (0, "")
    assert ": 0 files changed" in second.stdout
    assert len(log(pushed)) == 2


@pytest.mark.slow
def test_a_tag_that_was_chosen_stays_and_another_name_does_not(pushed):
    command = [sys.executable, "-m", "tools.write.publish", PLACE.repository.upper(), "v1.0"]
    subprocess.run(command, cwd=pushed, check=True, capture_output=True)
    git(pushed, "commit", "--quiet", "--all", "--no-verify", "--message=At a tag")
    assert ", v1.0: 0 files changed" in publish_as_github(pushed).stdout
    renamed = publish_as_github(pushed, PLACE._replace(repository="owner/renamed"))
    assert "published at https://github.com/owner/renamed, main: " in renamed.stdout
    assert log(pushed)[0] == "Links open owner/renamed"


def test_what_somebody_else_pushed_meanwhile_is_kept(pushed, tmp_path):
    git(tmp_path / "course", "commit", "--quiet", "--allow-empty", "--no-verify", "--message=Mine")
    git(tmp_path / "course", "push", "--quiet", "origin", PLACE.ref)
    result = publish_as_github(pushed)
    assert result.returncode == 0, result.stderr
    assert log(pushed) == [f"Links open {PLACE.repository}", "Mine", "The course"]


@pytest.mark.slow
@pytest.mark.parametrize("ends", [0, 1])
def test_a_protected_branch_gets_a_pull_request(pushed, tmp_path, gh, ends):
    (gh / "ends").write_text(str(ends))
    hook = tmp_path / "remote" / "hooks" / "pre-receive"
    hook.write_text(PROTECTED)
    hook.chmod(0o755)
    result = publish_as_github(pushed, PLACE, gh)
    assert result.returncode == 0, result.stderr
    assert log(pushed) == ["The course"]
    assert f'repository = "{PLACE.repository}"' in shown(
        pushed, "pyproject.toml", "links-of-this-repository"
    )
    told = (gh / "told").read_text()
    assert told.startswith("pr create --base main --head links-of-this-repository --title Links")
    assert ("::warning::Merge the branch links-of" in result.stdout) == bool(ends)


@pytest.mark.slow
def test_a_default_branch_may_hold_a_slash(course, tmp_path):
    place = PLACE._replace(ref="course/2026")
    clone = clone_of(shutil.copytree(course, tmp_path / "course"), tmp_path, place.ref)
    result = publish_as_github(clone, place)
    assert result.returncode == 0, result.stderr
    assert "/blob/course%2F2026/notebooks/" in shown(clone, "README.md", place.ref)
    setup = shown(clone, "notebooks/00_overfitting.ipynb", place.ref)
    assert f'\\"https://github.com/{place.repository}\\", \\"course/2026\\"' in setup


def test_nothing_that_is_not_committed_is_lost(pushed):
    (pushed / "README.md").write_text("mine")
    result = publish_as_github(pushed)
    assert (result.returncode, result.stderr) == (1, "Commit what you have changed first.\n")
    assert (pushed / "README.md").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no-owner", "a/b c"])
def test_a_wrong_name_changes_nothing(pushed, name):
    result = publish_as_github(pushed, PLACE._replace(repository=name))
    assert result.returncode == 1
    assert "is not of the form owner/name" in result.stderr
    assert log(pushed) == ["The course"]


def test_it_needs_nbformat_and_what_nbformat_needs():
    code = "import sys, tools.write.publish; print(*sys.modules)"
    python = [sys.executable, "-c", code]
    loaded = subprocess.run(python, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert not {"tensorflow", "numpy", "nbclient", "nbval", "psutil", "IPython"} & {*loaded.split()}
