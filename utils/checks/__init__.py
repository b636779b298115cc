"""Exercises that check themselves: `check`, `hint` and `solution` of each, `progress` over all.

A check tests what an answer does, not how it is written: NumPy, `keras.ops` and loops all pass.
It prints one line, the same on every machine, and never raises.
"""

from __future__ import annotations

import keras
import nbformat

from utils._shared.output import say
from utils._shared.random_state import random_state_kept
from utils.checks import lesson_00, lesson_01, lesson_02, lesson_03, lesson_04
from utils.checks.answers import LONGEST, NotYet, described, within
from utils.checks.exercises import NOTEBOOKS, Exercise

__all__ = ["check", "hint", "progress", "solution"]

LESSONS = {
    "00": lesson_00.EXERCISES,
    "01": lesson_01.EXERCISES,
    "02": lesson_02.EXERCISES,
    "03": lesson_03.EXERCISES,
    "04": lesson_04.EXERCISES,
}
passed: dict[str, bool] = {}  # what `check` found last for each exercise of this session


def check(name: str, answer: object) -> None:
    """Print whether `answer` solves the exercise `name`; if not, what is wrong with it.

    answer   the function that the exercise asks for, without parentheses, or the value chosen
    """
    if (exercise := find(name)) is None:
        return
    state = {}

    def work():
        keras.utils.set_random_seed(0)  # an answer that draws random numbers draws the same ones
        exercise.test(answer)
        state["right"] = True

    with random_state_kept():
        error = within(exercise.seconds, work)
    passed[name] = error is None and "right" in state
    if passed[name]:
        say(f"☑ {name}: right. {exercise.praise}")
        return
    if not isinstance(error, NotYet):
        error = f"The check cannot use this answer ({described(error)})."
    say(" ".join(f"☐ {name}: not yet. {error}".split())[:LONGEST])


def hint(name: str, level: int = 1) -> None:
    """Print a hint: level 1 says where to look, level 2 nearly says what to write."""
    if (exercise := find(name)) is None:
        return
    if level not in (1, 2) or isinstance(level, bool):
        say(f"There are two hints: hint({name!r}) and hint({name!r}, 2).")
        return
    say(f"Hint {level} for {name}: {exercise.hints[int(level) - 1]}")


def solution(name: str) -> None:
    """Print one way to solve the exercise; the solution notebook says why."""
    if find(name) is None:
        return
    lesson = next(lesson for lesson, known in LESSONS.items() if name in known)
    for path in sorted((NOTEBOOKS / "solutions").glob(f"{lesson}_*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.id == f"{name}-solution":
                say(cell.source)
                return
    say(f"The folder notebooks/solutions of the course holds no solution of {name}.")


def progress(lesson: str) -> None:
    """Print how many checks of a lesson, as "00", have passed since the kernel started."""
    if not isinstance(lesson, str) or lesson not in LESSONS:
        say(f"There are no exercises for {lesson!r:.40}; there are some for {', '.join(LESSONS)}.")
        return
    names = LESSONS[lesson]
    marks = " · ".join(f"{'☑' if passed.get(name) else '☐'} {name}" for name in names)
    say(f"{sum(passed.get(n, False) for n in names)} of {len(names)} checks passed: {marks}")


def find(name: str) -> Exercise | None:
    """The exercise, or None after a line that says which there are."""
    for known in LESSONS.values():
        if isinstance(name, str) and name in known:
            return known[name]
    names = ", ".join(name for known in LESSONS.values() for name in known)
    say(f"There is no exercise {name!r:.40}; there are {names}.")
    return None
