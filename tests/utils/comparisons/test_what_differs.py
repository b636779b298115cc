"""What differs between two arms: what was trained, and where no one can look, that no one can."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops, regularizers

from tests.utils.comparisons.arms import DATA, X, compiled, described, network, what_differs
from tests.utils.repeats.models import decaying
from tests.utils.repeats.reference import double_precision
from utils._shared.differing import hidden_line
from utils.comparisons import compare
from utils.comparisons._confounds import confounds
from utils.repeats import repeat
from utils.repeats._data_prints import prints_of
from utils.repeats._setups import describe_model

ONCE = {"epochs": 2, "seeds": (0, 1), "batch_size": 16, "jit_compile": False}
NO_LOOK = "cannot look inside"


def both_ways(build, *words):
    """The lines between build(0) and build(1), which must hold `words`; none between equals."""
    lines = what_differs(lambda: build(0), lambda: build(1))
    assert len(lines) == len(words), lines
    assert all(word in line for word, line in zip(words, lines, strict=True)), lines
    assert what_differs(lambda: build(1), lambda: build(1)) == []


# trained by `repeat` itself


def test_what_differs_is_what_was_trained():
    def build(late):
        dense = layers.Dense(8)
        model = keras.Sequential([keras.Input((6,)), dense, layers.Dense(3)])
        if late:
            dense.kernel_regularizer = regularizers.L2(1.0)
        return compiled(model)

    arms = [repeat(lambda late=late: build(late), DATA, **ONCE) for late in (False, True)]
    assert not compare(*arms, "val_loss").confounds


def test_the_direction_of_early_stopping():
    arms = []
    for mode in ("min", "max"):
        stop = keras.callbacks.EarlyStopping("val_loss", patience=1, mode=mode)
        arms.append(repeat(network, DATA, **ONCE, callbacks=[stop]))
    line = "early stopping: val_loss, patience 1 → val_loss, patience 1, mode max"
    assert line in compare(*arms, "val_loss").confounds


def test_equal_data_in_another_precision_are_compared():
    data = SimpleNamespace(
        x_train=DATA.x_train.astype("float64"),
        y_train=DATA.y_train.astype("int32"),
        x_val=DATA.x_val.astype("float64"),
        y_val=DATA.y_val.astype("int32"),
    )
    arms = [repeat(network, some, **ONCE) for some in (DATA, data)]
    assert compare(*arms, "val_loss").confounds == (
        "training data, equal in another precision: float32, int64 → float64, int32",
        "evaluation data, equal in another precision: float32, int64 → float64, int32",
    )


# layers and their variables


@pytest.mark.parametrize("name", ["kernel_regularizer", "bias_constraint", "kernel_constraint"])
def test_what_is_set_on_a_built_layer_does_nothing(name):
    def build(late):
        model = network()
        if late:
            setattr(model.layers[0], name, object())
        return model

    assert what_differs(lambda: build(False), lambda: build(True)) == []


def test_what_is_set_on_a_variable_is_trained():
    def build(late):
        model = network()
        if late:
            model.layers[0].kernel.regularizer = regularizers.L2(1.0)
            model.layers[1].bias.constraint = keras.constraints.NonNeg()
        return model

    both_ways(
        build,
        "layer 1, Dense: kernel_regularizer none → L2(l2=1)",
        "layer 2, Dense: bias_constraint none → NonNeg()",
    )


def test_a_setting_that_is_taken_away():
    lines = what_differs(lambda: network(penalty=regularizers.L2(0.5)), network)
    assert lines == ["layer 1, Dense: kernel_regularizer L2(l2=0.5) → none"]


def test_a_weight_that_only_one_of_them_has():
    lines = what_differs(
        lambda: compiled(keras.Sequential([keras.Input((6,)), layers.Dense(3)])),
        lambda: compiled(keras.Sequential([keras.Input((6,)), layers.Dense(3, use_bias=False)])),
    )
    assert lines == ["layer 1, Dense: use_bias True → False", "parameters: 21 → 18"]


def test_one_variable_may_be_left_untrained():
    def build(late):
        model = network()
        model.layers[1].kernel.trainable = not late
        return model

    both_ways(build, "layer 2, Dense: kernel_trainable none → False")


def test_a_frozen_normalization_is_one_line():
    def build(frozen):
        model = network(layers.BatchNormalization())
        model.layers[1].trainable = not frozen
        return model

    both_ways(build, "layer 2, BatchNormalization: trainable none → False")


def test_weights_that_decay_leaves_out():
    def build(left_out):
        optimizer = keras.optimizers.AdamW(0.05, weight_decay=2.0)
        if left_out:
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        return network(optimizer=optimizer)

    both_ways(build, "layer 1, Dense: bias_weight_decay none → off", "layer 2, Dense: bias")


def test_weight_decay_left_out_by_the_name_of_a_layer():
    both_ways(decaying, "layer 1, Dense: kernel_weight_decay none → off", "bias_weight_decay")


def test_without_decay_leaving_out_is_nothing():
    def build(left_out):
        optimizer = keras.optimizers.Adam()
        if left_out:
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        return network(optimizer=optimizer)

    assert what_differs(lambda: build(False), lambda: build(True)) == []


def test_settings_of_a_wrapped_layer_are_named():
    def build(dropout):
        gru = layers.Bidirectional(layers.GRU(4, dropout=dropout / 10))
        return compiled(
            keras.Sequential([keras.Input((6,)), layers.Reshape((6, 1)), gru, layers.Dense(3)])
        )

    both_ways(build, "forward_layer dropout 0 → 0.1", "backward_layer dropout 0 → 0.1")


def test_numbers_that_six_digits_do_not_tell_apart():
    rates = 0.1, 0.1000001
    both_ways(
        lambda n: network(optimizer=keras.optimizers.SGD(rates[n])), "=0.1000001, use_ema=False"
    )


def test_a_layer_with_its_own_precision():
    lines = what_differs(network, lambda: network(layers.Dense(4, dtype="float64")))
    assert "layer 2, Dense: precision none → float64" in lines


# the start


def test_weights_put_there_by_hand():
    def build(by_hand):
        model = network()
        if by_hand:
            model.layers[1].bias.assign([1.0, 2.0, 3.0])
        return model

    both_ways(build, "initial weights of layer 2 (Dense)")


def test_what_a_layer_has_adapted_to():
    def build(scale):
        normalization = layers.Normalization()
        normalization.adapt(X * (1 + scale))
        return compiled(keras.Sequential([keras.Input((6,)), normalization, layers.Dense(3)]))

    both_ways(build, "what layer 1 (Normalization) has adapted to")


def test_an_optimizer_that_has_trained_before():
    def build(steps):
        model = network(optimizer="adam")
        model.optimizer.iterations.assign(steps)
        return model

    both_ways(build, "state of the optimizer: none → after 1 steps")


def test_another_initializer_is_one_line():
    names = "zeros", "ones"
    both_ways(
        lambda n: network(layers.Dense(8, bias_initializer=names[n])),
        "layer 2, Dense: bias_initializer Zeros() → Ones()",
    )


# operations and connections


def test_operations_between_layers():
    def build(loud):
        x = keras.Input((6,))
        h = ops.tanh(layers.Dense(8)(x))
        return compiled(keras.Model(x, layers.Dense(3)(h * 3 if loud else h)))

    both_ways(build, "+ Multiply(x2=3) after layer 2 (Tanh)")


def test_constants_of_operations():
    def build(way):
        x = keras.Input((6,))
        return compiled(keras.Model(x, layers.Dense(3)(x - 2 if way else 2 - x)))

    both_ways(
        build,
        "layer 1, Subtract: x1 2 → none",
        "layer 1, Subtract: x2 none → 2",
        "layer 1 (Subtract) takes x2 = the input → x1 = the input",
    )


def test_a_large_constant_is_told_by_its_values():
    def build(number):
        x, constant = keras.Input((6,)), np.full((16, 6), float(number), "float32")
        return compiled(keras.Model(x, layers.Dense(3)(ops.matmul(x, constant.T @ constant))))

    both_ways(build, "layer 1, Matmul: x2 has different values")


def residual(skip, dropout=False):
    x = keras.Input((6,))
    first = layers.Dense(6)(x)
    second = layers.Dense(6)(first)
    second = layers.Dropout(0.5)(second) if dropout else second
    total = layers.Add()([first if skip else x, second])
    return compiled(keras.Model(x, layers.Dense(3)(total)))


def test_connections_between_the_same_layers():
    both_ways(
        residual,
        "layer 3 (Add) takes the input, layer 2 (Dense) → layer 1 (Dense), layer 2 (Dense)",
    )


def test_a_layer_put_in_between_changes_no_other_connection():
    lines = what_differs(lambda: residual(0), lambda: residual(0, dropout=True))
    assert lines == ["+ Dropout(rate=0.5) after layer 2 (Dense)"]


def test_a_layer_put_in_does_not_hide_another_connection():
    _, line = what_differs(lambda: residual(0), lambda: residual(1, dropout=True))
    assert line.startswith("layer 3 (Add) takes")


def test_the_order_of_two_inputs_of_an_operation():
    def build(swapped):
        x = keras.Input((6,))
        h = layers.Dense(6)(x)
        return compiled(keras.Model(x, layers.Dense(3)(h - x if swapped else x - h)))

    both_ways(build, "layer 2 (Subtract) takes the input, layer 1 (Dense) → layer 1 (Dense), the")


def test_which_call_of_a_layer_is_taken():
    def build(turned):
        x = keras.Input((6,))
        shared = layers.Dense(6)
        once = shared(x)
        both = [once, shared(once)]
        return compiled(keras.Model(x, layers.Subtract()(both[::-1] if turned else both)))

    line = (
        "layer 2 (Subtract) takes layer 1 (Dense), call 2 of layer 1 (Dense)"
        " → call 2 of layer 1 (Dense), layer 1 (Dense)"
    )
    both_ways(build, line)


def test_which_of_several_inputs_or_outputs_is_taken():
    def build(turned):
        x = [keras.Input((6,)), keras.Input((6,))]
        _, *states = layers.LSTM(6, return_state=True)(layers.Reshape((1, 6))(x[turned]))
        return compiled(keras.Model(x, layers.Add()([x[1], states[turned]])))

    setups = [described_without_data(lambda n=n: build(n)) for n in (0, 1)]
    assert confounds(*setups) == [
        "layer 1 (Reshape) takes the input → part 2 of the input",
        "layer 3 (Add) takes part 2 of the input, part 2 of layer 2 (LSTM)"
        " → part 2 of the input, part 3 of layer 2 (LSTM)",
    ]


def test_which_layer_is_the_output():
    def build(early):
        x = keras.Input((6,))
        first = layers.Dense(3)(x)
        both = layers.Dense(3)(first)
        outputs = [first, both] if early else [both, first]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return compiled(keras.Model(x, outputs), loss=[loss, loss])

    setups = [described_without_data(lambda n=n: build(n)) for n in (0, 1)]
    line = "the output: layer 2 (Dense), layer 1 (Dense) → layer 1 (Dense), layer 2 (Dense)"
    assert line in confounds(*setups)


def described_without_data(build):
    """An arm of a model whose data `repeat` may not take."""
    arm = described()
    changed = {**vars(arm.setup), **describe_model(build())}
    return SimpleNamespace(setup=type(arm.setup)(**changed), kept_epoch=arm.kept_epoch)


def test_layers_of_nested_models_are_connected_through_them():
    def build(skip):
        inner = keras.Input((6,))
        h = layers.Dense(6)(inner)
        base = keras.Model(inner, layers.Add()([h, inner if skip else h]))
        x = keras.Input((6,))
        return compiled(keras.Model(x, layers.Dense(3)(base(ops.relu(x)))))

    both_ways(
        build, "layer 3 (Add) takes layer 2 (Dense), layer 2 (Dense) → layer 2 (Dense), layer"
    )


def test_a_sequential_and_its_functional_twin_are_the_same_network():
    x = keras.Input((6,))
    lines = what_differs(
        network, lambda: compiled(keras.Model(x, layers.Dense(3)(layers.Dense(8)(x))))
    )
    assert lines == []


class Stack(keras.Model):
    """The layers of `network`, called by code."""

    def __init__(self):
        super().__init__()
        self.first, self.last = layers.Dense(8), layers.Dense(3)

    def call(self, x):
        return self.last(self.first(x))


def test_connections_that_only_code_knows_are_not_guessed():
    lines = what_differs(network, lambda: compiled(Stack()))
    assert lines == [
        "model: keras.Model → Stack",
        "cannot look inside Stack: its call is its own code",
    ]


# code of one's own


class Half(keras.Sequential):
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) / 2


def fraction(divisor):
    class Fraction(keras.Sequential):
        def train_step(self, data):
            return super().train_step([part / divisor for part in data])

    return Fraction


def test_another_class_with_its_own_train_step():
    lines = what_differs(network, lambda: network(kind=Half))
    assert lines == [
        "model: keras.Model → Half",
        "cannot look inside Half: its compute_loss is its own code",
    ]


def test_two_classes_with_code_of_their_own():
    lines = what_differs(lambda: network(kind=Half), lambda: network(kind=fraction(2)))
    assert lines == [
        "model: Half → Fraction",
        "cannot look inside Half: its compute_loss is its own code",
        "cannot look inside Fraction: its train_step is its own code",
    ]


def test_the_same_class_with_another_closure():
    both_ways(
        lambda n: network(kind=fraction(n + 1)), f"{NO_LOOK} Fraction: its train_step is its own"
    )


def test_a_method_put_on_one_model():
    def build(own):
        model = network()
        if own:
            step = model.train_step
            model.train_step = lambda data: step(data)
        return model

    both_ways(build, f"{NO_LOOK} the model: its train_step is its own code")


def test_an_attribute_of_a_model_is_named():
    class Scaled(keras.Model):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor
            self.out = layers.Dense(3)

        def call(self, x):
            return self.out(x) * self.factor

    both_ways(lambda n: compiled(Scaled(n)), "Scaled: factor 0 → 1")


def times(factor):
    return lambda x: x * factor


def test_three_names_of_hidden_code_are_enough():
    start = "cannot look inside Net: its"
    assert hidden_line("Net", ["call"]) == f"{start} call is its own code"
    assert hidden_line("Net", list("abc")) == f"{start} a and b and c are its own code"
    assert hidden_line("Net", list("abcde")) == f"{start} a and b and c and 2 more are its own code"


def test_a_lambda_layer():
    both_ways(
        lambda n: network(layers.Lambda(times(n))),
        f"{NO_LOOK} layer 2 (Lambda): its function is its own code",
    )


def test_an_activation_of_ones_own():
    both_ways(
        lambda n: network(layers.Dense(8, activation=times(n))),
        f"{NO_LOOK} layer 2 (Dense): its activation is its own code",
    )


def test_a_call_put_on_one_layer():
    def build(own):
        model = network()
        if own:
            call = model.layers[0].call
            model.layers[0].call = lambda *args, **kwargs: call(*args, **kwargs) * 2
        return model

    both_ways(build, f"{NO_LOOK} layer 1 (Dense): its call is its own code")


class Block(layers.Layer):
    """A layer of one's own, with layers and numbers inside and no config."""

    def __init__(self, rate=0.0, table=None):
        super().__init__()
        self.parts = [layers.Dense(8), layers.Dropout(rate)]
        self.table = table

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


class Louder(Block):
    def call(self, x):
        return super().call(x) * 2


def test_layers_inside_a_layer_of_ones_own():
    def build(rate):
        block = Block()
        block.parts[1].rate = rate / 10
        return network(block)

    both_ways(build, "layer 2, Block: parts 1 rate 0 → 0.1")


def test_numbers_inside_a_layer_of_ones_own():
    both_ways(
        lambda n: network(Block(table=np.full(3000, n))),
        "layer 2, Block: table has different values",
    )


def test_another_layer_of_ones_own():
    lines = what_differs(lambda: network(Block()), lambda: network(Louder()))
    assert [line[0] for line in lines] == ["−", "+"]


class Power(regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, weight):
        return self.factor * ops.sum(weight**4)


def test_a_penalty_of_ones_own():
    both_ways(
        lambda n: network(penalty=Power(n)),
        f"{NO_LOOK} layer 1 (Dense): its kernel_regularizer is its own code",
    )


# training


def weighted(factor):
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(y, p):
        return factor * cross_entropy(y, p)

    return loss


class Weighted(keras.losses.Loss):
    """Keeps its factor from the config, as many losses of one's own do."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, y, p):
        return self.factor * keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)


class Doubling(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, step):
        return 0.1 * self.factor


class Stronger(keras.optimizers.SGD):
    factor = 2

    def update_step(self, gradient, variable, rate):
        super().update_step(self.factor * gradient, variable, rate)


@pytest.mark.parametrize("make", [weighted, Weighted])
def test_what_a_loss_keeps_from_its_config(make):
    name = "loss" if make is weighted else "Weighted"
    both_ways(
        lambda n: network(loss=make(n + 1.0)), f"{NO_LOOK} the loss {name}: it is its own code"
    )


def test_another_schedule_of_ones_own():
    both_ways(
        lambda n: network(optimizer=keras.optimizers.SGD(Doubling(n + 1))),
        f"{NO_LOOK} the optimizer SGD: it is its own code",
    )


def test_an_optimizer_of_ones_own():
    kinds = keras.optimizers.SGD, Stronger
    both_ways(lambda n: network(optimizer=kinds[n](0.1)), "optimizer: SGD(")


def test_metrics_and_loss_weights():
    def build(n):
        metric = keras.metrics.SparseTopKCategoricalAccuracy(n + 1, name="best")
        return network(metrics=[metric], loss_weights=[n + 1.0])

    both_ways(
        build,
        "loss weights: 1 → 2",
        "metrics: SparseTopKCategoricalAccuracy(k=1) → SparseTopKCategoricalAccuracy(k=2)",
    )


def test_eager_execution():
    both_ways(lambda n: network(run_eagerly=bool(n)), "eagerly: False → True")


def test_the_precision_policy():
    arms = []
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        try:
            arms.append(described())
        finally:
            keras.config.set_dtype_policy("float32")
    assert confounds(*arms) == ["precision: float32 → mixed_bfloat16"]


@pytest.mark.parametrize(
    ("settings", "others", "line"),
    [
        ({}, {"mode": "min"}, None),
        ({"mode": "max"}, {"mode": "min"}, "patience 0, mode max → val_loss, patience 0"),
        ({"min_delta": 0.25}, {}, "patience 0, min_delta 0.25 → val_loss, patience 0"),
        ({}, {"start_from_epoch": 2}, "patience 0 → val_loss, patience 0, start_from_epoch 2"),
        ({}, {"baseline": 0.5}, "patience 0 → val_loss, patience 0, baseline 0.5"),
    ],
)
def test_settings_of_early_stopping(settings, others, line):
    make = keras.callbacks.EarlyStopping
    arms = [described(stopping=make("val_loss", **some)) for some in (settings, others)]
    lines = confounds(*arms)
    assert lines == ([f"early stopping: val_loss, {line}"] if line else [])


def test_a_callback_that_has_been_used_is_the_same():
    used = keras.callbacks.EarlyStopping("val_loss", min_delta=0.25)
    used.set_model(network())
    used._set_monitor_op()  # turns the sign of min_delta
    fresh = keras.callbacks.EarlyStopping("val_loss", min_delta=0.25)
    assert confounds(described(stopping=fresh), described(stopping=used)) == []


# data


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        ({"x_train": DATA.x_train[::-1]}, ["training data"]),
        ({"y_train": np.roll(DATA.y_train, 1)}, ["training data"]),
        (
            {"y_train": DATA.y_train[:, np.newaxis], "y_val": DATA.y_val[:, np.newaxis]},
            [
                f"{part} data, equal in another shape: float32, int64 → float32, int64 (n, 1)"
                for part in ("training", "evaluation")
            ],
        ),
        ({"x_train": DATA.x_train + 1e-4}, ["training data"]),
        ({"x_val": DATA.x_val.tolist()}, None),
    ],
)
def test_data_are_compared_by_their_numbers(change, lines):
    data = SimpleNamespace(**vars(DATA) | change)
    found = confounds(described(), described(data=data))
    expected = ["evaluation data, equal in another precision: float32, int64 → float64, int64"]
    assert found == (lines or expected)


def test_large_whole_numbers_are_no_precision():
    labels = DATA.y_train + 2**24
    one, other = (SimpleNamespace(**vars(DATA) | {"y_train": labels + shift}) for shift in (0, 1))
    assert prints_of(one)[0].values != prints_of(other)[0].values


def test_seeds_may_have_data_of_their_own():
    def shifted(seed):
        return SimpleNamespace(**vars(DATA) | {"x_train": DATA.x_train + (seed == 1)})

    arms = [described(data=data, seeds=(0, 1)) for data in (DATA, shifted)]
    assert confounds(*arms) == ["training data"]


def test_one_seed_with_data_of_another_precision():
    def precise(seed):
        kind = ("float32", "float64")[seed]
        return SimpleNamespace(**vars(DATA) | {"x_train": DATA.x_train.astype(kind)})

    arms = [described(data=data, seeds=(0, 1)) for data in (DATA, precise)]
    line = "training data, equal in another precision: float32, int64 → float64, int64"
    assert confounds(*arms) == [line]


def test_one_seed_with_data_that_differ_by_rounding():
    def rounded(seed):
        x = DATA.x_train.astype("float64") * (1 + seed * 1e-12)
        return SimpleNamespace(**vars(DATA) | {"x_train": x})

    exact = SimpleNamespace(**vars(DATA) | {"x_train": DATA.x_train.astype("float64")})
    arms = [lambda data=data: described(data=data, seeds=(0, 1)) for data in (exact, rounded)]
    assert confounds(*(arm() for arm in arms)) == []  # trained on in float32
    with double_precision():
        assert confounds(*(arm() for arm in arms)) == ["training data, equal but for rounding"]
