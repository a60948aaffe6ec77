"""The conformance kit of devices: the kinds that come with gridbazaar pass; what can be wrong fails where it should."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_stores import OwnStore

from gridbazaar.agents.devices.ev import Trip
from gridbazaar.agents.devices.kinds import KINDS
from gridbazaar.agents.devices.store import Store
from gridbazaar.scenarios.conformance import DEVICE_CHECKS, Check, ConformanceError

BY_NAME: dict[str, Check] = {str(check): check for check in DEVICE_CHECKS}
PARAMETERS: dict[str, dict[str, Any]] = {
    "store": {"capacity_kwh": 5, "p_charge_max_kw": 2, "p_discharge_max_kw": 2, "loss_per_h": 0.05},
    "battery": {"capacity_kwh": 5, "p_charge_max_kw": 2, "p_discharge_max_kw": 2, "cyclic": True},
    "ev": {
        "capacity_kwh": 40,
        "p_charge_max_kw": 5,
        "p_discharge_max_kw": 3,
        "trips": (Trip(leaves_h=7.5, returns_h=17, energy_kwh=9),),
    },
    "heat_pump": {
        "capacity_kwh": 10,
        "p_max_kw": 3,
        "heat_demand_kw": 2,
        "loss_per_h": 0.03,
        "comfort_soc_min": 0.3,
        "comfort_soc_max": 0.8,
        "discomfort_usd_per_kwh_h": 0.1,
    },
    "deferrable": {"energy_kwh": 5, "p_max_kw": 2, "earliest_h": 8, "latest_h": 20},
}
ALONE = [check for check in DEVICE_CHECKS if str(check) not in ("worker", "saved", "optimum")]
"""Those that open no market."""


@pytest.mark.parametrize("kind", PARAMETERS)
def test_what_comes_with_gridbazaar_passes(kind: str) -> None:
    for check in ALONE:
        assert check(lambda: KINDS[kind](name="mine", **PARAMETERS[kind]))


@pytest.mark.parametrize("check", ["worker", "saved", "optimum"])
def test_a_market_with_it(check: str) -> None:
    assert BY_NAME[check](lambda: KINDS["ev"](name="mine", **PARAMETERS["ev"]), prosumer="bob")


@pytest.mark.long
@pytest.mark.parametrize("check", ["worker", "saved", "optimum"])
@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_market_with_each(kind: str, check: str) -> None:
    assert BY_NAME[check](lambda: KINDS[kind](name="mine", **PARAMETERS[kind]))


def test_a_series_of_its_own_periods_is_not_compared() -> None:
    made = KINDS["battery"](name="b", **{**PARAMETERS["battery"], "p_charge_max_kw": np.full(24, 2.0)})
    assert BY_NAME["steps"](lambda: made) == "not compared: it has series for these periods alone"


NUMBERS = count()


class Endless(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, high=block.high + np.array([[0.0], [0.0], [np.inf]]))


class Crossed(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, low=block.low + 3.0 * (np.arange(periods) == 1))


class Concave(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, quadratic_usd_per_h=block.quadratic_usd_per_h - 1.0)


class Misshapen(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, injection=block.injection[:, 0])


class TooFewRows(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, row_low=block.row_low[1:])


class Contradictory(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, row_high=block.row_low - 1.0)


class Boastful(OwnStore):
    soc_start: float = 0.0

    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        low = block.low.copy()
        low[2, -1] = 5.0
        return replace(block, low=low, high=np.where(block.columns == "x", 0, block.high * [[0.01], [1], [1]]))


class Timid(OwnStore):
    def infeasibility(self, periods, dt_h):
        return "dares nothing; encourage it"


class Careless(OwnStore):
    def mended(self, found, dt_h):
        return found


class Eager(OwnStore):
    def mended(self, found, dt_h):
        return super().mended(0 * found, dt_h)


class Leaks(OwnStore):
    """Loses a twentieth of its level in every step, however long that is."""

    def block(self, periods, dt_h):
        return replace(self, loss_per_h=0.05 / dt_h).inner(periods, dt_h)

    def inner(self, periods, dt_h):
        return Store.block(self, periods, dt_h)


class PerStep(OwnStore):
    """Costs the same in every step, however long that is."""

    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, linear_usd_per_h=block.linear_usd_per_h + 0.1 * (block.injection != 0) / dt_h)


class Moody(OwnStore):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, linear_usd_per_h=block.linear_usd_per_h + 1e-6 * next(NUMBERS))


class Scribbles(OwnStore):
    def mended(self, found, dt_h):
        mended = super().mended(found, dt_h)
        found[:] = mended + 1.0
        return mended


FAILS = [
    ("made", lambda: 5, "int is not a subclass of gridbazaar.agents.Device"),
    ("made", lambda: OwnStore(name=""), "OwnStore has no name; give it one, a text that is not empty"),
    ("made", Moody, "a second device has another linear_usd_per_h; draw nothing, and look at no clock"),
    ("bounds", Endless, "laid out for 1 period, high of energy_kwh in period 1 is not finite; bound it"),
    ("bounds", Crossed, "laid out for 2 periods, low is above high of charge_kw in period 2; swap or widen them"),
    ("bounds", Concave, "quadratic_usd_per_h of charge_kw in period 1 is below 0, which is not convex; give at least"),
    ("bounds", Misshapen, "injection has the shape (3,); it must be (column, period), (3, 1)"),
    ("rows", TooFewRows, "rows (1, 3), row_low (0,), row_high (1,) do not fit: there are 3 columns times periods"),
    ("rows", Contradictory, "laid out for 1 period, row 1 has row_low above row_high; swap or widen them"),
    ("infeasibility", Boastful, "over 1 period no columns keep all bounds and rows, and infeasibility() is empty; say"),
    (
        "infeasibility",
        Timid,
        'there are columns that keep all bounds and rows, and infeasibility() says: "dares nothing',
    ),
    ("mended", Careless, "what is mended leaves bounds or rows by "),
    ("mended", Eager, "a schedule that keeps bounds and rows was changed by 2.5; mend as little as it takes"),
    ("steps", Leaks, " in quarters; losses are per hour, never per step"),
    ("steps", PerStep, " in quarters; cost per hour"),
    ("deterministic", Moody, "laid out a second time has another linear_usd_per_h"),
    ("deterministic", Scribbles, "mended() writes into what it is given; return a new array"),
]


@pytest.mark.parametrize(("check", "make", "sentence"), FAILS)
def test_what_is_wrong_fails_where_it_should(check: str, make: Any, sentence: str) -> None:
    with pytest.raises(ConformanceError) as failed:
        BY_NAME[check](make)
    assert sentence in str(failed.value)


class Raises(OwnStore):
    def block(self, periods, dt_h):
        raise ZeroDivisionError("oh")


@pytest.mark.parametrize("check", BY_NAME)
def test_one_that_raises_fails_every_check_with_its_line(check: str) -> None:
    with pytest.raises(ConformanceError, match=r"ZeroDivisionError: oh \(at .*test_device_checks\.py:\d+\)"):
        BY_NAME[check](Raises)


def test_a_market_whose_regret_a_device_keeps_up_ends_and_names_it() -> None:
    with pytest.raises(ConformanceError, match=r"ann could still gain \$1\.2, .*: look at mended\(\) of mine"):
        BY_NAME["optimum"](Eager)


def test_a_market_that_does_not_settle_is_no_optimum(tmp_path: Path) -> None:
    (tmp_path / "hasty.yaml").write_text("base: two_homes\nmarket: {max_iterations: 2, max_rounds: 3}\n")
    with pytest.raises(ConformanceError, match="not settled"):
        BY_NAME["optimum"](OwnStore, str(tmp_path / "hasty.yaml"))
