"""`make test` runs every stage, or those it was told."""

import pytest

from tools.notebooks import find_notebooks
from tools.verify.test import stages

LESSON = "notebooks/00_overfitting.ipynb"


def test_everything_is_the_default():
    commands = stages([], jobs=1)
    assert list(commands) == ["lint", "format", "tests", "notebooks"]
    assert {*map(str, find_notebooks())} < {*commands["notebooks"]}


def test_parts_keep_their_order():
    assert list(stages(["notebooks", "lint"], jobs=1)) == ["lint", "notebooks"]
    commands = stages([LESSON, "tests"], jobs=1)
    assert list(commands) == ["tests", "notebooks"]
    assert [word for word in commands["notebooks"] if word.endswith(".ipynb")] == [LESSON]


@pytest.mark.parametrize("wanted", ["lin", "notebooks/00", "Tests"])
def test_a_stage_that_is_none_is_refused(wanted):
    with pytest.raises(ValueError, match=f"no stage {wanted}: there are lint, format, tests"):
        stages(["lint", wanted], jobs=1)
