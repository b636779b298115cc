"""`fit` and `evaluate` in compiled loops: the same `train_step`, without the time between steps.

`model.fit` returns to Python after every batch. Here one compiled function walks over all the
batches of an epoch, and one compiled model serves every seed: before each run it takes over the
weights, the optimizer's state and the dropout seeds of a freshly built model.
"""

import json

import keras
import numpy as np
import tensorflow as tf

EVALUATION_BATCH = 500
REMEMBERED_MODELS = 24
NAMED_MODULES = ("keras", "keras.layers", "keras.optimizers")
UNNAMED_CLASSES = ("DTypePolicy",)


class CompiledLoop:
    """A compiled Keras model, and the loops that train and evaluate it."""

    def __init__(self, model, x, y, jit_compile):
        """Build the metrics on the first examples of `x` and `y`, which no weight sees."""
        self.model = model
        model.test_step((tf.convert_to_tensor(x[:2]), tf.convert_to_tensor(y[:2])))
        batches = [tf.TensorSpec((None, None, *part.shape[1:]), part.dtype) for part in (x, y)]
        self.train_loop = loop_over_batches(model.train_step, batches, jit_compile)
        self.test_loop = loop_over_batches(model.test_step, batches, jit_compile=False)

    def restart_from(self, fresh):
        """Take over everything that `fresh`, a model of the same architecture, starts with."""
        for variable, start in zip(state_of(self.model), state_of(fresh), strict=True):
            variable.assign(start)

    def train(self, x, y):
        """Train on stacked batches, `x` (steps, batch, ...) and `y` (steps, batch, ...)."""
        self.train_loop(x, y)

    def evaluate(self, batches):
        """Loss and metrics over `batches` in inference mode, as `model.evaluate` gives them."""
        self.model.reset_metrics()
        for x, y in batches:
            self.test_loop(x, y)
        return self.metrics()

    def metrics(self):
        """What the metrics hold since they were last reset: a dict of floats, Keras's names."""
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}


def loop_over_batches(step, batches, jit_compile):
    """Compile a function that calls `step((x[i], y[i]))` for every batch i, in order."""

    def loop(x, y):
        def one_batch(i):
            step((x[i], y[i]))
            return i + 1

        tf.while_loop(lambda i: i < tf.shape(x)[0], one_batch, [0], parallel_iterations=1)

    return tf.function(loop, input_signature=batches, jit_compile=jit_compile, autograph=False)


def in_batches(x, y, batch_size):
    """Stack whole batches, then the smaller rest, if any: one or two pairs (steps, batch, ...)."""
    whole = len(x) - len(x) % batch_size
    for start, stop, size in ((0, whole, batch_size), (whole, len(x), len(x) - whole)):
        if stop > start:
            yield tuple(
                tf.reshape(part[start:stop], (-1, size, *part.shape[1:])) for part in (x, y)
            )


def state_of(model):
    """All that training changes, metrics apart: weights, dropout seeds, the optimizer's state."""
    model.optimizer.build(model.trainable_variables)
    metrics = {id(variable) for variable in model.metrics_variables}
    return [
        *(variable for variable in model.variables if id(variable) not in metrics),
        *model.optimizer.variables,
    ]


def pays_to_compile(model):
    """Whether XLA is worth its compile time: with a GPU yes, on a CPU for dense layers only.

    On CPUs XLA's convolutions are several times slower than TensorFlow's own.
    """
    if tf.config.list_logical_devices("GPU"):
        return True
    return all(len(weight.shape) <= 2 for weight in model.trainable_weights)


remembered = {}


def compiled_loop(model, x, y, jit_compile):
    """The loop for `model`'s architecture: a remembered one, or a new one around `model` itself."""
    if jit_compile == "auto":
        jit_compile = pays_to_compile(model)
    recipe = recipe_of(model)
    if recipe is None:
        return CompiledLoop(model, x, y, jit_compile)
    shapes = [(part.shape[1:], part.dtype.name) for part in (x, y)]
    key = json.dumps([recipe, str(shapes), jit_compile], sort_keys=True)
    if key not in remembered:
        while len(remembered) >= REMEMBERED_MODELS:
            del remembered[next(iter(remembered))]
        remembered[key] = CompiledLoop(model, x, y, jit_compile)
    return remembered[key]


def recipe_of(model):
    """All that decides the compiled program, as plain data: two equal recipes, one program.

    None for a model with functions or classes that are not Keras's own: their code could change
    between two calls while their names stay.
    """
    try:
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    except (NotImplementedError, TypeError, ValueError):
        return None
    if not of_keras_only(config):
        return None
    learning_rate = config["compile_config"]["optimizer"]["config"]
    if isinstance(learning_rate["learning_rate"], float):
        learning_rate["learning_rate"] = "a variable"
    return without_names(config)


def of_keras_only(config):
    """Whether every part of a serialized model is defined by Keras itself."""
    if isinstance(config, list):
        return all(map(of_keras_only, config))
    if not isinstance(config, dict):
        return True
    foreign = not str(config.get("module", "keras")).startswith("keras")
    function = config.get("class_name") in ("function", "__lambda__")
    return not (foreign or function) and all(map(of_keras_only, config.values()))


def without_names(config):
    """A serialized model in which automatic names (`dense_7`) are replaced by their order."""
    order = {name: f"name {i}" for i, name in enumerate(automatic_names(config))}

    def renamed(part):
        if isinstance(part, list):
            return [renamed(item) for item in part]
        if isinstance(part, dict):
            return {key: renamed(value) for key, value in part.items()}
        return order.get(part, part) if isinstance(part, str) else part

    return renamed(config)


def automatic_names(config):
    """The names of all models, layers and optimizers in a serialized model, in order."""
    if isinstance(config, dict):
        named = config.get("module") in NAMED_MODULES
        if named and config["class_name"] not in UNNAMED_CLASSES and "name" in config["config"]:
            yield config["config"]["name"]
    for part in config if isinstance(config, list) else config.values():
        if isinstance(part, list | dict):
            yield from automatic_names(part)


def penalty_of(model):
    """The sum of the weights' penalties, as they stand: what Keras adds to the loss."""
    penalties = [w.regularizer(w) for w in model.trainable_weights if w.regularizer is not None]
    return float(np.sum([float(penalty) for penalty in penalties]))
