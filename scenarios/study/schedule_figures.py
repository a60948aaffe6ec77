"""Figures 6 to 8 of the paper: what each prosumer generates, buys, sells and consumes."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...agents.trade_graph import TradeGraph
from ...market.result import Result
from ...network.arrays import FloatArray
from ...network.periods import When
from .drawing import (
    BLACK,
    DARK,
    GREY,
    PAGE_IN,
    PALE,
    STORES,
    SUN,
    draw_steps,
    name_periods,
    new_figure,
    prosumer_colour,
    prosumer_hatch,
)

_PARTNERS = 5
"""With more of them they are one area."""
_NOTHING = 1e-3
"""Less than this part of the largest power is not drawn."""


class Schedule(Protocol):
    """What a power balance is drawn from: a `Result`, or what is left of one on disk."""

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers."""

    @property
    def graph(self) -> TradeGraph:
        """Who may trade with whom."""

    @property
    def when(self) -> When:
        """When the periods are."""

    @property
    def bid_kw(self) -> FloatArray:
        """Bids, (prosumer, period), as are loads, renewables and LMPs."""

    @property
    def elastic_kw(self) -> FloatArray:
        """Elastic loads."""

    @property
    def fixed_kw(self) -> FloatArray:
        """Fixed loads."""

    @property
    def renewable_kw(self) -> FloatArray:
        """What renewables could give."""

    @property
    def curtailed_kw(self) -> FloatArray:
        """What of that is not taken."""

    @property
    def lmp_usd_per_kwh(self) -> FloatArray:
        """LMPs at their buses."""

    @property
    def trade_kw(self) -> FloatArray:
        """Trades, (link, period), as are their prices."""

    @property
    def price_usd_per_kwh(self) -> FloatArray:
        """What their buyers pay."""


@dataclass(frozen=True, slots=True)
class _Area:
    """An area of a power balance: its name, (period,) in kW, colour and hatch."""

    label: str
    kw: FloatArray
    colour: str
    hatch: str = ""


def largest_traders(result: Result, most: int) -> list[int]:
    """The prosumers that trade most, by index in their order; of many so many."""
    traded = (result.bought_kw + result.sold_kw).sum(axis=1)
    return sorted(int(i) for i in np.argsort(-traded, kind="stable")[:most])


def balance_figure(result: Schedule, i: int, flows: tuple[FloatArray, FloatArray]) -> Figure:
    """Figures 6 to 8: the stacked power balance of a prosumer, with its sharing prices and the LMP above.

    Args:
        result: The schedule.
        i: The prosumer, by index.
        flows: What its devices give and what they take, (period,) each in kW, at least 0.
    """
    figure, (top, bottom) = new_figure(PAGE_IN, 3.6, 2, 1, sharex=True, height_ratios=[1, 2])
    hours = np.arange(1, result.bid_kw.shape[1] + 1)
    draw_steps(top, result.lmp_usd_per_kwh[i], color=PALE, lw=3, label="LMP")
    _draw_prices(top, result, i)
    own, bid, bought = prosumer_colour(i), result.bid_kw[i], _bought(result, i)
    given, taken = flows
    sources = [
        _Area("renewables", result.renewable_kw[i] - result.curtailed_kw[i], SUN),
        _Area("bought from the DSO", np.maximum(bid, 0.0), DARK),
        _Area("given by devices", given, STORES),
        *(_Area(f"bought from {area.label}", np.maximum(area.kw, 0.0), area.colour, area.hatch) for area in bought),
    ]
    uses = [
        _Area("fixed load", result.fixed_kw[i], GREY),
        _Area(f"elastic load of {result.names[i]}", result.elastic_kw[i], own, prosumer_hatch(i)),
        _Area("taken by devices", taken, STORES, "////"),
        _Area("sold to the DSO", np.maximum(-bid, 0.0), PALE),
        *(_Area(f"sold to {area.label}", np.maximum(-area.kw, 0.0), area.colour, "////") for area in bought),
    ]
    least = _NOTHING * max(float(area.kw.max(initial=0.0)) for area in sources + uses)
    _stack(bottom, hours, [area for area in sources if area.kw.max() > least], 1.0)
    _stack(bottom, hours, [area for area in uses if area.kw.max() > least], -1.0)
    bottom.axhline(0, color=BLACK, lw=0.8)
    top.set_ylabel("price, $/kWh")
    bottom.set_ylabel("power, kW\n(uses below 0)")
    name_periods(bottom, result.when)
    bottom.set_xlim(0.5, hours[-1] + 0.5)
    top.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _links_of(result: Schedule, i: int) -> list[tuple[int, int, float]]:
    """The links of a prosumer, by index, its partner on each, and 1 where it is end a, -1 where it is end b."""
    name, index = result.names[i], result.names.index
    found = [
        (k, link.b, 1.0) if link.a == name else (k, link.a, -1.0)
        for k, link in enumerate(result.graph.links)
        if name in (link.a, link.b)
    ]
    return [(k, index(partner), sign) for k, partner, sign in found]


def _draw_prices(axis: Axes, result: Schedule, i: int) -> None:
    """What it pays or gets on each link, in the colour of the partner; of many partners nothing."""
    links = _links_of(result, i)
    shown = links if len(links) <= _PARTNERS else []
    for n, (k, partner, _) in enumerate(shown):
        dashes = (3.0 * n, (3.0, 3.0 * max(len(shown) - 1, 1)))  # in turn, so that equal prices hide nobody
        label = f"with {result.names[partner]}"
        draw_steps(axis, result.price_usd_per_kwh[k], color=prosumer_colour(partner), ls=dashes, label=label)


def _bought(result: Schedule, i: int) -> list[_Area]:
    """What a prosumer buys from each partner, below 0 what it sells, in the partner's colour; many partners are one."""
    links = _links_of(result, i)
    if len(links) > _PARTNERS:
        return [
            _Area(f"{len(links)} partners, net", np.sum([s * result.trade_kw[k] for k, _, s in links], axis=0), PALE)
        ]
    return [
        _Area(result.names[partner], sign * result.trade_kw[k], prosumer_colour(partner), prosumer_hatch(partner))
        for k, partner, sign in links
    ]


def _stack(axis: Axes, hours: FloatArray, areas: list[_Area], sign: float) -> None:
    base, edges = np.zeros(hours.size), np.append(hours, hours[-1] + 1) - 0.5
    for area in areas:
        top = base + sign * area.kw
        look: Any = {"facecolor": area.colour, "hatch": area.hatch or None, "edgecolor": "white", "linewidth": 0.3}
        axis.stairs(top, edges, baseline=base, fill=True, label=area.label, **look)
        base = top
