"""Takes each lesson's fix away, and demands that its claims notice.

A claim that holds without the fix says nothing about the fix. Each lesson is executed in a fresh
kernel with one more cell behind the setup, which makes Keras's layer, penalty or callback do
nothing; the file itself stays as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.execute import execute
from tools.notebooks import NOTEBOOKS, NotebookError

TELL_ONLY = "import os\nos.environ['COURSE_STRICT'] = '0'\n"
NO_EARLY_STOPPING = """
import keras
stop = keras.callbacks.EarlyStopping
def without_restoring(self, *args, start=stop.__init__, **options):
    start(self, *args, **options | {"restore_best_weights": False})
stop.__init__ = without_restoring
stop.on_epoch_end = lambda self, epoch, logs=None: None
"""
NO_BATCH_NORMALIZATION = """
import keras
keras.layers.BatchNormalization.call = lambda self, x, training=None, mask=None: x
"""
NO_DROPOUT = """
import keras
keras.layers.Dropout.call = lambda self, x, training=False: x
"""
NO_PENALTY = """
import keras
for penalty in (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2):
    penalty.__call__ = lambda self, x: 0.0 * keras.ops.sum(x)
"""


class Removal(NamedTuple):
    """A fix, how to take it away, and how many claims of which cell must then fail."""

    lesson: str
    fix: str
    code: str
    cell: str
    least: int


REMOVALS = [
    Removal("00", "EarlyStopping", NO_EARLY_STOPPING, "claims", 2),
    Removal("01", "BatchNormalization", NO_BATCH_NORMALIZATION, "claims", 2),
    Removal("02", "Dropout", NO_DROPOUT, "claims", 2),
    Removal("03", "kernel_regularizer", NO_PENALTY, "claims", 2),
    Removal("04", "BatchNormalization", NO_BATCH_NORMALIZATION, "effects-on-meters", 1),
    Removal("04", "Dropout", NO_DROPOUT, "effects-on-meters", 1),
    Removal("04", "kernel_regularizer", NO_PENALTY, "effects-on-meters", 1),
]


def without(code: str, path: Path) -> NotebookNode:
    """The notebook as it comes out if Keras is changed by `code` first; claims do not raise."""
    patch = new_code_cell(f"{TELL_ONLY}{code}", id="without-the-fix")
    return execute(path, after_setup=patch).notebook


def failed_claims(notebook: NotebookNode, cell_id: str) -> list[str]:
    """The claims of that cell which do not hold."""
    cells = [cell for cell in notebook.cells if cell.id == cell_id]
    if not cells:
        raise NotebookError(f"there is no cell {cell_id}")
    texts = [output.get("text", "") for output in cells[0].outputs]
    return [line for line in "".join(texts).splitlines() if line.startswith("✗")]


def verdict(removal: Removal) -> bool:
    """Execute the lesson without its fix, print which claims notice, return whether enough do."""
    [path] = NOTEBOOKS.glob(f"{removal.lesson}_*.ipynb")
    failed = failed_claims(without(removal.code, path), removal.cell)
    noticed = len(failed) >= removal.least
    word = "noticed" if noticed else "NOT NOTICED"
    needed = f"{len(failed)} claims fail, at least {removal.least} must"
    print(f"{removal.lesson} without {removal.fix}: {word} ({needed})", *failed, sep="\n    ")
    sys.stdout.flush()
    return noticed


def main() -> int:
    chosen = [removal for removal in REMOVALS if removal.lesson in (sys.argv[1:] or removal.lesson)]
    verdicts = [verdict(removal) for removal in chosen]
    print(f"{sum(verdicts)} passed, {len(verdicts) - sum(verdicts)} failed")
    return int(not all(verdicts) or not verdicts)


if __name__ == "__main__":
    sys.exit(main())
