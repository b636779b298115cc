"""The teaching plans add up, name cells that exist, and leave no misconception out."""

import re

import nbformat
import pytest

from tests.notebooks.guards import is_second
from tests.notebooks.test_minutes import SAID
from tools.notebooks import NOTEBOOKS, ROOT, taught_lessons
from tools.write.quiz import questions

TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
PLANS = ["Half a day", "A whole day"]
LESSONS = {path.name[:2]: path for path in taught_lessons()}
TALK = 10  # minutes that a lesson of the first edition takes longer in a room
# What courses get wrong: a word of the sentence, and of what meets it in the quiz or a discussion.
MISCONCEPTIONS = {
    "weight decay is the same as L2": "exact same",
    "at test time outputs": "scaled down",
    "the penalty is added at training time": "at training time",
    "combined is the best": "Combined is obviously",
    "compared on different numbers of images": "30 images",
    "internal covariate shift": "because it reduces",
    "global minimum": "local slope",
    "same for the whole iteration": "whole iteration",
    "L2 before batch normalization": "adds 0.001 to the variance",
    "L1 drives weights": "exactly zero",
    "training speed": "as late",
    "has a ½": "half of λ",
    "moving averages are right": "statistics of the training data",
    '"l1_l2"': '"l1_l2"',
    "set on a built layer": "a model that is built",
    "a bias before": "subtracted",
    "leaves biases alone": "shrinks all variables",
    "`model.losses`": "one update behind",
    "a run has died": "class 0",
}


def section(heading, text=TEXT):
    """What stands below a heading, up to the next."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[field.strip() for field in line.strip("|").split("|")] for line in lines]


def slips(plan):
    """Rows of a plan that do not start when those before them end, and a wrong total."""
    now, found = 0, []
    for start, minutes, what in plan:
        hours, rest = map(int, start.split(":"))
        if 60 * hours + rest != now or (what == "in all" and int(minutes) != now):
            found.append(what)
        now += int(minutes)
    return found


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_adds_up(name):
    plan = rows(section(name))
    assert slips(plan) == []
    assert plan[-1][2] == "in all"


def test_a_plan_that_does_not_add_up_is_noticed():
    plan = [["0:00", "10", "a"], ["0:10", "20", "b"], ["0:30", "30", "in all"]]
    assert slips(plan) == []
    assert slips([plan[0], ["0:15", "20", "b"], plan[2]]) == ["b"]
    assert slips([*plan[:2], ["0:30", "31", "in all"]]) == ["in all"]


@pytest.mark.parametrize("name", PLANS)
def test_lessons_and_exercises_get_the_minutes_that_they_say(name):
    plan = {what: int(minutes) for _, minutes, what in rows(section(name))}
    for number, path in LESSONS.items():
        assert plan[f"lesson {number}"] == in_a_room(path)
        if f"exercises {number}" in plan:
            exercises = nbformat.read(NOTEBOOKS / "exercises" / path.name, 4).cells[0].source
            assert f"about {plan[f'exercises {number}']} minutes" in exercises


def said(path):
    return int(SAID.search(nbformat.read(path, 4).cells[0].source)[1])


def in_a_room(path):
    """Minutes of a lesson; in the second edition predictions, knobs and waiting count already."""
    return said(path) + (0 if is_second(path) else TALK)


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_is_planned_to_its_last_minute_with_cells_that_exist(number):
    text = section(f"Lesson {number}")
    plan = rows(text)
    assert sum(int(minutes) for minutes, *_ in plan) == in_a_room(LESSONS[number])
    ids = [cell.id for cell in nbformat.read(LESSONS[number], 4).cells]
    named = [name for row in plan for name in re.findall(r"`(.+?)`", row[1])]
    dropped = re.findall(r"`(.+?)`", re.search(r"\*\*Drop:\*\* (.*)", text)[1])
    assert set(named + dropped) <= set(ids)
    assert [ids.index(name) for name in named] == sorted(ids.index(name) for name in named)
    assert "**stop**" in text
    assert "They will get wrong" in text
    assert len(re.findall(r"^- \*.+?\?\*", text, re.M)) >= 2


@pytest.mark.parametrize("sentence", MISCONCEPTIONS)
def test_every_misconception_is_met_where_it_says(sentence):
    table = rows(section("What courses get wrong, and where it is met"))
    (places,) = [places for said, places in table if sentence in said]
    met = [where(place) for place in places.split(", ")]
    assert any(MISCONCEPTIONS[sentence] in text for text in met), met


def where(place):
    kind, number = place.split()
    return (
        questions()[int(number) - 1]["corrects"]
        if kind == "question"
        else section(place.capitalize())
    )


def test_every_question_meets_one_misconception():
    table = rows(section("What courses get wrong, and where it is met"))
    assert len(table) == len(MISCONCEPTIONS)
    asked = sorted(int(n) for _, places in table for n in re.findall(r"question (\d+)", places))
    assert asked == list(range(1, 11))
