"""Runs the lessons as Colab would: in an empty folder, with Colab's versions, after the setup cell
has fetched the course.

Two things stand in for what is not here: a bare local git repository for GitHub's, to which the
course is pushed and where `.ci/publish` then publishes it, and an empty module for google.colab. No
code of the course knows of either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

from tools.execute import execute, for_each_named, refusals
from tools.notebooks import NOTEBOOKS, ROOT, NotebookError
from tools.write.publish import Course

PLACE = Course("owner/name", "main")
KERNEL = "colab"
ENVIRONMENT = ROOT / ".venv-colab"
SHOWN = ["tensorflow_cpu", "keras", "numpy", "matplotlib", "ipython", "ipykernel", "jupyter_client"]


def copy_course(folder: Path) -> Path:
    """The working tree, without what its commands made."""
    made = shutil.ignore_patterns(".git", ".venv*", "build", "__pycache__", ".ipynb_checkpoints")
    return shutil.copytree(ROOT, folder, ignore=made)


def git(folder: Path, *words: str | Path) -> str:
    """What git says, in `folder`."""
    named = ["git", "-c", "user.name=course", "-c", "user.email=course@localhost"]
    done = subprocess.run([*named, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def push_to(remote: Path, course: Path, branch: str = PLACE.ref) -> None:
    """Make the folder a repository of one commit, and push it to a new bare one."""
    git(course, "init", "--quiet", f"--initial-branch={branch}")
    git(course, "add", "--all")
    git(course, "commit", "--quiet", "--no-verify", "--message=The course")
    git(course, "init", "--quiet", "--bare", f"--initial-branch={branch}", remote)
    git(course, "remote", "add", "origin", remote)
    git(course, "push", "--quiet", "origin", branch)


def publish_as_github(course: Path, place: Course = PLACE, *first: Path) -> CompletedProcess[str]:
    """Run in a clone what GitHub runs after a push; commands are found in the folders `first`."""
    folders = [*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]]
    named = {"GITHUB_REPOSITORY": place.repository, "GITHUB_REF_NAME": place.ref}
    environment = os.environ | named | {"PATH": os.pathsep.join(folders)}
    command = ["bash", ".ci/publish"]
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)


def publish_copy(host: Path) -> None:
    """Push the course to where `host` stands in for github.com, and publish it there."""
    with TemporaryDirectory() as folder:
        course = copy_course(Path(folder) / "course")
        push_to(host / PLACE.repository, course)
        publish_as_github(course).check_returncode()


def stand_ins(host: Path, modules: Path) -> dict[str, str]:
    """The environment in which git takes `host` for github.com, and Python finds google.colab."""
    package = modules / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{host.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "PYTHONPATH": str(modules),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the old kernel's debugger warns at every start
    }


def make_kernel(folder: Path, python: Path, environment: dict[str, str]) -> None:
    """Let Jupyter find, below `folder`, a kernel of this Python in this environment."""
    install = [python, "-m", "ipykernel", "install", f"--prefix={folder}", f"--name={KERNEL}"]
    pairs = [word for pair in environment.items() for word in ("--env", *pair)]
    subprocess.run([*install, *pairs], check=True, capture_output=True)
    os.environ["JUPYTER_PATH"] = str(folder / "share" / "jupyter")


def versions(python: Path) -> str:
    code = "from importlib.metadata import version; from platform import python_version as python;"
    code += f"print('Python', python(), *(f'{{name}} {{version(name)}}' for name in {SHOWN}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout


def run(path: Path) -> str:
    """Run the notebook, as it was published, in an empty folder."""
    with TemporaryDirectory() as content:
        notebook, seconds, _ = execute(path, kernel=KERNEL, folder=Path(content))
        found = sorted(entry.name for entry in Path(content).iterdir())
    if problems := refusals(notebook):
        raise NotebookError("; ".join(problems))
    if found != ["course"]:
        raise NotebookError(f"the setup cell should have fetched the course: found {found}")
    return f"{seconds:6.1f} s  {path.name}"


def main() -> int:
    python = ENVIRONMENT / "bin" / "python"
    print(versions(python), end="", flush=True)
    with TemporaryDirectory() as folder:
        host, modules, kernels = (Path(folder) / name for name in ("host", "modules", "kernels"))
        publish_copy(host)
        make_kernel(kernels, python, stand_ins(host, modules))
        copy = Path(folder) / "clone"
        git(host, "clone", "--quiet", PLACE.repository, copy)
        lessons = sorted(NOTEBOOKS.glob("*.ipynb"))
        return for_each_named(lambda path: run(copy / path.relative_to(ROOT)), lessons)


if __name__ == "__main__":
    sys.exit(main())
