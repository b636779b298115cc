"""Arrays as the tensors that `fit` makes of them."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def as_tensor(values: np.ndarray) -> tf.Tensor:
    """A tensor as `fit` makes it: floating-point numbers in Keras's float type."""
    is_float = np.issubdtype(values.dtype, np.floating)
    return tf.convert_to_tensor(values.astype(keras.config.floatx()) if is_float else values)
