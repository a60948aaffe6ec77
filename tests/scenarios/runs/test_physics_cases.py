"""Small scenarios whose physics went wrong once, each for its kind: what a run says, ends with, and has on disk."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from gridbazaar.network import replay_ac
from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.files.loading import load
from gridbazaar.scenarios.runs.folders import new_folder
from gridbazaar.scenarios.runs.run import Run
from gridbazaar.scenarios.runs.running import run_scenario

GRID = {"bus": "s", "a_usd_per_kw2h": 0.001, "b_usd_per_kwh": 0.2, "p_min_kw": 0, "p_max_kw": 60}
HOME = {"alpha_usd_per_kw2h": 0.02, "beta_usd_per_kwh": 0.5, "elastic_max_kw": 8, "bid_max_kw": 15}


def two_homes() -> dict[str, Any]:
    """Two homes on a short street, one with PV."""
    return {
        "profiles": {"sun": [0.0, 0.6, 0.9, 0.2]},
        "feeder": {
            "base_kv": 0.4,
            "root": "s",
            "buses": {"s": {}, "a": {"p_kw": 2, "q_kvar": 1}, "b": {"p_kw": 3, "q_kvar": 1}},
            "lines": {
                "s-a": {"from_bus": "s", "to_bus": "a", "r_ohm": 0.02, "x_ohm": 0.01},
                "a-b": {"from_bus": "a", "to_bus": "b", "r_ohm": 0.03, "x_ohm": 0.01, "p_max_kw": 40},
            },
            "generators": {"grid": {**GRID, "q_min_kvar": -30, "q_max_kvar": 30}},
        },
        "prosumers": {
            "ann": {**HOME, "bus": "a", "fixed_peak_kw": 2, "renewable": "sun", "renewable_peak_kw": 9},
            "bob": {**HOME, "bus": "b", "beta_usd_per_kwh": 0.4, "fixed_peak_kw": 3},
        },
        "links": {"ann-bob": {"a": "ann", "b": "bob", "cap_kw": 6}},
    }


@pytest.fixture
def ran(tmp_path):
    """A run of the two homes with some values changed (dotted keys)."""

    def run(**changes: Any) -> Run:
        file = tmp_path / "s.yaml"
        file.write_text(yaml.safe_dump(two_homes()))
        keys = {key.replace("__", "."): value for key, value in changes.items()}
        folder = new_folder("s", tmp_path / f"r{len(list(tmp_path.iterdir()))}")
        return run_scenario(load(str(file), keys), folder, replay=True)

    return run


def test_at_a_negative_price_homes_take_all_and_the_wires_no_more_than_they_must(ran):
    done = ran(feeder__generators__grid__b_usd_per_kwh=-0.1, feeder__generators__grid__a_usd_per_kw2h=0)
    assert done.exit_code == 0
    assert done.result.elastic_kw == pytest.approx(8.0, abs=1e-4)
    assert done.result.lmp_usd_per_kwh == pytest.approx(-0.1, abs=2e-3)
    assert done.result.dso_cost_usd == pytest.approx(-10.45, abs=0.01)  # 104 kWh, and 0.5 kWh of losses, 10 cents each
    assert done.result.dispatch.losses_kwh < 0.6


def surplus(ran, feed_in: float, **more: Any) -> Run:
    return ran(
        feeder__buses__b__p_kw=feed_in,
        feeder__buses__b__q_kvar=0,
        feeder__lines={
            "s-a": {"from_bus": "s", "to_bus": "a", "r_ohm": 0.02, "x_ohm": 0.01},
            "a-b": {"from_bus": "a", "to_bus": "b", "r_ohm": 0.2, "x_ohm": 0.01, "p_max_kw": 1000},
        },
        feeder__generators__grid__p_min_kw=-90,
        **more,
    )


def test_feed_in_that_lifts_a_voltage_is_refused_with_a_cure_that_holds(ran):
    done = surplus(ran, -60)
    assert done.exit_code == 4
    said = done.result.message
    assert "bus b would rise to 1.0" in said
    assert "above its v_max_pu of 1.05" in said
    less = float(said.split(" kW more load (or less feed-in) at bus b")[0].split(" ")[-1])
    assert 4 < less < 12
    cured = surplus(ran, -60 + less)
    assert cured.exit_code == 0
    assert replay_ac(cured.result.feeder, cured.result.dispatch).v_pu.max() <= 1.05 + 1e-6


def test_feed_in_that_may_be_curtailed_is(ran):
    done = surplus(ran, -60, feeder__buses__b__curtailable=True)
    assert done.exit_code == 0
    assert done.result.dispatch.v_pu.max() == pytest.approx(1.05, abs=1e-6)
    table = pd.read_parquet(done.folder / "generators.parquet")
    sun = table[table.generator == "feed-in b"]
    assert (sun.p_max_kw == 60).all()
    assert sun.curtailed_kw.between(2, 15).all()
    assert sun.p_kw.to_numpy() + sun.curtailed_kw.to_numpy() == pytest.approx(60.0)


@pytest.mark.parametrize("ohm", [0.0, 1e-8])
def test_a_coupler_carries_what_flows_through_it(ran, ohm):
    done = ran(**{"feeder__lines__a-b__r_ohm": ohm, "feeder__lines__a-b__x_ohm": ohm})
    assert done.exit_code == 0
    assert done.kpis["ac_voltage_error_pu"] < 1e-8
    lines = pd.read_parquet(done.folder / "lines.parquet").set_index(["line", "period"])
    flow = lines.loc["a-b"]
    v_a = done.result.dispatch.v_pu[done.result.feeder.index("a")]
    by_hand = (flow.p_flow_kw**2 + flow.q_flow_kvar**2) ** 0.5 / (3**0.5 * 0.4 * v_a)
    assert flow.i_a.to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-6)
    assert "no AC solution" not in done.result.message


def test_what_the_grid_lacks_is_told_where_its_limit_is_nothing(ran):
    with pytest.raises(Exception, match=r"short by 5\.0 kW .* a p_max_kw of 5\.0\d for generator grid would do"):
        ran(feeder__generators__grid__p_max_kw=0, market__network_use="bids")


def test_free_power_settles(ran):
    done = ran(feeder__generators__grid__b_usd_per_kwh=0, feeder__generators__grid__a_usd_per_kw2h=0)
    assert done.exit_code == 0
    assert done.result.elastic_kw == pytest.approx(8.0, abs=1e-3)
    assert sum(done.result.sharing_rounds) < 200


def test_the_relaxation_alone_ends_with_exit_code_3_and_says_so_everywhere(ran):
    done = ran(feeder__generators__grid__b_usd_per_kwh=-0.1, market__physics="cone")
    assert done.exit_code == 3
    assert done.kpis["outcome"] == "not_ac"
    assert not done.kpis["settled"]
    manifest = json.loads(Path(done.folder / "manifest.json").read_text())
    assert manifest["outcome"] == "not_ac"
    assert "no solution of the AC equations" in done.kpis["certificate"]


def test_a_limit_by_a_profile_is_told_as_one(ran):
    done = ran(feeder__generators__grid__p_max_profile="sun")
    assert done.exit_code == 4
    assert "for generator grid in that period, where its profile makes it 0" in done.result.message


def test_what_a_profile_makes_impossible_is_refused_with_its_place(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(yaml.safe_dump(two_homes()))
    grid, line = "feeder.generators.grid", "feeder.lines.a-b"
    for changes, says in (
        ({f"{grid}.p_min_kw": 10, f"{grid}.p_max_profile": "sun"}, r"p_min_kw: is 10 kW in period 1, above p_max_kw"),
        ({f"{grid}.p_max_profile": "moon"}, r"there is no profile moon; known are sun"),
        ({f"{line}.r_ohm": 0, f"{line}.x_ohm": 0, f"{line}.tap": 1.02}, r"a transformer .* has an impedance; give it"),
    ):
        with pytest.raises(ScenarioError, match=says):
            load(str(file), changes).check()
