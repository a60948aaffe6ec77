"""Values that look as if they were meant in another unit: told of, not refused, with the value that looks meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from ...network.arrays import BoolArray, FloatArray
from ...network.feeder import Feeder
from .scenario_rows import ScenarioRows
from .yaml_file import Path_

_TRANSMISSION_KV, _DISTRIBUTED_KW = 60.0, 2000.0
_DEAR_USD_PER_KWH = 3.0
_LEAST_US = 0.05
_DROP_PU = (1e-6, 0.5)
"""A nominal load that moves voltages by less may be in MW, one that moves them by more in W."""
_FELT_PU = 0.1
"""Where all that may be drawn or fed in behind a line moves the voltage by more, its impedance matters."""
_OFF = 300.0
"""A rating so many times above, or below, all that is behind it may be in another unit."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that may be in another unit: where it stands, and what looks meant."""

    path: Path_
    sentence: str


def doubts(scenario: ScenarioRows, feeder: Feeder) -> Iterator[Doubt]:
    """What looks odd about a scenario, in the order of its keys."""
    own_kw = _largest_kw(scenario, feeder)
    odd = _odd_lines(scenario, feeder, own_kw)
    r_ohm, x_ohm = (np.where(odd, 0.0, ohm) for ohm in (feeder.r_ohm, feeder.x_ohm))  # those that are believed
    yield from _period_length(scenario)
    yield from _base_voltage(feeder, own_kw)
    yield from _impedances(scenario, feeder, odd)
    yield from _loads(feeder, r_ohm, x_ohm)
    yield from _couplers(scenario, feeder)
    yield from _ratings(scenario, feeder, own_kw)
    yield from _charging(scenario)
    yield from _prices(scenario)
    yield from _prosumers(scenario, feeder, np.hypot(r_ohm, x_ohm) / feeder.line_kv**2)
    yield from _fees(scenario)


def _period_length(scenario: ScenarioRows) -> Iterator[Doubt]:
    days = scenario.periods * scenario.dt_h / 24
    if scenario.dt_h in (5, 10, 15, 20) and scenario.periods > 4:
        meant = f"{scenario.dt_h:g} minutes are {scenario.dt_h / 60:g}"
        yield Doubt(("dt_h",), f"{scenario.periods} periods of {scenario.dt_h:g} hours are {days:g} days; {meant}?")


def _base_voltage(feeder: Feeder, own_kw: FloatArray) -> Iterator[Doubt]:
    total = float(own_kw.sum())
    if not 0 < total < _DISTRIBUTED_KW:
        return
    stated: list[tuple[Path_, float]] = [(("feeder", "base_kv"), feeder.base_kv)]
    stated += [(("feeder", "buses", bus.name, "base_kv"), bus.base_kv) for bus in feeder.buses]
    for path, kv in stated:
        if kv >= _TRANSMISSION_KV:
            sentence = f"{kv:g} kV is a transmission voltage, and all loads together are {total:.4g} kW"
            yield Doubt(path, f"{sentence}; {kv:g} V are {kv / 1000:g} kV?")


def _odd_lines(scenario: ScenarioRows, feeder: Feeder, own_kw: FloatArray) -> BoolArray:
    """Lines with many times the impedance of others at their voltage, where that would be felt, (bus,).

    It is not told of where somebody behind it stands out as much: then that may be the wrong unit.
    """
    ohm, odd = np.hypot(feeder.r_ohm, feeder.x_ohm), np.zeros(len(feeder.buses), dtype=bool)
    drop_pu = ohm / feeder.line_kv**2 * _behind(feeder, own_kw) / 1000
    outstanding = _behind(feeder, _outstanding(scenario, feeder))
    for n in np.flatnonzero(drop_pu > _FELT_PU):
        others = (feeder.line_kv == feeder.line_kv[n]) & (ohm > 0) & (np.arange(ohm.size) > 0)
        others[n] = False
        usual = float(np.median(ohm[others])) if others.sum() > 1 else np.inf
        odd[n] = ohm[n] > _OFF * usual and not outstanding[n]
    return odd


def _outstanding(scenario: ScenarioRows, feeder: Feeder) -> FloatArray:
    """How many prosumers at each bus are many times larger than is usual, (bus,)."""
    sizes = {
        name: row.elastic_max_kw + row.fixed_peak_kw + row.renewable_peak_kw for name, row in scenario.prosumers.items()
    }
    usual, known, found = float(np.median(list(sizes.values()))), set(feeder.names), np.zeros(len(feeder.buses))
    for name, row in scenario.prosumers.items():
        if row.bus in known and sizes[name] > _OFF * usual:
            found[feeder.index(row.bus)] += 1
    return found


def _impedances(scenario: ScenarioRows, feeder: Feeder, odd: BoolArray) -> Iterator[Doubt]:
    keys = _line_keys(scenario)
    for n in np.flatnonzero(odd):
        line = feeder.lines[n - 1]
        name = keys[frozenset((line.from_bus, line.to_bus))]
        row = scenario.feeder.lines[name]
        kind = "r" if line.r_ohm >= line.x_ohm else "x"
        sentence = f"{max(line.r_ohm, line.x_ohm):g} ohm in all are more than {_OFF:g} times what other lines have"
        key, stated = f"{kind}_ohm", row.r_ohm if kind == "r" else row.x_ohm
        if stated is None:
            yield Doubt(("feeder", "lines", name, f"{key}_per_km"), f"{sentence}; in milliohm, or length_km in metres?")
        else:
            yield Doubt(("feeder", "lines", name, key), f"{sentence}; in milliohm? then {key} is {stated / 1000:g}")


def _loads(feeder: Feeder, r_ohm: FloatArray, x_ohm: FloatArray) -> Iterator[Doubt]:
    """All nominal loads together, by what they do to voltages; feed-in may be curtailed."""
    if feeder.base_kv >= _TRANSMISSION_KV:
        return
    p_kw, q_kvar = _behind(feeder, np.maximum(feeder.p_kw, 0.0)), _behind(feeder, feeder.q_kvar)
    drop = np.zeros(len(feeder.buses))
    for n in range(1, drop.size):
        own = (r_ohm[n] * p_kw[n] + x_ohm[n] * q_kvar[n]) / (1000 * feeder.line_kv[n] ** 2)
        drop[n] = drop[feeder.parent[n]] + own
    largest, total = float(np.abs(drop).max(initial=0.0)), float(np.abs(feeder.p_kw).sum())
    if 0 < largest < _DROP_PU[0]:
        sentence = f"loads of {total:.3g} kW in all move no voltage by more than {largest:.0e} pu; are they in MW?"
        yield Doubt(("feeder", "buses"), f"{sentence} p_kw and q_kvar are 1,000 times that")
    if largest > _DROP_PU[1]:
        sentence = f"loads of {total:,.0f} kW in all would move a voltage by {largest:.0%}; are they in W?"
        yield Doubt(("feeder", "buses"), f"{sentence} p_kw and q_kvar are a thousandth of that")


def _couplers(scenario: ScenarioRows, feeder: Feeder) -> Iterator[Doubt]:
    keys = _line_keys(scenario)
    for line in feeder.lines:
        if line.r_ohm == line.x_ohm == 0:
            path = ("feeder", "lines", keys[frozenset((line.from_bus, line.to_bus))])
            yield Doubt(path, f"no impedance at all: buses {line.from_bus} and {line.to_bus} are one point")


def _line_keys(scenario: ScenarioRows) -> dict[frozenset[str], str]:
    """By the ends of a line what its row is called."""
    return {frozenset((row.from_bus, row.to_bus)): key for key, row in scenario.feeder.lines.items()}


def _ratings(scenario: ScenarioRows, feeder: Feeder, own_kw: FloatArray) -> Iterator[Doubt]:
    """Line ratings beside what is drawn behind them (feed-in may be curtailed to little), and all that may flow."""
    drawn, flowing = _behind(feeder, _drawn_kw(scenario, feeder)), _behind(feeder, own_kw)
    keys = _line_keys(scenario)
    for n, line in enumerate(feeder.lines, start=1):
        amperes = 1 / (sqrt(3) * float(feeder.line_kv[n]))
        for key, rating, per_kw, unit, other in (
            ("p_max_kw", line.p_max_kw, 1.0, "kW", ("W", "MW")),
            ("i_max_a", line.i_max_a, amperes, "A", ("mA", "kA")),
        ):
            needed = (drawn if rating < drawn[n] * per_kw else flowing)[n] * per_kw
            if not np.isfinite(rating) or needed <= 0 or drawn[n] * per_kw <= rating <= needed:
                continue
            ratio = rating / needed
            if 1 / _OFF < ratio < _OFF * 10:
                continue
            meant = (rating * 1000, other[1]) if ratio < 1 else (rating / 1000, other[0])
            sentence = f"{rating:g} {unit} beside the {needed:.3g} {unit} that may be drawn and fed in behind it"
            path = ("feeder", "lines", keys[frozenset((line.from_bus, line.to_bus))], key)
            yield Doubt(path, f"{sentence}; is it in {meant[1]}? then {key} is {meant[0]:g}")


def _charging(scenario: ScenarioRows) -> Iterator[Doubt]:
    for name, row in scenario.feeder.lines.items():
        if 0 < row.b_us < _LEAST_US:
            sentence = f"{row.b_us:g} microsiemens are next to nothing; in siemens? then b_us is {row.b_us * 1e6:g}"
            yield Doubt(("feeder", "lines", name, "b_us"), sentence)


def _fees(scenario: ScenarioRows) -> Iterator[Doubt]:
    for name, row in scenario.prosumers.items():
        for key in ("grid_fee_usd_per_kwh", "feed_in_fee_usd_per_kwh"):
            yield from _dear(("prosumers", name, key), getattr(row, key))
    for name, link in scenario.links.items():
        yield from _dear(("links", name, "fee_usd_per_kwh"), link.fee_usd_per_kwh)


def _dear(path: Path_, fee: float) -> Iterator[Doubt]:
    if fee >= 1:
        yield Doubt(path, f"{fee:g} $/kWh is a dear fee; {fee:g} cents are {fee / 100:g}?")


def _prices(scenario: ScenarioRows) -> Iterator[Doubt]:
    for name, machine in scenario.feeder.generators.items():
        if machine.b_usd_per_kwh > _DEAR_USD_PER_KWH:
            meant = f"{machine.b_usd_per_kwh:g} $/MWh are {machine.b_usd_per_kwh / 1000:g}"
            sentence = f"{machine.b_usd_per_kwh:g} $/kWh is dear power; {meant}?"
            yield Doubt(("feeder", "generators", name, "b_usd_per_kwh"), sentence)


def _prosumers(scenario: ScenarioRows, feeder: Feeder, weakness: FloatArray) -> Iterator[Doubt]:
    """Prosumers that the feeder could never carry, by the strength V² / 4z of their bus; z / V² of lines, (bus,)."""
    along = weakness.copy()
    for n in range(1, along.size):
        along[n] += along[feeder.parent[n]]
    known = set(feeder.names)
    for name, row in scenario.prosumers.items():
        if row.bus not in known:  # which is refused elsewhere
            continue
        n = feeder.index(row.bus)
        strength = 250.0 / along[n] if along[n] > 0 else np.inf
        for key in ("elastic_max_kw", "fixed_peak_kw", "renewable_peak_kw"):
            value = getattr(row, key)
            if value > strength:
                sentence = f"{value:g} kW is more than wires to bus {row.bus} can ever carry ({strength:.3g} kW)"
                yield Doubt(("prosumers", name, key), f"{sentence}; {value:g} W are {value / 1000:g} kW?")


def _drawn_kw(scenario: ScenarioRows, feeder: Feeder) -> FloatArray:
    """What loads and prosumers may draw at each bus, (bus,)."""
    total = np.hypot(np.maximum(feeder.p_kw, 0.0), feeder.q_kvar)
    known = set(feeder.names)
    for row in scenario.prosumers.values():
        if row.bus in known:
            total[feeder.index(row.bus)] += row.elastic_max_kw + row.fixed_peak_kw
    return total


def _largest_kw(scenario: ScenarioRows, feeder: Feeder) -> FloatArray:
    """What loads, prosumers and generators but those of the root may draw or feed in at each bus, (bus,)."""
    total = _drawn_kw(scenario, feeder) + np.maximum(-feeder.p_kw, 0.0)
    known = set(feeder.names)
    for row in scenario.prosumers.values():
        if row.bus in known:
            total[feeder.index(row.bus)] += row.renewable_peak_kw
    for machine, n in zip(feeder.generators, feeder.generator_bus, strict=True):
        if n > 0:
            total[n] += max(abs(machine.p_min_kw), abs(machine.p_max_kw))
    return total


def _behind(feeder: Feeder, values: FloatArray) -> FloatArray:
    """Sums over all that is fed by the line that feeds each bus, (bus,)."""
    total = values.copy()
    for n in range(total.size - 1, 0, -1):
        total[feeder.parent[n]] += total[n]
    return total
