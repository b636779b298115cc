"""A check-up as a reader makes it: what comes back, also from what is broken or interrupted."""

import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from tests.utils.checkup import models
from tests.utils.checkup.models import compiled, data_of, dense, dropout
from utils.checkup import checkup
from utils.checkup._checkup import Session
from utils.checkup._drawing import shortened
from utils.repeats import SEEDS, batch_order, seeded

FEW = data_of("digits", 200)
NASTY = "<b>drop</b> & $x$"
small = dense(units=(16,), rate=0.03)
QUICK = {"seeds": 1, "epochs": 2, "minutes": 0.02}  # no time for anything but the first seed


@pytest.fixture(scope="module")
def report():
    fixes = {NASTY: dense(units=(16,), rate=0.03, between=(dropout,))}
    with pytest.MonkeyPatch.context() as patch:  # its own trials take the most time
        for name in ("try_remedies", "try_half", "try_flips"):
            patch.setattr(Session, name, lambda session: None)
        return checkup(small, FEW, fixes=fixes, seeds=2, epochs=4)


def test_losses_and_scores_are_those_of_fit_and_evaluate(report):
    ours = report._found.yours
    for place, seed in enumerate(SEEDS[:2]):
        model = seeded(small, seed)
        for epoch in range(4):
            order = batch_order(seed, epoch, 200)
            x, y = FEW.x_train[order], FEW.y_train[order]
            model.fit(x, y, batch_size=32, shuffle=False, verbose=0)
        loss, accuracy = model.evaluate(FEW.x_val, FEW.y_val, verbose=0)
        assert ours.values("validation loss")[place] == pytest.approx(loss, abs=1e-3)
        assert ours.values("validation score")[place] == pytest.approx(accuracy, abs=0.006)


def test_a_row_a_meter_and_a_column_an_arm(report):
    assert report.columns == ["yours, at the end", "at its best epoch", f"{NASTY} (best)"]
    assert {"validation loss", "validation accuracy", "gap", "ablation area"} <= set(report.rows)
    assert "drift, Dense 1" in report.rows
    assert "gradient change, Dense 1" not in report.rows  # no layer below takes a step
    assert all(len(cells) == 3 for cells in report.rows.values())
    assert re.fullmatch(r"\d\.\d{3} ± \d+\.\d{3}", report.rows["validation loss"][0])
    text = str(report)
    assert text.startswith("Check-up: 2 seeds × 4 epochs, 200 training and 340 validation")
    assert "guessing has 2.303" in text
    assert f"{NASTY}, both at best epochs: validation loss " in text
    assert "More than the fix differs" not in text
    assert repr(report) == text


def test_differences_are_of_the_same_seed_and_names_are_those_of_the_rows(report):
    mine, his = report._found.yours, report._found.fixes[0]
    expected = his.values("validation score", best=True) - mine.values(
        "validation score", best=True
    )
    for name in ("validation accuracy", "validation score"):
        np.testing.assert_allclose(report.differences(NASTY, name).differences, expected)
    np.testing.assert_array_equal(report.values("gap", best=False), mine.values("gap"))
    with pytest.raises(ValueError, match="fix is 'a'; this report has <b>drop"):
        report.differences("a")
    with pytest.raises(ValueError, match="meter is 'speed'; this report has validation loss"):
        report.values("speed")


def test_the_page_needs_nothing_else_and_escapes_names(report, tmp_path):
    page = report.save(tmp_path / "checkup.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,)', page) == []
    assert "<b>drop" not in page
    assert "&lt;b&gt;drop&lt;/b&gt; &amp; $x$ (best)" in page
    assert 'alt="Left: the losses' in page


def test_the_figure_has_two_panels_and_every_seed(report):
    left, right = report.figure().axes
    assert left.get_legend().get_texts()[0].get_text() == "training"
    assert [len(line.get_xdata()) for line in right.get_lines()] == [2, 2, 2]
    assert right.get_xticklabels()[2].get_text().startswith("<b>drop")
    assert shortened("a $x$") == r"a \$x\$"  # no formula
    assert shortened("dropout behind each of three") == "dropout\nbehind…"


def test_what_there_is_no_time_for_is_left_out_and_named(capsys):
    report = checkup(small, FEW, fixes={"dropout": small}, seeds=3, epochs=2, minutes=0.001)
    text = " ".join(report.left_out)
    assert "2 of 3 seeds" in text
    assert "The fix 'dropout': no time was left." in report.left_out
    assert capsys.readouterr().out.strip().endswith("check-up: done")
    assert "0.0" not in report.rows["validation loss"]


def test_where_an_epoch_takes_long_epochs_go_first_then_examples():
    data = data_of("digits", 1000)
    session = Session(small, data, None, 1, 20, None, 2)
    session.fit_in(5.5, seconds=9)
    assert (session.found.epochs, session.found.examples) == (5, 1000)
    session = Session(small, data, None, 1, 20, None, 2)
    session.fit_in(1.5, seconds=30)
    assert (session.found.epochs, session.found.examples) == (3, 500)
    assert session.found.steps == 3 * 16
    assert session.found.left_out[0].startswith("17 of 20 epochs: one takes about 30 s.")
    assert session.found.left_out[1] == "All but 500 of 1,000 training examples."


def test_a_fix_that_cannot_train_costs_its_column_only():
    report = checkup(small, FEW, fixes={"wrong": dense((3, 3))}, **QUICK | {"minutes": 1})
    assert report.columns == ["yours, at the end", "at its best epoch"]
    [why] = [line for line in report.left_out if "wrong" in line]
    assert why.startswith("The fix 'wrong': build_model's network cannot take x_train")


def interrupting(after):
    """A builder that is interrupted when it is called so many times."""
    calls = iter(range(after))

    def build():
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return small()

    return build


def test_an_interruption_gives_the_report_so_far():
    report = checkup(small, FEW, fixes={"dropout": interrupting(0)}, seeds=1, epochs=2)
    assert report.left_out[-1].startswith("Interrupted")
    assert "validation loss" in report.rows
    assert report.columns == ["yours, at the end", "at its best epoch"]


def test_interrupted_before_the_first_seed_is_finished(tmp_path):
    report = checkup(interrupting(1), FEW, seeds=1, epochs=2)
    assert "Nothing was trained." in str(report)
    assert "Interrupted" in report.left_out[0]
    assert "Nothing was trained" in report.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "No sign of anything wrong" not in report.save(tmp_path / "a.html").read_text("utf-8")


def first_sign(build, data, **settings):
    return checkup(build, data, **QUICK | settings).diagnoses[0].sign


def test_a_penalty_set_too_late_is_told_first():
    assert first_sign(models.penalty_set_too_late, FEW) == "a penalty without effect"


def test_a_leak_is_told_first():
    data = models.leaking(data_of("spam", 200), 0.3)
    build = models.one_output("sigmoid", "binary_crossentropy", 57)
    assert first_sign(build, data) == "validation data that leak from the training data"


def test_a_training_that_dies_is_told_first_with_the_rate_at_which_it_lives():
    def build():
        model = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(10)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return compiled(model, loss, rate=1e38, optimizer=keras.optimizers.SGD)

    report = checkup(build, FEW, seeds=1, epochs=2)
    assert report.diagnoses[0].sign == "a training that diverges"
    assert report.why_not == {}
    report.figure()


def test_nan_in_the_data_is_told_first_and_nothing_is_tried():
    x = np.array(FEW.x_train)
    x[0, 0, 0] = np.nan
    broken = models.record(x, FEW.y_train, FEW.x_val, FEW.y_val)
    report = checkup(small, broken, seeds=1, epochs=2)
    assert report.diagnoses[0].sign == "data that are no numbers"
    assert report._found.trials == {}


def test_one_class_and_twenty_examples_get_a_report():
    data = (FEW.x_train[:20], np.zeros(20, int))
    signs = [one.sign for one in checkup(small, data, **QUICK).diagnoses]
    assert signs[0] == "one class only"
    assert "too few validation examples" in signs


def test_no_accuracy_metric_is_needed():
    assert "validation accuracy" in checkup(dense(units=(8,), metrics=()), FEW, **QUICK).rows


def test_a_compiled_model_will_do_and_is_left_as_it_was():
    model = small()
    before = model.get_weights()
    report = checkup(model, FEW, **QUICK)
    assert "validation accuracy" in report.rows
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_frozen_layers_of_a_compiled_model_keep_their_weights():
    from utils.checkup._model import builder_of

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.layers[0].trainable = False
    compiled(model, "sparse_categorical_crossentropy", rate=0.02)
    fresh = seeded(builder_of(model), 0)
    np.testing.assert_array_equal(fresh.get_weights()[0], model.get_weights()[0])
    assert not np.array_equal(fresh.get_weights()[2], model.get_weights()[2])
    assert not fresh.layers[0].trainable
    assert float(fresh.optimizer.learning_rate) == pytest.approx(0.02)


class Own(keras.Model):
    def __init__(self, width):
        super().__init__()
        self.last = layers.Dense(width)

    def call(self, x):
        return self.last(layers.Flatten()(x))


def own():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return compiled(Own(10), loss)


def text_labels():
    return FEW.x_train, np.array(["cat", "dog"])[FEW.y_train % 2]


@pytest.mark.parametrize(
    ("build", "data", "settings", "error", "message"),
    [
        (small, FEW, {"minutes": 0}, ValueError, "minutes is 0; give a number above 0"),
        (small, FEW, {"seeds": 0}, ValueError, "seeds is 0|each of seeds is 0|whole number"),
        (small, FEW, {"epochs": 1.5}, TypeError, "epochs is 1.5"),
        (small, FEW, {"fixes": [small]}, TypeError, "fixes is .*give a dict"),
        (small, FEW, {"fixes": {"a": 3}}, TypeError, r"fixes\['a'\] is 3; give the function"),
        (lambda: 3, FEW, {}, TypeError, "build_model returned 3; let it return a compiled"),
        (keras.Sequential([layers.Dense(1)]), FEW, {}, ValueError, "not compiled; call its comp"),
        (own(), FEW, {}, TypeError, "cannot build anew; give the function"),
        (small, text_labels(), {}, TypeError, "y_train holds text.*np.unique"),
        (dense((3, 3)), FEW, {}, ValueError, "cannot take x_train of shape .200, 8, 8."),
        (small, (FEW.x_train, FEW.y_train + 5), {}, ValueError, "values from 5 to 14"),
    ],
)
def test_what_cannot_begin_is_a_sentence_that_says_what_would_do(
    build, data, settings, error, message
):
    with pytest.raises(error, match=message) as caught:
        checkup(build, data, **QUICK | settings)
    assert caught.value.__cause__ is None


def test_an_error_in_the_middle_of_a_training_is_a_sentence():
    def build():
        model = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
        model.add(layers.Flatten())
        model.add(layers.Dense(2, activation="softmax"))
        return compiled(model, "sparse_categorical_crossentropy")

    x = np.zeros((40, 3), "int32")
    x[30] = 7
    with pytest.raises(ValueError, match=r"stops with an error: .* = 7 is not in \[0, 5\)"):
        checkup(build, SimpleNamespace(x_train=x, y_train=x[:, 0] % 2, x_val=x, y_val=x[:, 0] % 2))
