"""The key figures of a round in words, with digits that are known; of two branches side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from ..runs.amounts import dollars, energy
from .snapshot import Snapshot

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ..runs.accuracy import CostBounds
    from ..stepping.difference import Here


LABELS = {
    "dso_cost_usd": "DSO cost",
    "welfare_usd": "welfare (utility less DSO cost)",
    "losses_kwh": "losses",
    "voltage_min_pu": "lowest voltage",
    "primal_kw": "primal residual",
    "dual_usd_per_kwh": "dual residual",
    "outer_error": "bids moved by",
    "regret_usd": "regret",
}
"""What key figures are called."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure: its name, what it is called, its value in words, and that of the branch compared with."""

    key: str
    label: str
    here: str
    there: str = ""


def figures_of(market: EnergyMarket, now: Snapshot, within: CostBounds | None, other: Here | None) -> list[Figure]:
    """The key figures of a round; the same of another branch beside them, as far as those are known."""
    result, last = now.result, market.last
    here: dict[str, float | None] = dict.fromkeys(LABELS)
    if last is not None:
        here |= {key: getattr(last, key) for key in ("primal_kw", "dual_usd_per_kwh", "outer_error", "regret_usd")}
        here |= {"dso_cost_usd": result.dso_cost_usd, "welfare_usd": result.welfare_usd}
    if now.dispatch is not None:
        here |= {"losses_kwh": result.dispatch.losses_kwh, "voltage_min_pu": result.dispatch.voltage_min_pu}
    there: dict[str, str] = {}
    if other is not None:
        moved = {key: getattr(other.last, key, None) for key in ("dual_usd_per_kwh", "outer_error")}
        there = _in_words({**other.scalars, **moved}, other.known_within_usd)
    costs = within.total_usd if within else 0.0
    proof = result.certificate
    known = {"dso_cost_usd": costs, "welfare_usd": costs if proof.charged else proof.total_usd}
    said = _in_words(here, known)
    return [Figure(key, label, said[key], there.get(key, "")) for key, label in LABELS.items()]


def _in_words(numbers: Mapping[str, float | None], within_usd: Mapping[str, float]) -> dict[str, str]:
    """Numbers with their units and the digits that are known; a dash for what is not known yet."""
    words = {
        "dso_cost_usd": lambda value: dollars(value, within_usd["dso_cost_usd"]),
        "welfare_usd": lambda value: dollars(value, within_usd["welfare_usd"]),
        "losses_kwh": lambda value: f"{energy(value)} kWh",
        "voltage_min_pu": lambda value: f"{value:.4f} pu",
        "primal_kw": lambda value: f"{value:.3g} kW",
        "dual_usd_per_kwh": lambda value: f"{value:.3g} $/kWh",
        "outer_error": lambda value: f"{100 * value:.3g} %",
        "regret_usd": lambda value: f"${max(value, 0.0):.2g}",
    }
    return {
        key: words[key](value) if value is not None and isfinite(value) else "-"
        for key, value in numbers.items()
        if key in words
    }
