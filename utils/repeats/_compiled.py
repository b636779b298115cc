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
NO_XLA = tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError


class CompiledLoop:
    """A compiled Keras model, and the loops that train and evaluate it."""

    def __init__(self, model, x, y, jit_compile):
        """Build the metrics on the first examples of `x` and `y`, which no weight sees."""
        self.model = model
        self.jit_compile = jit_compile
        model.test_step((x[:2], y[:2]))
        self.batches = [tf.TensorSpec((None, None, *part.shape[1:]), part.dtype) for part in (x, y)]
        with_xla = pays_to_compile(model) if jit_compile == "auto" else jit_compile
        self.train_loop = loop_over_batches(model.train_step, self.batches, with_xla)
        self.test_loop = loop_over_batches(model.test_step, self.batches, jit_compile=False)

    def restart_from(self, fresh):
        """Take over everything that `fresh`, a model of the same architecture, starts with."""
        for variable, start in zip(state_of(self.model), state_of(fresh), strict=True):
            variable.assign(start)

    def train(self, x, y):
        """Train on stacked batches, `x` (steps, batch, ...) and `y` (steps, batch, ...)."""
        try:
            self.train_loop(x, y)
        except NO_XLA as error:
            self.without_xla(error)
            self.train_loop(x, y)

    def without_xla(self, error):
        """Go on without XLA where it cannot compile the model; nothing has been trained then."""
        if self.jit_compile is True:
            raise ValueError(
                "jit_compile is True, but XLA cannot compile this model on this machine; "
                f'give "auto" or False. XLA says: {error.message[:300]}'
            ) from error
        if self.jit_compile is False:
            raise error
        self.jit_compile = False
        self.train_loop = loop_over_batches(self.model.train_step, self.batches, jit_compile=False)

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


def compiled_loop(model, x, y, jit_compile, own):
    """The loop for `model`'s architecture: a remembered one, or a new one around `model` itself.

    own   remembers, in place of this module, models with functions or classes that are not Keras's:
          their code could change between two calls while their names stay
    """
    recipe = recipe_of(model)
    loops = remembered if of_keras_only(recipe) else own
    shapes = [(part.shape[1:], part.dtype.name) for part in (x, y)]
    key = json.dumps([recipe, str(shapes), jit_compile], sort_keys=True)
    if key not in loops:
        while len(loops) >= REMEMBERED_MODELS:
            del loops[next(iter(loops))]
        loops[key] = CompiledLoop(model, x, y, jit_compile)
    return loops[key]


def recipe_of(model):
    """All that decides the compiled program, as plain data: two equal recipes, one program."""
    try:
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    except (NotImplementedError, TypeError, ValueError):
        shapes = [str(variable.shape) for variable in state_of(model)]
        return {"module": "not Keras's", "class_name": type(model).__name__, "state": shapes}
    optimizer = config["compile_config"]["optimizer"]["config"]
    if isinstance(optimizer["learning_rate"], float):
        optimizer["learning_rate"] = "a variable"
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
        own = config["config"] if has_automatic_name(config) else {}
        if isinstance(own.get("name"), str):
            yield own["name"]
    for part in config if isinstance(config, list) else config.values():
        if isinstance(part, list | dict):
            yield from automatic_names(part)


def has_automatic_name(config):
    """Whether this part of a serialized model is a model, a layer or an optimizer."""
    if "module" not in config or config["class_name"] in UNNAMED_CLASSES:
        return False
    foreign = not str(config["module"]).startswith("keras")
    return (foreign or config["module"] in NAMED_MODULES) and isinstance(config["config"], dict)


def penalty_of(model):
    """The sum of the weights' penalties, as they stand: what Keras adds to the loss."""
    penalties = [w.regularizer(w) for w in model.trainable_weights if w.regularizer is not None]
    return float(np.sum([float(penalty) for penalty in penalties]))
