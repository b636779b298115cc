"""The benchmark runs, on a network and data small enough for a test; its numbers are its own."""

import re
from importlib.util import find_spec

import keras
import pytest

from tests.small import dense, small_data
from tools.verify import bench
from utils.datasets import load_fashion_mnist


@pytest.fixture
def tiny(monkeypatch):
    def build_model(steps=1):
        model = dense()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=steps)
        return model

    monkeypatch.setattr(bench, "NETWORKS", {"tiny": (build_model, 2)})


@pytest.mark.slow
def test_it_shows_all_ways_side_by_side(tiny, capsys):
    bench.show_warm("tiny", small_data(), rounds=2, seeds=2)
    out = capsys.readouterr().out
    assert re.search(r"tiny, ms .*: plain fit \d+, best fit \d+, repeat, 1 worker \d+, repeat", out)
    for way in ("plain fit", "best fit"):
        assert re.search(rf"2 seeds: \d+\.\d× faster than {way} \(\d+\.\d to \d+\.\d in 2", out)


def test_products_of_an_epoch_by_hand(monkeypatch):
    """16-8-3 units, 50 and 25 examples: 152 weights, those of the first layer 128."""
    monkeypatch.setattr(bench, "seconds", lambda action: 2 * 1024**3 / 1e9)  # 10⁹ a second
    operations = 50 * (6 * 152 - 2 * 128) + 75 * 2 * 152
    assert bench.seconds_of_products(dense(), small_data()) == pytest.approx(operations / 1e9)


@pytest.mark.skipif(not find_spec("jax"), reason="needs jax, which the course does not install")
def test_the_jax_of_the_comparison_learns_as_keras_does():
    from tools.verify.bench_jax import train

    _, accuracy = train(load_fashion_mnist(500), seed=0, epochs=5, batch=64)
    assert accuracy > 0.65


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
    bench.run_one("tiny", "repeat", "1")
    seconds, memory = map(float, capsys.readouterr().out.split())
    assert seconds > 0
    assert memory > 50
