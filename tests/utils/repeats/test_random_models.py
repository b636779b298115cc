"""Whatever network and training is drawn, `repeat` is `fit`, behind all that were drawn before."""

from __future__ import annotations

from dataclasses import dataclass, field

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from keras import constraints, layers, optimizers, regularizers

from tests.small import small_data
from tests.utils.repeats.reference import assert_as_fit, double_precision

DATA = small_data(40)


@dataclass(frozen=True)
class Of:
    """A thing to make anew for every model: its class and arguments, readable when a test fails."""

    kind: type
    options: dict = field(default_factory=dict)

    def made(self):
        options = {
            name: value.made() if isinstance(value, Of) else value
            for name, value in self.options.items()
        }
        return self.kind(**options)

    def __repr__(self):
        options = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.kind.__name__}({options})"


def of(kind: type, **options: st.SearchStrategy) -> st.SearchStrategy[Of]:
    return st.fixed_dictionaries(options).map(lambda drawn: Of(kind, drawn))


def seldom(things: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | things


strengths = st.sampled_from([0.001, 0.05])
penalties = of(regularizers.L2, l2=strengths) | of(
    regularizers.L1L2, l1=strengths.map(np.float64), l2=strengths
)
limits = of(constraints.MaxNorm, max_value=st.sampled_from([0.3, 1.0])) | of(constraints.NonNeg)
activations = st.sampled_from(["linear", "relu", "tanh", "gelu", "selu", "softplus"])
initializers = st.sampled_from(["glorot_uniform", "he_normal", "orthogonal", "lecun_uniform"])
units = st.sampled_from([3, 5])

dense = of(
    layers.Dense,
    units=units,
    activation=activations,
    kernel_initializer=initializers,
    kernel_regularizer=seldom(penalties),
    kernel_constraint=seldom(limits),
    bias_regularizer=seldom(penalties),
    activity_regularizer=seldom(of(regularizers.L2, l2=strengths)),
    use_bias=st.booleans(),
)
between = (
    of(layers.BatchNormalization, momentum=st.sampled_from([0.5, 0.9]), scale=st.booleans())
    | of(layers.LayerNormalization)
    | of(layers.Dropout, rate=st.sampled_from([0.0, 0.3]))
    | of(layers.GaussianNoise, stddev=st.sampled_from([0.1, 0.5]))
    | of(layers.LeakyReLU, negative_slope=st.sampled_from([0.1, 0.3]))
    | of(layers.PReLU)
    | of(layers.UnitNormalization)
)


@dataclass(frozen=True)
class Closing:
    """A Lambda layer over a number: Keras writes no two of them differently."""

    factor: float

    def made(self):
        return layers.Lambda(lambda x: x * self.factor)


closing = st.builds(Closing, st.sampled_from([0.5, 2.0]))
flat = dense | dense | between | closing


@dataclass(frozen=True)
class Nested:
    """Layers in a model of their own, or around a shortcut."""

    inner: list
    shortcut: bool

    def made(self):
        inner = keras.Sequential([*(layer.made() for layer in self.inner), layers.Dense(4)])
        return Shortcut(inner) if self.shortcut else inner


class Shortcut(layers.Layer):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.direct = inner, layers.Dense(4, use_bias=False)

    def build(self, shape):
        self.inner.build(shape)
        self.direct.build(shape)

    def call(self, x, training=None):
        return self.direct(x) + self.inner(x, training=training)


nested = st.builds(Nested, st.lists(flat, min_size=1, max_size=2), st.booleans())
bodies = st.lists(flat | flat | flat | nested, min_size=1, max_size=3)

rates = st.sampled_from([0.01, 0.1]) | of(
    optimizers.schedules.ExponentialDecay,
    initial_learning_rate=st.just(0.1),
    decay_steps=st.just(2),
    decay_rate=st.sampled_from([0.5, 0.9]),
)
usual = {
    "learning_rate": rates,
    "clipnorm": seldom(st.sampled_from([0.05, 1.0])),
    "weight_decay": seldom(st.sampled_from([0.01, 0.5])),
    "use_ema": st.booleans(),
}
optimizer_kinds = (
    of(optimizers.SGD, momentum=st.sampled_from([0.0, 0.9]), nesterov=st.booleans(), **usual)
    | of(optimizers.Adam, amsgrad=st.booleans(), **usual)
    | of(optimizers.RMSprop, centered=st.booleans(), **usual)
    | of(optimizers.Nadam, **usual)
    | of(optimizers.Adagrad, **usual)
)


@dataclass(frozen=True)
class Network:
    body: list
    optimizer: Of
    functional: bool
    late: bool  # a penalty set on the variable, which no config holds

    def __call__(self):
        stack = [layers.Flatten(), *(part.made() for part in self.body)]
        last = layers.Dense(3)
        inputs = keras.Input((4, 4))
        if self.functional:
            x = inputs
            for layer in [*stack, last]:
                x = layer(x)
            model = keras.Model(inputs, x)
        else:
            model = keras.Sequential([inputs, *stack, last])
        if self.late:
            last.kernel.regularizer = regularizers.L2(0.1)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(self.optimizer.made(), loss=loss, metrics=["accuracy"], jit_compile=False)
        return model


networks = st.builds(Network, bodies, optimizer_kinds, st.booleans(), st.booleans())


@dataclass(frozen=True)
class Stop:
    monitor: str
    patience: int
    restore_best_weights: bool

    def __call__(self):
        return keras.callbacks.EarlyStopping(**vars(self))


stops = st.builds(
    Stop, st.sampled_from(["val_loss", "loss", "val_accuracy"]), st.integers(0, 1), st.booleans()
)
trainings = st.fixed_dictionaries(
    {
        "batch_size": st.sampled_from([7, 16, 40, 64]),
        "epochs": st.integers(1, 3),
        "stop": seldom(stops),
    }
)


def draws(number):
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a failing network is small as it is; shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )


def compare_with_fit(network, training):
    with double_precision():
        assert_as_fit(network, DATA, seeds=(3,), at_once=True, rtol=1e-6, atol=1e-7, **training)


@draws(5)
@given(networks, trainings)
def test_a_few_networks(network, training):
    compare_with_fit(network, training)


@pytest.mark.slow
@draws(60)
@given(networks, trainings)
def test_many_networks(network, training):
    compare_with_fit(network, training)


@pytest.mark.slow
@draws(12)
@given(bodies, optimizer_kinds, trainings)
def test_behind_its_siblings(body, optimizer, training):
    """The same layers with and without a penalty that no config holds, in turn."""
    for late in (False, True, False):
        compare_with_fit(Network(body, optimizer, functional=False, late=late), training)
