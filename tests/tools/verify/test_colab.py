"""The setup cell as on Colab: an empty folder, google.colab, and a stand-in for GitHub."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.verify import colab
from tools.verify.colab import PLACE, publish_copy, stand_ins
from tools.write import publish

GIT = ["git", "-c", "user.name=course", "-c", "user.email=course@localhost"]
SHOW = "\nprint(Path(utils.__file__).parent.parent.name, utils.VERSION)"


def commit(folder: Path, version: str) -> None:
    (folder / "utils").mkdir(parents=True, exist_ok=True)
    (folder / "utils" / "__init__.py").write_text(f"VERSION = {version!r}\n")
    (folder / "utils" / "claims.py").touch()
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-verify", "-m", version]):
        subprocess.run([*GIT, *words], cwd=folder, check=True)


@pytest.fixture
def git():
    if not shutil.which("git"):
        pytest.skip("needs git, by which the setup cell fetches the course")


@pytest.fixture
def world(tmp_path, git):
    """A host with a small course of two commits, the first of them tagged, and an empty folder."""
    course = tmp_path / "host" / PLACE.repository
    commit(course, "tagged")
    subprocess.run(["git", "tag", PLACE.ref], cwd=course, check=True)
    commit(course, "later")
    (tmp_path / "content").mkdir()
    return tmp_path


@pytest.fixture
def on_colab(world):
    return stand_ins(world / "host", world / "modules")


def run(source: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run the cell in a Python that sees no installed package, and no configuration of git."""
    known = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-S", "-c", source],
        cwd=folder,
        env=known | quiet | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def cell(place: publish.Course = PLACE) -> str:
    return publish.setup_cell(place)


def error(result: subprocess.CompletedProcess) -> str:
    assert result.returncode == 1
    assert result.stdout == ""
    return result.stderr.rstrip().splitlines()[-1]


def test_the_course_is_fetched_once_at_its_tag_and_shallow(world, on_colab):
    content = world / "content"
    result = run(cell() + SHOW, content, on_colab)
    assert (result.stdout, result.stderr) == ("course tagged\n", "")
    assert [entry.name for entry in content.iterdir()] == ["course"]
    log = ["git", "log", "--format=%s"]
    shown = subprocess.run(log, cwd=content / "course", capture_output=True, text=True, check=True)
    assert shown.stdout == "tagged\n"

    (world / "host").rename(world / "gone")
    again = run(f"{cell()}\n{cell()}{SHOW}", content, on_colab)
    assert (again.stdout, again.stderr) == ("course tagged\n", "")


def test_an_unknown_tag_is_said(world, on_colab):
    message = error(run(cell(PLACE._replace(ref="v9")), world / "content", on_colab))
    assert message.startswith("RuntimeError: Cannot fetch https://github.com/owner/name at v9: ")
    assert "v9 not found" in message
    assert list((world / "content").iterdir()) == []


def test_no_network_is_said_and_the_next_run_fetches(world, on_colab):
    cut = on_colab | {"GIT_CONFIG_KEY_0": "url.https://localhost:1/.insteadOf"}
    message = error(run(cell(), world / "content", cut))
    assert message.startswith("RuntimeError: Cannot fetch https://github.com/owner/name at v1.0")
    assert re.search("connect|resolve|refused", message)
    assert list((world / "content").iterdir()) == []
    assert run(cell() + SHOW, world / "content", on_colab).stdout == "course tagged\n"


def test_another_folder_of_that_name_is_said_and_kept(world, on_colab):
    mine = world / "content" / "course" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    result = run(cell(), world / "content", on_colab)
    assert "already exists and is not an empty directory" in error(result)
    assert mine.read_text() == "mine"


def test_an_unpublished_copy_is_said(world, on_colab):
    message = error(run(cell(publish.Course("", "")), world / "content", on_colab))
    assert message == (
        "RuntimeError: This copy of the course is not published, so Colab cannot fetch it."
    )


def test_outside_of_the_course_and_colab_the_folder_is_named(world):
    message = error(run(cell(), world / "content", {}))
    assert message.startswith("FileNotFoundError: No folder `utils` here or above")
    assert list((world / "content").iterdir()) == []


@pytest.mark.parametrize("below", [".", "notebooks", "notebooks/deeper"])
@pytest.mark.parametrize("colab_is_installed", [False, True])
def test_a_local_course_is_found_from_every_folder(world, below, colab_is_installed):
    start = world / "host" / PLACE.repository / below
    start.mkdir(parents=True, exist_ok=True)
    environment = stand_ins(world / "host", world / "modules") if colab_is_installed else {}
    result = run(cell() + SHOW, start, environment)
    assert (result.stdout, result.stderr) == ("name later\n", "")
    assert not (start / "course").exists()


def test_the_published_copy_holds_what_a_lesson_needs(tmp_path, git):
    publish_copy(tmp_path / "host")
    (tmp_path / "content").mkdir()
    source = f"""{cell()}
from utils.datasets import load_fashion_mnist
print(utils.__file__, load_fashion_mnist(train_size=10).x_train.shape)
"""
    result = subprocess.run(
        [sys.executable, "-c", source],
        cwd=tmp_path / "content",
        env=os.environ | stand_ins(tmp_path / "host", tmp_path / "modules"),
        capture_output=True,
        text=True,
        check=False,
    )
    found = tmp_path / "content" / "course" / "utils" / "__init__.py"
    assert (result.stdout, result.stderr) == (f"{found} (10, 28, 28)\n", "")


def test_the_kernel_is_the_python_and_environment_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "")
    colab.make_kernel(tmp_path / "kernels", Path(sys.executable), {"PLACE": "here", "B": "2"})
    source = "import os, sys; print(os.environ['PLACE'], os.environ['B'], sys.executable)"
    nbformat.write(new_notebook(cells=[new_code_cell(source, id="a")]), tmp_path / "a.ipynb")
    notebook = colab.execute(tmp_path / "a.ipynb", kernel=colab.KERNEL).notebook
    assert notebook.cells[0].outputs[0].text == f"here 2 {sys.executable}\n"


def test_a_lesson_that_did_not_fetch_the_course_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "execute", lambda path, kernel, folder: (None, 1.0, 0))
    monkeypatch.setattr(colab, "refusals", lambda notebook: [])
    with pytest.raises(colab.NotebookError, match=r"should have fetched the course: found \[\]"):
        colab.run(tmp_path / "00.ipynb")


def test_everything_on_colab_is_pinned():
    lines = (colab.ROOT / "tools" / "verify" / "colab.txt").read_text(encoding="utf-8").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    assert all(re.match(r"[\w-]+==\d", line) for line in requirements)
    assert {"tensorflow-cpu==2.20.0", "keras==3.13.2", "ipython==7.34.0"} <= {
        line.split(" #")[0] for line in requirements
    }
