"""Measurements: their numbers from the saved log by other means, going on, what is told, and what is refused."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from gridbazaar.network import InputError
from gridbazaar.scenarios import ScenarioError, load, measure_privacy
from gridbazaar.scenarios.__main__ import main
from gridbazaar.scenarios.privacy.figures import privacy_figure
from gridbazaar.scenarios.privacy.shown import error_table, market_table, percent, statements
from gridbazaar.scenarios.privacy.tables import of_markets, of_prosumers

QUICK = {"quanta_kw": (0, 2), "noise_kw": (1.0,), "seeds": 2}


@pytest.fixture(scope="module")
def measured(small, tmp_path_factory):
    return measure_privacy(str(small), folder=tmp_path_factory.mktemp("privacy") / "one", **QUICK)


def truth_of(small):
    return {home.name: home for home in load(str(small)).build_households()}


def test_each_way_to_tell_offers_is_a_market_and_each_listener_a_row(measured):
    frame = measured.frame
    ways = frame.drop_duplicates("setting")[["messages", "seed"]].to_numpy().tolist()
    assert ways == [["exact", 0], ["steps of 2 kW", 0], ["noise of 1 kW", 0], ["noise of 1 kW", 1]]
    assert len(frame) == 4 * 3 * 3  # the platform and two partners of each
    assert measured.exit_code == 0
    saved = pd.read_csv(measured.folder / "privacy.csv")
    pd.testing.assert_frame_equal(saved, frame, check_dtype=False)


def test_with_exact_offers_alpha_is_what_a_regression_on_the_saved_log_says(small, measured):
    """By pandas and numpy: worth from the first link, a dummy for each hour, plain least squares."""
    heard = pd.read_parquet(measured.folder / "heard" / "00001.parquet")
    exact = measured.frame[(measured.frame["setting"] == 1) & (measured.frame["kind"] == "platform")]
    for name, home in truth_of(small).items():
        own = heard[heard["prosumer"] == name].assign(key=lambda rows: rows["answer"] * 10 + rows["period"])
        marginal = own["price_usd_per_kwh"] + own["weight_usd_per_kw2h"] * (own["power_kw"] - own["held_kw"])
        inside = own["power_kw"].abs() < own["cap_kw"] - 1e-6
        worth = marginal[inside].groupby(own["key"]).first()
        taken = own.groupby("key")["power_kw"].sum()[worth.index]
        hours = pd.get_dummies(worth.index % 10).to_numpy(float)
        (*levels, slope), *_ = np.linalg.lstsq(np.column_stack([hours, worth]), taken.to_numpy(), rcond=None)
        row = exact[exact["prosumer"] == name].iloc[0]
        assert row["alpha_usd_per_kw2h"] == pytest.approx(-1 / (2 * slope), rel=1e-6)
        assert row["alpha_usd_per_kw2h"] == pytest.approx(home.alpha_usd_per_kw2h, rel=1e-6)
        kept = json.loads((measured.folder / "markets" / "00001.json").read_text())
        [found] = [one for one in kept["found"] if one["prosumer"] == name and one["kind"] == "platform"]
        net = home.fixed_kw - home.renewable_kw
        others = [one for key, one in truth_of(small).items() if key != name]
        beta = max(np.mean([one.beta_usd_per_kwh for one in others]), worth.max())
        assert found["net_kw"] == pytest.approx(np.array(levels) + slope * beta, rel=1e-6)
        error = np.sqrt(np.mean((np.array(found["net_kw"]) - net) ** 2) / np.mean(net**2))
        assert row["load_error"] == pytest.approx(error)
        assert row["shape_error"] < 1e-6
        guess = np.mean([one.alpha_usd_per_kw2h for one in others]) / home.alpha_usd_per_kw2h - 1
        assert row["alpha_guess_error"] == pytest.approx(abs(guess))


def test_what_is_heard_is_what_the_household_would_answer(small, measured):
    """The log holds terms and answers of the very market: beta - 2 alpha e is the worth that the log implies."""
    heard = pd.read_parquet(measured.folder / "heard" / "00001.parquet")
    for name, home in truth_of(small).items():
        own = heard[heard["prosumer"] == name]
        taken = own.groupby(["answer", "period"])["power_kw"].sum().unstack().to_numpy()
        elastic = taken - (home.fixed_kw - home.renewable_kw)
        marginal = own["price_usd_per_kwh"] + own["weight_usd_per_kw2h"] * (own["power_kw"] - own["held_kw"])
        links = own["cap_kw"].notna() & (own["power_kw"].abs() < own["cap_kw"] - 1e-6)
        worth = marginal[links].groupby([own["answer"], own["period"]]).mean().unstack().to_numpy()
        inside = (elastic > 1e-6) & (elastic < home.elastic_max_kw - 1e-6) & np.isfinite(worth)
        assert inside.mean() > 0.5
        expected = home.beta_usd_per_kwh - 2 * home.alpha_usd_per_kw2h * elastic
        assert worth[inside] == pytest.approx(expected[inside], abs=1e-9)


def test_what_telling_less_costs_is_the_difference_of_two_runs(small, measured):
    exact = load(str(small)).market().run()
    coarse = load(str(small), {"messages.quantum_kw": 2}).market().run()
    markets = of_markets(measured.frame).set_index("messages")
    cost = exact.welfare_usd - coarse.welfare_usd
    assert markets.loc["steps of 2 kW", "welfare_cost_usd"] == pytest.approx(cost, abs=1e-9)
    assert markets.loc["steps of 2 kW", "rounds"] == sum(coarse.sharing_rounds)
    assert markets.loc["steps of 2 kW", "certificate_usd"] == pytest.approx(coarse.certificate.total_usd)
    assert markets.loc["steps of 2 kW", "known_to_usd"] == pytest.approx(exact.certificate.total_usd)
    assert cost <= coarse.certificate.total_usd + 1e-6
    noisy = measured.frame[measured.frame["noise_kw"] > 0].drop_duplicates("setting")["welfare_cost_usd"]
    half = 12.706 * noisy.std() / np.sqrt(2)  # Student's t, one degree of freedom
    assert markets.loc["noise of 1 kW", "welfare_cost_usd"] == pytest.approx(noisy.mean())
    assert markets.loc["noise of 1 kW", "known_to_usd"] == pytest.approx(half + exact.certificate.total_usd, rel=1e-4)


def test_errors_are_means_over_seeds_and_over_partners(measured):
    frame = measured.frame
    own = frame[(frame["prosumer"] == "ann") & (frame["messages"] == "noise of 1 kW")]
    platform = of_prosumers(frame).set_index(["messages", "prosumer"]).loc[("noise of 1 kW", "ann")]
    alpha = own.loc[own["kind"] == "platform", "alpha_error"]
    assert platform["alpha_error"] == pytest.approx(alpha.mean())
    assert platform["alpha_error_within"] == pytest.approx(12.706 * alpha.std() / np.sqrt(2), rel=1e-4)
    partner = of_prosumers(frame, "partner").set_index(["messages", "prosumer"]).loc[("noise of 1 kW", "ann")]
    assert partner["alpha_error"] == pytest.approx(own.loc[own["kind"] == "partner", "alpha_error"].mean())


def test_what_is_missing_is_run_and_the_rest_stays_with_the_same_numbers(small, measured):
    kept = {file: file.stat().st_mtime_ns for file in (measured.folder / "markets").glob("*.json")}
    gone = measured.folder / "markets" / "00003.json"
    gone.unlink()
    again = measure_privacy(str(small), folder=measured.folder, **QUICK)
    pd.testing.assert_frame_equal(again.frame, measured.frame)
    assert {file for file, when in kept.items() if file.stat().st_mtime_ns != when} == {gone}


@pytest.mark.long  # the league's tests go through the same pool
def test_in_two_processes_the_numbers_are_the_same(small, measured, tmp_path):
    again = measure_privacy(str(small), [2], [], tmp_path / "two", processes=2)
    pd.testing.assert_frame_equal(again.frame, measured.frame[measured.frame["setting"] <= 2])


def test_the_command_shows_what_was_found(small, measured, capsys):
    words = ["privacy", str(small), "--quanta", "0,2", "--noise", "1", "--seeds", "2", "-o", str(measured.folder)]
    assert code_of([*words, "-w", "1"]) == 0
    shown = capsys.readouterr().out
    assert "what it costs to tell less, against exact offers" in shown
    assert "exact offers: the platform finds alpha of 3 of 3 prosumers" in shown
    assert (measured.folder / "privacy.svg").read_text().startswith("<?xml")
    assert code_of([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["rows"]) == len(measured.frame)
    assert told["rows"][0]["alpha_error"] == pytest.approx(measured.frame["alpha_error"][0], rel=1e-9, abs=1e-14)


def code_of(words):
    """The exit code of the command line, in this process."""
    before = sys.argv
    sys.argv = ["gridbazaar", *words]
    try:
        with pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = before
    return end.value.code


def test_tables_tell_no_digit_that_is_not_known(measured):
    [exact, coarse, noisy] = market_table(measured).rows
    assert exact[:2] == ("exact", "yes")
    assert exact[4:] == ("", "")
    assert coarse[0] == "steps of 2 kW"
    assert noisy[1] in {"yes", "no", "1 of 2"}
    for cells, row in zip((coarse, noisy), of_markets(measured.frame).to_dict("records")[1:], strict=True):
        assert cells[4] != "0"
        assert cells[4].startswith("under ") or abs(row["welfare_cost_usd"]) > row["known_to_usd"]
    rows = {(row[0], row[1]): row[2:] for row in error_table(measured).rows}
    assert rows["ann", "exact"][0] == "0"
    assert "+-" in rows["ann", "noise of 1 kW"][0]
    assert rows["ann", "exact"][1].endswith("*")  # beta is a guess
    assert [percent(value) for value in (0.0, 1e-9, 0.01234, 0.5, 12.0, float("nan"))] == [
        "0",
        "0",
        "1.2",
        "50",
        "> 1,000",
        "",
    ]
    assert percent(0.0123, 0.0045, guessed=True) == "1.2 +-0.45*"
    assert privacy_figure(measured.frame) is not None
    assert "beta" in statements(measured)[0]


def test_of_many_prosumers_the_median_is_shown(measured):
    frame = measured.frame
    crowd = pd.concat([frame.assign(prosumer=frame["prosumer"] + str(k)) for k in range(4)], ignore_index=True)
    many = type(measured)(measured.folder, measured.plan, crowd, interrupted=False)
    rows = error_table(many).rows
    assert {row[0] for row in rows} == {"median of 12"}
    exact = frame[(frame["setting"] == 1) & (frame["kind"] == "platform")]
    assert rows[0][8] == percent(exact["alpha_guess_error"].median())
    assert privacy_figure(crowd) is not None


# --- what is refused


REFUSED = {
    "case 2": ({"market.case": 2}, "market.case: in case 2 a planner is told everything, and nobody exchanges offers"),
    "horizon": ({"horizon.length_h": 48}, "horizon: it takes a market for each window, which `gridbazaar run` opens"),
    "order": ({"market.order": "jacobi"}, "messages: cannot fail in market.order jacobi: it needs the newest ones"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_where_nothing_can_be_heard_or_told_otherwise_it_says_so(small, tmp_path, what):
    changes, sentence = REFUSED[what]
    [(key, value)] = changes.items()
    file = tmp_path / "mine.yaml"
    section, _, name = key.partition(".")
    file.write_text(f"base: {small}\n{section}: {{{name}: {value}}}\n")
    with pytest.raises(ScenarioError) as refused:
        measure_privacy(str(file), folder=tmp_path / "none")
    assert sentence in str(refused.value)
    assert not (tmp_path / "none").exists()


def test_the_folder_of_another_measurement_is_left_alone(small, measured):
    with pytest.raises(InputError, match="holds a measurement of something else; name a new folder with -o"):
        measure_privacy(str(small), [5.0], [], measured.folder)


WRONG = {
    "no number": (["--quanta", "1,x"], "--quanta 1,x: 'x' is not a number of at least 0; write them like 0,0.1,1,10"),
    "negative": (["--noise", "-1"], "--noise -1: '-1' is not a number of at least 0; write them like 0,0.1,1,10"),
    "infinite": (["--noise", "inf"], "--noise inf: 'inf' is not a number of at least 0"),
    "nobody": (["-w", "0"], "--workers 0: nobody runs the markets then; ask for at least 1"),
    "too much": (["--quanta", "1e9"], "--quanta 1e+09 messages.quantum_kw: 1000000000.0 is above 1e+06"),
    "no scenario": ([], "nowhere"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_words_are_refused_in_one_line(small, tmp_path, capsys, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    words, sentence = WRONG[what]
    scenario = "nowhere" if what == "no scenario" else str(small)
    assert code_of(["privacy", scenario, *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_market_that_fails_is_a_row_and_the_others_go_on(small, tmp_path):
    """Somebody raises in the middle of sharing."""
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from gridbazaar.agents import Behaviour\n\n\nclass Fails(Behaviour):\n"
        "    def offer(self, quote, plan):\n        raise RuntimeError('no idea')\n"
    )
    file = tmp_path / "fails.yaml"
    file.write_text(f"base: {small}\nprosumers: {{ann: {{behaviour: 'mine.py:Fails'}}}}\n")
    found = measure_privacy(str(file), [2.0], [], tmp_path / "failed")
    assert found.frame["outcome"].tolist() == ["refused", "refused"]
    assert "no idea" in found.frame["message"][0]
    assert found.exit_code == 3
    assert "2 of the markets failed" in statements(found)[0]
    assert privacy_figure(found.frame) is None
    assert [row[1] for row in market_table(found).rows] == ["failed", "failed"]
