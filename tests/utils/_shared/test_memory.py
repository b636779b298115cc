"""A bounded memory forgets what was used longest ago."""

import pytest

from utils._shared import memory
from utils._shared.memory import Memory


def fail():
    raise RuntimeError("made once more")


@pytest.fixture
def letters(monkeypatch):
    """A memory of two, that was last asked for `a`."""
    monkeypatch.setattr(memory, "SIZE", 2)
    letters = Memory()
    for key in "aba":
        letters.recall(key, lambda key=key: key.upper())
    return letters


def test_what_is_there_is_not_made_again(letters):
    assert letters.recall("a", fail) == "A"
    assert letters.recall("b", fail) == "B"


def test_the_value_unused_longest_makes_room(letters):
    assert letters.recall("c", lambda: "C") == "C"
    assert list(letters.items()) == [("a", "A"), ("c", "C")]
    assert letters.recall("b", lambda: "new") == "new"
    assert list(letters) == ["c", "b"]


def test_a_value_that_cannot_be_made_costs_no_other_its_place(letters):
    with pytest.raises(RuntimeError, match="once more"):
        letters.recall("c", fail)
    assert list(letters) == ["b", "a"]
