"""Households that must go short whatever they trade are found, with the period and by how much."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.market.proof.shortfall import _missing, find_shortfall


def graph(*caps):
    return TradeGraph(["a", "b", "c"], [Link(*ends, cap) for ends, cap in zip(("ab", "bc"), caps, strict=True)])


def shortfall(*have, caps):
    """Of three homes that must have 10 kW each and can bid what is said, in two periods."""
    return find_shortfall(np.full((3, 2), 10.0), np.array([[most, 50.0] for most in have]), graph(*caps), when=1.0)


def test_who_can_be_helped_is_not_short():
    assert shortfall(0.0, 20.0, 10.0, caps=(10.0, 10.0)) is None
    assert shortfall(0.0, 10.0, 20.0, caps=(10.0, 10.0)) is None  # through b


@pytest.mark.parametrize(("caps", "missing"), [((4.0, 10.0), 6.0), ((10.0, 7.0), 3.0), ((0.0, 0.0), 10.0)])
def test_links_bound_the_help(caps, missing):
    found = shortfall(0.0, 10.0, 20.0, caps=caps)
    assert found.missing_kw == pytest.approx(missing)
    assert found.period == 0
    assert ": period 1 (00:00-01:00) needs " in str(found)


def test_all_together_may_have_too_little():
    found = shortfall(5.0, 5.0, 15.0, caps=(50.0, 50.0))
    assert found.missing_kw == pytest.approx(5.0)
    assert found.names == ("a", "b", "c")
    assert found.need_kw == pytest.approx(30.0)


@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 12))
@example(seed=77117, people=6)
def test_who_need_not_be_looked_at_changes_nothing(seed, people):
    """Against the linear program of everybody, in groups that are linked or not."""
    rng = np.random.default_rng(seed)
    names = [f"h{i}" for i in range(people)]
    pairs = [(i, j) for i in range(people) for j in range(i) if rng.random() < 2 / people]
    linked = TradeGraph(names, [Link(names[i], names[j], float(rng.choice([0.0, 0.5, 3.0]))) for i, j in pairs])
    need, have = rng.integers(0, 4, (2, people, 3)) / 2
    missing = [_missing(have[:, t] - need[:, t], np.arange(people), linked)[0] for t in range(3)]
    found = find_shortfall(need, have, linked, when=1.0)
    assert (found.missing_kw if found else 0.0) == pytest.approx(max(missing), abs=1e-9)
    if found:
        spare = have[:, found.period] - need[:, found.period]
        helped = [
            _missing(spare + 0.01 * (np.arange(people) == i), np.arange(people), linked)[0] for i in range(people)
        ]
        assert set(found.names) == {
            name for name, left in zip(names, helped, strict=True) if left < found.missing_kw - 0.005
        }  # a kW more for any of them is a kW less that is missing
