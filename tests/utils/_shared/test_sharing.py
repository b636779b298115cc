"""One compiled function for models alike, and never for models that only look alike."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.small import dense
from utils._shared.identity import identity_of
from utils._shared.sharing import compiled_once, functions
from utils.repeats._seeding import new_model

X = np.random.default_rng(0).normal(size=(5, 4, 4)).astype("float32")


def predict(model, x):
    return model(x, training=False)


def built(build_model=dense, seed=0):
    return new_model(build_model, seed, X.shape)


def test_models_alike_share_a_function_and_keep_their_own_weights():
    functions.clear()
    models = [built(seed=seed) for seed in (0, 1)]
    for model in models:
        ours = compiled_once(predict, model, ("predict",))(X)
        np.testing.assert_allclose(ours, model(X), rtol=1e-5)
    assert len(functions) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda: dense(layers.Dropout(0.2)),
        lambda: dense(layers.Activation("tanh")),
        lambda: dense(layers.Lambda(lambda x: 3 * x)),
        lambda: dense(optimizer=keras.optimizers.Adam(clipnorm=1.0)),
    ],
)
def test_others_do_not(other):
    first = {0: dense, 1: lambda: dense(layers.Lambda(lambda x: 2 * x))}
    identities = [identity_of(built(build)) for build in (*first.values(), other)]
    assert None not in identities
    assert len(set(identities)) == 3


def test_numbers_that_a_layer_closes_over_are_part_of_it():
    def times(factor):
        return dense(layers.Lambda(lambda x: factor * x))

    assert identity_of(built(lambda: times(2))) == identity_of(built(lambda: times(2), seed=1))
    assert identity_of(built(lambda: times(2))) != identity_of(built(lambda: times(3)))


def test_what_cannot_be_looked_into_is_never_the_same():
    numbers = iter(range(9))

    def drawn():
        return dense(layers.Lambda(lambda x: x * next(numbers)))

    assert identity_of(built(drawn)) is None


def test_a_global_setting_is_part_of_it():
    before = keras.config.epsilon()
    plain = identity_of(built())
    keras.config.set_epsilon(1e-3)
    try:
        assert identity_of(built()) != plain
    finally:
        keras.config.set_epsilon(before)


def test_the_values_of_variables_are_not():
    model = built()
    before = identity_of(model)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    assert identity_of(model) == before
    model.layers[1].kernel.regularizer = keras.regularizers.L2(0.1)
    assert identity_of(model) != before
