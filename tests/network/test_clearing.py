"""What a clearing promises beside the optimum: balance, no memory, answers to every bid, refusals that explain."""

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, Generator, InputError, Line, SolverError


def net_inflow(feeder, dispatch):
    """Generation and flow in, less losses and flow onwards, (bus, period), kW: what (2) serves."""
    inflow = dispatch.p_flow_kw - dispatch.loss_kw
    np.add.at(inflow, feeder.generator_bus, dispatch.p_gen_kw)
    np.subtract.at(inflow, feeder.parent[1:], dispatch.p_flow_kw[1:])
    return inflow


@pytest.mark.parametrize("bid", [0.0, 300.0, 900.0])
def test_every_bus_is_in_balance(ieee33, bid):
    case = ieee33.bids(b18=bid)
    dispatch = case.clearing().clear(case.bid_kw)
    served = case.load_kw + case.bid_kw - dispatch.unserved_kw + dispatch.spilled_kw
    assert net_inflow(case.feeder, dispatch) == pytest.approx(served, abs=1e-4)
    assert (dispatch.unserved_kw.max() > 0) == (bid == 900.0)
    assert np.array_equal(dispatch.demand_kw, case.load_kw + case.bid_kw)
    assert np.array_equal(dispatch.demand_kvar, case.load_kvar)


def test_limits_hold_and_the_relaxation_is_tight(ieee33):
    dispatch = ieee33.clearing().clear(ieee33.bid_kw)
    feeder = ieee33.feeder
    assert dispatch.max_cone_gap < 1e-6
    assert dispatch.v_pu.min() >= 0.95 - 1e-7
    assert dispatch.v_pu.max() <= 1.05 + 1e-7
    assert np.all(np.abs(dispatch.p_flow_kw[1:]) <= feeder.p_max_kw[1:, None] + 1e-4)
    assert dispatch.loss_kw.sum() == pytest.approx(dispatch.p_gen_kw.sum() - ieee33.load_kw.sum(), abs=1e-3)


def test_answer_does_not_depend_on_what_was_asked_before(ieee33):
    used, fresh = ieee33.clearing(), ieee33.clearing()
    for bid in (600.0, 0.0, 1500.0, -200.0):
        used.clear(ieee33.bids(b18=bid).bid_kw)
    case = ieee33.bids(b13=220.0, b26=600.0)
    one, other = used.clear(case.bid_kw), fresh.clear(case.bid_kw)
    assert one.unserved_kw.max() > 0  # both programs, with and without slack, have been used
    for name in ("p_gen_kw", "v_pu", "lmp_usd_per_kwh", "q_price_usd_per_kvarh", "unserved_kw", "loss_kw"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.value_usd == other.value_usd


def test_periods_do_not_see_each_other(ieee33):
    whole = ieee33.clearing().clear(ieee33.bid_kw)
    part = ieee33.hours(20, 4)
    some = part.clearing().clear(part.bid_kw)
    assert np.array_equal(some.lmp_usd_per_kwh, whole.lmp_usd_per_kwh[:, [20, 4]])


def test_shorter_periods_cost_less_at_the_same_prices(ieee33):
    hour = ieee33.clearing().clear(ieee33.bid_kw)
    quarter = Clearing(ieee33.feeder, ieee33.load_kw, ieee33.load_kvar, 0.25).clear(ieee33.bid_kw)
    assert quarter.value_usd == pytest.approx(hour.value_usd / 4)
    assert quarter.losses_kwh == pytest.approx(hour.losses_kwh / 4)
    assert np.array_equal(quarter.lmp_usd_per_kwh, hour.lmp_usd_per_kwh)


def test_feeder_of_one_bus(build):
    feeder = build(buses=[Bus("a", p_kw=50, q_kvar=10)], lines=[])
    dispatch = Clearing(feeder, [[50.0]], [[10.0]], 1.0).clear([[25.0]])
    assert dispatch.p_gen_kw[0, 0] == pytest.approx(75.0)
    assert dispatch.lmp_usd_per_kwh[0, 0] == pytest.approx(2 * 1e-5 * 75 + 0.2)
    assert dispatch.max_cone_gap == 0
    assert dispatch.components.total == pytest.approx(dispatch.lmp_usd_per_kwh)


def test_island_fed_from_the_far_end(build):
    feeder = build(generators=[Generator("g", "c", 1e-5, 0.2, 0, 0, 500, -500, 500)])
    dispatch = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0).clear(np.zeros((3, 1)))
    assert dispatch.shortage_cost_usd == 0
    assert dispatch.p_flow_kw[2, 0] < -100  # towards the root
    assert dispatch.v_pu[:, 0].argmax() == 2
    assert dispatch.lmp_usd_per_kwh[1, 0] > dispatch.lmp_usd_per_kwh[2, 0]


def test_lines_may_be_given_in_either_direction(ieee33, ieee33_tables):
    swapped = [row | {"from_bus": row["to_bus"], "to_bus": row["from_bus"]} for row in ieee33_tables["lines"]]
    feeder = type(ieee33.feeder).from_tables(
        ieee33_tables["buses"], swapped[::-1], ieee33_tables["generators"], root="1", base_kv=12.66
    )
    assert feeder == ieee33.feeder
    one = ieee33.with_(feeder=feeder).clearing().clear(ieee33.bid_kw)
    assert np.array_equal(one.lmp_usd_per_kwh, ieee33.clearing().clear(ieee33.bid_kw).lmp_usd_per_kwh)


def test_negative_bids_sell(build):
    feeder = build()
    clearing = Clearing(feeder, feeder.p_kw[:, None], feeder.q_kvar[:, None], 1.0)
    selling = clearing.clear([[0.0], [0.0], [-400.0]])
    assert selling.p_flow_kw[2, 0] < 0
    assert selling.lmp_usd_per_kwh[2, 0] < clearing.clear(np.zeros((3, 1))).lmp_usd_per_kwh[2, 0]


WRONG = {
    "load of the wrong height": (
        {"load_kw": np.zeros((2, 4))},
        r"load_kw has shape \(2, 4\), but \(3 buses, period\) is needed, buses in the order of feeder.names",
    ),
    "load_kvar of another length": ({"load_kvar": np.zeros((3, 5))}, r"load_kvar has shape \(3, 5\).*4 periods"),
    "flat load": ({"load_kw": np.zeros(3)}, r"load_kw has shape \(3,\)"),
    "no periods": ({"load_kw": np.zeros((3, 0))}, "load_kw has no periods; give at least one column"),
    "nan": (
        {"load_kvar": np.array([[0, 0, 0, 0], [0, 0, np.nan, 0], [0, 0, 0, 0]])},
        "load_kvar at bus b in period 3 is nan; give a finite number",
    ),
    "nobody's bus": ({"load_kw": {"a": [1.0] * 4, "z": [1.0] * 4}}, "load_kw has a row for bus z, but the buses are "),
    "rows of two lengths": (
        {"load_kw": {"a": [1.0] * 4, "b": [1.0] * 3}},
        r"load_kw has rows of the shapes a \(4,\), b \(3,\); give each bus one number per period",
    ),
    "nothing by name": ({"load_kw": {}}, "load_kw has no periods; give at least one column"),
    "no time": ({"dt_h": 0.0}, "dt_h is 0.0; give a finite number above 0"),
    "worthless": ({"value_of_lost_load_usd_per_kwh": -1.0}, "value_of_lost_load_usd_per_kwh is -1.0"),
}


def test_loads_by_the_names_of_buses_are_those_of_rows_in_the_order_of_the_feeder(build):
    feeder = build()
    rows = {feeder.names[2]: [1.0, 2.0], feeder.names[1]: np.array([3.0, 4.0])}
    named = Clearing(feeder, rows, {feeder.names[2]: [0.5, 0.6]}, 1.0)
    assert named.load_kw.tolist() == [[0.0, 0.0], [3.0, 4.0], [1.0, 2.0]]
    assert named.load_kvar.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.5, 0.6]]


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_refused(build, name):
    changes, sentence = WRONG[name]
    usual = {"load_kw": np.zeros((3, 4)), "load_kvar": np.zeros((3, 4)), "dt_h": 1.0}
    with pytest.raises(InputError, match=sentence):
        Clearing(build(), **(usual | changes))


@pytest.mark.parametrize(
    ("bid", "sentence"),
    [
        (np.zeros((3, 2)), r"bid_kw has shape \(3, 2\), but \(3 buses, 1 periods\) is needed"),
        (np.full((3, 1), np.inf), "bid_kw at bus a in period 1 is inf"),
    ],
)
def test_wrong_bids_are_refused(build, bid, sentence):
    with pytest.raises(InputError, match=sentence):
        Clearing(build(), np.zeros((3, 1)), np.zeros((3, 1)), 1.0).clear(bid)


def test_what_no_slack_can_help_names_the_period(build):
    """The line may not carry the current that would lift its far end to its voltage limit."""
    feeder = build(
        buses=[Bus("a"), Bus("b", v_min_pu=1.2, v_max_pu=1.3)],
        lines=[Line("a", "b", 0.3, 0.2, i_max_a=1)],
    )
    with pytest.raises(
        SolverError, match=r"clearing period 1 \(00:00-01:00\) ended .*; look for voltage limits"
    ) as error:
        Clearing(feeder, np.zeros((2, 1)), np.zeros((2, 1)), 1.0).clear(np.zeros((2, 1)))
    assert error.value.period == 0
    assert "nfeasible" in error.value.status
