"""Arms that Keras writes down alike and that are not the same program: each trains as its own."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import constraints, layers, losses, ops, optimizers, regularizers

from tests.utils.repeats.reference import assert_as_fit, double_precision

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 6))
Y = (X @ rng.normal(size=(6, 3))).argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:40], y_train=Y[:40], x_val=X[40:], y_val=Y[40:])


@pytest.fixture(autouse=True)
def in_float64():
    with double_precision():
        yield


def network(*hidden, optimizer=None, loss=None, last=None, functional=False, **options):
    """Six features, the layers `hidden`, three classes."""
    last = last or layers.Dense(3)
    if functional:
        x = inputs = keras.Input((6,))
        for layer in [*hidden, last]:
            x = layer(x)
        model = keras.Model(inputs, x)
    else:
        model = keras.Sequential([keras.Input((6,)), *hidden, last])
    loss = loss or losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or optimizers.SGD(0.5), loss=loss, jit_compile=False, **options)
    return model


def changed(layer, **attributes):
    """A network with `layer`, built, whose kernel then gets `attributes` by hand."""
    model = network(layer)
    for name, value in attributes.items():
        setattr(layer.kernel, name, value)
    return model


class Scaled(losses.Loss):
    """Has an argument that its config leaves out."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, y, logits):
        return self.factor * ops.mean(logits**2, axis=-1)


class Clinging(regularizers.Regularizer):
    """Pulls to a value that its config leaves out."""

    def __init__(self, centre):
        self.centre = centre

    def __call__(self, weight):
        return ops.sum((weight - self.centre) ** 2)

    def get_config(self):
        return {}


class Steps(optimizers.schedules.LearningRateSchedule):
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return ops.cast(self.rate, "float64") / (ops.cast(step, "float64") + 1)

    def get_config(self):
        return {}


class Signs(optimizers.Optimizer):
    """Steps of one length, which its config leaves out."""

    def __init__(self, length):
        super().__init__(learning_rate=0.1)
        self.length = length

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, self.length * learning_rate * ops.sign(gradient))


class Times(layers.Layer):
    """Multiplies by what it was given: a number, an array, a tensor or a variable."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


FACTOR = 1.0


class TimesGlobal(layers.Layer):
    def call(self, x):
        return x * FACTOR


class TimesOfClass(layers.Layer):
    factor = 1.0

    def call(self, x):
        return x * self.factor


def normalized(scale):
    layer = layers.Normalization()
    layer.adapt(scale * DATA.x_train)
    return network(layer, layers.Dense(4))


def another_of_one_name(factor):
    class Own(layers.Layer):
        def call(self, x):
            return x * 2 if factor == 2 else ops.sin(x)

    return network(Own())


def redefined(body):
    """A function as a notebook's cell leaves it when it is edited and run again."""
    scope = {"ops": ops, "__name__": "__main__"}
    exec(f"def activation(x):\n    return {body}", scope)
    return network(layers.Dense(4, activation=scope["activation"]))


def patched(factor):
    layer = layers.Dense(4)
    whole = layer.call
    layer.call = lambda x, training=None: factor * whole(x)
    return network(layer)


def late_activity(strength):
    layer = layers.Dense(4)
    model = network(layer)
    layer.activity_regularizer = regularizers.L2(strength)
    return model


def late_activation(activation):
    layer = layers.Dense(4)
    model = network(layer)
    layer.activation = activation
    return model


def decayed(**excluded):
    body, last = layers.Dense(4, name="body"), layers.Dense(3, name="head")
    optimizer = optimizers.AdamW(0.05, weight_decay=2.0)
    model = network(body, last=last, optimizer=optimizer)
    if excluded.get("by") == "name":
        optimizer.exclude_from_weight_decay(var_names=[excluded["of"]])
    if excluded.get("by") == "variable":
        layer = {"body": body, "head": last}[excluded["of"]]
        optimizer.exclude_from_weight_decay(var_list=[layer.kernel])
    return model


def frozen(layer_only):
    """A frozen variable, which the layer's `trainable` does not show."""
    layer = layers.Dense(4)
    model = network(layer)
    layer.kernel.trainable = not layer_only
    model.compile(optimizers.SGD(0.5), loss=model.loss, jit_compile=False)
    return model


def operated(operation):
    x = keras.Input((6,))
    hidden = operation(layers.Dense(4)(x))
    model = keras.Model(x, layers.Dense(3)(hidden))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.SGD(0.5), loss=loss, jit_compile=False)
    return model


def gathered(order):
    """A table of numbers, not a weight, that the layer looks things up in."""
    return network(layers.Lambda(lambda x: tf.gather(x, order, axis=1)))


def halved(kind):
    class Own(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            return super().compute_loss(*args, **kwargs) * kind

    model = Own([keras.Input((6,)), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.SGD(0.5), loss=loss, jit_compile=False)
    return model


def of_output(loss):
    return network(last=layers.Dense(3, activation="softmax"), loss=loss)


def of_counts():
    """Its loss takes the logarithm of what it predicts, plus Keras's epsilon."""
    return network(last=layers.Dense(1, activation="softplus"), loss="poisson")


def named(name, activation):
    return network(layers.Dense(4, activation=activation, name=name))


BUILDS = {
    "a Lambda that closes over a number": [
        lambda f=f: network(layers.Lambda(lambda x: x * f)) for f in (1.0, 3.0)
    ],
    "a Lambda that closes over an array": [
        lambda f=f: network(layers.Lambda(lambda x: x * f)) for f in (np.ones(6), np.arange(6.0))
    ],
    "a Lambda with another default": [
        lambda f=f: network(layers.Lambda(lambda x, f=f: x * f)) for f in (1.0, 3.0)
    ],
    "a Lambda with arguments": [
        lambda f=f: network(layers.Lambda(lambda x, f: x * f, arguments={"f": f}))
        for f in (1.0, 3.0)
    ],
    "what Normalization adapted to": [lambda s=s: normalized(s) for s in (1.0, 5.0)],
    "what Normalization was given": [
        lambda m=m: network(layers.Normalization(mean=m, variance=1.0)) for m in (0.0, 2.0)
    ],
    "an argument that a loss leaves out": [
        lambda f=f: network(loss=Scaled(f)) for f in (1.0, 10.0)
    ],
    "delta, which Keras's Huber leaves out": [
        lambda d=d: network(last=layers.Dense(1), loss=losses.Huber(delta=d)) for d in (1.0, 0.1)
    ],
    "a regularizer's argument": [
        lambda c=c: network(layers.Dense(4, kernel_regularizer=Clinging(c))) for c in (0.0, 1.0)
    ],
    "a schedule's argument": [
        lambda r=r: network(optimizer=optimizers.SGD(Steps(r))) for r in (0.1, 1.0)
    ],
    "an optimizer's argument": [lambda s=s: network(optimizer=Signs(s)) for s in (1.0, 0.1)],
    "a learning rate that is a function": [
        lambda r=r: network(optimizer=optimizers.SGD(lambda: r)) for r in (0.1, 1.0)
    ],
    "a layer of one name with other code": [lambda f=f: another_of_one_name(f) for f in (2, 3)],
    "a layer's number": [lambda f=f: network(Times(f)) for f in (1.0, 3.0)],
    "a layer's array": [lambda f=f: network(Times(np.full(6, f))) for f in (1.0, 3.0)],
    "a layer's tensor": [lambda f=f: network(Times(tf.constant(f, "float64"))) for f in (1.0, 3.0)],
    "a layer's variable of TensorFlow's": [
        lambda f=f: network(Times(tf.Variable(f, dtype="float64", trainable=False)))
        for f in (1.0, 3.0)
    ],
    "a function redefined": [lambda b=b: redefined(b) for b in ("ops.tanh(x)", "ops.relu(x)")],
    "a layer's call replaced": [lambda f=f: patched(f) for f in (1.0, 3.0)],
    "a constraint on a variable": [
        lambda c=c: changed(layers.Dense(4), constraint=c)
        for c in (None, constraints.MaxNorm(0.1), constraints.NonNeg())
    ],
    "a regularizer on a variable": [
        lambda r=r: changed(layers.Dense(4), regularizer=r)
        for r in (None, regularizers.L2(1.0), regularizers.L1(np.float64(0.1)))
    ],
    "an activity penalty set late": [lambda s=s: late_activity(s) for s in (0.0, 1.0)],
    "an activation set late": [lambda a=a: late_activation(a) for a in (ops.tanh, ops.relu)],
    "decay that leaves out variables": [
        lambda e=e: decayed(**e)
        for e in (
            {},
            {"by": "name", "of": "body"},
            {"by": "name", "of": "head"},
            {"by": "variable", "of": "body"},
            {"by": "variable", "of": "head"},
        )
    ],
    "a variable that is frozen": [lambda f=f: frozen(f) for f in (False, True)],
    "operations between layers": [
        lambda o=o: operated(o)
        for o in (lambda h: h * 2, lambda h: h + 2, lambda h: 2 - h, lambda h: h * 3)
    ],
    "a table": [lambda o=o: gathered(o) for o in ([0, 1, 2], [3, 4, 5])],
    "a loss computed by the model": [lambda k=k: halved(k) for k in (1.0, 0.1)],
    "a loss closed over": [
        lambda f=f: of_output(lambda y, p: f * losses.sparse_categorical_crossentropy(y, p))
        for f in (1.0, 0.1)
    ],
    "layers named like values": [
        lambda n=n, a=a: named(n, a)
        for n, a in (("relu", "relu"), ("tanh", "tanh"), ("relu", "tanh"), ("linear", "relu"))
    ],
    "settings of compile": [
        lambda o=o: network(layers.Dense(4), optimizer=o())
        for o in (
            lambda: optimizers.SGD(0.5, clipvalue=0.01),
            lambda: optimizers.SGD(0.5, global_clipnorm=0.01),
            lambda: optimizers.SGD(0.5, clipnorm=0.01),
            lambda: optimizers.SGD(0.5),
        )
    ],
    "where a penalty sits": [
        lambda i=i: network(
            *(layers.Dense(6, kernel_regularizer="l2" if i == j else None) for j in (0, 1))
        )
        for i in (0, 1)
    ],
}


def each_kind():
    for kind in BUILDS:
        yield pytest.param(kind, marks=[] if kind in SMOKE else pytest.mark.slow)


SMOKE = (
    "a Lambda that closes over a number",
    "what Normalization adapted to",
    "delta, which Keras's Huber leaves out",
    "a layer's variable of TensorFlow's",
    "a constraint on a variable",
    "a variable that is frozen",
    "layers named like values",
)


@pytest.mark.parametrize("kind", each_kind())
def test_every_arm_is_its_own(kind):
    for build in BUILDS[kind]:
        assert_as_fit(build, DATA, seeds=(0,))


@pytest.mark.slow
@pytest.mark.parametrize("kind", BUILDS)
def test_every_arm_is_its_own_in_another_order(kind):
    """From the last to the first, and the last again behind the others."""
    builds = BUILDS[kind][::-1]
    for build in [*builds, builds[0]]:
        assert_as_fit(build, DATA, seeds=(0,))


@pytest.mark.parametrize("values", [(1.0, 3.0), (3.0, 1.0)])
def test_a_global_that_a_layer_reads(values, monkeypatch):
    for value in values:
        monkeypatch.setitem(globals(), "FACTOR", value)
        assert_as_fit(lambda: network(TimesGlobal()), DATA, seeds=(0,))


@pytest.mark.parametrize("values", [(1.0, 3.0), (3.0, 1.0)])
def test_a_class_attribute_that_a_layer_reads(values, monkeypatch):
    for value in values:
        monkeypatch.setattr(TimesOfClass, "factor", value)
        assert_as_fit(lambda: network(TimesOfClass()), DATA, seeds=(0,))


@pytest.mark.parametrize("values", [(1e-7, 0.2), (0.2, 1e-7)])
def test_the_epsilon_that_keras_is_set_to(values):
    before = keras.config.epsilon()
    try:
        for epsilon in values:
            keras.config.set_epsilon(epsilon)
            assert_as_fit(of_counts, DATA, seeds=(0,))
    finally:
        keras.config.set_epsilon(before)


def test_a_function_of_keras_that_was_replaced(monkeypatch):
    """Whatever decides the program, also from outside of the model."""
    build = lambda: network(layers.Dense(4, activation="relu"))  # noqa: E731
    assert_as_fit(build, DATA, seeds=(0,))
    monkeypatch.setattr(layers.Dense, "call", lambda self, x, training=None: x @ self.kernel)
    assert_as_fit(build, DATA, seeds=(0,))


SEEDS = (0, 1, 2)


@pytest.mark.parametrize(
    "build",
    [
        lambda s: network(layers.Dense(4, kernel_regularizer=regularizers.L2(s))),
        lambda s: network(layers.Lambda(lambda x: x * s)),
        lambda s: network(layers.Dense(4, activation="relu" if s > 0.5 else "tanh")),
        lambda s: network(layers.Dropout(s)),
        lambda s: network(optimizer=optimizers.SGD(s)),
        lambda s: network(optimizer=optimizers.SGD(0.1, momentum=s)),
        lambda s: network(Times(np.full(6, s))),
    ],
    ids=["L2", "Lambda", "activation", "Dropout", "learning rate", "momentum", "array"],
)
def test_a_setting_that_build_model_draws(build):
    """Under each seed another program: none may be that of the first seed."""
    assert_as_fit(lambda: build(np.random.uniform(0.1, 0.9)), DATA, seeds=SEEDS)


@pytest.mark.slow
def test_arms_interleaved_with_their_siblings_do_not_grow_apart():
    """Three rounds over two arms: the same numbers every round."""
    builds = [lambda f=f: network(layers.Lambda(lambda x: x * f)) for f in (1.0, 3.0)]
    for _ in range(3):
        for build in builds:
            assert_as_fit(build, DATA, seeds=(0,))
