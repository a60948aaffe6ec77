"""The paper's market on the IEEE 33-bus feeder, read straight from its tables, and prosumers to change at will."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from gridbazaar.agents import Household, Link
from gridbazaar.network import Clearing, Feeder

pytest.register_assert_rewrite("browser", "tabs")  # which hold for several tests, and say what they have found

IEEE33 = Path(__file__).parents[1] / "scenarios" / "ieee33"

settings.register_profile("gridbazaar", deadline=None, derandomize=True)
settings.load_profile("gridbazaar")


@dataclass(frozen=True)
class Bazaar:
    """What a market is made of. Loads are (bus, period)."""

    feeder: Feeder
    load_kw: np.ndarray
    load_kvar: np.ndarray
    households: list[Household]
    links: list[Link]

    def clearing(self) -> Clearing:
        return Clearing(self.feeder, self.load_kw, self.load_kvar, self.households[0].dt_h)

    def with_(self, **changes: Any) -> "Bazaar":
        return replace(self, **changes)

    def homes(self, **changes: Any) -> "Bazaar":
        return replace(self, households=[replace(home, **changes) for home in self.households])


@pytest.fixture(scope="session")
def ieee33_bazaar() -> Callable[..., Bazaar]:
    """The market of the paper's case; `alpha` scales the steepness of all demand."""

    @cache
    def read(alpha: float = 1.0) -> Bazaar:
        table = {name: pd.read_csv(IEEE33 / f"{name}.csv") for name in ("buses", "lines", "generators")}
        feeder = Feeder.from_tables(**table, root="1", base_kv=12.66)
        hours = pd.read_csv(IEEE33 / "profiles.csv")
        households = [
            Household(
                row["name"],
                str(row.bus),
                row.fixed_peak_kw * hours.household_load.to_numpy(),
                row.renewable_peak_kw * hours[row.renewable].to_numpy(),
                row.alpha_usd_per_kw2h * alpha,
                row.beta_usd_per_kwh,
                row.elastic_min_kw,
                row.elastic_max_kw,
                row.bid_max_kw,
            )
            for _, row in pd.read_csv(IEEE33 / "prosumers.csv").iterrows()
        ]
        links = [Link(row.a, row.b, row.cap_kw) for row in pd.read_csv(IEEE33 / "links.csv").itertuples()]
        load, reactive = (np.outer(power, hours.feeder_load) for power in (feeder.p_kw, feeder.q_kvar))
        return Bazaar(feeder, load, reactive, households, links)

    return read


@pytest.fixture(scope="session")
def home() -> Callable[..., Household]:
    """A prosumer, with changes: 30 kW fixed load, 20 kW of its own, up to 50 kW elastic, 100 kW bid, two periods."""

    def build(**changes: Any) -> Household:
        usual: dict[str, Any] = {
            "name": "a",
            "bus": "x",
            "fixed_kw": 30.0,
            "renewable_kw": 20.0,
            "alpha_usd_per_kw2h": 1e-3,
            "beta_usd_per_kwh": 0.3,
            "elastic_min_kw": 0.0,
            "elastic_max_kw": 50.0,
            "bid_max_kw": 100.0,
        }
        values = usual | changes
        return Household(**values | {"fixed_kw": np.broadcast_to(values["fixed_kw"], 2)})

    return build
