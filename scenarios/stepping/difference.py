"""What differs between two rounds, or two branches: numbers, and where bids, LMPs and prices are furthest apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...market.rounds import Round
from ...network.arrays import FloatArray
from ...network.periods import When, period_name
from ..runs.accuracy import cost_within_usd
from ..runs.amounts import UNKNOWN, bound, last_place, money

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ..files.scenario import Scenario

_BOUNDED = "dso_cost_usd", "welfare_usd", "welfare_less_fees_usd"  # by the certificate
_SCALARS = (*_BOUNDED, "losses_kwh", "voltage_min_pu", "primal_kw", "regret_usd")
_ROUGH = "primal_kw", "regret_usd"  # what is left over: two digits say all


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """What is compared: where a session stands.

    Attributes:
        place: Branch and round, "main@12".
        changes: What was changed on the way there, by key.
        last: What the round produced; None at round 0.
        price_usd_per_kwh: What buyers pay their partners, (link, period).
        scalars: Numbers by name with unit; None where they are not known yet.
        known_within_usd: What the certificate leaves open of the DSO's cost, of the welfare and of that less fees, by
            name; inf where it bounds it not.
        bound: Why it does not, in words; empty if nothing is proven yet.
        names, links: The prosumers and the links, for the rows of the arrays.
        when: When the periods are, for their names.
    """

    place: str
    changes: Mapping[str, object]
    last: Round | None
    price_usd_per_kwh: FloatArray
    scalars: Mapping[str, float | None]
    known_within_usd: Mapping[str, float]
    bound: str
    names: Sequence[str]
    links: Sequence[str]
    when: When


def here(market: EnergyMarket, scenario: Scenario, place: str, changes: Mapping[str, object]) -> Here:
    """Where a market of this scenario stands now."""
    last = market.last
    scalars: dict[str, float | None] = dict.fromkeys(_SCALARS)
    within, why = dict.fromkeys(_BOUNDED, np.inf), ""
    if last is not None:
        result = market.result()
        certificate, total = result.certificate, max(result.certificate.total_usd, 0.0)
        if np.isfinite(total) and certificate.bounds_optimum:
            within["welfare_less_fees_usd"] = total
        if np.isfinite(total) and certificate.bounds_welfare:
            within["welfare_usd"], within["dso_cost_usd"] = total, cost_within_usd(scenario, result)
        why = "" if np.isnan(total) and certificate.bounds_optimum else "no bound on it"
        scalars = {
            "dso_cost_usd": result.dso_cost_usd,
            "welfare_usd": result.welfare_usd,
            "welfare_less_fees_usd": result.welfare_less_fees_usd if certificate.charged else None,
            "losses_kwh": result.dispatch.losses_kwh,
            "voltage_min_pu": result.dispatch.voltage_min_pu,
            "primal_kw": last.primal_kw,
            "regret_usd": last.regret_usd,
        }
    links = [link.name for link in market.graph.links]
    when = market.operator.clearing.when
    price = market.platform.whole_price_usd_per_kwh
    return Here(place, changes, last, price, scalars, within, why, market.graph.names, links, when)


@dataclass(frozen=True, slots=True)
class Apart:
    """An array of which the two differ: by how much at most, and where."""

    what: str
    unit: str
    most: float
    where: str


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What differs between two places of a session.

    Attributes:
        one, other: The two.
    """

    one: Here
    other: Here

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """What is set differently, by key, in words: here and there."""
        keys = {**self.one.changes, **self.other.changes}
        both = {key: tuple(_set(each.changes, key) for each in (self.one, self.other)) for key in keys}
        return {key: (a, b) for key, (a, b) in both.items() if a != b}

    @property
    def are_comparable(self) -> bool:
        """Whether both have bids and prices of the same prosumers, links and periods."""
        a, b = self.one, self.other
        if a.last is None or b.last is None:
            return False
        return (a.names, a.links, a.last.bid_kw.shape) == (b.names, b.links, b.last.bid_kw.shape)

    @property
    def scalars(self) -> dict[str, tuple[float | None, float | None]]:
        """Numbers of both, by name with unit."""
        return {key: (self.one.scalars[key], self.other.scalars[key]) for key in _SCALARS}

    @property
    def arrays(self) -> list[Apart]:
        """Where bids, LMPs, powers and prices are furthest apart; empty if both are the same or cannot be compared."""
        a, b = self.one, self.other
        if a.last is None or b.last is None or not self.are_comparable:
            return []
        found = [
            _apart("bid", "kW", a.last.bid_kw, b.last.bid_kw, a.names, a.when),
            _apart("LMP", "$/kWh", a.last.lmp_usd_per_kwh, b.last.lmp_usd_per_kwh, a.names, a.when),
        ]
        if a.links:
            found.append(_apart("price", "$/kWh", a.price_usd_per_kwh, b.price_usd_per_kwh, a.links, a.when))
        return [apart for apart in found if apart is not None]

    def __str__(self) -> str:
        lines = [f"{self.one.place} against {self.other.place}"]
        lines += [f"  {key}: {a} | {b}" for key, (a, b) in self.changes.items()]
        for key, (a, b) in self.scalars.items():
            if a is not None and b is not None and np.isfinite(a) and np.isfinite(b):
                both = f"{_known(key, a, self.one)} | {_known(key, b, self.other)}"
                lines.append(f"  {key}: {both}  {self._moved(key, b - a)}")
        lines += [f"  {apart.what}: up to {apart.most:.3g} {apart.unit} apart ({apart.where})" for apart in self.arrays]
        if self.are_comparable and not self.arrays:
            lines.append("  bids, LMPs and prices are the same to the last bit")
        elif not self.are_comparable and self.one.last is not None and self.other.last is not None:
            lines.append("  bids and prices are of other prosumers, links or periods, and are not compared")
        return "\n".join(lines)

    def _moved(self, key: str, change: float) -> str:
        """A difference, and whether it is more than the certificates leave open."""
        if key not in _BOUNDED:
            return f"({change:+.{2 if key in _ROUGH else 4}g})"
        within = self.one.known_within_usd[key] + self.other.known_within_usd[key]
        if np.isinf(within):
            return f"({change:+.4g}; {self.one.bound or self.other.bound or 'not proven yet'})"
        if abs(change) <= within:
            return f"(no difference known within {bound(within)})"
        place = last_place(within)
        return f"({round(change / place) * place:+.4g}, known to {bound(within)})"


def _known(key: str, value: float, where: Here) -> str:
    """A number with six digits at the most; money that is bounded with those that are known."""
    within = where.known_within_usd.get(key, np.inf)
    if money(value, within) == UNKNOWN:
        return UNKNOWN
    known = round(value, int(np.floor(-np.log10(within)))) if 0 < within < np.inf else value
    return f"{known:,.{2 if key in _ROUGH else 6}g}"


def _apart(what: str, unit: str, one: FloatArray, other: FloatArray, names: Sequence[str], when: When) -> Apart | None:
    if np.array_equal(one, other):
        return None
    difference = np.abs(one - other)
    row, period = np.unravel_index(int(np.argmax(difference)), difference.shape)
    return Apart(what, unit, float(difference[row, period]), f"{names[int(row)]} in {period_name(int(period), when)}")


def _set(changes: Mapping[str, object], key: str) -> str:
    """What a key was changed to, in words."""
    if key not in changes:
        return "as the scenario has it"
    return "taken out" if changes[key] is None else str(changes[key])
