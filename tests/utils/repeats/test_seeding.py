"""Pairs are pairs: what a seed decides does not depend on the layers that an arm adds."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers, regularizers

from tests.small import convolutional, dense, small_data
from utils.repeats import batch_order, repeat, seeded

ARMS = {
    "Dropout": lambda: dense(layers.Dropout(0.5)),
    "BatchNormalization": lambda: dense(layers.BatchNormalization()),
    "L2": lambda: dense(penalty=regularizers.L2(0.01)),
    "noise in front": lambda: dense(layers.GaussianNoise(0.1), layers.GaussianDropout(0.1)),
}


def kernels(model):
    return [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("arm", ARMS)
def test_kernels_are_the_baselines_whatever_an_arm_adds(arm):
    for seed in (0, 7):
        pairs = zip(kernels(seeded(dense, seed)), kernels(seeded(ARMS[arm], seed)), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs)


def test_batch_normalization_after_a_convolution_leaves_the_kernels():
    plain, treated = (seeded(lambda bn=bn: convolutional(batch_norm=bn), 3) for bn in (False, True))
    assert all(map(np.array_equal, kernels(plain), kernels(treated)))


def test_set_random_seed_alone_would_not_do():
    starts = []
    for build_model in (dense, ARMS["Dropout"]):
        keras.utils.set_random_seed(0)
        starts.append(kernels(build_model()))
    assert not np.array_equal(starts[0][-1], starts[1][-1])


def test_seeds_differ_and_repeat_themselves():
    first, again, other = (kernels(seeded(dense, seed)) for seed in (4, 4, 5))
    assert all(map(np.array_equal, first, again))
    assert not any(map(np.array_equal, first, other))


def test_two_layers_of_one_shape_start_differently():
    model = seeded(lambda: dense(layers.Dense(8), layers.Dense(8)), 0)
    assert not np.array_equal(model.layers[2].kernel, model.layers[3].kernel)


def test_an_initializer_keeps_its_distribution_and_a_seed_of_its_own():
    own = keras.initializers.RandomNormal(stddev=1.0, seed=11)
    wide = keras.initializers.RandomNormal(stddev=1.0)
    model = seeded(
        lambda: dense(
            layers.Dense(400, kernel_initializer=wide), layers.Dense(8, kernel_initializer=own)
        ),
        0,
    )
    assert np.std(model.layers[2].kernel) == pytest.approx(1, abs=0.1)
    keras.utils.set_random_seed(0)
    expected = keras.initializers.RandomNormal(stddev=1.0, seed=11)((400, 8))
    assert np.array_equal(model.layers[3].kernel, expected)


def test_a_subclassed_model_is_built_for_the_data():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten, self.last = layers.Flatten(), layers.Dense(3)

        def call(self, x):
            return self.last(self.flatten(x))

    def build_model():
        model = Own()
        model.compile("adam", loss="mse")
        return model

    first, other = (seeded(build_model, seed, (10, 4, 4)) for seed in (0, 1))
    assert first.last.kernel.shape == (16, 3)
    assert not np.array_equal(first.last.kernel, other.last.kernel)


def test_the_order_of_the_batches_depends_on_seed_and_epoch_only():
    order = batch_order(3, 1, 100)
    assert np.array_equal(np.sort(order), np.arange(100))
    assert np.array_equal(order, batch_order(3, 1, 100))
    assert not np.array_equal(order, batch_order(3, 2, 100))
    assert not np.array_equal(order, batch_order(4, 1, 100))


def test_an_arm_with_a_layer_that_does_nothing_trains_like_the_baseline():
    data = small_data()
    options = {"epochs": 2, "seeds": [0, 1], "batch_size": 16, "jit_compile": False}
    plain = repeat(dense, data, **options)
    idle = repeat(lambda: dense(layers.Dropout(0.0)), data, **options)
    np.testing.assert_allclose(plain.history["loss"], idle.history["loss"], atol=1e-5)


def test_a_seed_gives_the_same_run_alone_and_among_others():
    data = small_data()
    options = {"epochs": 2, "batch_size": 16}
    build_model = ARMS["Dropout"]
    among = repeat(build_model, data, seeds=[0, 1, 2], **options)
    alone = repeat(build_model, data, seeds=[2], **options)
    assert np.array_equal(among.history["loss"][2], alone.history["loss"][0])
    assert all(map(np.array_equal, among.weights[2], alone.weights[0]))


def test_dropout_masks_differ_between_seeds_and_between_steps():
    data = small_data()
    masks = []

    def first_unit_silent(model):
        masks.append(np.asarray(model.layers[2](np.ones((1, 8)), training=True)))
        return 0

    repeat(
        ARMS["Dropout"],
        data,
        epochs=2,
        seeds=[0, 1],
        batch_size=16,
        watch={"mask": first_unit_silent},
    )
    assert len({mask.tobytes() for mask in masks}) > 3


def test_data_may_depend_on_the_seed():
    asked = []

    def data_for(seed):
        asked.append(seed)
        return small_data()

    repeat(dense, data_for, epochs=1, seeds=[3, 9], batch_size=16, jit_compile=False)
    assert set(asked) == {3, 9}


def first_seed_in_a_new_process(text):
    command = [sys.executable, "-c", "from utils.repeats._seeding import SEEDS; print(SEEDS)"]
    environment = os.environ | {"COURSE_FIRST_SEED": text}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_ten_seeds_from_the_first():
    assert first_seed_in_a_new_process("30").stdout.strip() == str(tuple(range(30, 40)))


@pytest.mark.parametrize("nonsense", ["", "ten", "-1", "1.5", "1e3", "²", str(2**31)])
def test_nonsense_as_first_seed_is_an_error(nonsense, monkeypatch):
    from utils.repeats._seeding import first_seed

    monkeypatch.setenv("COURSE_FIRST_SEED", nonsense)
    with pytest.raises(ValueError, match=r"COURSE_FIRST_SEED is .*give a whole number"):
        first_seed()


def test_every_first_seed_that_is_accepted_can_be_used():
    from utils.repeats._seeding import LARGEST_FIRST_SEED

    seeded(dense, LARGEST_FIRST_SEED + 9)


@pytest.mark.parametrize(
    ("build_model", "error", "words"),
    [
        (lambda: "a model", TypeError, "build_model returned 'a model'"),
        (lambda: None, TypeError, "build_model returned None"),
        (lambda: keras.Sequential([keras.Input((4, 4))]), ValueError, "not compiled"),
    ],
)
def test_what_build_model_must_return(build_model, error, words):
    with pytest.raises(error, match=words):
        seeded(build_model, 0)


def with_inner_layers(noise):
    model = keras.Sequential([keras.Input((4, 4)), *([layers.Dropout(0.5)] if noise else [])])
    model.add(layers.Bidirectional(layers.LSTM(3, return_sequences=True)))
    model.add(layers.TimeDistributed(layers.Dense(5)))
    model.add(layers.SeparableConv1D(6, 2))
    model.add(layers.Flatten())
    model.add(layers.Dense(3))
    model.compile("adam", "mse")
    return model


def test_layers_inside_of_layers_start_alike_too():
    plain, noisy = (seeded(lambda n=noise: with_inner_layers(n), 0) for noise in (False, True))
    pairs = zip(plain.trainable_weights, noisy.trainable_weights, strict=True)
    different = [a.path for a, b in pairs if not np.array_equal(a, b)]
    assert different == []
    assert not np.array_equal(plain.layers[0].forward_layer.cell.kernel,
                              plain.layers[0].backward_layer.cell.kernel)  # fmt: skip
