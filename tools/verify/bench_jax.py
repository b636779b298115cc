"""The MLP of the benchmark by hand in JAX: an epoch in one `scan`, then both evaluations."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from utils.datasets import Dataset

SIZES = (784, 256, 256, 10)
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 0.001, 0.9, 0.999, 1e-7


def train(
    data: Dataset, seed: int, epochs: int, batch: int, dropout: float = 0.0, l2: float = 0.0
) -> tuple[float, float]:
    """Train one seed with Adam; the validation loss and accuracy at the end."""
    train_pair = jnp.asarray(data.x_train).reshape(-1, 784), jnp.asarray(data.y_train)
    val_pair = jnp.asarray(data.x_val).reshape(-1, 784), jnp.asarray(data.y_val)
    key = jax.random.key(seed)
    weights = first_weights(key)
    state = weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)), 0
    rng = np.random.default_rng(seed)
    steps = len(data.x_train) // batch
    for epoch in range(epochs):
        order = rng.permutation(len(data.x_train))[: steps * batch].reshape(steps, batch)
        state, found = run_epoch(
            state, jax.random.fold_in(key, epoch), train_pair, val_pair, order, dropout, l2
        )
    return tuple(map(float, found[1]))


def first_weights(key: jax.Array) -> list:
    glorot = jax.nn.initializers.glorot_uniform()
    pairs = zip(jax.random.split(key, 3), SIZES[:-1], SIZES[1:], strict=True)
    return [(glorot(one, (n, m)), jnp.zeros(m)) for one, n, m in pairs]


@partial(jax.jit, static_argnames=("dropout", "l2"))
def run_epoch(state, key, train_pair, val_pair, order, dropout, l2):
    """One pass over the training data, then loss and accuracy of both halves of the data."""
    x, y = train_pair

    def step(state, number_and_rows):
        number, rows = number_and_rows
        weights, mean, square, count = state
        mask_key = jax.random.fold_in(key, number)
        gradient = jax.grad(loss_of)(weights, x[rows], y[rows], mask_key, dropout, l2)
        return updated(weights, mean, square, count + 1, gradient), None

    state, _ = jax.lax.scan(step, state, (jnp.arange(len(order)), order))
    return state, tuple(scores(state[0], *pair, l2) for pair in (train_pair, val_pair))


def loss_of(weights, x, y, key, dropout, l2):
    penalty = l2 * sum((kernel**2).sum() for kernel, _ in weights[:2])
    return cross_entropy(logits_of(weights, x, key, dropout), y) + penalty


def logits_of(weights, x, key=None, dropout=0.0):
    for number, (kernel, bias) in enumerate(weights[:-1]):
        x = jax.nn.relu(x @ kernel + bias)
        if dropout:
            kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    kernel, bias = weights[-1]
    return x @ kernel + bias


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def updated(weights, mean, square, count, gradient):
    """Adam, as Keras computes it."""
    mean = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, mean, gradient)
    square = jax.tree.map(lambda s, g: BETA_2 * s + (1 - BETA_2) * g**2, square, gradient)
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
    weights = jax.tree.map(
        lambda w, m, s: w - rate * m / (jnp.sqrt(s) + EPSILON), weights, mean, square
    )
    return weights, mean, square, count


def scores(weights, x, y, l2):
    logits = logits_of(weights, x)
    return loss_of(weights, x, y, None, 0.0, l2), (logits.argmax(axis=1) == y).mean()
