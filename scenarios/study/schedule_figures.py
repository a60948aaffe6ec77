"""Figures 3 and 6 to 8 of the paper: the feeder, and what each prosumer generates, buys, sells and consumes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...market.result import Result
from ...network.arrays import FloatArray
from ...network.feeder import Feeder
from ..drawing.layout import layout
from .drawing import BLUE, GREEN, GREY, ORANGE, PAGE_IN, PURPLE, RED, SKY, YELLOW, new_figure

_TRADES = (GREEN, PURPLE, RED)


def feeder_figure(result: Result) -> Figure:
    """Figure 3: the one-line diagram, generators and prosumers, the mean LMP as colour."""
    feeder = result.feeder
    place = layout(feeder)
    lmp = result.dispatch.lmp_usd_per_kwh.mean(axis=1)
    lanes = np.ptp(place[:, 1]) + 1
    figure, (axis,) = new_figure(PAGE_IN, 1.4 + 0.55 * min(lanes, 14))
    for n in range(1, len(feeder.buses)):
        m = feeder.parent[n]
        turn = place[m, 0] + 0.5  # between the buses, so that no line runs through a bus or a name
        path = (place[m], (turn, place[m, 1]), (turn, place[n, 1]), place[n])
        axis.plot(*zip(*path, strict=True), color=GREY, lw=1.2, zorder=1)
    scale = Normalize(lmp.min(), max(lmp.max(), lmp.min() + 1e-6))
    axis.scatter(
        place[:, 0], place[:, 1], c=lmp, cmap="cividis", norm=scale, s=42, zorder=3, edgecolors="black", linewidths=0.4
    )
    size = 6 if len(feeder.buses) <= 60 else 4
    for n, name in enumerate(feeder.names):
        axis.annotate(name, place[n], (0, -9), textcoords="offset points", ha="center", va="center", fontsize=size)
    machines, homes = _by_bus(feeder, result)
    _mark(axis, place, machines, 0.35, marker="s", color=ORANGE, label="generator")
    _mark(axis, place, homes, 0.35, marker="^", color=SKY, label="prosumer")
    figure.colorbar(ScalarMappable(scale, "cividis"), ax=axis, label="mean LMP, $/kWh", shrink=0.8, pad=0.01)
    figure.legend(loc="outside upper left", ncols=2)
    axis.margins(x=0.03, y=0.25)
    axis.axis("off")
    return figure


def balance_figures(result: Result, most: int) -> Mapping[str, Figure]:
    """Figures 6 to 8: the stacked power balance of each prosumer, with the sharing prices and the LMP above.

    Args:
        result: The run.
        most: For how many prosumers at the most: those that trade most.
    """
    traded = (result.bought_kw + result.sold_kw).sum(axis=1)
    chosen = sorted(np.argsort(-traded, kind="stable")[:most])
    return {result.names[i]: _balance_figure(result, int(i)) for i in chosen}


def _balance_figure(result: Result, i: int) -> Figure:
    figure, (top, bottom) = new_figure(PAGE_IN, 3.6, 2, 1, sharex=True, height_ratios=[1, 2])
    hours = np.arange(1, result.bid_kw.shape[1] + 1)
    top.step(hours, result.lmp_usd_per_kwh[i], where="mid", color="black", label="LMP")
    bought = _bought(result, i)
    for partner, _, price, colour in bought:
        if price is not None:
            top.step(hours, price, where="mid", color=colour, ls="--", label=f"with {partner}")
    used = result.renewable_kw[i] - result.curtailed_kw[i]
    sources = [("renewables", used, YELLOW), ("bid to the DSO", result.bid_kw[i], BLUE)]
    sources += [(f"bought from {partner}", np.maximum(kw, 0), colour) for partner, kw, _, colour in bought]
    uses = [("fixed load", result.fixed_kw[i], GREY), ("elastic load", result.elastic_kw[i], SKY)]
    uses += [(f"sold to {partner}", np.maximum(-kw, 0), colour) for partner, kw, _, colour in bought]
    _stack(bottom, hours, sources, 1.0)
    _stack(bottom, hours, uses, -1.0)
    bottom.axhline(0, color="black", lw=0.8)
    top.set_ylabel("price, $/kWh")
    bottom.set_ylabel("power, kW\n(uses below 0)")
    bottom.set_xlabel("hour" if result.dt_h == 1 else f"period of {result.dt_h:g} h")
    bottom.set_xlim(0.4, hours[-1] + 0.6)
    top.legend(ncols=4, loc="upper left", bbox_to_anchor=(0, 1.35))
    figure.legend(*bottom.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _bought(result: Result, i: int) -> list[tuple[str, FloatArray, FloatArray | None, str]]:
    """What prosumer i buys from each partner, (period,) in kW, the price, and a colour; many partners are one."""
    name = result.names[i]
    found: list[tuple[str, FloatArray, FloatArray | None, str]] = []
    for link, kw, price in zip(result.graph.links, result.trade_kw, result.price_usd_per_kwh, strict=True):
        if name in (link.a, link.b):
            partner, sign = (link.b, 1.0) if link.a == name else (link.a, -1.0)
            found.append((partner, sign * kw, price, _TRADES[len(found) % len(_TRADES)]))
    if len(found) <= len(_TRADES):
        return found
    return [(f"{len(found)} partners, net", np.sum([kw for _, kw, _, _ in found], axis=0), None, GREEN)]


def _stack(axis: Axes, hours: FloatArray, parts: list[tuple[str, FloatArray, str]], sign: float) -> None:
    base = np.zeros(hours.size)
    for label, kw, colour in parts:
        if np.abs(kw).max(initial=0.0) < 1e-3:
            continue
        hatch = "////" if label.startswith("sold") else None
        axis.bar(
            hours, sign * kw, bottom=base, width=0.85, color=colour, label=label, hatch=hatch, edgecolor="white", lw=0.3
        )
        base = base + sign * kw


def _by_bus(feeder: Feeder, result: Result) -> tuple[dict[int, str], dict[int, str]]:
    """Names of the generators and of the prosumers at each bus."""
    machines: dict[int, str] = {}
    homes: dict[int, str] = {}
    for marks, pairs in (
        (machines, [(machine.bus, machine.name) for machine in feeder.generators]),
        (homes, zip(result.prosumer_buses, result.names, strict=True)),
    ):
        for bus, name in pairs:
            n = feeder.index(bus)
            marks[n] = f"{marks[n]}, {name}" if n in marks else name
    return machines, homes


def _mark(axis: Axes, place: FloatArray, marks: Mapping[int, str], above: float, **style: Any) -> None:
    """A symbol above each marked bus, with its name."""
    at = np.array([place[n] for n in marks]).reshape(-1, 2) + np.array([0.0, above])
    axis.scatter(at[:, 0], at[:, 1], s=26, edgecolors="black", linewidths=0.4, zorder=4, **style)
    for name, spot in zip(marks.values(), at, strict=True):
        axis.annotate(name, spot, (0, 8), textcoords="offset points", ha="center", va="center", fontsize=6)
