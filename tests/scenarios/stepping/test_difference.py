"""What differs between two rounds or branches: by how much, where, and what of it is known."""

from __future__ import annotations

import re

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.stepping.session import Session


@pytest.fixture
def session():
    with Session("ieee33") as opened:
        yield opened


def test_a_difference_names_where_and_how_much(session):
    session.run_to("settled")
    session.goto(12)
    session.fork({"alpha_scale": 2})
    session.run_to("settled")
    told = session.diff("main", "fork1")
    assert session.branch.name == "fork1"
    assert told.changes == {"alpha_scale": ("as the scenario has it", "2")}
    one, other = told.scalars["welfare_usd"]
    assert one == pytest.approx(-12_299.33, abs=0.01)
    assert other == pytest.approx(gb.load("ieee33", {"alpha_scale": 2}).market().run().welfare_usd, abs=0.01)
    bids = next(apart for apart in told.arrays if apart.what == "bid")
    a, b = (session.goto(place).bid_kw for place in ("main", "fork1"))
    assert bids.most == np.abs(a - b).max()
    said = str(told)
    assert re.search(r"welfare_usd: -12,299\.3\d? \| -12,458\.9\d?  \(-159\.[56]\d*, known to \$0\.0\d+\)", said)
    assert re.search(r"dso_cost_usd: 15,600 \| 14,470  \(-11[345]0, known to \$\d0\)", said)
    assert "the same to the last bit" in str(session.diff("main@7", "main@7"))
    assert "known to" not in str(session.diff("main@3", "fork1"))


def test_differences_of_prices_are_those_that_partners_pay():
    """Where trades load the wires, Algorithm 1 moves mark-ups on LMPs; what is compared are whole prices."""
    with gb.Session("two_homes") as session:
        session.run_to("settled")
        one = session.result()
        session.fork({"feeder.generators.grid.b_usd_per_kwh": 0.1})
        session.run_to("settled")
        (price,) = [apart for apart in session.diff("main", "fork1").arrays if apart.what == "price"]
        apart = np.abs(session.result().price_usd_per_kwh - one.price_usd_per_kwh).max()
        assert apart > 0.01
        assert price.most == pytest.approx(apart, rel=0.01)  # results are valued at the LMPs of the last clearing


def test_with_fees_what_is_left_of_the_welfare_is_known():
    with gb.Session("two_homes", {"market.regret_tolerance": 1e-4}) as session:
        session.run_to("settled")
        session.fork({"alpha_scale": 1.1})
        session.run_to("settled")
        lines = {line.split(":")[0].strip(): line for line in str(session.diff("main", "fork1")).splitlines()[1:]}
        assert lines["welfare_usd"].endswith("; no bound on it)")
        assert re.search(r", known to \$[\d.e-]+\)$", lines["welfare_less_fees_usd"])
        assert lines["dso_cost_usd"].endswith("; no bound on it)")


def test_nothing_is_known_of_a_market_that_cannot_be_served():
    with gb.Session("two_homes", {"feeder.generators.grid.p_max_kw": 20}) as session:
        assert not session.run_to("settled")
        assert session.result().certificate.physics.short
        assert "known to" not in str(session.diff("main", "main@1"))


def test_welfare_is_known_to_nothing_where_somebody_takes_no_prices(session):
    session.run_to("settled")
    session.goto(12)
    session.fork({"prosumers.p3.behaviour": "Shading(percent=30)"})
    session.run_to("settled")
    assert "; no bound on it)" in next(
        line for line in str(session.diff("main", "fork1")).splitlines() if "welfare" in line
    )


def test_what_cannot_be_compared_is_not_called_the_same(session):
    session.run_to("settled")
    session.fork({"prosumers.p3": None, "links.p1-p3": None, "links.p2-p3": None})
    session.run_to("settled")
    told = str(session.diff("main", "fork1"))
    assert "prosumers.p3: as the scenario has it | taken out" in told
    assert "bids and prices are of other prosumers, links or periods, and are not compared" in told
    assert "the same" not in told
