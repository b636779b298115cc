"""Notebooks are executed in fresh kernels, and only sound ones are stored."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import execute
from tools.execute import (
    for_each,
    for_each_named,
    merge_streams,
    refresh,
    refusals,
    tidy,
    write_notebook,
)
from tools.notebooks import KERNELSPEC, LANGUAGE_INFO, NotebookError


def notebook_of(*sources: str):
    cells = [new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(sources)]
    return new_notebook(cells=cells)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lesson.ipynb"


def test_outputs_are_stored_in_order_with_ids_kept(path):
    notebook = notebook_of("print('a')", "", "1 + 1")
    notebook.cells[0].update(execution_count=7, metadata={"tags": ["exact"], "scrolled": True})
    notebook.cells.insert(0, new_markdown_cell("# Title", id="title", metadata={"x": 1}))
    nbformat.write(notebook, path)
    refresh(path)

    stored = nbformat.read(path, as_version=4)
    assert [cell.id for cell in stored.cells] == ["title", "cell-0", "cell-1", "cell-2"]
    assert [cell.get("execution_count") for cell in stored.cells] == [None, 1, None, 2]
    assert [cell.metadata for cell in stored.cells] == [{}, {"tags": ["exact"]}, {}, {}]
    assert stored.metadata == {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    assert stored.cells[1].outputs[0].text == "a\n"
    assert stored.cells[3].outputs[0].data == {"text/plain": "2"}


def test_a_second_refresh_changes_nothing(path):
    nbformat.write(notebook_of("print('é', [1, 2])"), path)
    refresh(path)
    first = path.read_bytes()
    refresh(path)
    assert path.read_bytes() == first
    assert first.decode().startswith('{\n "cells": [\n  {\n   "cell_type"')
    assert "é" in first.decode()
    assert first.endswith(b"}\n")


def test_the_kernel_runs_in_the_notebooks_folder(path):
    (path.parent / "beside.txt").write_text("here")
    nbformat.write(notebook_of("print(open('beside.txt').read())"), path)
    assert execute.execute(path).notebook.cells[0].outputs[0].text == "here\n"


def test_time_and_memory_are_those_of_the_kernel(path):
    nbformat.write(notebook_of("import time; time.sleep(1); kept = b'x' * 300_000_000"), path)
    _, seconds, peak_bytes = execute.execute(path)
    assert 1 < seconds < 60
    assert 300e6 < peak_bytes < 600e6


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "cell cell-1: ZeroDivisionError: division by zero"),
        ("import os; os._exit(1)", "cell cell-1: Kernel died"),
        ("import sys; print('careful', file=sys.stderr)", "cell cell-1: writes to stderr: careful"),
        ("print('✗ does not hold here')", "cell cell-1: ✗ does not hold here"),
        ("print('x' * 500_000)", "its heaviest output, 500 kB, is of cell cell-1"),
    ],
)
def test_a_failed_notebook_is_left_as_it_was(path, source, message):
    nbformat.write(notebook_of("print('fine')", source), path)
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=re.escape(message)):
        refresh(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_file_that_is_no_notebook_is_said(path, content):
    if content is not None:
        path.write_text(content)
    with pytest.raises(NotebookError, match="cannot be read"):
        execute.execute(path)


def test_a_cell_that_hangs_is_named(path):
    nbformat.write(notebook_of("import time; time.sleep(60)"), path)
    with pytest.raises(NotebookError, match=r"cell cell-0: .*timed out"):
        execute.execute(path, timeout=1)


def test_an_expected_error_is_stored_without_paths(path):
    notebook = notebook_of("import json\njson.loads('{')")
    notebook.cells[0].metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    refresh(path)
    error = nbformat.read(path, as_version=4).cells[0].outputs[0]
    assert error.ename == "JSONDecodeError"
    assert "json.loads" in re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    assert "decoder.py" not in "\n".join(error.traceback)


def test_one_failure_does_not_stop_the_others(capsys):
    def action(path: Path) -> str:
        if path.name == "bad":
            raise NotebookError("cell x: no")
        return f"did {path.name}"

    assert for_each(action, [Path("bad"), Path("good")]) == 1
    captured = capsys.readouterr()
    assert "did good" in captured.out
    assert "1 done, 1 failed" in captured.out
    assert re.search(r"FAILED .*bad: cell x: no", captured.err)


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_streams_are_joined_and_overwritten_lines_collapse():
    figure = new_output("display_data", {"text/plain": "figure"})
    pieces = [stream("\r1 of 2"), stream("\r2 of 2"), stream("\rdone   \n"), figure, stream("end")]
    joined = merge_streams(pieces)
    assert [output.get("text") for output in joined] == ["done   \n", None, "end"]


def test_refusals_name_the_cell():
    notebook = notebook_of("a", "b")
    notebook.cells[0].outputs = [stream("fine\n✗ not so\n")]
    notebook.cells[1].outputs = [stream("careful\n", "stderr")]
    assert refusals(notebook) == ["cell cell-0: ✗ not so", "cell cell-1: writes to stderr: careful"]


def test_widget_state_and_results_are_tidied():
    notebook = notebook_of("1")
    notebook.metadata.widgets = {"state": {}}
    result = new_output("execute_result", {"text/plain": "1"}, execution_count=9)
    notebook.cells[0].outputs = [result]
    tidy(notebook)
    assert "widgets" not in notebook.metadata
    assert notebook.cells[0].outputs[0].execution_count == 1


def test_writing_replaces_the_file_in_one_step(path, monkeypatch):
    path.write_text("before")
    monkeypatch.setattr(execute.os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_notebook(notebook_of("1"), path)
    assert path.read_text() == "before"


def test_stored_outputs_are_those_of_the_first_seeds(path, monkeypatch):
    nbformat.write(notebook_of("import os; print(os.environ.get('COURSE_FIRST_SEED'))"), path)
    monkeypatch.setenv("COURSE_FIRST_SEED", "7")
    monkeypatch.setattr(sys, "argv", ["execute", str(path)])
    assert execute.main() == 0
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "None\n"


@pytest.mark.parametrize(("given", "strict"), [(None, "1"), ("0", "0")])
def test_failing_claims_raise_unless_told_otherwise(path, monkeypatch, given, strict):
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    if given:
        monkeypatch.setenv("COURSE_STRICT", given)
    nbformat.write(notebook_of("import os; print(os.environ['COURSE_STRICT'])"), path)
    assert execute.execute(path).notebook.cells[0].outputs[0].text == f"{strict}\n"


def test_notebooks_are_those_named_or_all(monkeypatch):
    done = []
    action = lambda path: done.append(path.name) or path.name  # noqa: E731
    monkeypatch.setattr(sys, "argv", ["command"])
    assert for_each_named(action, [Path("a"), Path("b")]) == 0
    monkeypatch.setattr(sys, "argv", ["command", "c"])
    assert for_each_named(action, [Path("a"), Path("b")]) == 0
    assert done == ["a", "b", "c"]


def test_nothing_to_do_is_no_success(capsys):
    assert for_each(str, []) == 1
    assert capsys.readouterr().out == "0 done, 0 failed\n"
