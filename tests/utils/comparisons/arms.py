"""Arms that are described as `repeat` would, and not trained."""

from types import SimpleNamespace

import keras
import numpy as np
from keras import layers

from utils.comparisons._confounds import confounds
from utils.repeats._data import examples_of
from utils.repeats._runs import completed
from utils.repeats._setups import setup_of

rng = np.random.default_rng(0)
X = rng.normal(size=(24, 6)).astype("float32")
Y = X[:, :3].argmax(axis=1)
DATA = SimpleNamespace(x_train=X[:16], y_train=Y[:16], x_val=X[16:], y_val=Y[16:])


def compiled(model, optimizer="sgd", loss=None, **options):
    """`model`, compiled for three classes."""
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, **options)
    return model


def network(*hidden, kind=keras.Sequential, penalty=None, **options):
    """A compiled network with 8 and 3 units, and the layers `hidden` between the two."""
    first = layers.Dense(8, kernel_regularizer=penalty)
    return compiled(kind([keras.Input((6,)), first, *hidden, layers.Dense(3)]), **options)


def described(build=network, data=DATA, stopping=None, epochs=2, seeds=(0,)):
    """The arm that `repeat` would train, as far as `compare` reads it without a metric."""

    def data_for(seed):
        return examples_of(data(seed) if callable(data) else data)

    plan = SimpleNamespace(
        build_model=build,
        data_for=data_for,
        seeds=seeds,
        epochs=epochs,
        batch_size=16,
        early_stopping=stopping,
        jit_compile=False,
    )
    runs = [SimpleNamespace(data=data_for(seed).prints, threads=2) for seed in seeds]
    setup = completed(setup_of(plan)[0], runs)
    return SimpleNamespace(setup=setup, kept_epoch=np.full(len(seeds), epochs - 1))


def what_differs(build, other, **options):
    """What `compare` would list between the arms of two build functions."""
    return confounds(described(build, **options), described(other, **options))
