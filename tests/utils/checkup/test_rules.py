"""Each rule: the findings that it is there for, and the healthy ones in which it is silent."""

from types import SimpleNamespace

import numpy as np
import pytest

from utils.checkup._findings import FLIPS, HALF, PLAIN, Findings
from utils.checkup._kind import CLASSES, NUMBERS, Kind
from utils.checkup._report import LESSONS, Report
from utils.checkup._rules import RULES


class Known:
    """An arm whose numbers are known: two seeds, five epochs."""

    def __init__(self, end=None, best=None, diverged=False, statistics=None, epoch=5):
        self.name, self.seeds, self.seconds, self.differs = "known", (0, 1), 1.0, []
        self.numbers = (end or {}), (best or end or {})
        self.diverged = np.full(2, diverged)
        self.best_epoch = np.full(2, epoch)
        self.statistics = statistics
        measured = {"statistics": 0} if statistics else {}
        self.parts = [SimpleNamespace(measured=measured, watched={})]

    def values(self, row, best=False):
        if row == "statistics":
            return np.tile(self.statistics, (2, 1))
        if row == "gap":
            return self.values("training score", best) - self.values("validation score", best)
        return np.full(2, self.numbers[best].get(row, np.nan))

    def history(self, name):
        return np.full((2, 5), 1.0)


WELL = {
    "training loss": 0.3,
    "validation loss": 0.5,
    "training score": 0.9,
    "validation score": 0.82,
    "penalty": 0.0,
}


def trial(loss, score, **more):
    return Known(
        {"training loss": loss, "validation loss": loss, "validation score": score, **more}
    )


def healthy(**changes):
    kind = Kind(CLASSES, 10, guess=2.3, majority=0.1, from_logits=False, loss=None)
    half = trial(0.6, 0.78, **{"score elsewhere": 0.79, "odd labels": 0.005})
    settings = {
        "examples": 2000,
        "validation_examples": 1000,
        "epochs": 5,
        "steps": 315,
        "kind": kind,
        "answers": 10,
        "rate": 0.001,
        "yours": Known(WELL),
        "trials": {PLAIN: trial(0.4, 0.81), HALF: half, FLIPS: trial(0.6, 0.8)},
    }
    return Findings(**settings | changes)


def ill(**numbers):
    return Known(WELL | {name.replace("_", " "): value for name, value in numbers.items()})


def learning_little(score=0.3, loss=1.8):
    return ill(
        training_loss=loss, validation_loss=loss, training_score=score, validation_score=score
    )


SLOWER, FASTER = "learning rate × 0.1", "learning rate × 10"
LOW = learning_little()
TURNED = Known(
    WELL | {"validation loss": 0.7, "training loss": 0.1, "training score": 0.99},
    WELL,
    epoch=3,
)
ODD = trial(1.2, 0.65, **{"score elsewhere": 0.78, "odd labels": 0.2})
CLEANER = trial(0.6, 0.65, **{"score elsewhere": 0.8})
SEEN = {
    "data that are no numbers": {"bad_values": ["x_train (NaN …)"]},
    "one class only": {"answers": 1},
    "outputs that are not what the loss expects": {"logits": "the loss expects …"},
    "a penalty without effect": {"dead_penalties": [f"dense_{n} …" for n in range(5)]},
    "validation data that leak from the training data": {"leaked": 0.3},
    "a training that diverges": {"yours": Known(WELL, diverged=True), "largest_input": 255.0},
    "moving averages that lag": {
        "yours": Known(WELL, statistics=[1.9, 0.5, 3.7, 0.0]),
        "first_statistics_left": 0.5,
    },
    "dropout before batch normalization": {
        "yours": Known(WELL, statistics=[0.5, 0.4, 0.2, 0.6]),
        "dropout_before": True,
    },
    "a learning rate that is too high": {
        "yours": LOW,
        "trials": {SLOWER: trial(0.5, 0.8), PLAIN: trial(0.4, 0.81)},
    },
    "a learning rate that is too low": {
        "yours": LOW,
        "trials": {FASTER: trial(0.5, 0.8), PLAIN: trial(0.4, 0.81)},
    },
    "a network that is too small, or held back too much": {
        "yours": LOW,
        "trials": {FASTER: trial(1.7, 0.4), PLAIN: trial(0.4, 0.81)},
    },
    "a network that learns nothing": {"yours": learning_little(0.1, 2.3), "trials": {}},
    "wrong labels in the training data": {"trials": {PLAIN: trial(0.4, 0.81), HALF: ODD}},
    "overfitting": {"yours": TURNED},
    "too few validation examples": {"validation_examples": 20},
}


def test_each_rule_has_its_case():
    assert list(SEEN) == [rule.sign for rule in RULES]


@pytest.mark.parametrize("sign", SEEN)
def test_a_rule_sees_what_it_is_there_for_and_says_it_first(sign):
    report = Report(healthy(**SEEN[sign]))
    assert report.diagnoses[0].sign == sign
    assert len(report.diagnoses) == 1
    assert report.diagnoses[0].evidence
    assert sign not in report.no_sign


def test_healthy_findings_are_told_to_be_so():
    report = Report(healthy())
    assert report.diagnoses == []
    assert len(report.no_sign) == len(RULES)
    assert "No sign of anything wrong." in str(report)


@pytest.mark.parametrize(
    "changes",
    [
        {"leaked": 0.05, "repeated": 0.04},  # examples that repeat anyway
        {"yours": Known(WELL, statistics=[0.5, 0.5, 0.6, 0.1])},  # lag without harm
        {"yours": Known(WELL, statistics=[0.5, 0.4, 0.1, 0.6])},  # no dropout stands before it
        {"yours": Known(WELL | {"validation loss": 0.52}, WELL)},  # the loss hardly turns
        {"yours": Known(WELL | {"validation loss": 0.7, "training loss": 0.5}, WELL)},  # both jump
        {"trials": {HALF: trial(1.9, 0.3, **{"score elsewhere": 0.3, "odd labels": 0.3})}},
        {"trials": {PLAIN: trial(0.1, 0.86)}},  # a better network, but this one could do it
        {"kind": None},
        {"yours": Known(), "trials": {}},
    ],
)
def test_what_only_looks_like_a_sign_is_none(changes):
    assert Report(healthy(**changes)).diagnoses == []


def test_labels_that_agree_less_than_those_of_the_validation_data_are_a_sign():
    [found] = Report(healthy(trials={HALF: CLEANER})).diagnoses
    assert found.sign == "wrong labels in the training data"
    assert "65% of the other half's labels, and with 80%" in found.evidence


def test_a_cause_takes_the_place_of_its_symptom():
    dying = learning_little(0.1, 2.3)
    trials = {SLOWER: trial(0.5, 0.8), PLAIN: trial(0.4, 0.81)}
    [found] = Report(healthy(yours=dying, trials=trials)).diagnoses
    assert found.sign == "a learning rate that is too high"


def test_evidence_holds_the_numbers_and_the_fix_names_a_lesson():
    [found] = Report(healthy(**SEEN["overfitting"])).diagnoses
    assert "lowest after epoch 3, and 40% higher" in found.evidence
    assert "grows from +0.08 to +0.17" in found.evidence
    assert found.lesson == LESSONS["00"]
    [found] = Report(healthy(**SEEN["a penalty without effect"])).diagnoses
    assert found.evidence.endswith("dense_2 … and 2 more")
    [found] = Report(healthy(**SEEN["a training that diverges"])).diagnoses
    assert "in 2 of 2 seeds" in found.evidence
    assert "as large as 255" in found.evidence


def test_margin_grows_with_chance():
    assert healthy(validation_examples=10_000).margin == 0.05
    assert healthy(validation_examples=100).margin == pytest.approx(3 * np.sqrt(0.82 * 0.18 / 100))


def test_a_regression_that_is_worse_than_the_mean_learns_nothing():
    kind = Kind(NUMBERS, 1, guess=1.0, majority=0.0, from_logits=False, loss=None)
    report = Report(healthy(kind=kind, yours=learning_little(-0.2, 1.2), trials={}))
    assert [one.sign for one in report.diagnoses] == ["a network that learns nothing"]
    assert "validation R²" in report.diagnoses[0].evidence


def test_every_lesson_that_a_rule_names_is_there():
    from tools.notebooks import ROOT

    assert {rule.lesson for rule in RULES} <= {"", *LESSONS}
    assert all((ROOT / path).exists() for path in LESSONS.values())
