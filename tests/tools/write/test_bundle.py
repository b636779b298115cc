"""The bundle holds what a learner needs, in under 10 MB, and nothing that somebody has made."""

from io import BytesIO
from zipfile import ZipFile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.notebooks import ROOT, find_notebooks
from tools.write import bundle


@pytest.fixture(scope="module")
def course():
    return bundle.bundle()


def test_it_is_small_and_the_same_each_time(course):
    assert len(course) < bundle.MOST_BYTES
    assert bundle.bundle() == course


def test_it_holds_every_notebook_helper_and_data_set(course):
    names = {*ZipFile(BytesIO(course)).namelist()}
    notebooks = {path.relative_to(ROOT).as_posix() for path in find_notebooks()}
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "data").glob("*.npz")}
    assert names >= notebooks | data | {"utils/claims.py", "LICENSE", "data/README.md"}
    assert not [name for name in names if "__pycache__" in name or name.startswith("tools")]


def test_notebooks_lose_their_outputs_and_nothing_else(tmp_path):
    (tmp_path / "notebooks" / ".ipynb_checkpoints").mkdir(parents=True)
    cell = new_code_cell("1 + 1", id="sum", execution_count=3, metadata={"tags": ["exact"]})
    stripped = new_notebook(cells=[cell.copy() | {"execution_count": None}])
    cell.outputs = [new_output("stream", text="2\n")]
    for folder in ("notebooks", "notebooks/.ipynb_checkpoints"):
        nbformat.write(new_notebook(cells=[cell]), tmp_path / folder / "00.ipynb")
    archive = ZipFile(BytesIO(bundle.bundle(tmp_path)))
    assert archive.namelist() == ["notebooks/00.ipynb"]
    assert nbformat.reads(archive.read("notebooks/00.ipynb"), 4) == stripped


def test_one_that_is_too_large_is_refused_and_the_old_one_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bundle, "BUNDLE", tmp_path / "course.zip")
    (tmp_path / "course.zip").write_bytes(b"old")
    monkeypatch.setattr(bundle, "bundle", lambda: bytes(bundle.MOST_BYTES + 1))
    assert bundle.main() == 1
    assert "10.0 MB, of at most 10" in capsys.readouterr().err
    assert (tmp_path / "course.zip").read_bytes() == b"old"
