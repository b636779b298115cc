"""Runs the notebooks under every combination of versions and settings, and records what passed.

Each cell of the matrix is one `make test` of the notebooks, in the environment that make sets up
for it. A line for each is appended to build/matrix.jsonl; a cell that passed is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import NamedTuple

from tools.execute import BUILD
from tools.notebooks import ROOT

RESULTS = BUILD / "matrix.jsonl"
THIS_PYTHON = str(Path(sys.executable).resolve())  # outside the environment
RUNNING = "{}.{}".format(*sys.version_info)


class Cell(NamedTuple):
    python: str  # 3.13
    tensorflow: str  # 2.21
    keras: str  # 3.15
    threads: int
    onednn: int  # 1 on, 0 off
    first_seed: int


def version_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], stdout=subprocess.PIPE, text=True).stdout.strip()


def pinned(package: str) -> str:
    """The version, such as 2.21, of make's own environment."""
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return re.search(rf"^{package}==(\d+\.\d+)", constraints, re.M)[1]


def environment_of(cell: Cell, python: str) -> list[str]:
    """What make is told about the environment: nothing where it is make's own."""
    asked = {"tensorflow": cell.tensorflow, "keras": cell.keras}
    other = {name: version for name, version in asked.items() if version != pinned(name)}
    choices = [f"{name.upper()}={version}.*" for name, version in other.items()]
    if cell.python != RUNNING:
        names = "-".join(f"{name}-{version}" for name, version in asked.items())
        choices += [f"ENV=.venv-python-{cell.python}-{names}"]
    return [*choices, f"PYTHON={python}"] if choices else []


def command_of(cell: Cell, python: str, notebooks: list[str]) -> list[str]:
    """The words that run the cell, by hand too."""
    settings = {
        "COURSE_FIRST_SEED": cell.first_seed,
        "TF_ENABLE_ONEDNN_OPTS": cell.onednn,
        "TF_NUM_INTRAOP_THREADS": cell.threads,
        "TF_NUM_INTEROP_THREADS": cell.threads,
        "OMP_NUM_THREADS": cell.threads,
    }
    what = f"ARGS={' '.join(notebooks) or 'notebooks'}"
    words = [f"{name}={value}" for name, value in settings.items()]
    return ["env", *words, "make", "test", *environment_of(cell, python), what]


def run(cell: Cell, python: str, notebooks: list[str]) -> dict:
    """Run the cell; its output goes to a log in build/."""
    log = BUILD / "matrix" / ("-".join(map(str, cell)) + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    command = command_of(cell, python, notebooks)
    env = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    print(shlex.join(command), flush=True)
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as file:
        code = subprocess.run(command, cwd=ROOT, env=env, stdout=file, stderr=file).returncode
    counted = re.findall(r"^(\d+) passed, (\d+) failed", log.read_text(encoding="utf-8"), re.M)
    passed, failed = map(int, counted[-1]) if counted else (0, 1)
    return {
        **cell._asdict(),
        "notebooks": notebooks,
        "passed": passed,
        "failed": failed or int(code != 0),
        "seconds": round(time.perf_counter() - start),
        "commit": commit(),
        "log": log.relative_to(ROOT).as_posix(),
    }


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()


def cell_of(result: dict) -> Cell:
    return Cell(*(result[name] for name in Cell._fields))


def read_results(notebooks: list[str]) -> dict[Cell, dict]:
    """The last result of every cell that was run with these notebooks."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    results = [json.loads(line) for line in lines]
    return {cell_of(result): result for result in results if result["notebooks"] == notebooks}


def append(result: dict) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def table(results: dict[Cell, dict]) -> str:
    """A row for each environment and setting, a column for each first seed."""
    seeds = sorted({cell.first_seed for cell in results})
    rows = sorted({cell[:-1] for cell in results})
    settings = ["Python", "TensorFlow", "Keras", "threads", "oneDNN"]
    head = [*settings, *(f"first seed {seed}" for seed in seeds)]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        *versions, onednn = row
        cells = [verdict(results.get(Cell(*row, seed))) for seed in seeds]
        lines.append(f"| {' | '.join([*map(str, versions), 'on' if onednn else 'off', *cells])} |")
    commits = ", ".join(sorted({result["commit"] for result in results.values()}))
    return "\n".join([*lines, "", f"Run at {commits}."])


def verdict(result: dict | None) -> str:
    if result is None:
        return "–"
    counts = f"{result['passed']} passed"
    return f"**{result['failed']} failed**, {counts}" if result["failed"] else counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.verify.matrix", description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="default: all")
    parser.add_argument("--tensorflow", nargs="+", default=["2.20", "2.21"], metavar="VERSION")
    parser.add_argument("--keras", nargs="+", default=[pinned("keras")], metavar="VERSION")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--onednn", nargs="+", type=int, default=[0, 1], choices=[0, 1])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1000, 2000], metavar="FIRST")
    parser.add_argument("--python", nargs="+", default=[THIS_PYTHON], help="names or paths")
    parser.add_argument("--table", action="store_true", help="run nothing, print what is recorded")
    choice = parser.parse_args()
    pythons = {version_of(python): python for python in choice.python}
    versions = (pythons, choice.tensorflow, choice.keras)
    axes = (*versions, choice.threads, choice.onednn, choice.seeds)
    for cell in [] if choice.table else map(Cell._make, product(*axes)):
        known = read_results(choice.notebooks).get(cell)
        if known is None or known["failed"]:
            result = run(cell, pythons[cell.python], choice.notebooks)
            append(result)
            print(f"{verdict(result)}, {result['seconds']} s, {result['log']}", flush=True)
    results = read_results(choice.notebooks)
    print(table(results))
    return int(any(result["failed"] for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
