"""The benchmark of homes with devices settles, and finds the same as the joint problem."""

import re

import pytest
from bench_devices import main, street


def test_two_homes_for_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    main(2, 1)
    said = capsys.readouterr().out
    assert "2 homes, 96 periods: settled: nobody gains by deviating" in said
    missing = re.search(r"welfare \$(\S+) more", said)
    assert missing is not None
    assert abs(float(missing[1])) < 1e-4


def test_every_home_is_linked_twice_and_feasible() -> None:
    clearing, people, links = street(10, 1)
    assert clearing.periods == 96
    assert len({link.name for link in links}) == len(links) == 15
    for home in people:
        home.check_balance(0.0)
