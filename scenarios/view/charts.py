"""The charts of the page, as the option mappings of ECharts."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from ...market.rounds import Phase
from ...network.arrays import FloatArray
from ...network.periods import axis_name
from ..drawing.clock_ticks import clock_ticks
from ..drawing.colours import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SERIES, SKY, YELLOW
from ..stepping.branch import Mark
from ..stepping.device_flows import DeviceFlow
from .snapshot import Snapshot

Options = dict[str, Any]
_MOST_POINTS = 1000
"""Of more rounds, some are left out of a chart."""
_FEW_LINKS = 6
"""So many links get a line each; of more the lowest, the mean and the highest price are drawn."""
_FEW_DEVICES = 6
"""So many devices have bars and a line each; of more the power of all is drawn, and the levels of the largest."""
_NOTHING = 1e-9
_DASHES = ("solid", "dashed", "dotted")


def residuals_chart(history: Sequence[Mark], at: int) -> Options:
    """Both residuals of Algorithm 1 by round, on log axes; `at` is the round that is looked at."""
    marks = _thinned([mark for mark in history if mark.phase is Phase.SHARING])
    rounds = [mark.number for mark in marks]
    return _chart(
        _rounds(history),
        [_axis("primal, kW", log=True), _axis("dual, $/kWh", log=True, right=True)],
        [
            _here(_line("primal residual, kW", _points(rounds, [mark.primal_kw for mark in marks]), BLUE), at),
            _line(
                "dual residual, $/kWh", _points(rounds, [mark.dual_usd_per_kwh for mark in marks]), ORANGE, 1, axis=1
            ),
        ],
    )


def outer_chart(history: Sequence[Mark], at: int) -> Options:
    """What Algorithm 2 does: cost of every clearing, and the regret of what was certified, by round."""
    marks = _thinned([mark for mark in history if mark.phase is Phase.CLEARING])
    rounds = [mark.number for mark in marks]
    cost, regret = ([getattr(mark, key) for mark in marks] for key in ("dso_cost_usd", "regret_usd"))
    return _chart(
        _rounds(history),
        [_axis("DSO cost, $"), _axis("regret, $", log=True, right=True)],
        [
            _here(_line("DSO cost, $", _points(rounds, cost, positive=False), BLUE, dots=True), at),
            _line("regret, $", _points(rounds, regret), ORANGE, 1, axis=1, dots=True),
        ],
    )


def balance_chart(now: Snapshot, rows: Sequence[int], *, private: bool) -> Options:
    """What some prosumers together buy and sell by period, stacked, and beside it what they alone know."""
    result, chosen = now.result, list(rows)
    parts: dict[str, tuple[FloatArray, str]] = {
        "bid": (now.bid_kw, BLUE),
        "bought": (now.bought_kw, GREEN),
        "sold": (-now.sold_kw, PURPLE),
    }
    if private and now.elastic_kw is not None and now.curtailed_kw is not None:
        parts["renewables"] = result.renewable_kw - now.curtailed_kw, YELLOW
        parts["fixed load"] = -result.fixed_kw, GREY
        parts["elastic load"] = -now.elastic_kw, SKY
        if now.devices:
            parts["devices"] = _given_less_taken(now), ORANGE
    series = [
        {"type": "bar", "stack": "power", "name": name, "data": _cells(kw[chosen].sum(axis=0)), "color": colour}
        for name, (kw, colour) in parts.items()
    ]
    return _chart(_periods(now), [_axis("power, kW")], series)


def devices_chart(now: Snapshot, flows: Sequence[DeviceFlow], names: Sequence[str]) -> Options:
    """What devices give (above 0) and take by period, stacked, and as lines what those hold that hold something.

    Args:
        now: Where the market stands.
        flows: The devices.
        names: What each is called.
    """
    called = dict(zip(names, flows, strict=True))
    if len(flows) <= _FEW_DEVICES:
        bars = {name: flow.discharge_kw - flow.charge_kw for name, flow in called.items()}
    else:
        bars = {"all give": np.sum([flow.discharge_kw for flow in flows], axis=0)}
        bars["all take"] = -np.sum([flow.charge_kw for flow in flows], axis=0)
    levels = {name: flow.energy_kwh for name, flow in called.items() if np.isfinite(flow.energy_kwh).all()}
    largest = sorted(levels, key=lambda name: -float(levels[name].max()))[:_FEW_DEVICES]
    colours = {name: SERIES[k % len(SERIES)] for k, name in enumerate(dict.fromkeys([*bars, *largest]))}
    series = [
        {"type": "bar", "stack": "power", "name": f"{name}, kW", "data": _cells(kw), "color": colours[name]}
        for name, kw in bars.items()
    ]
    series += [_line(f"{name}, kWh", _cells(levels[name]), colours[name], 1, axis=1) for name in largest]
    return _chart(_periods(now), [_axis("power, kW"), _axis("held at the end of a period, kWh", right=True)], series)


def _given_less_taken(now: Snapshot) -> FloatArray:
    """What the devices of each give less what they take, (prosumer, period)."""
    total = np.zeros_like(now.bid_kw)
    place = {name: i for i, name in enumerate(now.result.names)}
    for flow in now.devices or ():
        total[place[flow.owner]] += flow.discharge_kw - flow.charge_kw
    return total


def prices_chart(now: Snapshot, lmp_of: int | None, link: str) -> Options:
    """Sharing prices of the links by period, and the LMP of one prosumer or the mean of all."""
    links, price = [each.name for each in now.result.graph.links], now.price_usd_per_kwh
    lmp = now.result.lmp_usd_per_kwh
    named = f"LMP of {now.result.names[lmp_of]}" if lmp_of is not None else "mean LMP of prosumers"
    curves: dict[str, FloatArray] = {named: lmp[lmp_of] if lmp_of is not None else lmp.mean(axis=0)}
    if len(links) <= _FEW_LINKS:
        curves |= dict(zip(links, price, strict=True))
    else:
        curves |= {
            "lowest price": price.min(axis=0),
            "mean price": price.mean(axis=0),
            "highest price": price.max(axis=0),
        }
        curves |= {link: price[links.index(link)]} if link in links else {}
    colours = ("#222222", *SERIES)
    series = [
        {**_line(name, _cells(curve), colours[k % len(colours)], k % len(_DASHES)), "step": "middle"}
        for k, (name, curve) in enumerate(curves.items())
    ]
    return _chart(_periods(now), [{**_axis("price, $/kWh"), "scale": True}], series)


def _chart(x: Options, y: list[Options], series: list[Options]) -> Options:
    return {
        "animation": False,
        "grid": {"left": 64, "right": 64 if len(y) > 1 else 24, "top": 34, "bottom": 62},
        "tooltip": {"trigger": "axis", "confine": True},
        "legend": {"type": "scroll", "bottom": 0, "itemWidth": 22},
        "xAxis": x,
        "yAxis": y,
        "series": series,
    }


def _axis(name: str, *, log: bool = False, right: bool = False) -> Options:
    place: Options = {"position": "right", "splitLine": {"show": False}} if right else {}
    kind: Options = {"type": "log"} if log else {"type": "value", "scale": not name.startswith("power")}
    align = {"nameTextStyle": {"align": "right" if right else "left"}}
    return {"name": name, **kind, **place, **align}


def _rounds(history: Sequence[Mark]) -> Options:
    """An axis of all rounds that are known."""
    ends = {"min": 0, "max": history[-1].number if history else 1, "minInterval": 1}
    return {"type": "value", "name": "round", "nameLocation": "middle", "nameGap": 22, **ends}


def _periods(now: Snapshot) -> Options:
    """An axis of periods, counted from 1, or by their clock times where there is a calendar."""
    calendar = now.result.calendar
    marks = {"axisLabel": _labelled([t for t, _ in clock_ticks(calendar, 5)])} if calendar else {}
    return {
        "type": "category",
        **marks,
        "name": axis_name(now.result.when),
        "nameLocation": "middle",
        "nameGap": 22,
        "data": [calendar.moment(t) if calendar else str(t + 1) for t in range(now.bid_kw.shape[1])],
    }


def _labelled(periods: list[int]) -> Options:
    """Labels at these periods alone, by index; NiceGUI makes a function of what a key with a colon holds."""
    return {":interval": f"index => {periods}.includes(index)"}


def _line(name: str, data: list[Any], colour: str, dash: int = 0, *, axis: int = 0, dots: bool = False) -> Options:
    look = {"showSymbol": dots, "symbolSize": 6, "lineStyle": {"type": _DASHES[dash], "width": 2}}
    return {"type": "line", "name": name, "data": data, "color": colour, "yAxisIndex": axis, **look}


def _here(line: Options, at: int) -> Options:
    """The line with an upright one where the round is that is looked at."""
    style = {"color": RED, "type": "solid", "width": 1.5}
    mark = {"symbol": "none", "silent": True, "animation": False, "lineStyle": style, "label": {"show": False}}
    return {**line, "markLine": {**mark, "data": [{"xAxis": at}]}}


def _points(rounds: Sequence[int], values: Sequence[float], *, positive: bool = True) -> list[list[float | None]]:
    """Places on a chart; on a log axis there is none for what is 0, and nowhere for what is not known."""
    return [
        [number, value if isfinite(value) and (value > 0 or not positive) else None]
        for number, value in zip(rounds, values, strict=True)
    ]


def _cells(values: FloatArray) -> list[float]:
    """Six digits are enough for a screen; what is next to nothing is a solver's."""
    return [float(f"{value:.6g}") if abs(value) > _NOTHING else 0.0 for value in values]


def _thinned(marks: Sequence[Mark]) -> Sequence[Mark]:
    return marks[:: 1 + len(marks) // _MOST_POINTS]
