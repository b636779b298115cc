"""The quiz and its answers say the same, hide what they must, and correct what they say they do."""

import nbformat
import pytest

from tests.notebooks.guards import code_cells
from tools.notebooks import NOTEBOOKS, NotebookError
from tools.write import quiz
from tools.write.exercises import without_outputs

ASKED = quiz.questions()
IDS = [question["id"] for question in ASKED]
COMPUTED = {
    "dropout-inference", "dropout-masks", "l2-half", "penalty-in-val-loss", "weight-decay",
    "moving-averages", "l1l2-by-name", "l1-zeros",
}  # fmt: skip


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("path", [quiz.QUIZ, quiz.ANSWERS], ids=lambda path: path.stem)
def test_the_stored_notebooks_are_those_of_the_source(path):
    assert without_outputs(read(path)) == without_outputs(quiz.made()[path]), "run `make quiz`"


def test_there_are_ten_questions_and_no_letter_is_favoured():
    letters = [question["letter"] for question in ASKED]
    assert len(set(IDS)) == 10
    assert all(2 <= letters.count(letter) <= 3 for letter in quiz.LETTERS)


@pytest.mark.parametrize("question", ASKED, ids=IDS)
def test_every_option_is_explained_and_one_is_right(question):
    texts = [text for _, text, _ in question["options"]]
    assert len(set(texts)) == len(quiz.LETTERS)
    assert all(len(because) > 20 for _, _, because in question["options"])
    right = {letter: text for letter, text, _ in question["options"]}[question["letter"]]
    assert right == question["right"]
    assert (NOTEBOOKS / f"{question['lesson']}.ipynb").exists()


@pytest.mark.parametrize("question", ASKED, ids=IDS)
def test_the_right_option_does_not_stand_out_by_its_length(question):
    lengths = sorted(len(text) for _, text, _ in question["options"])
    assert len(question["right"]) <= 2 * lengths[-2]


def test_the_quiz_holds_no_answer():
    text = "\n".join(cell.source for cell in read(quiz.QUIZ).cells)
    assert "right." not in text
    for question in ASKED:
        assert question["right"] in text
        assert question["corrects"] not in text
        assert all(because not in text for _, _, because in question["options"])


def test_what_can_be_computed_is_computed_and_the_rest_is_claimed_elsewhere():
    claimed = {cell.id: cell.outputs for cell in code_cells(read(quiz.ANSWERS))}
    for question in ASKED:
        if question["id"] in COMPUTED:
            assert claimed[f"{question['id']}-run"][0].text.startswith("✓ ")
        else:
            assert question["claimed"]


@pytest.mark.parametrize("question", ASKED, ids=IDS)
def test_claims_that_are_named_are_stored_where_it_says(question):
    for stem, sentence in question.get("claimed", []):
        assert f"✓ {sentence}" in printed(NOTEBOOKS / f"{stem}.ipynb")


def printed(path):
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs).splitlines()


QUESTION = """[[questions]]
id = "a"
letter = "{letter}"
right = "yes"
because = "it is"
wrong = [{wrong}]
"""
WRONG = '{ option = "no", because = "it is not" },'


def test_the_right_option_stands_at_its_letter(tmp_path):
    source = tmp_path / "quiz.toml"
    source.write_text(QUESTION.format(letter="C", wrong=WRONG * 3), encoding="utf-8")
    options = quiz.questions(source)[0]["options"]
    assert [text for _, text, _ in options] == ["no", "no", "yes", "no"]
    assert options[2] == ("C", "yes", "it is")


@pytest.mark.parametrize(("letter", "wrong"), [("E", WRONG * 3), ("A", WRONG * 2)])
def test_a_question_that_cannot_be_asked_is_refused(tmp_path, letter, wrong):
    source = tmp_path / "quiz.toml"
    source.write_text(QUESTION.format(letter=letter, wrong=wrong), encoding="utf-8")
    with pytest.raises(NotebookError, match="a: needs 3 wrong options, and a letter of ABCD"):
        quiz.questions(source)


def test_an_altered_question_is_noticed(monkeypatch):
    changed = [dict(question) for question in ASKED]
    changed[3]["ask"] = "What?"
    monkeypatch.setattr(quiz, "questions", lambda: changed)
    assert without_outputs(read(quiz.ANSWERS)) != without_outputs(quiz.made()[quiz.ANSWERS])
