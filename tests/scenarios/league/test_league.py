"""Leagues: their rows against single runs, going on, the same bits in processes, failures as rows, and what is told."""

import json
from contextlib import contextmanager

import pandas as pd
import pytest
from scipy.stats import t as student

from gridbazaar.network import InputError
from gridbazaar.scenarios import ScenarioError, load, play_league
from gridbazaar.scenarios.league import playing
from gridbazaar.scenarios.league.plan import Plan
from gridbazaar.scenarios.league.schedule import draws_lots, learns, matches_of, shipped_behaviours
from gridbazaar.scenarios.league.tables import by_seat, half_width

FAILS = """
from gridbazaar.agents import Behaviour

class Fails(Behaviour):
    def __init__(self, percent: float = 0):
        self.percent = percent

    def declare(self, household):
        raise RuntimeError("no idea")
"""


BEHAVIOURS = "Shading(percent=5)", "Learner(percents=[0, 5])", "ZeroIntelligence"
CLOSE = {"market.regret_tolerance": 1e-10, "market.regret_tolerance_usd": 0.0}


@pytest.fixture(scope="module")
def played(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("league") / "one"
    return play_league(str(small), BEHAVIOURS, folder, cases=(1, 3), days=3, seeds=2, draws=2)


@pytest.fixture(scope="module")
def rings(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("league") / "rings"
    return play_league(str(small), ["Colluders"], folder, cases=(3,), seeds=1, draws=0, sizes=(2,))


def test_rows_are_what_independent_runs_find(small, played):
    frame = played.frame
    assert (frame["outcome"] == "settled").all()
    for case in (1, 3):
        truth = load(str(small), {"market.case": case, **CLOSE}).market().run()
        for name in ("ann", "bob", "cat"):
            changes = {"market.case": case, f"prosumers.{name}.behaviour": "Shading(percent=5)", **CLOSE}
            now = load(str(small), changes).market().run()
            some = frame[(frame["case"] == case) & (frame["field"] == f"{name}=Shading(percent=5)")]
            costs = [run.own_cost_usd + run.payment_usd for run in (truth, now)]
            assert list(some["prosumer"]) == ["ann", "bob", "cat"]
            assert some["cost_usd"].to_numpy() == pytest.approx(costs[1], abs=1e-4)
            assert some["gain_usd"].to_numpy() == pytest.approx(costs[0] - costs[1], abs=2e-3)
            assert some["dso_cost_change_usd"].to_numpy() == pytest.approx(
                now.dso_cost_usd - truth.dso_cost_usd, abs=5e-3
            )
            assert some["welfare_loss_usd"].to_numpy() == pytest.approx(truth.welfare_usd - now.welfare_usd, abs=2e-3)


def test_every_behaviour_is_in_every_seat_and_chance_is_drawn_more_than_once(played):
    frame = played.frame.drop_duplicates("match")
    seats = frame[frame["kind"] == "seat"].groupby(["case", "field"]).size()
    for case in (1, 3):
        for name in ("ann", "bob", "cat"):
            assert seats[case, f"{name}=Shading(percent=5)"] == 1
            assert seats[case, f"{name}=ZeroIntelligence"] == seats[case, f"{name}=Learner(percents=[0, 5])"] == 2
    assert (frame["kind"] == "field").sum() == 2 * (2 + 2)  # in each case all learn twice, and two mixed fields


def test_rings_are_every_pair_and_one_part_of_each_that_is_split(small, rings):
    frame = rings.frame[(rings.frame["kind"] == "ring") & rings.frame["percent"].notna()]
    assert frame.groupby("match")["prosumer"].agg(", ".join).tolist() == [
        "ann, bob",
        "ann, cat",
        "bob, cat",
        "ann-1",
        "bob-1",
        "cat-1",
    ]
    for _, ring in frame[frame["parts"] == 1].groupby("match"):
        percents = dict(zip(ring["prosumer"], ring["percent"], strict=True))
        changes = {f"prosumers.{name}.behaviour": f"Colluders(percents={percents!r})" for name in percents}
        run = load(str(small), {**changes, **CLOSE}).market().run()
        paid = dict(zip(run.names, run.own_cost_usd + run.payment_usd, strict=True))
        assert ring["cost_usd"].to_numpy() == pytest.approx([paid[name] for name in percents], abs=1e-4)
        assert ring["gain_usd"].sum() > ring["known_to_usd"].sum()


def test_a_learner_declares_what_it_learned_on_the_days_before(played):
    """Of two percents both are tried, then (mostly) the better one, whose gain is that of shading by it."""
    frame = played.frame
    days = frame[
        (frame["field"] == "ann=Learner(percents=[0, 5])") & (frame["prosumer"] == "ann") & (frame["case"] == 3)
    ]
    shading = frame[(frame["field"] == "ann=Shading(percent=5)") & (frame["prosumer"] == "ann") & (frame["case"] == 3)]
    gain = float(shading["gain_usd"].iloc[0])
    for _, some in days.groupby("seed"):
        assert sorted(some["gain_usd"].iloc[:2]) == pytest.approx([0.0, gain], abs=1e-3)
    assert gain > 0.5
    assert days[days["day"] == 3]["gain_usd"].max() == pytest.approx(gain, abs=1e-3)


def test_savings_and_their_fairness_are_told_against_case_1(played):
    frame = played.frame
    cost = {
        case: frame[(frame["kind"] == "truth") & (frame["case"] == case) & (frame["parts"] == 1)] for case in (1, 3)
    }
    first = {case: rows[rows["match"] == rows["match"].min()] for case, rows in cost.items()}
    saved = first[1]["cost_usd"].to_numpy() - first[3]["cost_usd"].to_numpy()
    assert (saved > 0).all()
    assert first[3]["jain"].to_numpy() == pytest.approx(saved.sum() ** 2 / (3 * (saved**2).sum()))


def test_gains_of_chance_are_means_with_an_interval(played):
    seats = by_seat(played.frame)
    frame = played.frame
    draws = frame[(frame["field"] == "bob=ZeroIntelligence") & (frame["prosumer"] == "bob") & (frame["case"] == 3)]
    row = seats[(seats["behaviour"] == "ZeroIntelligence") & (seats["prosumer"] == "bob") & (seats["case"] == 3)].iloc[
        0
    ]
    low, high = student.interval(0.95, 1, draws["gain_usd"].mean(), draws["gain_usd"].sem())
    within = (high - low) / 2 + draws["known_to_usd"].max()
    assert (row["gain_usd"], row["known_to_usd"]) == pytest.approx(((low + high) / 2, within))
    assert half_width(pd.Series([3.0])) == 0.0


def test_what_was_played_is_not_played_again(played):
    files = sorted((played.folder / "matches").iterdir())
    before = {file.name: file.stat().st_mtime_ns for file in files}
    gone = files[3]
    text = gone.read_text()
    gone.unlink()
    again = play_league(played.plan.scenario, BEHAVIOURS, played.folder, cases=(1, 3), days=3, seeds=2, draws=2)
    after = {file.name: file.stat().st_mtime_ns for file in (played.folder / "matches").iterdir()}
    assert {name for name in before if after[name] != before[name]} == {gone.name}
    assert gone.read_text() == text
    pd.testing.assert_frame_equal(again.frame, played.frame)


def test_processes_change_no_bit(small, tmp_path):
    behaviours = ["Shading", "ZeroIntelligence", "Learner(percents=[0, 5])"]
    options = {"cases": (3,), "days": 2, "seeds": 1, "draws": 1}
    frames = [play_league(str(small), behaviours, tmp_path / str(n), n, **options).frame for n in (0, 1, 2)]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0], check_exact=True)


def test_failures_are_rows_and_the_others_are_played(small, tmp_path):
    file = tmp_path / "fails.py"
    file.write_text(FAILS)
    found = play_league(str(small), [f"{file}:Fails", "Shading"], tmp_path / "out", cases=(1,), seeds=1, draws=0)
    failed = found.frame[found.frame["outcome"] != "settled"]
    assert len(failed) == 3
    assert found.exit_code == 3
    assert failed["message"].str.match(r"behaviour Fails of (ann|bob|cat), in declare\(\): RuntimeError: no idea").all()
    assert failed["gain_usd"].isna().all()
    assert set(by_seat(found.frame)["behaviour"]) == {"Shading"}
    assert (tmp_path / "out" / "league.csv").read_text().count("no idea") == 3


def test_a_folder_of_another_league_is_refused(small, played):
    with pytest.raises(InputError, match=r"holds a league of something else; name a new folder with -o$"):
        play_league(str(small), ["Shading"], played.folder)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cases", "4"], "--cases 4: '4' is not a whole number from 1 to 3; write them like 1,2,3"),
        (["--sizes", "two"], "--sizes two: 'two' is not a whole number from 1 to 1000; write them like 1,2,3"),
        (["--cases", ""], "--cases: no case is named; name some of 1, 2 and 3"),
        (["-w", "0"], "--workers 0: nobody plays the matches then; ask for at least 1"),
        (["--behaviours", "Shadin"], "--behaviours Shadin: there is no behaviour Shadin"),
        (["--behaviours", "Shading(percent=200)"], "--behaviours Shading(percent=200): Shading, parameter percent:"),
    ],
)
def test_bad_words_are_refused_before_a_folder_is_made(small, tmp_path, command, capsys, words, sentence):
    assert command("league", str(small), *words, "-o", str(tmp_path / "none")) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert not (tmp_path / "none").exists()


def test_a_horizon_is_refused_before_a_folder_is_made(small, tmp_path, command, capsys):
    file = tmp_path / "rolls.yaml"
    file.write_text(f"base: {small}\nhorizon: {{length_h: 48}}\n")
    assert command("league", str(file), "-o", str(tmp_path / "none")) == 2
    assert "rolls.yaml:2 horizon: it takes a market for each window" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_the_command_writes_a_page_and_a_table_that_fits(small, tmp_path, command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "out"
    words = "--behaviours", "Shading(percent=5),ZeroIntelligence", "--cases", "1,3", "--seeds", "1", "--fields", "1"
    assert command("league", str(small), *words, "-w", "1", "-o", str(folder)) == 0
    told = capsys.readouterr().out
    table, _, rest = told.partition("Case 1:")
    assert max(map(len, table.splitlines())) <= 80
    assert "─" in table  # a table, not lines
    assert "ann gains most" in rest
    page = (folder / "league.html").read_text()
    assert "<svg" in (folder / "league.svg").read_text()
    assert "data:image/svg+xml" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert json.loads((folder / "league.json").read_text())["cases"] == [1, 3]


def test_which_behaviours_learn_and_which_draw_lots():
    from gridbazaar.agents.behaviours.learner import Learner
    from gridbazaar.agents.behaviours.shading import Shading
    from gridbazaar.agents.behaviours.zero_intelligence import ZeroIntelligence

    assert [learns(made) for made in (Learner, Shading, ZeroIntelligence)] == [True, False, False]
    assert [draws_lots(made) for made in (Learner, Shading, ZeroIntelligence)] == [True, False, True]


def test_a_scenario_that_is_not_there(tmp_path):
    with pytest.raises(ScenarioError, match="nowhere"):
        matches_of(Plan("nowhere", ("Shading",)), tmp_path)


def test_an_interrupted_match_is_not_kept(small, tmp_path, monkeypatch):
    @contextmanager
    def pressed():
        yield lambda: True

    monkeypatch.setattr(playing, "interrupts", pressed)
    found = play_league(str(small), ["Shading"], tmp_path / "out", cases=(1,), draws=0)
    assert found.interrupted
    assert found.exit_code == 130
    assert list((tmp_path / "out" / "matches").iterdir()) == []
    monkeypatch.undo()
    assert play_league(str(small), ["Shading"], tmp_path / "out", cases=(1,), draws=0).exit_code == 0


def test_whoever_acts_otherwise_in_the_scenario_takes_prices_in_a_league(small, tmp_path):
    file = tmp_path / "lying.yaml"
    file.write_text(small.read_text().replace("  bob: {bus: b,", "  bob: {bus: b, behaviour: Shading(percent=30),"))
    assert file.read_text() != small.read_text()
    frames = [
        play_league(str(one), ["Withholding"], tmp_path / one.stem, cases=(3,), draws=0).frame for one in (small, file)
    ]
    pd.testing.assert_frame_equal(*frames)


def test_late_messages_are_a_thing_of_case_3_alone(small, tmp_path):
    file = tmp_path / "late.yaml"
    file.write_text(f"{small.read_text()}messages: {{delay_rounds: 1}}\n")
    found = play_league(str(file), ["Shading"], tmp_path / "out", cases=(1, 3), draws=0)
    assert set(found.frame["outcome"]) == {"settled"}
    assert found.frame[found.frame["kind"] == "seat"]["gain_usd"].notna().all()


def test_all_that_come_with_gridbazaar_can_be_played():
    assert {"Shading", "Withholding", "Learner", "Colluders"} <= set(shipped_behaviours())
    assert "PriceTaker" not in shipped_behaviours()
