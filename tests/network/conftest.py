"""The feeder of the paper's case, and small feeders to break."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line

IEEE33 = Path(__file__).parents[2] / "scenarios" / "ieee33"


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((IEEE33 / f"{name}.csv").read_text().splitlines()))


@dataclass(frozen=True)
class Case:
    """A feeder with its loads, (bus, period), and bids."""

    feeder: Feeder
    load_kw: np.ndarray
    load_kvar: np.ndarray
    bid_kw: np.ndarray

    def clearing(self, value_of_lost_load: float = 10.0) -> Clearing:
        return Clearing(self.feeder, self.load_kw, self.load_kvar, 1.0, value_of_lost_load)

    def with_(self, **changes: Any) -> "Case":
        return replace(self, **changes)

    def bids(self, **kw: float) -> "Case":
        """Bids at the buses b<name>, the same in all periods."""
        bid = self.bid_kw.copy()
        for bus, power in kw.items():
            bid[self.feeder.index(bus.removeprefix("b"))] = power
        return replace(self, bid_kw=bid)

    def hours(self, *hours: int) -> "Case":
        at = list(hours)
        return replace(self, load_kw=self.load_kw[:, at], load_kvar=self.load_kvar[:, at], bid_kw=self.bid_kw[:, at])

    def lines(self, **limits: dict[str, float]) -> "Case":
        """Other limits of lines, named l6_26 and so on."""
        named = {key.removeprefix("l").replace("_", "-"): value for key, value in limits.items()}
        lines = tuple(replace(line, **named.get(line.name, {})) for line in self.feeder.lines)
        return replace(self, feeder=replace(self.feeder, lines=lines))

    def buses(self, **limits: float) -> "Case":
        """Other limits of all buses but the root."""
        root = self.feeder.root
        buses = tuple(bus if bus.name == root else replace(bus, **limits) for bus in self.feeder.buses)
        return replace(self, feeder=replace(self.feeder, buses=buses))

    def generators(self, *names: str, **limits: float) -> "Case":
        """Only some generators (all, if none is named), with other limits."""
        kept = [g for g in self.feeder.generators if not names or g.name in names]
        return replace(self, feeder=replace(self.feeder, generators=tuple(replace(g, **limits) for g in kept)))


@pytest.fixture(scope="session")
def ieee33_tables() -> dict[str, list[dict[str, str]]]:
    return {name: table(name) for name in ("buses", "lines", "generators")}


@pytest.fixture(scope="session")
def ieee33(ieee33_tables) -> Case:
    feeder = Feeder.from_tables(**ieee33_tables, root="1", base_kv=12.66)
    profile = np.array([float(row["feeder_load"]) for row in table("profiles")])
    return Case(feeder, np.outer(feeder.p_kw, profile), np.outer(feeder.q_kvar, profile), np.zeros((33, 24)))


SUBSTATION = Generator("substation", "a", 1e-5, 0.2, 0, 0, 5000, -5000, 5000)


@pytest.fixture(scope="session")
def build() -> Callable[..., Feeder]:
    """A feeder a-b-c on 10 kV, unless other parts are given."""

    def feeder(**parts: Any) -> Feeder:
        usual = {
            "buses": [Bus("a"), Bus("b", p_kw=100, q_kvar=30), Bus("c", p_kw=200, q_kvar=60)],
            "lines": [Line("a", "b", 0.3, 0.2), Line("b", "c", 0.5, 0.4)],
            "generators": [SUBSTATION],
            "root": "a",
            "base_kv": 10.0,
        }
        return Feeder.from_tables(**(usual | parts))

    return feeder
