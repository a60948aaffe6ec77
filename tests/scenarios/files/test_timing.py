"""Scenarios with dates: from `start` or a column of times to periods, with windows, other steps and filled holes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from timed_homes import day, local, sun, table, write

import gridbazaar.scenarios as gb
from gridbazaar.network.errors import InputError
from gridbazaar.scenarios.files.loading import vary

BERLIN = "timezone: Europe/Berlin\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(scenario: gb.Scenario, name: str = "sun") -> list[float]:
    return [scenario.profiles[name][str(t)] for t in range(1, scenario.periods + 1)]


def stamps(scenario: gb.Scenario) -> list[str]:
    assert scenario.calendar
    return [when.isoformat() for when in scenario.calendar.times()]


def numbered(count: int) -> str:
    return f"profiles: {{sun: {sun(count)}}}\n"


@pytest.mark.parametrize(("date", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
@pytest.mark.parametrize("step_min", [60, 15])
@pytest.mark.parametrize("spelling", [local, lambda times: [when.isoformat() for when in times]])
def test_a_column_of_times_gives_the_periods(here, date, hours, step_min, spelling):
    times = day("Europe/Berlin", date, step_min)
    scenario = gb.load(write(here, table(spelling(times), sun=sun(len(times))), BERLIN))
    assert (scenario.periods, scenario.dt_h) == (hours * 60 // step_min, step_min / 60)
    assert stamps(scenario) == [when.isoformat() for when in times]
    assert values(scenario) == sun(len(times))
    assert not scenario.notes()


def test_a_start_gives_numbered_profiles_their_times(here):
    scenario = gb.load(write(here, "", f"start: 2026-10-25T00:00\nstep: 30min\n{BERLIN}{numbered(50)}"))
    times = day("Europe/Berlin", "2026-10-25", 30)
    assert stamps(scenario) == [when.isoformat() for when in times]
    assert (scenario.dt_h, values(scenario)) == (0.5, sun(50))


@pytest.mark.parametrize("zoned", [True, False])
def test_parquet_is_read_like_csv(here, zoned):
    times = day("Europe/Berlin", "2026-10-25", 15)
    frame = pd.DataFrame({"time": times if zoned else times.tz_localize(None), "sun": sun(100)})
    frame.to_parquet(here / "p.parquet", index=False)
    scenario = gb.load(write(here, "", f"{BERLIN}profiles: p.parquet\n"))
    assert stamps(scenario) == [when.isoformat() for when in times]
    assert values(scenario) == sun(100)


def test_parquet_may_count_periods(here):
    pd.DataFrame({"period": [1, 2, 3], "sun": [0.1, 0.2, 0.3]}).to_parquet(here / "p.parquet", index=False)
    scenario = gb.load(write(here, "", "profiles: p.parquet\n"))
    assert (values(scenario), scenario.calendar) == ([0.1, 0.2, 0.3], None)


@pytest.mark.parametrize(
    ("window", "first", "count"),
    [
        ("{from: 2026-03-29, days: 1}", 96, 92),
        ("{from: 2026-03-29T12:00, until: 2026-03-30}", 96 + 44, 48),
        ("{from: '2026-03-29T03:15+02:00', until: 2026-03-29T04:00}", 96 + 9, 3),
        ("{days: 2}", 0, 96 + 92),
        ("{until: 2026-03-28T01:00}", 0, 4),
        ("{from: 2026-03-30T23:00}", 2 * 96 + 88, 4),
    ],
)
@pytest.mark.parametrize("by_number", [False, True])
def test_a_window_picks_a_part(here, window, first, count, by_number):
    times = day("Europe/Berlin", "2026-03-28", 15, days=3)
    whole = sun(len(times))
    top = f"{BERLIN}step: 15min\nwindow: {window}\n"
    if by_number:
        file = write(here, "", f"{top}start: 2026-03-28\nprofiles: {{sun: {whole}}}\n")
    else:
        file = write(here, table(local(times), sun=whole), top)
    scenario = gb.load(file)
    assert stamps(scenario) == [when.isoformat() for when in times[first : first + count]]
    assert values(scenario) == whole[first : first + count]


def test_a_start_takes_what_comes_from_there_on(here):
    times = day("Europe/Berlin", "2026-03-29")
    scenario = gb.load(write(here, table(local(times), sun=sun(23)), f"{BERLIN}start: 2026-03-29T12:00\n"))
    assert (stamps(scenario)[0], values(scenario)) == ("2026-03-29T12:00:00+02:00", sun(23)[11:])


def test_a_variation_can_be_cut_again(here):
    times = day("Europe/Berlin", "2026-10-25")
    scenario = gb.load(write(here, table(local(times), sun=sun(25)), BERLIN))
    part = vary(scenario, {"window.from": "2026-10-25T02:00+01:00", "window.until": "2026-10-25T04:00"})
    assert (stamps(part), values(part)) == (stamps(scenario)[3:5], sun(25)[3:5])
    assert vary(part, {"start": None, "timezone": None}).calendar is None


def test_a_window_from_outside_is_one_more_change(here):
    times = day("Europe/Berlin", "2026-03-28", 60, days=3)
    file = write(here, table(local(times), sun=sun(len(times))), BERLIN)
    scenario = gb.load(file, {"window.from": "2026-03-29", "window.days": 1, "profiles.sun.3": 0.75})
    assert scenario.periods == 23
    assert values(scenario) == [*sun(71)[24:26], 0.75, *sun(71)[27:47]]


def test_a_cut_has_the_same_values_and_times(here):
    times = day("Europe/Berlin", "2026-10-24", 60, days=3)
    scenario = gb.load(write(here, table(local(times), sun=sun(len(times))), BERLIN))
    cut = scenario.cut(24, 25)
    assert (cut.calendar, values(cut)) == (scenario.calendar.cut(24, 25), values(scenario)[24:49])
    assert stamps(cut) == [when.isoformat() for when in times[24:49]]
    clearing = cut.market().operator.clearing
    assert (clearing.periods, clearing.calendar) == (25, cut.calendar)
    with pytest.raises(InputError, match="there are no periods 70 to 79; the scenario has 73"):
        scenario.cut(69, 10)


def test_a_coarser_market_takes_means_and_sums(here):
    times = day("Europe/Berlin", "2026-03-29", 15)
    quarters = sun(92)
    scenario = gb.load(write(here, table(local(times), sun=quarters, meter_kwh=quarters), f"{BERLIN}step: 1h\n"))
    assert values(scenario) == pytest.approx(np.reshape(quarters, (23, 4)).mean(axis=1), rel=1e-15)
    assert values(scenario, "meter_kwh") == pytest.approx(np.reshape(quarters, (23, 4)).sum(axis=1), rel=1e-15)
    said = "values are of 15 min, periods have 60: powers and factors are averaged over, energies (meter_kwh) summed up"
    assert [str(note) for note in scenario.notes()] == [f"homes.csv: {said} over these"]


def test_a_finer_market_holds_powers_and_shares_energies(here):
    times = day("Europe/Berlin", "2026-03-29", 60)
    scenario = gb.load(write(here, table(local(times), sun=sun(23), meter_kwh=sun(23)), f"{BERLIN}step: 15min\n"))
    assert values(scenario) == np.repeat(sun(23), 4).tolist()
    assert values(scenario, "meter_kwh") == (np.repeat(sun(23), 4) / 4).tolist()
    assert "powers and factors are held in, energies (meter_kwh) shared out evenly to these" in str(scenario.notes()[0])


def test_energies_become_the_power_that_brings_them(here):
    """A meter's kWh by quarter of an hour: the fixed load of a kW of peak is four times that."""
    times = day("Europe/Berlin", "2026-03-28", 15)
    file = write(here, table(local(times), sun=sun(96), meter_kwh=sun(96)), BERLIN)
    homes = gb.load(file, {"prosumers.ann.fixed_profile": "meter_kwh", "prosumers.ann.fixed_peak_kw": 1})
    ann = homes.build_households()[0]
    assert ann.fixed_kw == pytest.approx(4 * np.array(sun(96)), rel=1e-15)
    assert homes.dt_h * ann.fixed_kw.sum() == pytest.approx(sum(sun(96)), rel=1e-12)


def holes() -> tuple[pd.DatetimeIndex, list[object]]:
    """Two cells without a value, and later on two rows that are not there."""
    times = day("Europe/Berlin", "2026-03-29")
    cells: list[object] = [*sun(23)]
    cells[4], cells[5] = "", "nan"
    kept = [t for t in range(23) if t not in (10, 11)]
    return times[kept], [cells[t] for t in kept]


@pytest.mark.parametrize("fill", ["interpolate", "previous"])
def test_holes_are_filled_when_that_is_asked_for(here, fill):
    times, cells = holes()
    scenario = gb.load(write(here, table(local(times), sun=cells), f"{BERLIN}fill: {fill}\n"))
    known = pd.Series(sun(23), dtype=float)
    known[[4, 5, 10, 11]] = np.nan
    wanted = known.interpolate() if fill == "interpolate" else known.ffill()
    assert values(scenario) == pytest.approx(wanted.tolist(), rel=1e-15)
    how = "on a line between their neighbours" if fill == "interpolate" else "with the value before"
    when = "29 March 05:00-07:00, 29 March 11:00-13:00"
    assert [str(note) for note in scenario.notes()] == [
        f"homes.csv: column sun: 4 missing values are filled {how} ({when})"
    ]


def test_what_is_missing_outside_of_the_window_does_not_matter(here):
    times, cells = holes()
    scenario = gb.load(write(here, table(local(times), sun=cells), f"{BERLIN}window: {{from: 2026-03-29T14:00}}\n"))
    assert values(scenario) == sun(23)[13:]


def test_a_base_gives_its_times(here):
    times = day("Europe/Berlin", "2026-03-29")
    write(here, table(local(times), sun=sun(23)), BERLIN)
    (here / "more.yaml").write_text("base: homes.yaml\nstep: 30min\nwindow: {until: 2026-03-29T12:00}\n")
    assert gb.load("more.yaml").periods == 22


def test_a_scenario_without_a_start_says_nothing_of_time(here):
    scenario = gb.load(write(here, "", numbered(4)))
    assert (scenario.calendar, scenario.when) == (None, 1.0)
    assert not {"start", "timezone", "window", "fill"} & set(scenario.model_dump(by_alias=True))


def refused(file: str, changes: dict[str, object] | None = None) -> str:
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(file, changes or {})
    return str(refusal.value)


SHORT = local(day("Europe/Berlin", "2026-03-29"))[:6]  # to 07:00


@pytest.mark.parametrize(
    ("top", "sentence"),
    [
        ("step: 1h\n", "homes.yaml:2 profiles: times need a zone; write one (timezone: Europe/Berlin, or UTC)"),
        ("timezone: Europe/Berln\n", "homes.yaml:1 timezone: 'Europe/Berln' is no time zone; write an IANA name "
         "such as "
         "Europe/Berlin, or UTC; did you mean Europe/Berlin?"),
        (f"{BERLIN}fill: zero\n", "homes.yaml:2 fill: 'zero' is no way to fill what is missing; write interpolate or "
         "previous"),
        (f"{BERLIN}window: 2026-03-29\n", "homes.yaml:2 window: a window is written {from: 2026-03-29, days: "
         "7}, or with "
         "until"),
        (f"{BERLIN}window: {{form: 2026-03-29}}\n", "homes.yaml:2 window.form: unknown key; did you mean from?"),
        (f"{BERLIN}window: {{from: 2026-03-29T02:30}}\n", "homes.yaml:2 window.from: the clock of Europe/Berlin is put "
         "forward over 2026-03-29T02:30, which it never shows"),
        (f"{BERLIN}start: 2026-10-25T02:30\n", "homes.yaml:2 start: the clock of Europe/Berlin shows 2026-10-25T02:30 "
         "twice; write it with an offset, +02:00 or +01:00"),
        (f"{BERLIN}start: noon\n", "homes.yaml:2 start: 'noon' is no time; write it like 2026-03-29T00:00, or with an "
         "offset, +01:00"),
        (f"{BERLIN}window: {{until: 2026-03-30, days: 1}}\n", "homes.yaml:2 window.days: a window has an end "
         "(until) or a "
         "number of days; keep one"),
        (f"{BERLIN}window: {{days: half}}\n", "homes.yaml:2 window.days: half is no number of days; write a whole one "
         "above 0"),
        (f"{BERLIN}window: {{days: 1}}\n", "homes.yaml:2 window: 2026-03-29T00:00+01:00 to 2026-03-30T00:00+02:00 is "
         "asked for, but of homes.csv there is 2026-03-29T00:00+01:00 to 2026-03-29T07:00+02:00; write a start "
         "and a window "
         "that lie within, or add the rest"),
        (f"{BERLIN}window: {{from: 2026-03-29T05:00, until: 2026-03-29T05:30}}\n", "homes.yaml:2 window: from "
         "2026-03-29T05:00+02:00 until 2026-03-29T05:30+02:00 there is no whole number of periods of 60 min; write a "
         "window (from, until) that has one"),
        (f"{BERLIN}window: {{from: 2026-03-29T05:00, until: 2026-03-29T01:00}}\n", "homes.yaml:2 window: it ends at "
         "2026-03-29T01:00+01:00, before it begins at 2026-03-29T05:00+02:00; write a window (from, until) that ends "
         "later"),
        ("time_zone: Europe/Berlin\n", "homes.yaml:1 time_zone: unknown key; did you mean timezone?"),
        (f"{BERLIN}windw: {{days: 1}}\nfill: zero\n", "homes.yaml:2 windw: unknown key; did you mean window?"),
        (f"{BERLIN}window: {{from: 2026-03-29T05:00, until: 2026-03-29T05:00}}\n", "there is no whole number of "
         "periods"),
        (f"{BERLIN}dt_h: 0.4\n", "homes.yaml:2 dt_h: 0.4 h does not divide an hour into whole minutes, as periods of a "
         "calendar do; write a step that does, such as step: 15min"),
        (f"{BERLIN}dt_h: long\n", "homes.yaml:2 dt_h: 'long' is no number of hours; write a step, such as step: 15min"),
        (f"{BERLIN}step: 15\n", "homes.yaml:2 step: '15' is no step; write it with its unit, such as 15min or 1h"),
        (f"{BERLIN}step: 1h\ndt_h: 1\n", "homes.yaml:2 step: the length of a period is given as dt_h, too "
         "(homes.yaml:3); "
         "keep one"),
    ],
)  # fmt: skip
def test_what_is_said_of_time_is_refused_with_its_place(here, top, sentence):
    assert sentence in refused(write(here, table(SHORT, sun=sun(6)), top))


@pytest.mark.parametrize(
    ("top", "sentence"),
    [
        (BERLIN, "homes.yaml:1 timezone: nothing says when the periods are; write start: 2026-03-29T00:00"),
        ("window: {days: 1}\n", "homes.yaml:1 window: nothing says when the periods are; write start: "
         "2026-03-29T00:00"),
        ("start: 2026-03-29\n", "homes.yaml:1 start: times need a zone; write one (timezone: Europe/Berlin, or UTC)"),
        (f"{BERLIN}start: 2026-03-29\nwindow: {{from: 2026-03-29T00:30}}\n", "homes.yaml:3 window: "
         "2026-03-29T00:30+01:00 "
         "is inside of a period; begin where one does"),
        (f"{BERLIN}start: 2026-03-29\nwindow: {{days: 2}}\n", "but of the profiles by period there is "
         "2026-03-29T00:00+01:00 to "
         "2026-03-29T07:00+02:00"),
    ],
)  # fmt: skip
def test_a_start_that_is_missing_or_does_not_fit_is_refused(here, top, sentence):
    assert sentence in refused(write(here, "", f"{top}{numbered(6)}"))


@pytest.mark.parametrize(
    ("times", "cells", "top", "sentence"),
    [
        (SHORT, ["1", "1", "", "1", "NaN", "1"], "", "homes.csv:4 column sun: the value of 29 March 03:00 is "
         "empty; give "
         "one, or ask for them to be filled (fill: interpolate, or previous)\nhomes.csv:6 column sun: the value of 29 "
         "March 05:00 is NaN; give one"),
        ([*SHORT[:2], *SHORT[4:]], ["1"] * 4, "", "homes.csv:3 time: 2 rows are missing after this one (29 March "
         "03:00-05:00); add what is missing, or ask for them to be filled (fill: interpolate, or previous)"),
        (SHORT, ["", "1", "1", "1", "1", "1"], "fill: previous\n", "homes.csv:2 column sun: nothing stands "
         "before 29 March "
         "00:00 to fill it with (previous); give a value there"),
        (SHORT, ["1", "1", "1", "1", "1", ""], "fill: interpolate\n", "homes.csv:7 column sun: nothing stands after 29 "
         "March 06:00 to fill it with (interpolate); give a value there"),
        (SHORT, ["1", "1", "0_5", "1", "1", "1"], "", "homes.csv:4 column sun: '0_5' is not a number; write a "
         "plain number"),
        (SHORT, ["1", "1", "inf", "1", "1", "1"], "", "homes.csv:4 column sun: 'inf' is not a number"),
        (SHORT, ["1", "1", '"0,5"', "1", "1", "1"], "", "'0,5' is not a number; write it with a decimal point"),
        (SHORT[:1], ["1"], "", "homes.csv time: one row does not say how long it lasts; write a step (step: 15min)"),
        (SHORT, ["1", "1", "2e6", "1", "1", "1"], "", "homes.csv:4 column sun, period 3 (29 March 03:00-04:00): "
         "2000000.0 "
         "is above 1e+06"),
    ],
)  # fmt: skip
def test_tables_are_refused_with_row_and_cure(here, times, cells, top, sentence):
    assert sentence in refused(write(here, table(times, sun=cells), BERLIN + top))


def test_of_many_empty_cells_the_first_few_are_told(here):
    times = local(day("Europe/Berlin", "2026-03-28"))
    said = refused(write(here, table(times, sun=[1, *[""] * 22, 1]), BERLIN)).splitlines()
    assert (len(said), said[-1]) == (6, "homes.csv column sun: and 17 more")


def test_tables_of_a_base_must_agree(here):
    times = day("Europe/Berlin", "2026-03-28", days=2)
    write(here, table(local(times), sun=sun(47)), BERLIN)
    (here / "wind.csv").write_text(table(local(times)[24:], wind=sun(23)))
    (here / "both.yaml").write_text("base: homes.yaml\nprofiles: wind.csv\n")
    assert (
        "both.yaml:2 profiles: profiles begin at different times (homes.csv at 2026-03-28T00:00+01:00, wind.csv at "
        in (refused("both.yaml"))
    )
    both = gb.load("both.yaml", {"window.from": "2026-03-29"})
    assert (values(both, "wind"), values(both)) == (sun(23), sun(47)[24:])
    (here / "wind.csv").write_text(table(local(day("Europe/Berlin", "2026-03-28", 30, days=2)), wind=sun(94)))
    assert "tables have several steps (homes.csv 60 min, wind.csv 30 min); write one (step: 15min)" in refused(
        "both.yaml"
    )
    assert gb.load("both.yaml", {"step": "30min"}).periods == 94


def test_a_table_of_times_alone_is_refused(here):
    said = refused(write(here, table(SHORT), BERLIN))
    assert said == "homes.csv time: no profile stands beside the times; add a column for each"


def test_a_parquet_file_that_is_none_is_refused(here):
    (here / "p.parquet").write_text("no")
    assert "p.parquet: this is no Parquet file that can be read" in refused(
        write(here, "", f"{BERLIN}profiles: p.parquet\n")
    )
    pd.DataFrame({"sun": [1.0]}).to_parquet(here / "p.parquet", index=False)
    assert refused("homes.yaml") == (
        "p.parquet hour or period or time or timestamp: this column is missing; add it; the columns are sun"
    )


TOGETHER = "start and timezone belong together; write both, or none"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"start": "2026-03-29"}, TOGETHER),
        ({"timezone": "UTC"}, TOGETHER),
        ({"start": "noon", "timezone": "UTC"}, "'noon' is no time"),
        ({"start": "2026-03-29", "timezone": "Mars"}, "'Mars' is no time zone"),
        ({"start": "2026-03-29", "timezone": "UTC", "dt_h": 0.2501}, "0.2501 h does not divide an hour"),
    ],
)
def test_what_is_built_from_python_is_checked_too(here, keys, sentence):
    said = gb.load(write(here, "", numbered(4))).model_dump(by_alias=True)
    with pytest.raises(ValueError, match=sentence):
        gb.Scenario.model_validate({**said, **keys})


def test_a_value_that_a_prosumer_cannot_have_is_told_by_its_time(here):
    times = day("Europe/Berlin", "2026-03-29")
    scenario = gb.load(write(here, table(local(times), sun=[*sun(22), -0.5]), BERLIN))
    with pytest.raises(
        gb.ScenarioError, match=re.escape("homes.csv:24 column sun, period 23 (29 March 23:00-24:00): -0.5")
    ):
        scenario.check()


def test_the_examples_of_the_format_are_read(here):
    text = (Path(__file__).parents[3] / "scenarios" / "README.md").read_text(encoding="utf-8")
    by_number, by_time = re.findall(r"^```yaml\n(timezone:.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert gb.load(write(here, "", by_number)).periods == 3
    times = day("Europe/Berlin", "2026-03-28", 30, days=9)
    cells: list[object] = [*sun(len(times))]
    cells[60] = ""
    (here / "meters.csv").write_text(table(local(times), sun=cells))
    scenario = gb.load(write(here, "", by_time, "more"))
    assert (stamps(scenario)[0], scenario.periods) == ("2026-03-29T00:00:00+01:00", 7 * 96 - 4)
    assert len(scenario.notes()) == 2


def test_the_schema_knows_the_keys(here):
    from gridbazaar.scenarios.files.file_schema import file_schema

    keys = file_schema()["properties"]
    assert {"start", "timezone", "step", "window", "fill"} <= set(keys)
    assert set(keys["window"]["properties"]) == {"from", "until", "days"}
    said = refused(write(here, "", f"widow: {{days: 1}}\n{numbered(4)}"))
    assert said == "homes.yaml:1 widow: unknown key; did you mean window?"
