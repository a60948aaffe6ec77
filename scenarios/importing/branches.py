"""Lines and transformers of a pandapower network, with the numbers that its own power flow uses.

pandapower turns every element (lines, transformers of either model with their taps, three-winding transformers as a
star, impedances, switches that have one) into a pi circuit in per unit behind an ideal ratio; these are read. So a tap
table or a magnetising branch is what pandapower takes it for. Phase shifts move all angles behind a transformer alike,
which no radial network can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import pandas as pd

from ..errors import refuse
from .elements import called

_COLUMNS = (
    *("F_BUS", "T_BUS", "BR_R", "BR_X", "BR_G", "BR_B", "TAP", "BR_STATUS"),
    *("BR_R_ASYM", "BR_X_ASYM", "BR_G_ASYM", "BR_B_ASYM"),
)
UNLIMITED_KA = 1e3
"""Current limits from here on stand for none: files that must give one write 99999."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """What a branch may carry; inf without a limit. Amperes are those of the side of the lower nominal voltage.

    pandapower knows the current alone; columns `p_max_mw` and `q_max_mvar` are those that `gridbazaar export` writes.
    """

    i_max_a: float = inf
    p_max_kw: float = inf
    q_max_kvar: float = inf

    def times(self, factor: float) -> Ratings:
        """All of them so many times."""
        return Ratings(factor * self.i_max_a, factor * self.p_max_kw, factor * self.q_max_kvar)


@dataclass(frozen=True, slots=True)
class Branch:
    """A pi circuit behind an ideal ratio, per unit on 1 MVA and the nominal voltages of its ends.

    Attributes:
        element: What it is in the original.
        start, end: Buses of the power flow; the ratio is at `start`.
        z_pu: Series impedance.
        y_start_pu, y_end_pu: Admittance to earth at either end; that at the start is before the ratio.
        ratio: Off-nominal turns ratio.
        ratings: What it may carry.
        couples: Whether it may join different nominal voltages.
    """

    element: str
    start: int
    end: int
    z_pu: complex
    y_start_pu: complex
    y_end_pu: complex
    ratio: float
    ratings: Ratings
    couples: bool

    def seen_from_start(self) -> complex:
        """Admittance at the start of a branch whose end is open."""
        behind = self.y_end_pu / (1 + self.z_pu * self.y_end_pu)
        return self.y_start_pu + behind / self.ratio**2

    def seen_from_end(self) -> complex:
        """Admittance at the end of a branch whose start is open."""
        earth = self.y_start_pu * self.ratio**2
        return self.y_end_pu + earth / (1 + self.z_pu * earth)


def read_branches(net: Any, title: str) -> list[Branch]:
    """The branches that carry power in a network whose power flow has just been solved.

    Raises:
        ScenarioError: An element has an impedance that no line has.
    """
    from pandapower.pypower import idx_brch

    matrix = net._ppc["branch"].real
    base_mva = float(net.sn_mva)
    column = {key: matrix[:, getattr(idx_brch, key)] for key in _COLUMNS}
    found = []
    for element, row, ratings in _rows(net):
        value = {key: float(values[row]) for key, values in column.items()}
        if not value["BR_STATUS"]:
            continue
        if value["BR_R_ASYM"] or value["BR_X_ASYM"]:
            raise refuse(title, "", f"{element}: its impedance differs by direction, which no line's does; give one")
        z_pu = complex(value["BR_R"], value["BR_X"]) / base_mva
        if z_pu.real < 0 or z_pu.imag < 0:
            sentence = f"{element}: r or x is negative ({z_pu.real:.4g} and {z_pu.imag:.4g} pu on 1 MVA)"
            raise refuse(title, "", f"{sentence}, and a line has 0 or more; put lines of its measured impedance there")
        ratio = value["TAP"] or 1.0
        earth = complex(value["BR_G"], value["BR_B"]) * base_mva / 2
        other = earth + complex(value["BR_G_ASYM"], value["BR_B_ASYM"]) * base_mva / 2
        start, end = int(value["F_BUS"]), int(value["T_BUS"])
        couples = not element.startswith(("line", "switch"))
        found.append(Branch(element, start, end, z_pu, earth / ratio**2, other, ratio, ratings, couples))
    return found


def _rows(net: Any) -> Iterator[tuple[str, int, Ratings]]:
    """Each element with its row of the branch matrix and its ratings."""
    lookup: Mapping[str, tuple[int, int]] = net._pd2ppc_lookups["branch"]
    for table, (first, last) in lookup.items():
        if table == "line":
            named = [(called(net, table, k), _line_ratings(row)) for k, row in net.line.iterrows()]
        elif table == "trafo":
            named = [
                (called(net, table, k), _winding_ratings(row, "vn_lv_kv", "sn_mva")) for k, row in net.trafo.iterrows()
            ]
        elif table == "trafo3w":
            named = [
                (f"{called(net, table, k)}, {side} side", _winding_ratings(row, f"vn_{side}_kv", f"sn_{side}_mva"))
                for side in ("hv", "mv", "lv")
                for k, row in net.trafo3w.iterrows()
            ]
        elif table == "switch":
            coupling = (net.switch["et"] == "b") & net.switch["closed"] & (net.switch["z_ohm"] > 0)
            named = [(called(net, table, k), Ratings()) for k in net.switch.index[coupling]]
        else:
            named = [(called(net, table, k), Ratings()) for k in net[table].index]
        assert len(named) == last - first, table
        yield from ((element, first + k, ratings) for k, (element, ratings) in enumerate(named))


def _line_ratings(row: Any) -> Ratings:
    """What a line may carry."""
    return _ratings(row, row["max_i_ka"] * row["parallel"])


def _winding_ratings(row: Any, kv: str, mva: str) -> Ratings:
    """What a winding may carry, by its current at its rated voltage."""
    return _ratings(row, row[mva] / (sqrt(3) * row[kv]) * row.get("parallel", 1))


def _ratings(row: Any, ka: float) -> Ratings:
    derating, most = row.get("df", 1.0), row.get("max_loading_percent", 100.0)
    known = [part for part in (derating, most / 100) if not pd.isna(part)]
    for part in known:
        ka *= part
    powers = [row.get(key) for key in ("p_max_mw", "q_max_mvar")]
    p_max_kw, q_max_kvar = (inf if pd.isna(mega) else 1e3 * float(mega) for mega in powers)
    return Ratings(1e3 * ka if 0 < ka < UNLIMITED_KA else inf, p_max_kw, q_max_kvar)
