"""Households that must go short whatever they trade are found, with the period and by how much."""

import numpy as np
import pytest

from gridbazaar.agents import Link, TradeGraph
from gridbazaar.market.proof.shortfall import find_shortfall


def graph(*caps):
    return TradeGraph(["a", "b", "c"], [Link(*ends, cap) for ends, cap in zip(("ab", "bc"), caps, strict=True)])


def shortfall(*have, caps):
    """Of three homes that must have 10 kW each and can bid what is said, in two periods."""
    return find_shortfall(np.full((3, 2), 10.0), np.array([[most, 50.0] for most in have]), graph(*caps), dt_h=1.0)


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
