"""`.plot()` of results, saved runs and sessions: pictures of what their tables hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market.plotting import drawn
from gridbazaar.network import InputError
from gridbazaar.scenarios.runs.running import run_scenario


@pytest.fixture(scope="module")
def session():
    with gb.Session("ieee33") as opened:
        opened.run_to("settled")
        yield opened


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots") / "run"
    folder.mkdir()
    run_scenario(gb.load("ieee33"), folder)
    return gb.load_run(folder)


@pytest.mark.parametrize("what", ["balance", "prices", "network"])
def test_results_and_saved_runs_have_the_same_pictures(session, saved, what):
    pictures = [found.plot(what) for found in (session.result(), saved)]
    lines = [[line.get_ydata() for axis in figure.axes for line in axis.lines] for figure in pictures]
    assert len(lines[0]) == len(lines[1]) > 0
    for one, other in zip(*lines, strict=True):
        np.testing.assert_allclose(np.asarray(one, dtype=float), np.asarray(other, dtype=float), atol=1e-12)


def test_prices_are_those_of_the_table(session):
    result = session.result()
    (*mean, last) = result.plot("prices").axes[0].lines[0].get_ydata()
    assert last == mean[-1]
    assert mean == pytest.approx(result.prices.groupby("period")["lmp_usd_per_kwh"].mean().to_numpy())


def test_lines_reach_the_edges_that_bars_reach(session):
    result = session.result()
    for axis in (result.plot(prosumer="p2").axes[0], *result.plot("prices").axes, result.plot("network").axes[0]):
        steps = [np.asarray(line.get_xdata()) for line in axis.lines if line.get_drawstyle() == "steps-post"]
        assert steps
        assert all((at[0], at[-1]) == (0.5, result.bid_kw.shape[1] + 0.5) for at in steps)


def test_the_balance_of_one_shows_its_lmp(session):
    result = session.result()
    top = result.plot(prosumer="p2").axes[0]
    shown = [np.asarray(line.get_ydata(), dtype=float) for line in top.lines]
    shown += [np.asarray(patch.get_path().vertices[:, 1], dtype=float) for patch in top.patches]
    assert any(np.isclose(values, result.lmp_usd_per_kwh[1, 18]).any() for values in shown)


def test_the_feeder_is_svg_that_notebooks_show(session):
    drawing = session.result().plot("feeder")
    assert ET.fromstring(drawing._repr_svg_()).tag.endswith("svg")


def test_the_feeder_can_be_saved(session, tmp_path):
    drawing = session.result().plot("feeder")
    file = drawing.save(tmp_path / "feeder.svg")
    assert file.read_text(encoding="utf-8") == drawing.svg


def test_a_session_and_a_saved_run_draw_their_rounds(session, saved):
    history = session.history()
    for figure in (session.plot(), saved.plot("convergence")):
        primal = figure.axes[0].lines[0]
        expected = [mark.primal_kw for mark in history if np.isfinite(mark.primal_kw) and mark.primal_kw > 0]
        assert primal.get_ydata() == pytest.approx(expected)
    session.goto(12)
    assert session.plot().axes[0].lines[0].get_xdata()[-1] == 12
    session.goto(43)


WRONG = {
    "kind": ({"what": "pries"}, r"there is no picture 'pries'; did you mean prices\?"),
    "rounds": (
        {"what": "convergence"},
        r"a result has no rounds; plot a saved run \(gb.load_run\), or session.plot\(\)",
    ),
    "prosumer": ({"prosumer": "p9"}, "there is no prosumer p9; known are p1, p2, p3"),
    "backend": ({"backend": "crayon"}, "nobody called crayon draws; there are matplotlib"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_drawn_is_said(session, what):
    asked, sentence = WRONG[what]
    with pytest.raises(InputError, match=sentence):
        session.result().plot(**asked)


def test_others_may_draw(session, monkeypatch):
    class Point:
        name = "words"

        def load(self):
            return lambda found, what, **options: (what, options, found.names)

    monkeypatch.setattr("gridbazaar.market.plotting.entry_points", lambda **_: [Point()])
    assert drawn(session.result(), "prices", backend="words", size=3) == ("prices", {"size": 3}, ("p1", "p2", "p3"))
