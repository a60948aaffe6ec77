"""A third party's device that mends badly: its owner is named, with what it costs, and no market is busy for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from own_stores import OwnStore

from gridbazaar.agents import HouseholdError
from gridbazaar.agents.devices.store import Store
from gridbazaar.market import EnergyMarket, Hosting, Workers
from gridbazaar.market.outcome import Outcome
from gridbazaar.scenarios import load
from gridbazaar.scenarios.runs.run import exit_code


class Idle(OwnStore):
    """Does nothing, whatever it is to do."""

    def mended(self, found, dt_h):
        return super().mended(0 * found, dt_h)


class Slack(OwnStore):
    """Does a little less than it is to do."""

    def mended(self, found, dt_h):
        return super().mended(0.995 * found, dt_h)


class Breaks(OwnStore):
    def mended(self, found, dt_h):
        return 1.1 * found


class Unknown(OwnStore):
    def mended(self, found, dt_h):
        return np.nan * found


class Cut(OwnStore):
    def mended(self, found, dt_h):
        return found[:1]


class Raises(OwnStore):
    def mended(self, found, dt_h):
        raise ValueError("no idea")


@pytest.fixture(scope="module")
def opened() -> Callable[..., EnergyMarket]:
    """The market of a scenario whose first prosumer owns this device, and nobody another."""

    def go(device: Store, backend: Workers | None = None, name: str = "two_homes") -> EnergyMarket:
        scenario = load(name)
        first, *others = scenario.build_households()
        homes = [replace(first, devices=(device,)), *(replace(home, devices=()) for home in others)]
        parts = scenario.build_clearing(), homes, scenario.build_links()
        return EnergyMarket(*parts, settings=scenario.build_settings(), rng=5, hosting=Hosting(backend))

    return go


@pytest.mark.parametrize("kind", [Idle, Slack])
def test_its_owner_is_named_with_what_it_costs(opened, kind):
    """The amount is what its owner's costs are above the least, by a market of the same prices."""
    market = opened(kind())
    result = market.run()
    assert result.outcome is Outcome.BLOCKED
    assert exit_code(result.outcome) == 3
    assert market.rounds < 1000
    assert result.clearings < 12
    regret = float(result.regret_usd[0])
    assert result.message.endswith(
        f"; ann could still gain ${regret:.2g}, as it does not do what is best for it: look at mended() of mine, which "
        "`gridbazaar check` tries"
    )
    assert regret == pytest.approx(result.certificate.total_usd, rel=0.05)
    best = opened(OwnStore()).run()
    missing = (best.welfare_usd - best.fees_usd) - (result.welfare_usd - result.fees_usd)
    assert 0 < missing <= result.certificate.total_usd + 1e-4


@pytest.mark.parametrize("name", ["two_homes", "ieee33"])
def test_one_that_mends_well_is_not_blamed(opened, name):
    assert opened(OwnStore(), name=name).run().settled


FAILS = [
    (
        Breaks,
        "mended() leaves bounds or rows by 0.5; return columns that keep all of them (`gridbazaar check` tries it)",
    ),
    (
        Unknown,
        "mended() returned numbers that are not finite; it must return finite numbers in the shape (3, 24), as it",
    ),
    (Cut, "mended() returned the shape (1, 24); it must return finite numbers in the shape (3, 24), as it is given"),
    (Raises, "mended() raised ValueError: no idea (at "),
]


@pytest.mark.parametrize(("kind", "sentence"), FAILS)
def test_what_is_no_answer_is_refused_with_its_owner(opened, kind, sentence):
    market = opened(kind())
    with pytest.raises(HouseholdError) as refused:
        market.run()
    assert str(refused.value).startswith(f"prosumer ann: device mine: {sentence}")
    assert refused.value.key == "devices.mine.mended"


def test_it_is_refused_from_a_worker_too(opened):
    with opened(Cut(), Workers(1)) as market, pytest.raises(HouseholdError, match="prosumer ann: device mine: mended"):
        market.run()
