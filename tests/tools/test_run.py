"""`make run` executes, and leaves alone what it executes."""

import re

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tools import run


def test_a_notebook_is_executed_into_a_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    monkeypatch.setattr(run, "ROOT", tmp_path)
    path = tmp_path / "00.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print(6 * 7)", id="a")]), path)
    before = path.read_bytes()
    assert re.fullmatch(r" +\d+\.\d s +\d+ MB  build/run/00.ipynb", run.run(path))
    copy = nbformat.read(tmp_path / "build" / "run" / "00.ipynb", as_version=4)
    assert copy.cells[0].outputs[0].text == "42\n"
    assert path.read_bytes() == before
