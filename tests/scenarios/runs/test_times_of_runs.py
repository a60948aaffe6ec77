"""Runs of scenarios with dates: the same numbers as in UTC, and times in all that they leave behind."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from timed_homes import day, local, sun, table, write

import gridbazaar.scenarios as gb
from gridbazaar.market.state_file import packed, unpacked
from gridbazaar.market.tables import TABLES
from gridbazaar.network import ShortageError
from gridbazaar.scenarios.reporting.pictured import PicturedResult
from gridbazaar.scenarios.reporting.run_figures import price_figure
from gridbazaar.scenarios.reporting.run_page import write_run_page
from gridbazaar.scenarios.runs.resuming import recorded_scenario
from gridbazaar.scenarios.runs.running import run_scenario
from gridbazaar.scenarios.study.schedule_figures import balance_figure
from gridbazaar.scenarios.view.charts import prices_chart
from gridbazaar.scenarios.view.snapshot import snapshot_of

SPRING, AUTUMN = "2026-03-29", "2026-10-25"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def homes(here: Path, date: str, zone: str = "Europe/Berlin", name: str = "homes", step: str = "60min") -> str:
    """A local day of Berlin, its times written in a zone."""
    times = day("Europe/Berlin", date)
    return write(
        here, table(local(times.tz_convert(zone)), sun=sun(len(times))), f"timezone: {zone}\nstep: {step}\n", name
    )


@pytest.mark.parametrize(("date", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_a_day_with_a_clock_change_is_the_same_data_in_utc(here, date, hours):
    mine = gb.load(homes(here, date)).market().run()
    utc = gb.load(homes(here, date, "UTC", "utc")).market().run()
    assert mine.bid_kw.shape == (2, hours)
    for name in TABLES:
        ours, theirs = getattr(mine, name), getattr(utc, name)
        if "time" in ours:
            assert (ours["time"] == theirs["time"]).all()
            ours, theirs = ours.drop(columns="time"), theirs.drop(columns="time")
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_a_calendar_changes_no_number(here):
    """The same profile by period, without a start."""
    timed = gb.load(homes(here, SPRING)).market().run()
    plain = gb.load(write(here, "", f"profiles: {{sun: {sun(23)}}}\n", "plain")).market().run()
    assert (timed.calendar.zone, plain.calendar) == ("Europe/Berlin", None)
    pd.testing.assert_frame_equal(timed.prosumers.drop(columns="time"), plain.prosumers, check_exact=True)
    pd.testing.assert_frame_equal(timed.bills, plain.bills, check_exact=True)


def test_quarters_agree_with_hours_where_nothing_changes_within_these(here):
    hourly, quarters = (gb.load(homes(here, SPRING, step=step)).market().run() for step in ("1h", "15min"))
    assert (hourly.settled, quarters.settled, quarters.bid_kw.shape) == (True, True, (2, 92))
    assert quarters.bid_kw == pytest.approx(np.repeat(hourly.bid_kw, 4, axis=1), abs=0.01)
    open_usd = hourly.certificate.total_usd + quarters.certificate.total_usd
    assert quarters.welfare_usd == pytest.approx(hourly.welfare_usd, abs=open_usd)
    assert quarters.dispatch.losses_kwh == pytest.approx(hourly.dispatch.losses_kwh, rel=1e-3)
    fixed, renewable = (
        [result.dt_h * getattr(result, key).sum() for result in (hourly, quarters)]
        for key in ("fixed_kw", "renewable_kw")
    )
    assert (fixed[0], renewable[0]) == pytest.approx((fixed[1], renewable[1]), rel=1e-12)


def test_a_saved_run_carries_times(here):
    run_scenario(gb.load(homes(here, AUTUMN)), here / "out")
    stored = gb.load_run("out")
    wanted = [when.isoformat() for when in day("Europe/Berlin", AUTUMN)]
    timed = [name for name in TABLES if "period" in stored.table(name)]
    assert timed == ["prosumers", "trades", "prices", "generators", "buses", "lines"]
    for name in timed:
        frame = stored.table(name)
        assert list(frame.columns)[list(frame.columns).index("period") + 1] == "time"
        assert str(frame["time"].dt.tz) == "Europe/Berlin"
        assert [when.isoformat() for when in frame["time"][:25]] == wanted
        assert (frame["period"] - 1 == (frame["time"] - frame["time"].iloc[0]) // pd.Timedelta(hours=1)).all()
    assert json.loads(Path("out/manifest.json").read_text())["scenario"]["start"] == "2026-10-25T00:00+02:00"
    assert {"start": wanted[0], "timezone": "Europe/Berlin", "dt_h": 1.0}.items() <= stored.kpis.items()
    assert stored.when == gb.load("homes.yaml").calendar


def test_a_run_without_a_start_leaves_no_times(here):
    run = run_scenario(gb.load(write(here, "", f"profiles: {{sun: {sun(3)}}}\n")), here / "out")
    stored = gb.load_run("out")
    assert not any("time" in stored.table(name) for name in TABLES)
    assert not {"start", "timezone"} & set(stored.manifest["scenario"])
    assert not {"start", "timezone"} & set(run.kpis)


def test_a_run_that_stopped_goes_on_with_its_times(here):
    scenario = gb.load(homes(here, AUTUMN))
    whole = run_scenario(scenario, here / "whole").result

    def stop(record):
        if record.number == 5:
            raise gb.ScenarioError([])

    with pytest.raises(gb.ScenarioError):
        run_scenario(scenario, here / "out", watch=stop)
    resumed = run_scenario(recorded_scenario(here / "out"), here / "out").result
    pd.testing.assert_frame_equal(resumed.prosumers, whole.prosumers, check_exact=True)
    assert resumed.calendar == scenario.calendar


def test_a_market_travels_and_is_saved_with_its_calendar(here):
    market = gb.load(homes(here, SPRING)).market()
    for _ in range(3):
        market.step()
    again = pickle.loads(pickle.dumps(market))
    assert again.operator.clearing.calendar == market.operator.clearing.calendar
    assert again.run().prosumers.equals(market.copy().run().prosumers)
    dispatch = unpacked(packed(market.snapshot())).operator.dispatch
    assert dispatch.calendar == market.operator.clearing.calendar


def test_pictures_show_the_clock(here):
    result = gb.load(homes(here, SPRING)).market().run()
    for figure in (
        balance_figure(result, 0, result.device_schedules.flows_of(result.names[0])),
        price_figure(PicturedResult(result)),
    ):
        axis = figure.axes[-1]
        assert axis.get_xlabel() == "time, Europe/Berlin"
        ticks = dict(zip(axis.get_xticks().tolist(), [text.get_text() for text in axis.get_xticklabels()], strict=True))
        assert ticks == {0.5: "29 March", 2.5: "03:00", 5.5: "06:00", 8.5: "09:00", 11.5: "12:00", 14.5: "15:00",
                         17.5: "18:00", 20.5: "21:00"}  # fmt: skip


def test_reports_and_comparisons_name_times(here):
    for name, date in (("spring", SPRING), ("autumn", AUTUMN)):
        run_scenario(gb.load(homes(here, date, name=name)), here / f"{name}-run")
    run_scenario(gb.load("spring.yaml", {"prosumers.bob.elastic_max_kw": 4}), here / "small")
    spring, autumn, small = (gb.load_run(name) for name in ("spring-run", "autumn-run", "small"))
    page = write_run_page(spring).read_text()
    assert "23 of 1 h, 2026-03-29T00:00+01:00 to 2026-03-30T00:00+02:00, Europe/Berlin" in page
    assert any("(29 March " in row for row in gb.compare([spring, small]).frame["what"])
    assert "2026-10-25T00:00+02:00 to 2026-10-26T00:00+01:00" in " ".join(gb.compare([spring, autumn]).left_out)


def test_stepping_names_times(here):
    with gb.Session(homes(here, SPRING)) as session:
        session.run_to("agreed")
        frame = session.prosumer("ann").frame
        assert [when.isoformat() for when in frame["time"]] == [
            when.isoformat() for when in day("Europe/Berlin", SPRING)
        ]
        assert "2026-03-29 03:00:00+02:00" in str(session.prosumer("ann"))
        chart = prices_chart(snapshot_of(session.market), 0, "")
        assert chart["xAxis"]["data"][1:3] == ["29 March 01:00", "29 March 03:00"]
        session.run_to("settled")
        assert "in period 3 (29 March 03:00-04:00)" in session.why("ann", 3)
        session.fork({"prosumers.bob.elastic_max_kw": 4}, "small")
        session.run_to("settled")
        assert "(29 March " in str(session.diff("main", "small"))


def test_who_cannot_be_served_is_told_by_the_time(here):
    file = homes(here, SPRING)
    with pytest.raises(gb.InfeasibleScenarioError, match=r"period 1 \(29 March 00:00-01:00\) needs 60 kW"):
        gb.load(file, {"prosumers.bob.fixed_peak_kw": 60}).check()
    with pytest.raises(ShortageError, match=r"in period 1 \(29 March 00:00-01:00\) generation is short by"):
        gb.load(file, {"feeder.generators.grid.p_max_kw": 4}).market().run()
