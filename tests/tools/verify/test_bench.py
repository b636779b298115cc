"""The benchmark runs, on a network and data small enough for a test; its numbers are its own."""

import re

import keras
import pytest

from tests.small import dense, small_data
from tools.verify import bench


@pytest.fixture
def tiny(monkeypatch):
    def build_model(steps=1):
        model = dense()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=steps)
        return model

    monkeypatch.setattr(bench, "NETWORKS", {"tiny": (build_model, 2)})


@pytest.mark.slow
def test_it_compares_repeat_with_both_ways_to_fit(tiny, capsys):
    bench.warm_ratios("tiny", small_data(), pairs=2, seeds=2)
    out = capsys.readouterr().out
    for way in (r"\(a\) plain fit", r"\(b\) best fit"):
        assert re.search(rf"tiny: \d+\.\d× faster than {way} \(\d+\.\d to \d+\.\d in 2 rounds", out)


def test_all_three_train_the_same_number_of_epochs(tiny, monkeypatch):
    epochs = []
    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *args, **kw: epochs.append(kw["epochs"]) or fit(self, *args, **kw),
    )
    build_model, _ = bench.NETWORKS["tiny"]
    bench.with_fit(build_model, small_data(), 3, 2)
    bench.with_best_fit(build_model, small_data(), 3, 2)
    assert epochs == [3, 3, 3, 3]


def test_a_cold_run_prints_seconds_and_memory(tiny, monkeypatch, capsys):
    monkeypatch.setattr(bench, "small", small_data)
    bench.one_cold_run("tiny", "repeat", "1")
    seconds, memory = map(float, capsys.readouterr().out.split())
    assert seconds > 0
    assert memory > 50
