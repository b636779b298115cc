"""Writes the quiz and its answers as notebooks, both from notebooks/quiz/quiz.toml.

The quiz holds no answer. The answers are computed: their notebook is executed, as all others.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.execute import for_each
from tools.notebooks import FOLDED, KERNELSPEC, LANGUAGE_INFO, NOTEBOOKS, NotebookError
from tools.write.exercises import regenerate
from tools.write.publish import read_course, setup_cell

FOLDER = NOTEBOOKS / "quiz"
SOURCE, QUIZ, ANSWERS = (FOLDER / name for name in ("quiz.toml", "quiz.ipynb", "answers.ipynb"))
LETTERS = "ABCD"


def texts(source: Path = SOURCE) -> dict[str, str]:
    """What stands around the questions."""
    return tomllib.loads(source.read_text(encoding="utf-8"))["texts"]


def questions(source: Path = SOURCE) -> list[dict]:
    """In order; each gets `options`: (letter, text, because), the right one at its letter."""
    found = tomllib.loads(source.read_text(encoding="utf-8"))["questions"]
    for question in found:
        given = [(wrong["option"], wrong["because"]) for wrong in question["wrong"]]
        place = LETTERS.find(question["letter"])
        if len(given) != len(LETTERS) - 1 or place < 0:
            raise NotebookError(f"{question['id']}: needs 3 wrong options, and a letter of ABCD")
        given.insert(place, (question["right"], question["because"]))
        question["options"] = [(letter, *pair) for letter, pair in zip(LETTERS, given, strict=True)]
    return found


def notebook_of(cells: list[NotebookNode]) -> NotebookNode:
    metadata = {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    return new_notebook(cells=cells, metadata=metadata)


def quiz(asked: list[dict]) -> NotebookNode:
    """The questions and an empty table: nothing that tells which option is right."""
    cells = [new_markdown_cell(texts()["quiz"].strip(), id="title")]
    for number, question in enumerate(asked, 1):
        options = "\n".join(f"- **{letter}** · {text}" for letter, text, _ in question["options"])
        text = f"**{number}.** {question['ask']}\n\n{options}"
        cells.append(new_markdown_cell(text, id=question["id"]))
    numbers = [str(number) for number in range(1, len(asked) + 1)]
    rows = [["", *numbers], ["---"] * (len(asked) + 1)]
    rows += [[name, *[" "] * len(asked)] for name in ("before", "after")]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    cells.append(new_markdown_cell(f"## Your letters\n\n{table}", id="letters"))
    return notebook_of(cells)


def answers(asked: list[dict], setup: str) -> NotebookNode:
    """Each answer with what every option leaves out, and the run that computes it; not executed."""
    cells = [
        new_markdown_cell(texts()["answers"].strip(), id="title"),
        new_code_cell(setup, id="setup", metadata=FOLDED),
        new_code_cell(texts()["imports"].strip(), id="imports"),
    ]
    for number, question in enumerate(asked, 1):
        cells.append(new_markdown_cell(answer(number, question), id=question["id"]))
        if "proof" in question:
            cells.append(new_code_cell(question["proof"].strip(), id=f"{question['id']}-run"))
    key = "".join(question["letter"] for question in asked)
    cells.append(new_markdown_cell(texts()["tally_how"].strip(), id="tally-how"))
    tally = new_code_cell(
        texts()["tally"].strip().replace("…", key), id="tally", metadata={"tags": ["exact"]}
    )
    return notebook_of([*cells, tally])


def answer(number: int, question: dict) -> str:
    lines = [f"## {number}. {question['letter']}", "", question["ask"], ""]
    for letter, text, because in question["options"]:
        mark = "**right.**" if letter == question["letter"] else "no."
        lines.append(f"- **{letter}** · {text} → {mark} {because}")
    lines += ["", f"*The sentence:* “{question['corrects']}” · {link(question['lesson'])}"]
    for stem, sentence in question.get("claimed", []):
        lines.append(f"· claimed in {link(stem)}: ✓ {sentence}")
    return "\n".join(lines)


def link(stem: str) -> str:
    folder, _, name = stem.rpartition("/")
    return f"[{folder}{'/' if folder else 'lesson '}{name[:2]}](../{stem}.ipynb)"


def made() -> dict[Path, NotebookNode]:
    """Both notebooks without outputs, by where they are stored."""
    return {QUIZ: quiz(questions()), ANSWERS: answers(questions(), setup_cell(read_course()))}


def generate(path: Path) -> str:
    """Make and execute one of the two, if it is not what it should be already."""
    return regenerate(path, made()[path])


if __name__ == "__main__":
    sys.exit(for_each(generate, [QUIZ, ANSWERS]))
