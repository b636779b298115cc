"""What every test of a figure needs."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def no_figure_left():
    plt.switch_backend("agg")
    yield
    plt.close("all")
