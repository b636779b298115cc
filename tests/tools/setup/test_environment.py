"""The environment is made once, starts afresh after an interruption, and needs the right Python."""

import os
import shutil
import subprocess
import sys

import pytest

from tools.notebooks import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")


@pytest.fixture
def clone(tmp_path):
    """A course that requires nothing, so that setting up is quick and needs no network."""
    (tmp_path / "tools" / "setup").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup" / "environment.sh", tmp_path / "tools" / "setup")
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "constraints.txt").write_text(
        "keras==3.15.1\nnumpy==2.4.6\ntensorflow-cpu==2.21.0\n"
    )
    return tmp_path


def set_up(clone, *requirements, folder=".venv", **choices):
    env = {name: value for name, value in os.environ.items() if name not in ("TENSORFLOW", "KERAS")}
    env |= {"PYTHON": sys.executable} | choices
    command = ["sh", "tools/setup/environment.sh", folder, *requirements]
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=False)


def test_it_is_made_once_and_again_when_unfinished_or_outdated(clone):
    assert "Setting up .venv with Python 3." in set_up(clone).stdout
    second = set_up(clone)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")

    leftover = clone / ".venv" / "leftover"
    leftover.touch()
    (clone / ".venv" / "installed").unlink()
    assert "Setting up" in set_up(clone).stdout
    assert not leftover.exists()

    assert "Setting up" in set_up(clone, TENSORFLOW="2.20.*", KERAS="3.13.*").stdout
    pins = (clone / ".venv" / "constraints.txt").read_text()
    assert pins == "keras==3.13.*\nnumpy==2.4.6\ntensorflow-cpu==2.20.*\n"


def test_other_requirements_bring_their_own_versions(clone):
    (clone / "other.txt").write_text("# other\n")
    assert "Setting up" in set_up(clone, "other.txt").stdout
    assert set_up(clone, "other.txt").stdout == ""
    installed = (clone / ".venv" / "installed").read_text()
    assert "# other" in installed
    assert "keras" not in installed


@pytest.mark.parametrize(
    ("version", "message"),
    [("3.10", "stand-in is Python 3.10"), ("3.14", "is Python 3.14"), ("3.12", "without venv")],
)
def test_an_unsuitable_python_is_named(clone, version, message):
    stand_in = clone / "stand-in"
    stand_in.write_text(
        f"#!/bin/sh\ncase $2 in *version_info*) echo {version};; *) exit 1;; esac\n"
    )
    stand_in.chmod(0o755)
    result = set_up(clone, PYTHON=str(stand_in))
    assert result.returncode == 1
    assert message in result.stderr
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert not (clone / ".venv").exists()


def test_a_python_that_is_not_there_is_said(clone):
    assert "Found: none of them" in set_up(clone, PYTHON="/nowhere/python3").stderr


def test_a_folder_with_other_files_is_left_alone(clone):
    precious = clone / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("mine", encoding="utf-8")
    result = set_up(clone, folder="precious")
    assert result.returncode == 1
    assert "precious holds other files; name a new folder" in result.stderr
    assert precious.read_text(encoding="utf-8") == "mine"
