"""The page of a rolling horizon: its windows, and what happened against what was expected, held against its tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from rolling_homes import PRICES, homes, load

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.reporting.rolling_section import imbalance_figure
from gridbazaar.scenarios.reporting.run_page import write_run_page
from gridbazaar.scenarios.rolling.rolling import run_rolling


def rolled(folder: Path, **horizon: object) -> tuple[gb.StoredRun, str]:
    """A run of four windows of a day, and its page."""
    run_rolling(load(folder, homes(horizon={"length_h": 24, **horizon})), folder)
    run = gb.load_run(folder)
    return run, write_run_page(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def persistent(tmp_path_factory: pytest.TempPathFactory) -> tuple[gb.StoredRun, str]:
    folder = tmp_path_factory.mktemp("persistent")
    return rolled(folder, forecast="persistence", imbalance_price_usd_per_kwh=PRICES)


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table with this title."""
    (body,) = re.findall(rf"<h3>{title}</h3>\s*<table>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("</tr>") if "<td" in row]


def test_every_window_has_a_row_with_its_certificate(persistent: tuple[gb.StoredRun, str]) -> None:
    run, page = persistent
    found = rows(page, "windows")
    assert [row[0] for row in found] == ["1", "2", "3", "4"]
    assert [row[1:4] for row in found[:2]] == [["0 h", "24 h", "24 h"], ["24 h", "48 h", "48 h"]]
    assert [row[5] for row in found] == list(run.windows["certificate"])
    assert [float(row[-1]) for row in found] == pytest.approx(list(run.windows["dso_cost_usd"]), abs=0.006)


def test_imbalances_by_prosumer_are_those_of_the_table(persistent: tuple[gb.StoredRun, str]) -> None:
    run, page = persistent
    for name, lacked, over, paid in rows(page, "imbalances"):
        own = run.imbalances.query("prosumer == @name")
        assert float(lacked) == pytest.approx(6 * own.imbalance_kw[own.imbalance_kw > 0].sum(), rel=0.01)
        assert float(over) == pytest.approx(-6 * own.imbalance_kw[own.imbalance_kw < 0].sum(), rel=0.01)
        assert float(paid) == pytest.approx(run.kpis["imbalance_usd_by_prosumer"][name], abs=0.006)
    assert [row[0] for row in rows(page, "imbalances")] == ["ann", "bob"]


def test_the_page_says_what_the_terminal_says(persistent: tuple[gb.StoredRun, str]) -> None:
    run, page = persistent
    paid = f"${run.kpis['imbalance_usd']:.2f}"
    assert f"<dt>paid for imbalances</dt><dd>{paid}</dd>" in page
    assert "4 windows settled of 4: windows of 24 h, of which 24 h are kept; expected is what the same time" in page
    assert f"for which they pay {paid}, in their cost." in page
    assert page.count("a kWh that is lacking costs $0.50, one that is over earns $0.05") == 2  # and in what was run


def test_shares_that_nobody_can_tell_have_no_column_but_a_reason(persistent: tuple[gb.StoredRun, str]) -> None:
    _, page = persistent
    assert "<th>self-sufficiency</th>" not in page
    assert "Self-consumption and self-sufficiency are not told: what differs from the forecasts" in page


def test_what_was_expected_is_drawn_beside_what_happened(persistent: tuple[gb.StoredRun, str]) -> None:
    run, _ = persistent
    top, bottom = imbalance_figure(run).axes
    sums = run.imbalances.groupby("period")[
        ["fixed_planned_kw", "renewable_planned_kw", "fixed_actual_kw", "renewable_actual_kw"]
    ]
    by_period = sums.sum()
    drawn = {str(patch.get_label()): np.asarray(patch.get_data().values) for patch in top.patches + bottom.patches}  # type: ignore[attr-defined]
    np.testing.assert_allclose(drawn["expected"], by_period.fixed_planned_kw - by_period.renewable_planned_kw)
    np.testing.assert_allclose(drawn["happened"], by_period.fixed_actual_kw - by_period.renewable_actual_kw)
    imbalance = run.imbalances.groupby("period").imbalance_kw.sum()
    np.testing.assert_allclose(drawn["lacking"] + drawn["over"], imbalance, atol=1e-12)


def test_perfect_forecasts_have_windows_and_no_imbalances(tmp_path: Path) -> None:
    _, page = rolled(tmp_path)
    assert len(rows(page, "windows")) == 4
    assert "are kept; forecasts are perfect." in page
    assert "<h3>imbalances</h3>" not in page
    assert "<th>self-sufficiency</th>" in page
