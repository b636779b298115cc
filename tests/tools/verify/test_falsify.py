"""A claim that survives the loss of its fix is found."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import NotebookError, taught_lessons
from tools.verify import falsify
from tools.verify.falsify import NO_DROPOUT, REMOVALS, Removal, failed_claims, verdict, without

SETUP = "import sys\nsys.path.insert(0, ROOT)\nfrom utils.claims import claim"
DROPPED = """import keras, numpy as np
ones = np.ones((1, 100))
silent = np.mean(keras.layers.Dropout(0.5, seed=0)(ones, training=True) == 0)"""
CLAIM = "claim('Some units are silent', silent > 0)"
EMPTY_CLAIM = "claim('There are units', silent >= 0)"


def lesson(folder, *claims):
    root = str(Path(falsify.__file__).parents[2])
    sources = {
        "setup": SETUP.replace("ROOT", repr(root)),
        "run": DROPPED,
        "claims": "\n".join(claims),
    }
    cells = [new_code_cell(source, id=name) for name, source in sources.items()]
    path = folder / "07_test.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def removal(tmp_path, monkeypatch):
    monkeypatch.setattr(falsify, "NOTEBOOKS", tmp_path)
    return Removal("07", "Dropout", NO_DROPOUT, "claims", 1)


def test_a_claim_about_the_fix_fails_without_it(tmp_path, removal, capsys):
    path = lesson(tmp_path, CLAIM, EMPTY_CLAIM)
    before = path.read_bytes()
    assert verdict(removal)
    assert "✗ does not hold here: Some units are silent" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_claim_that_needs_no_fix_is_found(tmp_path, removal, capsys):
    lesson(tmp_path, EMPTY_CLAIM)
    assert not verdict(removal)
    assert "NOT NOTICED (0 claims fail, at least 1 must)" in capsys.readouterr().out


def test_all_claims_hold_with_the_fix(tmp_path):
    path = lesson(tmp_path, CLAIM, EMPTY_CLAIM)
    assert failed_claims(without("", path), "claims") == []


def test_a_cell_that_is_gone_is_named():
    with pytest.raises(NotebookError, match="no cell claims"):
        failed_claims(new_notebook(cells=[]), "claims")


def test_every_lesson_loses_its_fixes_in_cells_that_are_there():
    lessons = taught_lessons()
    assert {path.name[:2] for path in lessons} == {removal.lesson for removal in REMOVALS}
    for removal in REMOVALS:
        [path] = [path for path in lessons if path.name.startswith(removal.lesson)]
        sources = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
        assert sources[removal.cell].count("claim(") >= max(removal.least, 1)
