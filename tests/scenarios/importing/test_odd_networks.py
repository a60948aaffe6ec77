"""Broken and unusual networks: imported right, held against pandapower's power flow, or refused by element."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from small_networks import IMPORTED, REFUSED, cable, small

from gridbazaar.network.ac_flow import RadialFlow
from gridbazaar.scenarios import ScenarioError
from gridbazaar.scenarios.importing.pandapower_reading import Read, from_pandapower


def farthest_pu(read: Read) -> float:
    """The largest difference between pandapower's voltages and those of the feeder that was made."""
    feeder = read.network.feeder()
    drawn = feeder.p_kw + 1j * feeder.q_kvar
    for machine in read.network.machines:
        drawn[feeder.index(machine.generator.bus)] -= complex(machine.p_kw, machine.q_kvar)
    drawn /= feeder.base_kw
    v_pu = np.sqrt(RadialFlow(feeder).solve(drawn.real[:, None], drawn.imag[:, None]).voltage[:, 0])
    voltages = read.original.res_bus["vm_pu"]
    return max(abs(v_pu[feeder.index(name)] - voltages[bus]) for bus, name in read.bus_names.items())


@pytest.mark.parametrize("oddity", IMPORTED, ids=lambda oddity: oddity.__name__)
def test_it_flows_as_in_pandapower_and_is_told_of(oddity):
    net = small()
    oddity(net)
    read = from_pandapower(net, "small", 0.15)
    assert farthest_pu(read) < 1e-7
    assert set(read.bus_names) == set(net.bus.index[read.original.res_bus["vm_pu"].notna()])
    remarks = read.network.remarks
    said = [*remarks.left_out, *remarks.approximations, *remarks.defaults]
    assert any(sentence.startswith(IMPORTED[oddity]) for sentence in said), said


@pytest.mark.parametrize("oddity", REFUSED, ids=lambda oddity: oddity.__name__)
def test_it_is_refused_in_one_sentence_that_names_the_element(oddity):
    net = small()
    oddity(net)
    with pytest.raises(ScenarioError) as refusal:
        from_pandapower(net, "small", 0.15).network.feeder()
    (problem,) = refusal.value.problems
    assert str(problem).startswith(f"small: {REFUSED[oddity]}")
    assert "\n" not in str(problem)


def test_nothing_that_is_not_in_use_goes_unsaid():
    """Every row of every table that takes no part in the power flow has a sentence that begins with it."""
    net = small()
    for oddity in IMPORTED:
        if oddity.__name__ in {"out_of_service", "island", "open_tie_line", "open_bus_switch", "storage"}:
            oddity(net)
    read = from_pandapower(net, "small", 0.15)
    said = [sentence.partition(":")[0] for sentence in read.network.remarks.left_out]
    dead = set(net.bus.index[read.original.res_bus["vm_pu"].isna()])
    expected = {f"bus {k}" for k in dead} | {"switch 1", "storage 0"}
    expected |= {f"load {k}" for k, row in net.load.iterrows() if row["bus"] in dead or not row["in_service"]}
    for k, row in net.line.iterrows():
        if (
            not row["in_service"]
            or dead & {row["from_bus"], row["to_bus"]}
            or k in set(net.switch["element"][net.switch["et"] == "l"])
        ):
            expected.add(f"line {k}")
    assert set(said) == expected


def test_the_original_stays_as_it_is():
    net = small()
    before = deepcopy(net)
    from_pandapower(net, "small", 0.15)
    for table in ("bus", "line", "trafo", "load", "switch", "storage", "res_bus"):
        assert net[table].equals(before[table]), table


def test_impedances_and_ratings_are_those_of_the_data_sheets():
    """By hand: 0.2 km of 0.3 + j0.08 ohm/km; 1.2 % and 4 % of (0.4 kV)² / 0.4 MVA, a tap of +2.5 % at 20 kV."""
    net = small()
    net.line.loc[1, ["parallel", "df"]] = [2, 0.8]
    network = from_pandapower(net, "small", 0.15).network
    transformer, first, second = sorted(network.lines, key=lambda line: line.from_bus)
    assert (first.r_ohm, first.x_ohm) == pytest.approx((0.06, 0.016))
    assert first.b_us == pytest.approx(2 * np.pi * 50 * 210e-9 * 0.2 * 1e6)
    assert first.i_max_a == pytest.approx(270)
    assert (second.r_ohm, second.x_ohm, second.i_max_a) == pytest.approx((0.03, 0.008, 270 * 2 * 0.8))
    assert transformer.tap == pytest.approx(1.025)
    assert transformer.i_max_a == pytest.approx(400 / (3**0.5 * 0.4))
    assert transformer.r_ohm == pytest.approx(0.012 * 0.4, rel=2e-3)  # the magnetising branch stands inside
    assert abs(complex(transformer.r_ohm, transformer.x_ohm)) == pytest.approx(0.04 * 0.4, rel=2e-3)


def test_a_rating_of_parallel_lines_is_that_of_the_one_that_is_full_first():
    """Lengths of 0.2 and 0.4 km share 2 to 1; the longer may carry 50 A only, the shorter 270: 150 A are too many."""
    net = small()
    cable(net, 2, 3, km=0.4)
    net.line.loc[2, "max_i_ka"] = 0.05
    network = from_pandapower(net, "small", 0.15).network
    (joint,) = (line for line in network.lines if {line.from_bus, line.to_bus} == {"2", "3"})
    assert joint.i_max_a == pytest.approx(150)
    assert joint.r_ohm == pytest.approx(0.06 * 0.12 / 0.18)


def test_ratings_of_power_are_those_of_the_columns_that_export_writes():
    net = small()
    net.line["p_max_mw"], net.line["q_max_mvar"] = [np.nan, 0.06], [0.03, np.nan]
    cable(net, 2, 3, km=0.2)
    net.line.loc[2, ["p_max_mw", "q_max_mvar"]] = [0.05, 0.01]
    lines = {line.name: line for line in from_pandapower(net, "small", 0.15).network.lines}
    assert (lines["1-2"].p_max_kw, lines["1-2"].q_max_kvar) == (np.inf, pytest.approx(30))
    assert (lines["2-3"].p_max_kw, lines["2-3"].q_max_kvar) == pytest.approx((100, 20))  # each carries a half
