"""What lessons say about the reader's own model also runs on models that are not ours."""

import re

import keras
import nbformat
import pytest
from keras import layers

from tests.utils.checkup.models import compiled, data_of
from tools.notebooks import NOTEBOOKS
from utils.checkup import checkup
from utils.checkup._checkup import Session

CALL = re.compile(r"`((?:fixes|print)\b[^`]+)`")


def foreign(rate=0.0):
    """Functional, with a shortcut, two metrics and layers without names."""
    inputs = keras.Input((8, 8))
    x = layers.Dense(12, activation="relu")(layers.Flatten()(inputs))
    x = layers.Add()([x, layers.Dropout(rate)(layers.Dense(12, activation="relu")(x))])
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    metrics = "accuracy", "sparse_top_k_categorical_accuracy"
    return compiled(model, "sparse_categorical_crossentropy", metrics=metrics)


def binary(rate=0.0):
    model = keras.Sequential([keras.Input((57,)), layers.Dense(12, activation="relu")])
    model.add(layers.Dropout(rate))
    model.add(layers.Dense(1))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return compiled(model, loss, metrics=["AUC"])


MODELS = {"foreign": (foreign, "digits", 200), "binary": (binary, "spam", 200)}


def own_model_code(lesson):
    """The calls in the paragraph on the reader's own model."""
    [path] = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    text = "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    return CALL.findall(text.partition("On your own model")[2].partition("## Summary")[0])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("lesson", ["00", "01", "02"])
def test_the_last_section_runs_on_a_model_that_is_not_ours(lesson, model, monkeypatch, capsys):
    build, name, size = MODELS[model]
    for trial in ("try_remedies", "try_half", "try_flips"):  # they take the most time
        monkeypatch.setattr(Session, trial, lambda session: None)
    lines = own_model_code(lesson)
    assert any("checkup(build_model, data" in line for line in lines)

    def quick(*args, **settings):
        return checkup(*args, **settings, seeds=1, epochs=2)

    scope = {"checkup": quick, "build_model": build, "data": data_of(name, size)}
    for line in lines:
        exec(line, scope)
    report = capsys.readouterr().out
    for meter in ("validation accuracy", "gap", "ablation area", "drift, Dense 1"):
        assert meter in report


@pytest.mark.slow
def test_the_two_more_examples_of_lesson_05_run():
    [path] = NOTEBOOKS.glob("05_*.ipynb")
    end = nbformat.read(path, 4).cells[-1].source
    from utils.datasets import load

    scope = {"keras": keras, "layers": layers, "load": load, "checkup": checkup}
    blocks = re.findall(r"```python\n(.*?)```", end.partition("<details>")[2], re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, scope)
    assert "validation accuracy" in scope["table"].rows
    assert "validation accuracy" in scope["text"].rows
