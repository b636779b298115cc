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
