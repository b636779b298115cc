"""The load test is bounded, stays on this machine, and reports medians and failures."""

import pytest

from tools.verify.room import STEPS, Failure, Learner, main, report


@pytest.mark.parametrize(
    "url", ["http://192.168.1.2:80", "https://hub.example.org", "http://127.0.0.1.example.org:1"]
)
def test_it_loads_this_machine_only(url):
    with pytest.raises(ValueError, match="not on the loopback"):
        Learner(url, "ada", 1e9)


def test_patience_ends():
    with pytest.raises(Failure, match="out of time"):
        Learner("http://127.0.0.1:1", "ada", end=0).left()


@pytest.mark.parametrize("words", [["--learners", "61"], ["--learners", "0"], ["--minutes", "31"]])
def test_it_is_bounded(words, capsys):
    with pytest.raises(SystemExit):
        main(words)
    assert "is from 1 to" in capsys.readouterr().err


def attended(seconds: float) -> dict[str, float]:
    memory = {"GB at the first figure": 0.4, "GB after ten seeds": seconds / 100}
    return dict.fromkeys(STEPS, seconds) | memory


def test_it_reports_medians_the_longest_and_failures():
    lines = report([attended(10), attended(20), attended(90), "ada: out of time"]).splitlines()
    assert lines[:2] == ["3 of 4 learners came through", "ada: out of time"]
    assert "first figure                    20.0     90.0" in lines
    assert "GB after ten seeds              0.20     0.90" in lines


def test_a_room_that_nobody_came_through_is_reported():
    assert report(["ada: login: 403"]) == "0 of 1 learners came through\nada: login: 403"
