"""The progress line: only on long work, with a last line that is always the same."""

import io
import sys

import pytest

from utils._shared import progress
from utils._shared.progress import Progress


class Clock:
    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(progress, "watched", lambda: True)


def work(clock, seconds, steps=10):
    bar = Progress(steps)
    for step in range(steps):
        clock.now += seconds / steps
        bar.at(f"seed {step + 1} of {steps}")(1)
    bar.close("10 seeds: done")


def test_short_work_leaves_its_last_line_only(clock, watched, capsys):
    work(clock, seconds=4)
    assert capsys.readouterr().out == "10 seeds: done\n"


def test_long_work_says_what_is_left(clock, watched, capsys):
    work(clock, seconds=20)
    moving = capsys.readouterr().out.split("\r")
    assert moving[0] == "seed 1 of 10 · 18 s left"
    assert moving[4].strip() == "seed 5 of 10 · 10 s left"
    assert moving[-1].rstrip() == "10 seeds: done"


def test_the_last_line_covers_what_stood_there(clock, watched, capsys):
    work(clock, seconds=20)
    *moving, last = capsys.readouterr().out.split("\r")
    assert len(last.rstrip("\n")) >= max(map(len, moving))


def test_it_does_not_flicker(clock, watched, capsys):
    work(clock, seconds=6, steps=600)
    assert capsys.readouterr().out.count("\r") <= 6 / 0.5


def test_steps_left_out_by_early_stopping_count_as_done(clock, watched, capsys):
    bar = Progress(20)
    clock.now = 10
    bar.at("seed 1 of 2")(10)
    assert "10 s left" in capsys.readouterr().out
    bar.at("seed 2 of 2")(0)
    assert capsys.readouterr().out == ""


def test_a_file_gets_no_moving_line(clock, monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.delitem(sys.modules, "ipykernel")
    work(clock, seconds=20)
    assert file.getvalue() == "10 seeds: done\n"
