"""`claim`: one line that is the same everywhere, or the numbers; it raises only if told to."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from utils.claims import ClaimError, claim


@pytest.fixture(autouse=True)
def exploring(monkeypatch):
    monkeypatch.delenv("COURSE_STRICT", raising=False)


@pytest.mark.parametrize("condition", [True, np.bool_(True), np.float64(0.2) > 0.1])
def test_a_claim_that_holds_prints_one_line_without_numbers(capsys, condition):
    claim("The gap is wide", condition, gap=0.25)
    assert capsys.readouterr().out == "✓ The gap is wide\n"


def test_a_claim_that_fails_shows_its_numbers_and_goes_on(capsys):
    claim("The gap is wide", False, gap=0.0123456, runs=np.array([0.5, 0.25]))
    line = "✗ does not hold here: The gap is wide (gap = 0.0123, runs = [0.5  0.25])\n"
    assert capsys.readouterr().out == line


def test_strict_raises_with_the_same_words(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    claim("This holds", True)
    with pytest.raises(ClaimError, match=r"does not hold here: The gap is wide \(gap = 0.5\)"):
        claim("The gap is wide", False, gap=0.5)


def test_nonsense_in_course_strict_is_an_error(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "yes")
    with pytest.raises(ValueError, match="COURSE_STRICT is 'yes'; give 1"):
        claim("The gap is wide", False)


@pytest.mark.parametrize("condition", [None, 1, "yes", np.array([True, True]), np.array(True)])
def test_a_condition_must_be_one_truth_value(condition):
    with pytest.raises(TypeError, match=r"condition is .*; give one True or False"):
        claim("The gap is wide", condition)


def test_a_tensor_is_no_condition():
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(TypeError, match="condition is EagerTensor"):
        claim("The gap is wide", tf.constant(True))


@pytest.mark.parametrize("sentence", ["", "  ", None, 3])
def test_a_claim_needs_words(sentence):
    with pytest.raises(TypeError, match="sentence is"):
        claim(sentence, True)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp437"])
def test_a_pipe_without_the_signs_gets_plain_ones(monkeypatch, encoding):
    pipe = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", pipe)
    claim("The gap is wide", True)
    claim("Loss falls → gap shrinks", False, gap=0.5)
    pipe.flush()
    lines = pipe.buffer.getvalue().decode(encoding).splitlines()
    assert lines[0] == "[holds] The gap is wide"
    assert lines[1].startswith("[x] does not hold here: Loss falls ")


def test_whatever_is_printed_survives_such_a_pipe():
    code = "import utils; print('✓ − → ± ☑ λ')"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env=dict(os.environ) | {"PYTHONIOENCODING": "cp1252"},
    )
    assert run.stdout.decode("cp1252").split() == ["[holds]", "-", "->", "±", "[right]", "?"]
