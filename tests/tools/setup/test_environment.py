"""The environment is made once, grows, starts afresh after an interruption, and says what it needs.

Packages come from wheels made here, so that setting up is quick and needs no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tools.notebooks import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell, sh")

BASE, DEV = "requirements.txt", "requirements-dev.txt"


def make_wheel(folder: Path, name: str, version: str = "1.0", source: str = "") -> None:
    """A package of one module with this source, as pip installs it."""
    info = f"{name}-{version}.dist-info"
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def stand_in(path: Path, *lines: str) -> str:
    """A program of these lines of shell."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """This Python, but quick at making environments: it copies one."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", folder / "empty"], check=True)
    copy = f'[ "$3" = venv ] && rm -rf "$5" && exec cp -R "{folder}/empty" "$5"'
    return stand_in(folder / "python", copy, f'exec "{sys.executable}" "$@"')


@pytest.fixture
def clone(tmp_path, python):
    """A small course, in a place with spaces and umlauts."""
    folder = tmp_path / "ein Kurs über Netze"
    (folder / "tools" / "setup").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup" / "environment.sh", folder / "tools" / "setup")
    (folder / "wheels").mkdir()
    for name in ("tensorflow", "lesson", "check"):
        make_wheel(folder / "wheels", name)
    (folder / BASE).write_text("tensorflow\nlesson\n")
    (folder / DEV).write_text(f"-r {BASE}\ncheck\n")
    shutil.copy(python, folder / "python")
    (folder / "constraints.txt").write_text("keras==3.15.1\nlesson==1.0\ntensorflow==1.0\n")
    return folder


def settings(clone: Path, **choices) -> dict[str, str]:
    ours = {"TENSORFLOW", "KERAS", "OS"}
    env = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("PIP_")}
    source = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (clone / "wheels").as_uri()}
    return env | source | {"PIP_CONFIG_FILE": os.devnull, "PYTHON": str(clone / "python")} | choices


def set_up(
    clone: Path, *files: str, folder: str = ".venv", **choices
) -> subprocess.CompletedProcess:
    command = ["sh", "tools/setup/environment.sh", folder, *(files or [BASE])]
    env = settings(clone, **choices)
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, timeout=300)


def packages(clone: Path) -> set[str]:
    """Which of the small course's packages the environment holds."""
    found = (path.stem for path in clone.glob(".venv/[Ll]ib/**/site-packages/*.py"))
    return {"tensorflow", "lesson", "check"} & set(found)


def is_complete(clone: Path) -> bool:
    return (clone / ".venv" / "installed").exists()


def test_it_is_made_once_grows_and_starts_afresh(clone):
    first = set_up(clone)
    assert "Setting up .venv with Python 3." in first.stdout, first.stderr
    assert packages(clone) == {"tensorflow", "lesson"}
    second = set_up(clone)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")

    leftover = clone / ".venv" / "leftover"
    leftover.touch()
    assert set_up(clone, BASE, DEV).stdout == f"Adding to .venv what it lacks of: {BASE} {DEV}\n"
    assert packages(clone) == {"tensorflow", "lesson", "check"}
    assert set_up(clone, BASE, DEV).stdout == set_up(clone).stdout == ""
    assert leftover.exists()

    (clone / ".venv" / "installed").unlink()  # as an interrupted install leaves it
    assert "Setting up" in set_up(clone).stdout
    assert packages(clone) == {"tensorflow", "lesson"}
    assert not leftover.exists()

    result = set_up(clone, TENSORFLOW="9.9.*", KERAS="3.13.*")
    assert "Setting up" in result.stdout
    assert "Cannot install tensorflow" in result.stderr  # pip's own words
    assert result.stderr.endswith(
        "Nothing is set up yet: see above. The next call starts afresh.\n"
    )
    pins = (clone / ".venv" / "constraints.txt").read_text()
    assert pins == "keras==3.13.*\nlesson==1.0\ntensorflow==9.9.*\n"
    assert result.returncode == 1
    assert not is_complete(clone)


def test_settings_of_pip_and_python_send_nothing_elsewhere(clone):
    elsewhere = clone / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "tensorflow.py").write_text("raise ImportError('not this one')")
    (clone / "pip.conf").write_text("[install]\nuser = true\n[global]\nrequire-virtualenv = true\n")
    places = dict.fromkeys(
        ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_SRC"], str(elsewhere / "pip")
    )
    flags = dict.fromkeys(["PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN", "PIP_NO_DEPS"], "1")
    others = {
        "PIP_PYTHON": "/nowhere",
        "PIP_CONFIG_FILE": "pip.conf",
        "PIP_REQUIREMENT": "none.txt",
    }
    python = {"PYTHONPATH": str(elsewhere), "PYTHONUSERBASE": str(elsewhere / "user")}
    result = set_up(clone, **places, **flags, **others, **python, PYTHONHOME="/nowhere")
    assert (result.returncode, result.stderr) == (0, "")
    assert packages(clone) == {"tensorflow", "lesson"}
    assert [path.name for path in elsewhere.iterdir()] == ["tensorflow.py"]


def test_a_tensorflow_that_does_not_start_is_no_environment(clone):
    make_wheel(clone / "wheels", "tensorflow", source="raise ImportError('no AVX here')")
    result = set_up(clone)
    assert result.returncode == 1
    assert "ImportError: no AVX here\nTensorFlow was installed but does not start" in result.stderr
    assert not is_complete(clone)


def test_packages_that_a_file_sends_elsewhere_are_no_environment(clone):
    (clone / "pip.conf").write_text("[install]\ntarget = elsewhere\n")
    result = set_up(clone, PIP_CONFIG_FILE="pip.conf")
    assert "No module named 'tensorflow'" in result.stderr
    assert not is_complete(clone)


def test_a_second_call_waits_for_the_first(clone):
    command = ["sh", "tools/setup/environment.sh", ".venv", BASE]
    both = [
        subprocess.Popen(command, cwd=clone, env=settings(clone), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(call.communicate(timeout=300)[0] for call in both)
    assert [call.returncode for call in both] == [0, 0]
    assert said[0] == "Another call is setting up; waiting until it is done.\n"
    assert said[1].startswith("Setting up .venv")
    assert [path.name for path in (clone / "build").iterdir()] == ["home"]


def test_a_turn_that_was_never_given_back_is_taken_over(clone):
    lock = clone / "build" / "setting-up"
    lock.parent.mkdir()
    lock.symlink_to("999999999")  # the id of a process that is gone
    assert set_up(clone, os.devnull).stdout.startswith("Setting up")


def test_other_files_bring_their_own_versions(clone):
    (clone / "other.txt").write_text("tensorflow==1.0 # other\n")
    assert "Setting up" in set_up(clone, "other.txt").stdout
    assert set_up(clone, "other.txt").stdout == ""
    installed = (clone / ".venv" / "installed").read_text()
    assert "# other" in installed
    assert "keras" not in installed
    assert "no-such.txt" in set_up(clone, "other.txt", "no-such.txt").stderr
    assert set_up(clone, "other.txt").stdout == ""


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ("3.10 linux-x86_64-glibc", "stand-in is Python 3.10 on linux"),
        ("3.14 linux-x86_64-glibc", "stand-in is Python 3.14 on linux"),
        ("3.12 linux-x86_64-", "stand-in is Python 3.12 on linux-x86_64-\n"),
        ("3.12 linux-x86_64-musl", "on linux-x86_64-musl"),
        ("3.12 linux-riscv64-glibc", "on linux-riscv64-glibc"),
        ("3.13 darwin-x86_64-", "is Python 3.13 on darwin-x86_64-"),
        ("3.12 win32-ARM64-", "on win32-ARM64-"),
        ("3.12 linux-x86_64-glibc", "apt install python3.12-venv"),
        ("3.12 darwin-x86_64-", "is Python 3.12 without venv"),
    ],
)
def test_an_unsuitable_python_is_named(clone, described, message):
    answer = f"case $3 in *platform*) echo {described} ;; *) exit 1 ;; esac"
    result = set_up(clone, PYTHON=stand_in(clone / "stand-in", answer))
    assert result.returncode == 1
    assert message in result.stderr
    assert "needs Python 3.11, 3.12 or 3.13" in result.stderr
    assert not (clone / ".venv").exists()


def test_a_python_that_is_not_there_or_does_not_run_is_said(clone):
    assert "Found: none of them" in set_up(clone, PYTHON="/nowhere/python3").stderr
    broken = stand_in(clone / "broken", "exit 1")
    assert "broken does not run" in set_up(clone, PYTHON=broken).stderr


def test_uv_is_offered_and_what_it_brought_is_used(clone):
    programs = clone / "programs"
    programs.mkdir()
    for name in ("sh", "cat", "dirname", "env", "grep", "ln", "ls", "mkdir", "mv", "rm", "sed"):
        (programs / name).symlink_to(shutil.which(name))
    choices = {"PYTHON": "", "PATH": str(programs)}
    assert "uv python" not in set_up(clone, **choices).stderr
    stand_in(programs / "uv", "exit 2")
    assert "have uv bring one: uv python install 3.12" in set_up(clone, **choices).stderr
    stand_in(programs / "uv", f"echo '{sys.executable}'")
    result = set_up(clone, **choices)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_folder_with_other_files_is_left_alone(clone):
    precious = clone / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("mine", encoding="utf-8")
    result = set_up(clone, folder="precious")
    assert result.returncode == 1
    assert "precious holds other files; name a new folder" in result.stderr
    assert precious.read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_said(clone):
    (clone / "build").write_text("in the way")
    result = set_up(clone)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Cannot write to {clone}; copy the course to")


def test_a_disk_that_takes_no_more_is_said(clone):
    script = "ulimit -f 8; exec sh tools/setup/environment.sh .venv requirements.txt"
    command, env = ["sh", "-c", script], settings(clone)
    result = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.endswith("No environment can be made in .venv: see above.\n")
    assert not is_complete(clone)
