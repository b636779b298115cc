"""Look at a model, or try something on it, and leave it as it was found."""

from contextlib import contextmanager


@contextmanager
def left_as_found(variables):
    """Put the values of `variables` back at the end of the block, also after an error."""
    before = [(variable, variable.numpy()) for variable in variables]
    try:
        yield
    finally:
        for variable, value in before:
            variable.assign(value)
