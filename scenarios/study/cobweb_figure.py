"""Figure 2 of the paper: demand curve and price curve of a prosumer, and Algorithm 2's steps between them."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...network.arrays import FloatArray
from ...network.periods import period_name
from .drawing import BLACK, COLUMN_IN, DARK, GREY, PAGE_IN, new_figure, prosumer_colour
from .findings import Cobweb, Study

_LAST = 4
"""So many of the last steps are enlarged."""
_PLACES = [(x, y) for y in np.linspace(0.6, 0.1, 11) for x in np.linspace(0.14, 0.6, 24)]
_SIZE = 0.34, 0.36  # of the inset, as fractions of the panel


def cobweb_figure(study: Study) -> Figure | None:
    """Figure 2, of a bid that converges and of one that cycles; None if there is neither."""
    found = [cobweb for cobweb in (study.steady, study.cycling) if cobweb]
    if not found:
        return None
    figure, axes = new_figure(PAGE_IN if len(found) == 2 else COLUMN_IN, 3.2, 1, len(found))
    for axis, cobweb in zip(axes, found, strict=True):
        _draw(axis, cobweb)
        _frame(axis, cobweb)
        _title(axis, cobweb, study)
        _enlarge_crossing(axis, cobweb)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2 if len(found) == 2 else 1)
    return figure


def _draw(axis: Axes, cobweb: Cobweb, scale: float = 1.0) -> None:
    """Both curves and the steps; `scale` makes lines and dots smaller."""
    colour = prosumer_colour(cobweb.prosumer)
    axis.plot(cobweb.bid_kw, cobweb.lmp_usd_per_kwh, color=BLACK, lw=1.3 * scale, label="price curve (the DSO's LMP)")
    axis.plot(cobweb.demand_kw, cobweb.demand_lmp_usd_per_kwh, color=colour, ls="--", lw=1.3 * scale)
    axis.plot([], [], color=DARK, ls="--", label="demand curve (the bid), in the prosumer's colour")
    kw, usd = cobweb.steps_kw, cobweb.steps_usd_per_kwh
    axis.plot(np.repeat(kw, 2)[1:], np.repeat(usd, 2)[:-1], color=GREY, lw=0.8 * scale)
    axis.plot(kw, usd, "o", ms=3.5 * scale, color=DARK, label="steps of Algorithm 2")
    axis.plot(*_crossing(cobweb), "*", ms=7 * scale, color="white", mec=BLACK, mew=0.7, label="equilibrium")


def _crossing(cobweb: Cobweb) -> tuple[float, float]:
    """Bid and LMP of the equilibrium."""
    return cobweb.rest_kw, float(np.interp(cobweb.rest_kw, cobweb.bid_kw, cobweb.lmp_usd_per_kwh))


def _frame(axis: Axes, cobweb: Cobweb) -> None:
    axis.set_xlim(*_around(cobweb.steps_kw, 0.08, 1.0))
    axis.set_ylim(*_around(cobweb.steps_usd_per_kwh, 0.2, 1e-4))
    axis.set_xlabel("bid, kW")
    axis.set_ylabel("LMP, $/kWh")


def _around(values: FloatArray, share: float, least: float) -> tuple[float, float]:
    """A range with so much more at either end."""
    more = share * max(float(np.ptp(values)), least)
    return float(values.min()) - more, float(values.max()) + more


def _title(axis: Axes, cobweb: Cobweb, study: Study) -> None:
    name, hour = study.result.names[cobweb.prosumer], period_name(cobweb.period, study.scenario.when)
    scale = cobweb.alpha_scale / study.scenario.alpha_scale
    verdict = "converges" if cobweb is study.steady else "cycles"
    axis.set_title(f"{name}, {hour}, alpha x {scale:g}: {verdict}\nslope ratio of (28): {cobweb.ratio:.2f}")


def _enlarge_crossing(axis: Axes, cobweb: Cobweb) -> None:
    """An inset with both curves and the last steps near to where they cross, where the panel is emptiest."""
    kw, usd = _crossing(cobweb)
    reach_kw, reach_usd = _reach(cobweb, kw, usd)
    x, y = min(_PLACES, key=lambda place: _covered(axis, cobweb, place))
    inset = axis.inset_axes((x, y, *_SIZE))
    _draw(inset, cobweb, 0.8)
    inset.set_xlim(kw - reach_kw, kw + reach_kw)
    inset.set_ylim(usd - reach_usd, usd + reach_usd)
    inset.tick_params(labelsize=5, length=2, pad=1)
    inset.locator_params(nbins=3)
    inset.patch.set_alpha(0.9)
    for spine in inset.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)
    axis.indicate_inset_zoom(inset, edgecolor=GREY, lw=0.6)


def _reach(cobweb: Cobweb, kw: float, usd: float) -> tuple[float, float]:
    """How far the inset goes from the crossing: to the last steps that differ, a tenth of the panel if they are far."""
    size_kw, size_usd = (max(float(np.ptp(each)), 1e-6) for each in (cobweb.steps_kw, cobweb.steps_usd_per_kwh))
    away = np.abs(cobweb.steps_kw - kw)
    moving = away[away > 1e-3 * size_kw]
    reach_kw = float(np.clip(1.3 * moving[-_LAST:].max(initial=0.0), 0.01 * size_kw, 0.1 * size_kw))
    ends = np.interp([kw - reach_kw, kw + reach_kw], cobweb.bid_kw, cobweb.lmp_usd_per_kwh)
    asked = cobweb.demand_lmp_usd_per_kwh[np.abs(cobweb.demand_kw - kw) <= reach_kw]
    most = float(np.abs(np.concatenate([ends, asked]) - usd).max())
    return reach_kw, float(np.clip(1.2 * most, 1e-3 * size_usd, 0.25 * size_usd))


def _covered(axis: Axes, cobweb: Cobweb, place: tuple[float, float]) -> int:
    """How much of the curves, steps and crossing an inset would hide there, in points along them."""
    path = np.column_stack([np.repeat(cobweb.steps_kw, 2)[1:], np.repeat(cobweb.steps_usd_per_kwh, 2)[:-1]])
    lines = [
        np.column_stack([cobweb.bid_kw, cobweb.lmp_usd_per_kwh]),
        np.column_stack([cobweb.demand_kw, cobweb.demand_lmp_usd_per_kwh]),
        np.concatenate([np.linspace(start, end, 20) for start, end in pairwise(path)]),
        np.repeat([_crossing(cobweb)], 40, axis=0),
    ]
    shown = axis.transLimits.transform(np.concatenate(lines))
    low, high = np.array(place) - (0.09, 0.08), np.array(place) + _SIZE + 0.02  # with the numbers beside it
    return int(((shown >= low) & (shown <= high)).all(axis=1).sum())
