"""Figure 3 of the paper: the feeder with its prices, its flows in the hour of highest loading, and its limits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from ...market.result import Result
from ...network.arrays import FloatArray
from ...network.feeder import Feeder
from ...network.flows import Flows
from ...network.periods import period_name
from ..drawing.layout import layout
from .drawing import DARK, GREY, PAGE_IN, new_figure, prosumer_colour

_MANY_BUSES = 60
"""With more of them names are smaller."""
_LABELS = 3
"""So many limits of lines stand in the figure, those of the most loaded."""
_WIDTHS = 0.8, 4.0  # points, of the line that carries nothing and of the one that carries most
_LOADING = LinearSegmentedColormap.from_list("loading", colormaps["YlOrRd"](np.linspace(0.3, 1.0, 64)))


def feeder_figure(result: Result) -> Figure:
    """Figure 3: the one-line diagram; LMPs as colours of buses, loadings as colours of lines that have a limit."""
    feeder = result.feeder
    place = layout(feeder) * (1.0, -1.0)  # upwards here, downwards on a page
    lanes = np.ptp(place[:, 1]) + 1
    figure, (axis,) = new_figure(PAGE_IN, 1.6 + 0.55 * min(lanes, 14))
    rated = _draw_lines(axis, result, place)
    lmp = result.dispatch.lmp_usd_per_kwh.mean(axis=1)
    scale = Normalize(lmp.min(), max(lmp.max(), lmp.min() + 1e-6))
    axis.scatter(
        place[:, 0], place[:, 1], c=lmp, cmap="cividis", norm=scale, s=42, zorder=3, edgecolors="black", linewidths=0.4
    )
    size = 6 if len(feeder.buses) <= _MANY_BUSES else 4
    for n, name in enumerate(feeder.names):
        axis.annotate(name, place[n], (0, -9), textcoords="offset points", ha="center", va="center", fontsize=size)
    machines = _by_bus(feeder, [(machine.bus, machine.name) for machine in feeder.generators])
    homes = _by_bus(feeder, list(zip(result.prosumer_buses, result.names, strict=True)))
    _mark(axis, place, machines, [DARK] * len(machines), marker="s", label="generator")
    first = [prosumer_colour(result.names.index(names[0])) for names in homes.values()]
    _mark(axis, place, homes, first, marker="^", label="prosumer, in its colour")
    bar: Any = {"shrink": 0.8, "pad": 0.01, "aspect": 30}
    figure.colorbar(ScalarMappable(scale, "cividis"), ax=axis, label="mean LMP, $/kWh", **bar)
    if rated:
        loading = ScalarMappable(Normalize(0, 100), _LOADING)
        figure.colorbar(loading, ax=axis, label="loading of lines with a limit, %", **bar)
    figure.legend(loc="outside upper left", ncols=2)
    axis.margins(x=0.03, y=0.25)
    axis.axis("off")
    return figure


def feeder_caption(result: Result) -> str:
    """What the figure shows, and which hour and limits."""
    flows, hour = _busiest(result)
    rated = np.flatnonzero(np.isfinite(flows.loading[:, hour]))
    when = period_name(hour, result.when)
    said = "One-line diagram; colour of buses: mean LMP over the periods; width of lines: active power as cleared"
    if not rated.size:
        return f"{said} in {when}, when the most flows. No line has a limit."
    worst = max(rated, key=lambda n: flows.loading[n, hour])
    line = result.feeder.lines[worst - 1].name
    return (
        f"{said} in {when}, the hour of the highest loading; colour of lines: their loading then, grey where there is "
        f"no limit. {rated.size} of {len(result.feeder.lines)} lines have a limit; {line} is loaded most, to "
        f"{flows.loading[worst, hour]:.0%} of {_limits(result.feeder, int(worst))}."
    )


def _busiest(result: Result) -> tuple[Flows, int]:
    """The flows as cleared, and the period in which a line is nearest to a limit; without any, in which most flows."""
    flows = Flows.of(result.feeder, result.dispatch)
    used = np.nan_to_num(flows.loading)
    measure = used.max(axis=0) if np.isfinite(flows.loading).any() else np.abs(flows.p_flow_kw).sum(axis=0)
    return flows, int(np.argmax(measure))


def _limits(feeder: Feeder, n: int) -> str:
    """The limits of the line that feeds a bus, in words."""
    limits = ((feeder.p_max_kw[n], "kW"), (feeder.q_max_kvar[n], "kvar"), (feeder.i_max_a[n], "A"))
    return " or ".join(f"{_shown(limit)} {unit}" for limit, unit in limits if np.isfinite(limit))


def _shown(limit: float) -> str:
    return f"{limit:,.0f}" if limit >= 1000 else f"{limit:.4g}"


def _draw_lines(axis: Axes, result: Result, place: FloatArray) -> bool:
    """Lines as wide as what they carry, coloured by loading; whether any of them has a limit."""
    feeder = result.feeder
    flows, hour = _busiest(result)
    loading, carried = flows.loading[:, hour], np.abs(flows.p_flow_kw[:, hour])
    width = _WIDTHS[0] + (_WIDTHS[1] - _WIDTHS[0]) * carried / max(carried.max(), 1e-9)
    rated = np.flatnonzero(np.isfinite(loading))
    named = sorted(rated.tolist(), key=lambda n: -loading[n])[:_LABELS]
    for n in range(1, len(feeder.buses)):
        m = feeder.parent[n]
        turn = place[m, 0] + 0.5  # between the buses, so that no line runs through a bus or a name
        path = (place[m], (turn, place[m, 1]), (turn, place[n, 1]), place[n])
        colour = _LOADING(loading[n]) if n in rated else GREY
        axis.plot(*zip(*path, strict=True), color=colour, lw=width[n], zorder=1, solid_capstyle="round")
        if n in named:
            spot = (turn, (place[m, 1] + place[n, 1]) / 2)
            _name_limit(axis, spot, f"{loading[n]:.0%} of\n{_limits(feeder, n)}", above=named.index(n) % 2 == 0)
    return bool(rated.size)


def _name_limit(axis: Axes, spot: tuple[float, float], said: str, *, above: bool) -> None:
    """A limit beside its line, above or below, so that those of neighbours leave each other room."""
    move, align = ((3, 5), "bottom") if above else ((3, -16), "top")
    axis.annotate(said, spot, move, textcoords="offset points", fontsize=5.5, color=DARK, va=align)


def _by_bus(feeder: Feeder, pairs: list[tuple[str, str]]) -> dict[int, list[str]]:
    """Names at each bus."""
    found: dict[int, list[str]] = {}
    for bus, name in pairs:
        found.setdefault(feeder.index(bus), []).append(name)
    return found


def _mark(axis: Axes, place: FloatArray, marks: Mapping[int, list[str]], colours: list[str], **style: Any) -> None:
    """A symbol above each marked bus, with the names of what is there."""
    at = np.array([place[n] for n in marks]).reshape(-1, 2) + np.array([0.0, 0.35])
    axis.scatter(at[:, 0], at[:, 1], s=26, c=colours, edgecolors="black", linewidths=0.4, zorder=4, **style)
    for names, spot in zip(marks.values(), at, strict=True):
        said = ", ".join(names)
        axis.annotate(said, spot, (0, 8), textcoords="offset points", ha="center", va="center", fontsize=6)
