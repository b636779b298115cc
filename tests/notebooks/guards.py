"""What every notebook of the course must be: each guard lists the problems that it finds.

A guard takes a notebook and its path, and returns readable problems, none if all is well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from statistics import median

import nbformat
from nbformat import NotebookNode

from tests.notebooks.knobs import code_cells, knobs_of
from tools.notebooks import (
    CELL_METADATA,
    FOLDED,
    KERNELSPEC,
    LANGUAGE_INFO,
    MAX_BYTES,
    NotebookError,
    is_folded,
)
from tools.write.html import render_markdown

Guard = Callable[[NotebookNode, Path], list[str]]
GUARDS: list[Guard] = []

IGNORE, RAISES, EXACT = "nbval-ignore-output", "raises-exception", "exact"
KNOWN_TAGS = {
    IGNORE,  # the outputs depend on the machine
    RAISES,  # the cell shows an error, and stores it
    EXACT,  # the numbers in its outputs are the same everywhere: seeded data, shapes, counts
    "workshop-skip",  # left out in a workshop
    "hide-input",  # furniture: pages may leave the code out
    "solution",  # left out of the exercise that is made of a solution notebook
}
SLIDE_SETTINGS = {
    "slide_type": ["slide", "-", "fragment", "notes", "skip"],
    "show": ["code", "output", "both", "apart"],
}
# Lessons of the second edition, with their deeper parts and exercises; later ones join.
SECOND_EDITION = {
    "00_overfitting",
    "01_covariate_shift_batch_normalization",
    "02_co_adaptation_dropout",
    "03_large_weights_l1_l2",
    "04_all_together",
    "05_your_own_model",
    "questions",
}
BUDGET = {"cells": 26, "figures": 6, "visible lines of code": 90, "words": 1100}  # of a lesson
LONGEST_CELL, MOST_CLAIMS, SHARE_OF_WORDS = 15, 3, 0.6
FIRST_EDITION_WORDS = {  # regular expressions, and what to write in their place
    r"spreads?": "standard deviation, interpercentile range or range",
    r"lies|believe[sd]?|(learn|learns|learnt|learned) by heart": "wrong labels; memorized",
    r"names? (it|them|the image|an image) ?(right|wrong)?|named (right|wrong|better)": "classifies",
    r"silent|silenced?|heard": "dropped and kept, ablated and remaining",
    r"judged|judging|choosing half": "evaluation half, evaluation loss; selection half",
    r"stopped in time|at its best(?! epoch)": "at its best epoch",
    r"price|pulls?|trembles?": "penalty; shrinkage; oscillates",
    r"places|numbers passed on": "spatial positions; activations",
    r"other (first|initial) weights": "different",
    r"(?<!learning )(?<!learning-)(?<!dropout )rates?": "learning rate; dropout rate",
}
LESSON_CELLS = 30
PROSE_SHARE = 0.45  # the design asks for half
MEDIAN_LINES = 8  # the design asks for 5
MOST_LINES = 20
MOST_FIGURES = 8
ALT_LENGTH = 40
RANDOM_ID = re.compile(r"[0-9a-f]{8}")  # what nbformat gives a cell that has no id
PERMANENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")
NOT_PYTHON = ast.Module([], [])
TRAINED_NUMBER = re.compile(r"\d+\.\d+(?:e[+-]?\d+)?|\d+e[+-]?\d+|\d+\s?%|\d+ of \d+")
UNPUBLISHED = "not published yet"
BADGE = re.compile(r"https://colab\.research\.google\.com/github/.+?/.+?/blob/.+?/([^)\s\"]+)")


def guard(function: Guard) -> Guard:
    GUARDS.append(function)
    return function


# Reading a notebook


def kind(path: Path) -> str:
    """lesson, deeper, exercises, solutions or quiz; beside: the questions, no lesson."""
    if path.parent.name != "notebooks":
        return path.parent.name
    return "lesson" if path.name[:1].isdigit() else "beside"


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def outputs(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    return ((cell, output) for cell in code_cells(notebook) for output in cell.outputs)


def compared_text(output: NotebookNode) -> str:
    """What nbval compares of an output."""
    data = [text for key, text in output.get("data", {}).items() if key.startswith("text/")]
    return "\n".join([output.get("text", ""), output.get("evalue", ""), *data])


def images(notebook: NotebookNode) -> list[tuple[NotebookNode, NotebookNode, str]]:
    return [
        (cell, output, mime)
        for cell, output in outputs(notebook)
        for mime in output.get("data", {})
        if mime.startswith("image/")
    ]


def syntax(cell: NotebookNode) -> ast.Module:
    """The cell as Python; empty where it is none, which `plain_python` reports."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return NOT_PYTHON


def constants(cell: NotebookNode, *types: type) -> set:
    nodes = ast.walk(syntax(cell))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) in types}


def called(node: ast.AST) -> str:
    function = getattr(node, "func", None)
    return getattr(function, "id", getattr(function, "attr", ""))


def calls(cell: NotebookNode, name: str) -> list[ast.Call]:
    return [node for node in ast.walk(syntax(cell)) if called(node) == name]


def claims(cell: NotebookNode) -> bool:
    return bool(calls(cell, "claim"))


def visible(notebook: NotebookNode) -> list[NotebookNode]:
    """The code that a learner sees."""
    return [cell for cell in code_cells(notebook) if not is_folded(cell)]


def words(cells: list[NotebookNode]) -> int:
    return sum(len(cell.source.split()) for cell in cells)


def prose_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


# nbval compares all that it should


@guard
def counts_are_consecutive(notebook: NotebookNode, path: Path) -> list[str]:
    """A cell without a count is never compared, so a stripped notebook would pass."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts == list(range(1, len(counts) + 1)):
        return []
    return [f"execution counts are {counts}, not 1 to {len(counts)}: run `make outputs`"]


@guard
def outputs_are_stored(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: no output is stored of what it shows: run `make outputs`"
        for cell in code_cells(notebook)
        if not cell.outputs and any(map(displays, syntax(cell).body))
    ]


def displays(statement: ast.stmt) -> bool:
    shows = {"check", "claim", "hint", "print", "progress", "show", "solution"}
    return isinstance(statement, ast.Expr) and called(statement.value) in shows


@guard
def errors_are_expected(notebook: NotebookNode, path: Path) -> list[str]:
    found = []
    for cell in code_cells(notebook):
        stores_error = any(output.output_type == "error" for output in cell.outputs)
        if stores_error and RAISES not in tags(cell):
            found.append(f"cell {cell.id}: stores an error without the tag {RAISES}")
        if RAISES in tags(cell) and not stores_error:
            found.append(f"cell {cell.id}: is tagged {RAISES} and stores no error")
    return found


@guard
def stderr_is_empty(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: stores stderr: {output.text.strip()[:60]}"
        for cell, output in outputs(notebook)
        if output.get("name") == "stderr"
    ]


@guard
def plain_python(notebook: NotebookNode, path: Path) -> list[str]:
    """A wrong magic fails nothing, and Colab and nbval treat some differently."""
    return [
        f"cell {cell.id}: is not plain Python (no magics, no `!`)"
        for cell in code_cells(notebook)
        if syntax(cell) is NOT_PYTHON or "get_ipython" in cell.source
    ]


@guard
def tags_are_known(notebook: NotebookNode, path: Path) -> list[str]:
    """A misspelt tag is silently no tag."""
    return [
        f"cell {cell.id}: unknown tag {tag!r}; known: {', '.join(sorted(KNOWN_TAGS))}"
        for cell in notebook.cells
        for tag in tags(cell)
        if tag not in KNOWN_TAGS
    ]


@guard
def no_comment_markers(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: use a cell tag in place of the comment {marker}"
        for cell in code_cells(notebook)
        for marker in re.findall(r"#.*(NBVAL_\w+|PYTEST_VALIDATE_\w+)", cell.source, re.IGNORECASE)
    ]


@guard
def ignored_cells_lead_to_claims(notebook: NotebookNode, path: Path) -> list[str]:
    """Whatever is not compared must be followed by a sentence about it that is."""
    found = []
    cells = code_cells(notebook)
    for cell, following in zip_longest(cells, cells[1:]):
        if IGNORE not in tags(cell):
            continue
        if claims(cell):
            found.append(f"cell {cell.id}: makes a claim that {IGNORE} hides")
        if following is None or not claims(following):
            found.append(f"cell {cell.id}: is ignored, and the next code cell makes no claim")
    return found


@guard
def makes_a_claim(notebook: NotebookNode, path: Path) -> list[str]:
    if kind(path) == "exercises" or is_questions_only(notebook, path):
        return []
    return [] if any(map(claims, code_cells(notebook))) else ["makes no claim"]


def is_questions_only(notebook: NotebookNode, path: Path) -> bool:
    """The quiz as it is handed out: prose, and nothing to run. Its answers run and claim."""
    return kind(path) == "quiz" and not code_cells(notebook)


@guard
def thresholds_show_numbers(notebook: NotebookNode, path: Path) -> list[str]:
    """A learner who turns a knob until a claim fails is told by how much."""
    return [
        f"cell {cell.id}: the claim {ast.unparse(node.args[0])} compares numbers;"
        " give what it measured, as `mean=loss.mean`"
        for cell in code_cells(notebook)
        if kind(path) in ("lesson", "deeper")
        for node in ast.walk(syntax(cell))
        if called(node) == "claim" and not node.keywords and has_threshold(node.args[1])
    ]


def has_threshold(condition: ast.expr) -> bool:
    """Whether a number is compared with a number: one that a training may move."""
    return any(
        isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        for node in ast.walk(condition)
        if isinstance(node, ast.Compare)
        for sign in node.ops
    )


# What is compared is the same on every machine and seed


@guard
def compared_text_is_constant(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: compared output holds {number!r}, which its source does not;"
        f" if it is the same for every seed and machine, tag the cell {EXACT}"
        for cell, output in outputs(notebook)
        if not {IGNORE, EXACT} & set(tags(cell)) and "image/png" not in output.get("data", {})
        for number in TRAINED_NUMBER.findall(compared_text(output))
        if not re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", cell.source)
    ]


@guard
def claims_are_constant(notebook: NotebookNode, path: Path) -> list[str]:
    """A claim's sentence is written down in its cell, so it holds nothing that was measured."""
    return [
        f"cell {cell.id}: the claim {line[2:]!r} is not written so in its source"
        for cell, output in outputs(notebook)
        for line in output.get("text", "").splitlines()
        if line.startswith("✓ ") and line[2:] not in constants(cell, str)
    ]


@guard
def claims_hold(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: stores a claim that does not hold: {line}"
        for cell, output in outputs(notebook)
        for line in output.get("text", "").splitlines()
        if line.startswith("✗") and kind(path) != "exercises"
    ]


@guard
def checks_agree_with_the_folder(notebook: NotebookNode, path: Path) -> list[str]:
    """Solutions pass all of their checks; in exercises, nobody has solved anything yet."""
    mark, problem = (
        ("☑", "a check passes before anybody has answered")
        if kind(path) == "exercises"
        else ("☐", "stores a check that does not pass")
    )
    return [
        f"cell {cell.id}: {problem}: {line}"
        for cell, output in outputs(notebook)
        for line in output.get("text", "").splitlines()
        if mark in line
    ]


@guard
def exercises_hold_no_solution(notebook: NotebookNode, path: Path) -> list[str]:
    """The tag means something in a solution notebook only, of which exercises are made."""
    return [
        f"cell {cell.id}: is tagged solution in {kind(path)}/"
        for cell in notebook.cells
        if "solution" in tags(cell) and kind(path) != "solutions"
    ]


# Figures can be read without seeing them


@guard
def figures_are_described(notebook: NotebookNode, path: Path) -> list[str]:
    found = []
    for cell, output, mime in images(notebook):
        alt = output.metadata.get(mime, {}).get("alt", "")
        if mime != "image/png":
            found.append(f"cell {cell.id}: stores {mime}; show() makes image/png")
        if len(alt) < ALT_LENGTH:
            found.append(f"cell {cell.id}: figure described in {len(alt)} of {ALT_LENGTH} letters")
        if output.data.get("text/plain") != alt:
            found.append(f"cell {cell.id}: text/plain differs from the figure's description")
    return found


@guard
def descriptions_hold_no_results(notebook: NotebookNode, path: Path) -> list[str]:
    """Numbers in a description are settings that the notebook's code holds too."""
    settings = set().union(*(constants(cell, int, float) for cell in code_cells(notebook)))
    return [
        f"cell {cell.id}: the figure's description holds {number!r}, which no code sets"
        for cell, output, mime in images(notebook)
        for number in TRAINED_NUMBER.findall(output.metadata.get(mime, {}).get("alt", ""))
        if not settings & possible_values(number)
    ]


def possible_values(number: str) -> set[float]:
    """20 % may be 20 or 0.2 in the code; a count such as 9 of 10 is none."""
    if " of " in number:
        return set()
    value = float(number.rstrip("% "))
    return {value, value / 100} if "%" in number else {value}


# The file


@guard
def ids_are_permanent(notebook: NotebookNode, path: Path) -> list[str]:
    ids = [cell.get("id", "") for cell in notebook.cells]
    found = [f"cell {name}: id is used twice" for name in set(ids) if ids.count(name) > 1]
    for name in ids:
        if not PERMANENT_ID.fullmatch(name) or RANDOM_ID.fullmatch(name):
            found.append(f"cell {name!r}: id must be a short name such as 'the-meter'")
    return found


@guard
def metadata_is_clean(notebook: NotebookNode, path: Path) -> list[str]:
    found = []
    if notebook.metadata != {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}:
        found.append("notebook metadata is not only python3's: run `make outputs`")
    for cell in notebook.cells:
        if extra := sorted(set(cell.metadata) - CELL_METADATA):
            found.append(f"cell {cell.id}: metadata {', '.join(extra)}: run `make outputs`")
    for cell, output in outputs(notebook):
        if any("widget" in mime for mime in output.get("data", {})):
            found.append(f"cell {cell.id}: stores a widget, which is dead without its kernel")
    return found


@guard
def slides_are_planned(notebook: NotebookNode, path: Path) -> list[str]:
    """A misspelt setting of the slides is silently none."""
    found = []
    for cell in notebook.cells:
        plan = cell.metadata.get("slideshow", {"slide_type": "skip"})
        wrong = [key for key in plan if plan[key] not in SLIDE_SETTINGS.get(key, [plan[key]])]
        wrong += sorted(set(plan) - set(SLIDE_SETTINGS) - {"notes", "sentences"})
        found += [f"cell {cell.id}: slideshow has {key}={plan[key]!r}" for key in wrong]
    return found


@guard
def file_is_small(notebook: NotebookNode, path: Path) -> list[str]:
    size = len(nbformat.writes(notebook).encode())
    return [f"{size // 1000} kB of at most {MAX_BYTES // 1000}"] if size > MAX_BYTES else []


# The course


def lines_of_code(cell: NotebookNode) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@guard
def shape_is_a_lessons(notebook: NotebookNode, path: Path) -> list[str]:
    if kind(path) not in ("lesson", "deeper"):
        return []
    lines = {cell.id: lines_of_code(cell) for cell in visible(notebook)}
    prose = 1 - len(lines) / max(len(lines) + len(prose_cells(notebook)), 1)
    typical = median(lines.values() or [0])
    found = [
        f"cell {name}: {length} lines of at most {MOST_LINES}"
        for name, length in lines.items()
        if length > MOST_LINES
    ]
    if kind(path) == "lesson" and len(notebook.cells) > LESSON_CELLS:
        found.append(f"{len(notebook.cells)} cells of at most {LESSON_CELLS}")
    if prose < PROSE_SHARE:
        found.append(f"{prose:.1%} of the cells are prose, at least {PROSE_SHARE:.0%} should be")
    if typical > MEDIAN_LINES:
        found.append(f"median code cell of {typical} lines, {MEDIAN_LINES} at most")
    if len(images(notebook)) > MOST_FIGURES:
        found.append(f"{len(images(notebook))} figures of at most {MOST_FIGURES}")
    return found


@guard
def folds_agree(notebook: NotebookNode, path: Path) -> list[str]:
    """What JupyterLab folds, Colab folds as well; a claim is never folded away."""
    found = []
    for cell in code_cells(notebook):
        titled = bool(re.match(r"# @title \S", cell.source))
        if len({titled, *(cell.metadata.get(key) == value for key, value in FOLDED.items())}) > 1:
            found.append(f"cell {cell.id}: give it {FOLDED} and a first line `# @title …`, or none")
        if is_folded(cell) and claims(cell):
            found.append(f"cell {cell.id}: makes a claim, and is folded")
        if cell.id == "setup" and not is_folded(cell):
            found.append("cell setup: is not folded: run `make publish`")
    return found


# The second edition


def is_second(path: Path) -> bool:
    return path.stem in SECOND_EDITION


@guard
def budget_is_kept(notebook: NotebookNode, path: Path) -> list[str]:
    """A lesson is short: sums that padding does not help."""
    if not is_second(path) or kind(path) != "lesson":
        return []
    code = visible(notebook)
    lines = {cell.id: lines_of_code(cell) for cell in code}
    read = words(prose_cells(notebook))
    spent = len(notebook.cells), len(images(notebook)), sum(lines.values()), read
    found = [
        f"{much} {what} of at most {BUDGET[what]}"
        for what, much in zip(BUDGET, spent, strict=True)
        if much > BUDGET[what]
    ]
    found += [
        f"cell {name}: {length} visible lines of at most {LONGEST_CELL}"
        for name, length in lines.items()
        if length > LONGEST_CELL
    ]
    share = read / max(read + words(code), 1)
    if share < SHARE_OF_WORDS:
        found.append(f"{share:.1%} of the words are prose, at least {SHARE_OF_WORDS:.0%} should be")
    return found


@guard
def claims_are_few(notebook: NotebookNode, path: Path) -> list[str]:
    """A learner reads each condition, so a cell holds few."""
    return [
        f"cell {cell.id}: {len(calls(cell, 'claim'))} claims of at most {MOST_CLAIMS}"
        for cell in code_cells(notebook)
        if is_second(path) and len(calls(cell, "claim")) > MOST_CLAIMS
    ]


@guard
def words_are_the_fields(notebook: NotebookNode, path: Path) -> list[str]:
    """A learner can put every word into a search engine."""
    return [
        f"cell {cell.id}: {match[0]!r} is of the first edition; write: {better}"
        for cell in notebook.cells
        if is_second(path)
        for pattern, better in FIRST_EDITION_WORDS.items()
        for match in re.finditer(rf"\b({pattern})\b", text_of(cell), re.IGNORECASE)
    ]


def text_of(cell: NotebookNode) -> str:
    """What a reader reads of a cell: prose, or the strings and comments of code; and the notes."""
    texts = [cell.source, cell.metadata.get("slideshow", {}).get("notes", "")]
    if cell.cell_type == "code":
        texts = [*sorted(constants(cell, str)), *re.findall(r"# .*", cell.source), texts[1]]
    return re.sub(r"\]\(\S+\)", "]", " ".join(" ".join(texts).split()))  # addresses are no words


@guard
def titles_are_checked(notebook: NotebookNode, path: Path) -> list[str]:
    """`plots.show` takes the conditions under which the titles of its figure hold."""
    return [
        f"cell {cell.id}: {ast.unparse(call)[:60]} has no titles and their conditions"
        for cell in code_cells(notebook)
        if is_second(path) and kind(path) in ("lesson", "deeper")
        for call in calls(cell, "show")
        if len(call.args) < 3 and "titles" not in [keyword.arg for keyword in call.keywords]
    ]


@guard
def knobs_are_read_in_their_cell(notebook: NotebookNode, path: Path) -> list[str]:
    """What a learner turns does not change the ten seeds."""
    return [
        f"cell {cell.id}: reads the knob {knob.name} of cell {knob.cell}"
        for knob in knobs_of(notebook)
        for cell in code_cells(notebook)
        if is_second(path) and cell.id != knob.cell
        if knob.name in [node.id for node in ast.walk(syntax(cell)) if isinstance(node, ast.Name)]
    ]


# Links and formulas


@guard
def setup_comes_first(notebook: NotebookNode, path: Path) -> list[str]:
    cells = code_cells(notebook)
    if is_questions_only(notebook, path) or (cells and cells[0].id == "setup"):
        return []
    return ["the first code cell is not the one with id 'setup'"]


def setups_agree(notebooks: dict[Path, NotebookNode]) -> list[str]:
    """The setup cell is the same in every notebook: that of the first."""
    setups = {
        path: cell.source
        for path, notebook in notebooks.items()
        for cell in code_cells(notebook)
        if cell.id == "setup"
    }
    first = next(iter(setups), None)
    return [
        f"{path}: setup differs from {first}" for path in setups if setups[path] != setups[first]
    ]


@guard
def only_lesson_04_tests(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: uses {name}: only lesson 04 opens the test split"
        for cell in code_cells(notebook)
        for name in sorted(set(re.findall(r"\b[xy]_test\b", cell.source)))
        if not path.name.startswith("04_")
    ]


@guard
def links_are_secure(notebook: NotebookNode, path: Path) -> list[str]:
    return [
        f"cell {cell.id}: links to http:" for cell in notebook.cells if "http://" in cell.source
    ]


@guard
def badge_opens_this_notebook(notebook: NotebookNode, path: Path) -> list[str]:
    """Lessons have a Colab badge, or say why not; a badge points at its own notebook."""
    targets = [target for cell in notebook.cells for target in BADGE.findall(cell.source)]
    folders = path.parts[path.parts.index("notebooks") :]
    says_why = any(UNPUBLISHED in cell.source for cell in notebook.cells[:1])
    if kind(path) == "lesson" and not targets and not says_why:
        return [f"has no Colab badge, nor the words '{UNPUBLISHED}' in its first cell"]
    wrong = [target for target in targets if target != "/".join(folders)]
    return [f"Colab badge opens {target}, not {'/'.join(folders)}" for target in wrong]


@guard
def formulas_can_be_shown(notebook: NotebookNode, path: Path) -> list[str]:
    """Site and slides show formulas without a script, and refuse those that they cannot."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            try:
                render_markdown(cell.source)
            except NotebookError as error:
                found.append(f"cell {cell.id}: {error}")
    return found
