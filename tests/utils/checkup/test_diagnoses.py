"""Sick networks get the right diagnosis first, healthy ones raise no alarm.

On digits, e-mails and emoji; the thresholds were set on Fashion-MNIST and Jane Austen.
"""

import pytest

from tests.utils.checkup.models import HEALTHY, SICK
from utils.checkup import checkup

FIRST_SEEDS = 0, 1000, 2000


def check(build, data, settings, first, seeds=2):
    return checkup(build, data(), seeds=range(first, first + seeds), **settings)


@pytest.mark.parametrize("name", ["small"])
def test_a_sick_network_is_told_what_it_has(name):
    sign, *case = SICK[name]
    assert check(*case, first=0, seeds=1).diagnoses[0].sign == sign


@pytest.mark.slow
@pytest.mark.parametrize("first", FIRST_SEEDS)
@pytest.mark.parametrize("name", SICK)
def test_the_sick_are_told_what_they_have_first(name, first):
    sign, *case = SICK[name]
    assert check(*case, first=first).diagnoses[0].sign == sign


@pytest.mark.slow
@pytest.mark.parametrize("first", FIRST_SEEDS)
@pytest.mark.parametrize("name", HEALTHY)
def test_the_healthy_raise_no_alarm(name, first):
    assert check(*HEALTHY[name], first=first).diagnoses == []
