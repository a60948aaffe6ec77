"""Households with little or no freedom of their own, in the scenario's market: they settle, and regrets stay honest."""

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents import SharingPlatform

NARROW = {
    "fixed load, fed over the links": {"elastic_max_kw": 0, "renewable_peak_kw": 0},
    "elastic load of one size": {"elastic_min_kw": 50, "elastic_max_kw": 50},
    "only sells": {"elastic_max_kw": 0, "fixed_peak_kw": 0},
    "nothing at all": {"elastic_max_kw": 0, "fixed_peak_kw": 0, "renewable_peak_kw": 0},
}


@pytest.mark.parametrize("what", NARROW)
def test_a_household_that_lives_on_its_links_settles(what):
    changes = {f"prosumers.p3.{key}": value for key, value in {"bid_max_kw": 0, **NARROW[what]}.items()}
    result = gb.load("ieee33", changes).market().run()
    assert result.settled
    assert result.max_violation_kw <= 0.05  # half of what partners may disagree about


def test_trades_that_would_push_somebody_out_of_the_limits_are_changed(monkeypatch):
    """Loose tolerances would leave p3 more than it may consume: it is let off buying that."""
    changes = {
        "prosumers.p3.bid_max_kw": 0,
        "prosumers.p3.renewable_peak_kw": 0,
        "prosumers.p3.elastic_max_kw": 40,
        "prosumers.p3.beta_usd_per_kwh": 5,
        "market.primal_tolerance_kw": 2,
        "market.dual_tolerance_usd_per_kwh": 1e-2,
        "market.regret_tolerance": 1e-3,
    }
    relieve, relieved = SharingPlatform.relieve, []
    monkeypatch.setattr(SharingPlatform, "relieve", lambda *those: relieved.append(relieve(*those)))
    result = gb.load("ieee33", changes).market().run()
    assert result.settled
    assert relieved
    assert result.max_violation_kw < 1e-6
    assert (result.regret_usd > -1e-6).all()
    assert result.certificate.total_usd == pytest.approx(np.maximum(result.regret_usd, 0).sum())


@pytest.mark.parametrize("cap_kw", [1e4, 1e6])
def test_links_as_good_as_without_caps_settle(cap_kw):
    changes = {f"links.{link}.cap_kw": cap_kw for link in ("p1-p2", "p2-p3", "p1-p3")}
    assert gb.load("ieee33", changes).market().run().settled
