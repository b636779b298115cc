"""The setup cell away from the course: on Colab, on Kaggle, in a bare kernel; with a stand-in for
GitHub, and without a network, a repository or room on the disk.
"""

import os
import re
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.verify import colab
from tools.verify.colab import publish_copy, stand_ins
from tools.write import publish
from tools.write.bundle import bundle

PLACE = publish.Course("owner/name", "v1.0")
SHOW = "\nprint(Path(utils.__file__).parent.parent.name, utils.VERSION)"


def commit(folder: Path, version: str) -> None:
    (folder / "utils").mkdir(parents=True, exist_ok=True)
    (folder / "utils" / "__init__.py").write_text(f"VERSION = {version!r}\n")
    (folder / "utils" / "claims.py").touch()
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-verify", "-m", version]):
        colab.git(folder, *words)


@pytest.fixture
def needs_git():
    if not shutil.which("git"):
        pytest.skip("needs git, by which the setup cell fetches the course")


@pytest.fixture
def world(tmp_path, needs_git):
    """A host with a small course of two commits, the first of them tagged, and an empty folder."""
    course = tmp_path / "host" / PLACE.repository
    commit(course, "tagged")
    colab.git(course, "tag", PLACE.ref)
    commit(course, "later")
    (tmp_path / "content").mkdir()
    return tmp_path


@pytest.fixture
def on_colab(world):
    return stand_ins(world / "host", world / "modules")


@pytest.fixture
def elsewhere(on_colab):
    """Kaggle, Studio Lab, a bare kernel: no google.colab, and the same stand-in for GitHub."""
    return on_colab | {"PYTHONPATH": ""}


def upload(world: Path, **files: bytes) -> None:
    """Let somebody who is asked for files on Colab choose these."""
    code = f"""def upload():
    for name, content in {files!r}.items():
        open(name, "wb").write(content)
    return {files!r}
"""
    (world / "modules" / "google" / "colab" / "files.py").write_text(code)


@pytest.fixture
def private(on_colab):
    """GitHub for a repository that is private or does not exist: it asks for a password."""

    class Asks(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asks)
    Thread(target=server.serve_forever, daemon=True).start()
    yield on_colab | {"GIT_CONFIG_KEY_0": f"url.http://127.0.0.1:{server.server_port}/.insteadOf"}
    server.shutdown()


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


NO_NETWORK = {"GIT_CONFIG_KEY_0": "url.https://localhost:1/.insteadOf"}
CANNOT = "FileNotFoundError: Cannot fetch https://github.com/owner/name at "
ASKED = "is the course public? Or choose course.zip, which `make bundle` writes:\n"


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


def test_elsewhere_it_is_fetched_as_well(world, elsewhere):
    assert run(cell() + SHOW, world / "content", elsewhere).stdout == "course tagged\n"


def test_an_unknown_tag_is_said(world, elsewhere):
    message = error(run(cell(PLACE._replace(ref="v9")), world / "content", elsewhere))
    assert message.startswith(f"{CANNOT}v9 (")
    assert "v9 not found" in message
    assert list((world / "content").iterdir()) == []


def test_without_a_network_it_says_what_to_switch_on_and_the_next_run_fetches(world, elsewhere):
    message = error(run(cell(), world / "content", elsewhere | NO_NETWORK))
    assert message.startswith(f"{CANNOT}v1.0 (")
    assert re.search("connect|resolve|refused", message)
    assert "Is there a network (on Kaggle: Settings → Internet)" in message
    assert list((world / "content").iterdir()) == []
    assert run(cell() + SHOW, world / "content", elsewhere).stdout == "course tagged\n"


def test_a_private_repository_asks_nobody_for_a_password(world, private):
    message = error(run(cell(), world / "content", private | {"PYTHONPATH": ""}))
    assert message.startswith(f"{CANNOT}v1.0 (fatal: could not read Username")
    assert message.endswith("and is the course public?")


def test_on_colab_a_private_course_can_be_uploaded(world, private):
    upload(world, **{"course (1).zip": bundle(world / "host" / PLACE.repository)})
    result = run(cell() + SHOW, world / "content", private)
    assert result.stdout.endswith(f"{ASKED}course later\n"), result.stderr


def test_on_colab_an_unpublished_course_can_be_uploaded(world, on_colab):
    upload(world, **{"course.zip": bundle(world / "host" / PLACE.repository)})
    unpublished = cell(publish.Course("", ""))
    result = run(unpublished + SHOW, world / "content", on_colab)
    asked, found = result.stdout.splitlines()
    assert asked.endswith("choose course.zip, which `make bundle` writes:")
    assert found == "course later", result.stderr
    upload(world)  # is not asked for again
    assert run(unpublished + SHOW, world / "content", on_colab).stdout == "course later\n"


@pytest.mark.parametrize("files", [{}, {"other.zip": b"PK\5\6" + bytes(18)}])
def test_who_uploads_nothing_or_something_else_is_told(world, on_colab, files):
    upload(world, **files)
    result = run(cell(publish.Course("", "")), world / "content", on_colab)
    assert result.stderr.splitlines()[-1].startswith("FileNotFoundError: No folder `utils` here")


@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file's size")
def test_a_full_disk_is_said_and_the_next_run_fetches(world, elsewhere):
    big = world / "host" / PLACE.repository / "big.bin"
    big.write_bytes(os.urandom(200_000))
    commit(big.parent, "tagged")
    colab.git(big.parent, "tag", "--force", PLACE.ref)
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))\n"
    message = error(run(full + cell(), world / "content", elsewhere))
    assert re.search("write error|unable to write|invalid index-pack output", message), message
    assert list((world / "content").iterdir()) == []
    assert run(cell() + SHOW, world / "content", elsewhere).stdout == "course tagged\n"


def test_two_at_once_spoil_nothing(world, elsewhere):
    results = []
    both = [
        Thread(target=lambda: results.append(run(cell(), world / "content", elsewhere)))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert any(result.returncode == 0 for result in results)
    for result in results:
        assert result.returncode == 0 or "already exists" in result.stderr
    assert run(cell() + SHOW, world / "content", elsewhere).stdout == "course tagged\n"


def test_another_folder_of_that_name_is_said_and_kept(world, elsewhere):
    mine = world / "content" / "course" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    result = run(cell(), world / "content", elsewhere)
    assert "already exists and is not an empty directory" in error(result)
    assert mine.read_text() == "mine"


def test_outside_of_an_unpublished_course_the_folder_is_named(world):
    message = error(run(cell(publish.Course("", "")), world / "content", {}))
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


@pytest.mark.skipif(os.name == "nt", reason="GitHub publishes on Linux")
def test_the_published_copy_holds_what_a_lesson_needs(tmp_path, needs_git):
    publish_copy(tmp_path / "host")
    (tmp_path / "content").mkdir()
    source = f"""{cell(colab.PLACE)}
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
