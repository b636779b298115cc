"""Turns each knob of a notebook to each value that it offers, and reads which titles then fail.

A knob is a line such as `PATIENCE = 5  # try 0, 2, 20`. What is run: all code up to the last figure
that depends on the knob; then, for each value that it offers, its cell and those that depend on it.
Nothing is strict meanwhile, so that claims may fail, as they may for a learner.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from tools.execute import execute
from tools.notebooks import read_notebook
from tools.verify.falsify import TELL_ONLY
from utils.plots._titles import UNTRUE

KNOB = re.compile(r"^([A-Z][A-Z0-9_]*) = (.+?)  # try (.+)$", re.M)


class Knob(NamedTuple):
    cell: str  # its id
    name: str
    values: list[str]  # what it offers, as written: first the value that it has


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def knobs_of(notebook: NotebookNode) -> list[Knob]:
    return [
        Knob(cell.id, name, [value, *offered.split(", ")])
        for cell in code_cells(notebook)
        for name, value, offered in KNOB.findall(cell.source)
    ]


def turn(source: str, knob: Knob, value: str) -> str:
    """The cell with the knob at another value."""
    return re.sub(rf"^{knob.name} = .+?(?=  #)", f"{knob.name} = {value}", source, flags=re.M)


def dependents(notebook: NotebookNode, knob: Knob) -> list[str]:
    """The ids of the knob's cell and of those after it that use what it makes."""
    moved, found = {knob.name}, []
    cells = code_cells(notebook)
    start = [cell.id for cell in cells].index(knob.cell)
    for cell in cells[start:]:
        moves = [moves_with(statement, moved, knob) for statement in ast.parse(cell.source).body]
        if cell.id == knob.cell or any(moves):
            found.append(cell.id)
    return found


def moves_with(statement: ast.stmt, moved: set[str], knob: Knob) -> bool:
    """Whether a statement uses a name in `moved`; what it makes then joins them, or leaves them."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        made = {statement.name}
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    adds = isinstance(statement, ast.AugAssign) and bool(made & moved)
    if is_moved := bool(used & moved) or adds:
        moved |= made
    else:
        moved -= made - {knob.name}
    return is_moved


def shows(cell: NotebookNode) -> bool:
    return "show(" in cell.source


def turned_notebook(notebook: NotebookNode, knob: Knob) -> NotebookNode:
    """What is run to see the figures of one knob at each of its values."""
    cells = {cell.id: cell.source for cell in code_cells(notebook)}
    moving = dependents(notebook, knob)
    with_figures = [cell.id for cell in code_cells(notebook) if cell.id in moving and shows(cell)]
    last = list(cells).index(with_figures[-1] if with_figures else knob.cell)
    before = [new_code_cell(cells[name], id=name) for name in list(cells)[: last + 1]]
    again = [name for name in moving if list(cells).index(name) <= last]
    more = [
        new_code_cell(turn(cells[name], knob, value), id=f"{name}-at-{number}")
        for number, value in enumerate(knob.values[1:], start=1)
        for name in again
    ]
    return new_notebook(cells=[*before, *more])


def untrue_titles(path: Path, scratch: Path) -> list[str]:
    """Run the notebook at `path` with its knobs turned; a line for each title that does not hold.

    scratch   a folder to write in
    """
    notebook = read_notebook(path)
    found = []
    for knob in knobs_of(notebook):
        nbformat.write(turned_notebook(notebook, knob), scratch / path.name)
        tell_only = new_code_cell(TELL_ONLY, id="tell-only")
        run = execute(scratch / path.name, folder=path.parent, after_setup=tell_only).notebook
        found += [f"{where(cell, knob)}: {line}" for cell in run.cells for line in untrue(cell)]
    return found


def untrue(cell: NotebookNode) -> list[str]:
    texts = "".join(output.get("text", "") for output in cell.outputs)
    return [line.removeprefix(UNTRUE) for line in texts.splitlines() if line.startswith(UNTRUE)]


def where(cell: NotebookNode, knob: Knob) -> str:
    name, _, number = cell.id.partition("-at-")
    return f"{knob.name} = {knob.values[int(number or 0)]}, cell {name}"
