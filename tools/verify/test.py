"""Runs the course's tests: lint, format, tests of helpers and notebooks, all outputs compared."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tools.notebooks import CELL_TIMEOUT, NOTEBOOKS, ROOT, find_notebooks

REPORT = ROOT / "build" / "tests.xml"
COLOR = "auto" if sys.stdout.isatty() else "no"  # nbval colours files too unless told
PYTEST = ["pytest", "--quiet", f"--color={COLOR}", f"--junitxml={REPORT}"]
NBVAL = [*PYTEST, "--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"]


class Result(NamedTuple):
    stage: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    failures: list[str]


def stages(wanted: list[str], jobs: int) -> dict[str, list[str]]:
    """The modules to run, in order, with their arguments.

    `wanted` names stages, or notebooks in place of all of them; empty stands for everything.
    """
    notebooks = [Path(name) for name in wanted if name.endswith(".ipynb")]
    parallel = ["-n", str(jobs), "--dist", "loadfile", "--no-loadscope-reorder"] if jobs > 1 else []
    commands = {
        "lint": ["ruff", "check", "."],
        "format": ["ruff", "format", "--check", "."],
        "tests": [*PYTEST, *parallel, "tests"],
        "notebooks": [*NBVAL, *parallel, *map(str, longest_first(notebooks or find_notebooks()))],
    }
    names = {"notebooks" if name.endswith(".ipynb") else name for name in wanted} or set(commands)
    if unknown := names - set(commands):
        raise ValueError(f"no stage {', '.join(sorted(unknown))}: there are {', '.join(commands)}")
    return {name: command for name, command in commands.items() if name in names}


def longest_first(notebooks: list[Path]) -> list[Path]:
    """So that no long one runs alone at the end: those in deeper/ may take twice as long."""
    return sorted(notebooks, key=lambda path: path.parent.name != "deeper")


def run_stage(stage: str, command: list[str]) -> Result:
    print(f"\n=== {stage}: {' '.join(command[:2])}", flush=True)
    REPORT.unlink(missing_ok=True)
    start = time.perf_counter()
    code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode
    seconds = time.perf_counter() - start
    passed, failed, skipped = counts(REPORT) if REPORT.exists() else (int(code == 0), 0, 0)
    names = failures(REPORT) if REPORT.exists() else []
    if code and not failed:  # it did not come to its tests, or found none
        failed, names = 1, [stage]
    return Result(stage, passed, failed, skipped, seconds, names)


def counts(report: Path) -> tuple[int, int, int]:
    """How many tests passed, failed and were skipped."""
    suites = ElementTree.parse(report).iter("testsuite")
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
    return total - failed - skipped, failed, skipped


def failures(report: Path) -> list[str]:
    cases = ElementTree.parse(report).iter("testcase")
    return [
        f"{case.get('classname')} {case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]


def summary(results: list[Result]) -> str:
    """A line for each stage, what failed, and the closing line that pytest also ends with."""
    lines = ["", "=== summary"]
    for result in results:
        verdict = "FAILED" if result.failed else "passed"
        counted = f"{result.passed} passed, {result.failed} failed"
        lines.append(f"{verdict}  {result.stage:22} {result.seconds:5.0f} s   {counted}")
    lines += [f"  failed: {name}" for result in results for name in result.failures]
    passed, failed, skipped = (sum(result[column] for result in results) for column in (1, 2, 3))
    lines.append(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.verify.test", description=__doc__)
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="notebooks at a time"
    )
    parser.add_argument(
        "wanted",
        nargs="*",
        help="lint, format, tests, notebooks, or a notebook's path; default all",
    )
    choice = parser.parse_args()
    if not find_notebooks():
        parser.error(f"there are no notebooks in {NOTEBOOKS}")
    try:
        commands = stages(choice.wanted, choice.jobs)
    except ValueError as error:
        parser.error(str(error))
    results = [run_stage(stage, command) for stage, command in commands.items()]
    print(summary(results))
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
