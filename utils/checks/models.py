"""What the checks ask of a model that an answer builds."""

import keras
import numpy as np

from utils.checks.answers import NotYet, kind, run


def built(answer, input_shape, classes):
    """The compiled model that `answer()` returns, built for `input_shape`."""
    model = run(answer)
    if model is None:
        raise NotYet("It returns None: end your function with `return model`.")
    if not isinstance(model, keras.Model):
        raise NotYet(f"It returns {kind(model)}; return a compiled Keras model.")
    if not model.compiled:
        raise NotYet("The model is not compiled: call model.compile(…) before you return it.")
    try:
        output = np.asarray(model(np.zeros((2, *input_shape), "float32")))
    except Exception:
        raise NotYet(f"The model does not take images of shape {input_shape}.") from None
    if output.shape != (2, classes):
        raise NotYet(
            f"For two images the model gives shape {output.shape}; it should be (2, {classes})."
        )
    return model


def dropout_in_training_only(model, x):
    """NotYet unless units are dropped in training only, and never an answer itself."""
    if not np.array_equal(model(x, training=False), model(x, training=False)):
        raise NotYet("Two predictions of the same images differ: units are dropped in inference.")
    first, second = (np.asarray(model(x, training=True)) for _ in range(2))
    if np.array_equal(first, second):
        raise NotYet("No dropout is left: in training the outputs are the same in each call.")
    some_are_zero = (first == 0).any(axis=1) & (first != 0).any(axis=1)
    if some_are_zero.mean() > 0.01:
        raise NotYet(
            "In training some of the ten answers are exactly 0: a Dropout behind the last layer "
            "drops the answers themselves. No answer may be missing."
        )


def dropped_share(layer):
    """The share of ones that a layer without weights turns into zeros in training."""
    if layer.weights or isinstance(layer, keras.layers.InputLayer):
        return 0.0
    try:
        shape = layer.input.shape[1:]
    except AttributeError:  # in a model that is a class of its own, layers do not know their input
        shape = (100,)
    try:
        rows = 40_000 // np.prod(shape) + 1  # chance moves the share by 1 % at most
        ones = np.ones((rows, *shape), "float32")
        return float((np.asarray(layer(ones, training=True)) == 0).mean())
    except Exception:  # a layer that takes no mode, or several inputs
        return 0.0


def received(model, layer, x):
    """What `layer`, somewhere in `model`, receives when the model takes `x` in training mode."""
    seen, call = [], layer.call

    def recording(inputs, *arguments, **options):
        seen.append(np.asarray(inputs))
        return call(inputs, *arguments, **options)

    layer.call = recording
    try:
        model(x, training=True)
    finally:
        layer.call = call
    if not seen:
        raise NotYet(f"The layer {layer.name} is made, and never called.")
    return seen[-1]
