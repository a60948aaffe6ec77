"""What stands in the figures: a prosumer's colour, the tolerance that decides, limits and loadings of lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gridbazaar.scenarios.study import figures
from gridbazaar.scenarios.study.cobweb_figure import cobweb_figure
from gridbazaar.scenarios.study.drawing import PROSUMERS, prosumer_style
from gridbazaar.scenarios.study.feeder_figure import feeder_caption, feeder_figure
from gridbazaar.scenarios.study.findings import Study
from gridbazaar.scenarios.study.schedule_figures import balance_figure, largest_traders

COLOURS = dict(zip(("p1", "p2", "p3"), PROSUMERS, strict=False))


def colours(axis: Axes) -> dict[str, str]:
    """The colour of everything in a panel that has a name."""
    handles, labels = axis.get_legend_handles_labels()
    shown = {}
    for handle, label in zip(handles, labels, strict=True):
        paint = handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()
        shown[label] = to_hex(np.atleast_2d(paint)[0] if not isinstance(paint, str) else paint).upper()
    return shown


def test_a_prosumer_has_one_colour_in_every_figure(paper: Study) -> None:
    sharing = figures.sharing_figure(paper)
    assert sharing is not None
    assert colours(sharing.axes[0]) == COLOURS
    nothing = np.zeros(paper.result.bid_kw.shape[1])
    for i, own in enumerate(COLOURS):
        prices, powers = (colours(axis) for axis in balance_figure(paper.result, i, (nothing, nothing)).axes)
        shown = {label: colour for label, colour in {**prices, **powers}.items() if label.split()[-1] in COLOURS}
        assert {label: COLOURS[label.split()[-1]] for label in shown} == shown
        assert powers[f"elastic load of {own}"] == COLOURS[own]
        others = {colour for label, colour in powers.items() if label not in shown}
        assert not others & set(PROSUMERS)
    marks = next(mark for mark in feeder_figure(paper.result).axes[0].collections if "prosumer" in mark.get_label())
    assert {to_hex(colour).upper() for colour in marks.get_facecolors()} == set(COLOURS.values())


def test_the_demand_curve_has_the_colour_of_its_prosumer(paper: Study) -> None:
    drawn = cobweb_figure(paper)
    assert drawn is not None
    for axis, cobweb in zip(drawn.axes, (paper.steady, paper.cycling), strict=True):
        assert cobweb is not None
        assert to_hex(axis.lines[1].get_color()).upper() == PROSUMERS[cobweb.prosumer]
        (inset,) = axis.child_axes
        assert inset.get_xlim()[0] < cobweb.rest_kw < inset.get_xlim()[1]
        assert np.ptp(inset.get_xlim()) < 0.3 * np.ptp(axis.get_xlim())


def test_many_prosumers_are_told_apart() -> None:
    looks = [tuple(prosumer_style(k).values()) for k in range(40)]
    assert len(set(looks)) == 40


def test_the_tolerance_that_decides_is_drawn(paper: Study) -> None:
    middle = figures.outer_figure(paper).axes[1]
    (level,) = {float(line.get_ydata()[0]) for line in middle.lines if line.get_linestyle() == ":"}
    assert level == 1.0
    assert middle.get_ylabel() == "regret / tolerance"
    own = next(line for line in middle.lines if line.get_label() == "newton")
    certificate = paper.result.certificate
    assert own.get_ydata()[-1] == pytest.approx(certificate.total_usd / (1e-6 * certificate.turnover_usd))
    right = figures.alpha_figure(paper).axes[1::2]
    assert [axis.get_ylabel() for axis in right] == ["regret / tolerance"] * 2


def test_sharing_shows_the_tolerance_that_partners_had_to_keep(paper: Study) -> None:
    drawn = figures.sharing_figure(paper)
    assert drawn is not None
    assert paper.cold is not None
    levels = {float(line.get_ydata()[0]) for line in drawn.axes[1].lines if line.get_linestyle() == ":"}
    assert levels == {paper.cold.agreed_kw, paper.cold.agreed_usd_per_kwh}
    assert paper.cold.primal_kw[-1] <= paper.cold.agreed_kw < paper.cold.primal_kw[-2]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_lines_show_their_loading_and_limit(paper: Study) -> None:
    lines: pd.DataFrame = paper.result.lines
    worst = lines.loc[lines["loading_percent"].idxmax()]
    rating = {line.name: line.p_max_kw for line in paper.result.feeder.lines}[worst["line"]]
    by_hand = f"{worst['loading_percent'] / 100:.0%} of"
    assert f"{by_hand}\n{rating:,.0f} kW" in words(feeder_figure(paper.result))
    caption = feeder_caption(paper.result)
    assert f"period {worst['period']} (" in caption
    assert f"{worst['line']} is loaded most, to {by_hand} {rating:,.0f} kW" in caption


def test_a_feeder_without_limits_says_so(paper: Study) -> None:
    unlimited = tuple(
        replace(line, p_max_kw=np.inf, q_max_kvar=np.inf, i_max_a=np.inf) for line in paper.result.feeder.lines
    )
    result = replace(paper.result, feeder=replace(paper.result.feeder, lines=unlimited))
    assert not [word for word in words(feeder_figure(result)) if "%" in word]
    assert feeder_caption(result).endswith("when the most flows. No line has a limit.")


def test_those_that_trade_most_are_drawn(paper: Study) -> None:
    traded = (paper.result.bought_kw + paper.result.sold_kw).sum(axis=1)
    (least,) = set(range(3)) - set(largest_traders(paper.result, 2))
    assert least == int(np.argmin(traded))
