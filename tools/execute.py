"""Executes notebooks in fresh kernels; as a command, refreshes the outputs that they store."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.plugin import coalesce_streams

from tools.notebooks import (
    CELL_METADATA,
    CELL_TIMEOUT,
    KERNELSPEC,
    LANGUAGE_INFO,
    MAX_BYTES,
    NotebookError,
    find_notebooks,
    notebook_bytes,
    read_notebook,
    replace_file,
)

OTHER_FILE = re.compile(r"(\x1b\[[\d;]*m)*File ")  # the part of a traceback that names a path


class Execution(NamedTuple):
    notebook: NotebookNode
    seconds: float
    peak_bytes: int


def execute(
    path: Path,
    timeout: int = CELL_TIMEOUT,
    kernel: str = KERNELSPEC["name"],
    folder: Path | None = None,
    after_setup: NotebookNode | None = None,
) -> Execution:
    """Run every cell of the notebook in a fresh kernel, in `folder` or the notebook's own.

    after_setup   a cell to run behind the setup cell, the first of the code cells
    """
    notebook = read_notebook(path)
    if after_setup is not None:
        kinds = [cell.cell_type for cell in notebook.cells]
        notebook.cells.insert(kinds.index("code") + 1, after_setup)
    started, peaks = [], [0]
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name=kernel,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder or path.parent)}},
        on_cell_start=lambda cell, cell_index: started.append(cell.id),
        on_cell_executed=lambda **_: peaks.append(peak_memory(client.km.provisioner.pid)),
    )
    start = time.perf_counter()
    try:
        client.execute(env={"COURSE_STRICT": "1", **os.environ})  # a claim that fails raises
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raised = isinstance(error, CellExecutionError)
        reason = f"{error.ename}: {error.evalue}" if raised else error
        raise NotebookError(f"cell {started[-1]}: {reason}") from error
    return Execution(notebook, time.perf_counter() - start, max(peaks))


def peak_memory(pid: int) -> int:
    """The most memory that the process held, in bytes; where no peak is kept, what it holds now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024
    memory = psutil.Process(pid).memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def tidy(notebook: NotebookNode) -> None:
    """Leave nothing in the notebook that changes from one execution or machine to the next."""
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info=LANGUAGE_INFO)
    count = 0
    for cell in notebook.cells:
        kept = CELL_METADATA & set(cell.metadata)
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in kept})
        if cell.cell_type == "code":
            has_code = bool(cell.source.strip())
            count += has_code
            cell.execution_count = count if has_code else None
            cell.outputs = tidy_outputs(cell.outputs, count) if has_code else []


def tidy_outputs(outputs: list[NotebookNode], count: int) -> list[NotebookNode]:
    """Join streams, and keep of tracebacks what is in the notebook: the rest names local paths."""
    joined = merge_streams(outputs)
    for output in joined:
        if output.output_type == "execute_result":
            output.execution_count = count
        if output.output_type == "error":
            output.traceback = [part for part in output.traceback if not OTHER_FILE.match(part)]
    return joined


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """One output for consecutive pieces of a stream, and the last state of overwritten lines."""
    merged = []
    for _, group in groupby(outputs, key=lambda output: output.get("name", id(output))):
        merged += coalesce_streams(list(group))
    return merged


def refusals(notebook: NotebookNode) -> list[str]:
    """What must not be committed although every cell ran."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "")
            if output.get("name") == "stderr":
                found.append(f"cell {cell.id}: writes to stderr: {text.strip()}")
            found += [f"cell {cell.id}: {line}" for line in text.splitlines() if line[:1] == "✗"]
    return found


def heaviest_output(notebook: NotebookNode) -> str:
    size, name = max(
        (len(json.dumps(output)), cell.id)
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    return f"its heaviest output, {size // 1000} kB, is of cell {name}"


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Replace the file in one step, or leave it alone if the new one would be too large."""
    data = notebook_bytes(notebook)
    if len(data) > MAX_BYTES:
        size = f"{len(data) // 1000} kB of at most {MAX_BYTES // 1000}"
        raise NotebookError(f"{size}; {heaviest_output(notebook)}")
    replace_file(path, data)


def refresh(path: Path) -> str:
    """Execute the notebook and store its outputs in it, if they are fit to be committed."""
    notebook, seconds, _ = execute(path)
    tidy(notebook)
    if found := refusals(notebook):
        raise NotebookError("; ".join(found))
    write_notebook(notebook, path)
    return f"{seconds:6.1f} s  {path}"


def for_each(action: Callable[[Path], str], paths: list[Path]) -> int:
    """Do it to every notebook, also after one failed; return the command's exit status."""
    failed = 0
    for path in paths:
        try:
            print(action(path.resolve()), flush=True)
        except NotebookError as error:
            failed += 1
            print(f"FAILED  {path}: {error}", file=sys.stderr, flush=True)
    print(f"{len(paths) - failed} done, {failed} failed")
    return int(failed > 0 or not paths)


def for_each_named(action: Callable[[Path], str], default: list[Path]) -> int:
    """Do it to the notebooks that the command line names, or else to all of `default`."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, default=default)
    return for_each(action, parser.parse_args().notebooks)


def main() -> int:
    os.environ.pop("COURSE_FIRST_SEED", None)  # what is stored are the runs from seed 0
    return for_each_named(refresh, find_notebooks())


if __name__ == "__main__":
    sys.exit(main())
