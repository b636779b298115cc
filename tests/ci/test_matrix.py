"""`make matrix` runs every combination once, with its settings, and those that failed again."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tools.notebooks import ROOT

pytest.importorskip("nox", reason="requirements-dev.txt brings nox, which the matrix runs on")
pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
# In place of make: writes down how it was called, and fails where it is told to.
MAKE = """#!/bin/sh
echo "$* | $COURSE_FIRST_SEED $TF_ENABLE_ONEDNN_OPTS $TF_NUM_INTRAOP_THREADS $MAKEFLAGS" >>calls
case "$*" in *"$FAILS"*) exit 1 ;; esac
"""


@pytest.fixture
def matrix(tmp_path, monkeypatch):
    """Run the matrix with these arguments; returns its exit status and make's new calls."""
    shutil.copy(ROOT / "noxfile.py", tmp_path)
    (tmp_path / "make").write_text(MAKE)
    (tmp_path / "make").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("MAKEFLAGS", "ARGS=-k")

    def run(*arguments, fails="nothing"):
        calls = tmp_path / "calls"
        calls.write_text("")
        monkeypatch.setenv("FAILS", fails)
        nox = [sys.executable, "-m", "nox", *arguments]
        result = subprocess.run(nox, cwd=tmp_path, capture_output=True, text=True)
        return result.returncode, calls.read_text().splitlines()

    return run


def test_all_combinations_are_there():
    listed = [sys.executable, "-m", "nox", "--list", "--json"]
    result = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len({session["session"] for session in json.loads(result.stdout)}) == 24


def test_settings_reach_make_and_what_passed_is_not_run_again(matrix):
    some = ["-k", "seed1000 and thread1 and onednn"]
    both = [
        "test ARGS=notebooks TENSORFLOW=2.20.* | 1000 1 1 ",
        "test ARGS=notebooks | 1000 1 1 ",
    ]
    assert matrix(*some, fails="2.20") == (1, both)
    assert matrix(*some) == (0, both[:1])
    assert matrix(*some) == (0, [])


def test_make_is_told_what_stands_behind_two_dashes(matrix):
    one = ["-k", "seed0 and thread2 and plain and pinned"]
    told = ["test ARGS=notebooks KERAS=3.13.* | 0 0 2 "]
    assert matrix(*one, "--", "KERAS=3.13.*") == (0, told)
    assert matrix(*one, "--", "KERAS=3.13.*") == (0, [])
    assert matrix(*one) == (0, ["test ARGS=notebooks | 0 0 2 "])
