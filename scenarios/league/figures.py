"""The figures of a league: what each behaviour gains in each seat, and what learners gain from day to day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..study.drawing import DARK, GREY, PAGE_IN, new_figure, prosumer_style, style
from .match import Kind
from .shown import short
from .tables import by_seat, grouped


def gain_figure(frame: pd.DataFrame) -> Figure | None:
    """Gains by behaviour, seat and case; whiskers are what is left open of each. None where there is no gain to show.

    The scale is linear within a dollar of nothing and logarithmic beyond, as losses differ by orders of magnitude.
    """
    seats = by_seat(frame)
    if seats.empty:
        return None
    cases, names = sorted(seats["case"].unique()), list(dict.fromkeys(seats["prosumer"]))
    behaviours = list(dict.fromkeys(seats["behaviour"]))
    with style():
        figure, axes = new_figure(PAGE_IN, 0.8 + 0.28 * len(behaviours), 1, len(cases), sharey=True)
        for axis, case in zip(axes, cases, strict=True):
            _draw_case(axis, seats[seats["case"] == case], behaviours, names)
            axis.set_title(f"Case {case}")
            axis.set_xlabel("gain, $ a day")
        axes[0].set_yticks(range(len(behaviours)), [short(text) for text in behaviours])
        axes[0].invert_yaxis()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=8)
    return figure


def _draw_case(axis: Axes, seats: pd.DataFrame, behaviours: list[str], names: list[str]) -> None:
    """The gains of a case: a mark for each seat, a row for each behaviour."""
    axis.axvline(0.0, color=GREY, lw=0.8)
    for k, name in enumerate(names):
        own = seats[seats["prosumer"] == name]
        height = np.array([behaviours.index(text) for text in own["behaviour"]]) + 0.5 * ((k + 0.5) / len(names) - 0.5)
        within = own["known_to_usd"]
        axis.errorbar(
            own["gain_usd"], height, xerr=within, fmt="o", ms=3, capsize=2, label=name, color=prosumer_style(k)["color"]
        )
    axis.set_xscale("symlog", linthresh=1.0)


def learning_figure(frame: pd.DataFrame) -> Figure | None:
    """What behaviours gain on each day that learn, mean of the draws: alone, and where everybody learns."""
    days = frame[frame.groupby("match")["day"].transform("max") > 1]
    days = days[(days["behaviour"] != "PriceTaker") & days["gain_usd"].notna()]
    if days.empty:
        return None
    cases, names = sorted(days["case"].unique()), list(dict.fromkeys(days["prosumer"]))
    with style():
        figure, axes = new_figure(PAGE_IN, 2.6, 1, len(cases), sharey=True)
        for axis, case in zip(axes, cases, strict=True):
            some = days[days["case"] == case]
            axis.axhline(0.0, color=DARK, lw=0.8)
            for name, own in grouped(some, "prosumer"):
                for kind, dashes, means in ((Kind.SEAT, "-", "alone"), (Kind.FIELD, ":", "when all learn")):
                    mean = own[own["kind"] == kind].groupby("day")["gain_usd"].mean()
                    look = {**prosumer_style(names.index(name)), "linestyle": dashes}
                    axis.plot(mean.index.to_numpy(), mean.to_numpy(), label=f"{name} {means}", **look)
            axis.set_title(f"Case {case}")
            axis.set_xlabel("day")
        axes[0].set_ylabel("gain, $ a day")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=6)
    return figure
