"""A small pandapower network, and what can be odd about one: each oddity is a function that puts it there."""

from copy import deepcopy
from functools import cache

import numpy as np
import pandapower as pp
from pandapower.control import DiscreteTapControl

Net = pp.pandapowerNet


@cache
def _small() -> Net:
    """20 kV, a transformer on a tap with iron losses, two cables at 0.4 kV with loads."""
    net = pp.create_empty_network()
    for kv in (20, 0.4, 0.4, 0.4):
        pp.create_bus(net, kv)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    transformer(net, 0, 1, tap_side="hv", tap_pos=1)
    cable(net, 1, 2, km=0.2)
    cable(net, 2, 3, km=0.2)
    pp.create_load(net, 2, 0.05, 0.01)
    pp.create_load(net, 3, 0.04, 0.012)
    return net


def small() -> Net:
    """A network of one's own: 20 kV, a transformer on a tap with iron losses, two cables at 0.4 kV with loads."""
    return deepcopy(_small())


def transformer(net: Net, hv: int, lv: int, tap_side: str = "hv", tap_pos: int = 0, **values: float) -> int:
    ratings = {"sn_mva": 0.4, "vn_hv_kv": 20, "vn_lv_kv": 0.4, "vk_percent": 4, "vkr_percent": 1.2}
    iron = {"pfe_kw": 0.9, "i0_percent": 0.3, "shift_degree": 150}
    tap = {"tap_neutral": 0, "tap_min": -2, "tap_max": 2, "tap_step_percent": 2.5, "tap_changer_type": "Ratio"}
    given = ratings | iron | tap | values
    return int(pp.create_transformer_from_parameters(net, hv, lv, tap_side=tap_side, tap_pos=tap_pos, **given))


def cable(net: Net, start: int, end: int, km: float = 0.1, **values: object) -> int:
    return int(pp.create_line_from_parameters(net, start, end, km, 0.3, 0.08, 210, 0.27, **values))


def further(net: Net, kv: float = 0.4, p_mw: float = 0.01) -> int:
    """One more bus with a load."""
    bus = int(pp.create_bus(net, kv))
    pp.create_load(net, bus, p_mw)
    return bus


def open_tie_line(net: Net) -> None:
    pp.create_switch(net, 1, cable(net, 1, 3), "l", closed=False)


def parallel_lines(net: Net) -> None:
    cable(net, 3, 2, km=0.4)
    net.line.loc[0, "parallel"] = 2


def parallel_transformers(net: Net) -> None:
    transformer(net, 0, 1, tap_pos=1, sn_mva=0.25)


def closed_bus_switch(net: Net) -> None:
    pp.create_switch(net, 3, further(net), "b")


def ring_of_bus_switches(net: Net) -> None:
    bus = further(net)
    pp.create_switch(net, 3, bus, "b")
    pp.create_switch(net, bus, 3, "b")


def bus_switch_with_impedance(net: Net) -> None:
    pp.create_switch(net, 3, further(net), "b", z_ohm=0.01)


def open_bus_switch(net: Net) -> None:
    pp.create_switch(net, 3, further(net), "b", closed=False)


def no_impedance(net: Net) -> None:
    net.line.loc[1, "length_km"] = 0.0


def stepped_up(net: Net) -> None:
    """A transformer whose lower side is the nearer to the root, its tap there."""
    transformer(net, further(net, 20, 0.03), 3, tap_side="lv", tap_pos=-1)


def three_windings(net: Net) -> None:
    percent = {f"vk{part}_{side}_percent": value for part, value in (("", 6), ("r", 1)) for side in ("hv", "mv", "lv")}
    sizes = {f"sn_{side}_mva": value for side, value in (("hv", 2), ("mv", 1), ("lv", 1))}
    kv = {"vn_hv_kv": 20, "vn_mv_kv": 10, "vn_lv_kv": 0.4}
    ends = 0, further(net, 10, 0.4), further(net, 0.4, 0.2)
    pp.create_transformer3w_from_parameters(net, *ends, **kv, **sizes, **percent, pfe_kw=1, i0_percent=0.2)


def out_of_service(net: Net) -> None:
    cable(net, 3, int(pp.create_bus(net, 0.4, in_service=False)))
    pp.create_load(net, 3, 1.0, in_service=False)
    cable(net, 1, 3, in_service=False)


def island(net: Net) -> None:
    cable(net, int(pp.create_bus(net, 0.4)), further(net))


def storage(net: Net) -> None:
    pp.create_storage(net, 3, 0.03, 1.0)


def shunt(net: Net) -> None:
    pp.create_shunt(net, 3, -0.02)


def ward(net: Net) -> None:
    pp.create_ward(net, 3, 0.01, 0.002, 0.01, 0.01)


def load_by_voltage(net: Net) -> None:
    net.load.loc[0, "const_z_p_percent"] = 50


def unbalanced(net: Net) -> None:
    pp.create_asymmetric_load(net, 3, p_a_mw=0.01, p_b_mw=0.002)


def motor(net: Net) -> None:
    pp.create_motor(net, 3, 0.01, 0.8, efficiency_percent=90)


def voltage_held(net: Net) -> None:
    pp.create_gen(net, 3, 0.01, vm_pu=0.99)


def scaled(net: Net) -> None:
    net.load["scaling"] = 0.5
    pp.create_sgen(net, 3, 0.03, 0.001, type="PV", scaling=0.7)


def tap_controlled(net: Net) -> None:
    DiscreteTapControl(net, 0, 0.98, 1.02)


def slack_generator(net: Net) -> None:
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 0, 0, vm_pu=1.01, slack=True)


def line_with_conductance(net: Net) -> None:
    net.line.loc[0, "g_us_per_km"] = 100.0


def impedance(net: Net) -> None:
    pp.create_impedance(net, 3, further(net), 0.01, 0.02, 1.0)


def pi_model(net: Net) -> None:
    transformer(net, 0, further(net, p_mw=0.1), tap_pos=2, parallel=2, i0_percent=0.0)


IMPORTED = {
    open_tie_line: "line 2: open at bus 1 (switch 0)",
    parallel_lines: "line 1 and line 2: parallel, one line of their joint impedance and rating",
    parallel_transformers: "trafo 0 and trafo 1: parallel, one line of their joint impedance and rating",
    closed_bus_switch: "bus 4: one point with bus 3, by a closed switch or no impedance",
    ring_of_bus_switches: "bus 4: one point with bus 3, by a closed switch or no impedance",
    bus_switch_with_impedance: "",
    open_bus_switch: "switch 0: open between bus 3 and bus 4",
    no_impedance: "line 1: it has no impedance, so its ends are one point",
    stepped_up: "",
    three_windings: "trafo3w 0, hv side: what it draws itself, ",
    out_of_service: "load 2: out of service",
    island: "line 2: its bus 4 is not supplied",
    storage: "storage 0: storage is not imported; it draws 30 kW in the original",
    shunt: "shunt 0: a shunt taken for a constant power (-17.68 kvar as at its voltage now)",
    ward: "ward 0: a ward, whose constant admittance is taken for a constant power",
    load_by_voltage: "load 0: constant power as at its voltage now, though it has const_z_p_percent 50",
    unbalanced: "asymmetric_load 0: the sum of its phases, balanced",
    motor: "",
    voltage_held: "gen 0: it holds 0.99 pu in the original; voltage control is not modelled",
    scaled: "",
    tap_controlled: "controller 0 (DiscreteTapControl of trafo 0): it acts on neither side",
    slack_generator: "ext_grid 0: out of service",
    line_with_conductance: "line 0: what it draws itself, 0.003 kW and 0 kvar",
    impedance: "",
    pi_model: "",
}
"""What is imported right, and the beginning of what is said of it."""


def loop(net: Net) -> None:
    cable(net, 1, 3)


def two_grids(net: Net) -> None:
    pp.create_ext_grid(net, 3, name="other")


def no_grid(net: Net) -> None:
    net.ext_grid["in_service"] = False


def turned_round(net: Net) -> None:
    net.trafo[["hv_bus", "lv_bus"]] = [1, 0]


def short_transformer(net: Net) -> None:
    net.trafo["vk_percent"] = 0.0


def other_taps(net: Net) -> None:
    transformer(net, 0, 1)


def negative_star(net: Net) -> None:
    three_windings(net)
    net.trafo3w[["vk_mv_percent", "vk_lv_percent"]] = [2.0, 12.0]


def switch_between_voltages(net: Net) -> None:
    pp.create_switch(net, 3, further(net, 0.5), "b")


def line_between_voltages(net: Net) -> None:
    net.bus.loc[3, "vn_kv"] = 0.5


def dc_line(net: Net) -> None:
    pp.create_dcline(net, 2, 3, 0.01, 1, 0.001, 1, 1)


def extended_ward(net: Net) -> None:
    pp.create_xward(net, 3, 0.01, 0, 0, 0, 0.1, 0.1, 1.0)


def by_direction(net: Net) -> None:
    pp.create_impedance(net, 3, further(net), 0.01, 0.02, 1.0, rtf_pu=0.02, xtf_pu=0.02)


def empty_impedance(net: Net) -> None:
    pp.create_impedance(net, 3, further(net), 0.0, 0.0, 1.0)


def negative(net: Net) -> None:
    net.line.loc[0, "r_ohm_per_km"] = -0.1


def broken_cost(net: Net) -> None:
    pp.create_pwl_cost(net, 0, "ext_grid", [[0, 1, 50], [1, 2, 80]])


def falling_cost(net: Net) -> None:
    pp.create_poly_cost(net, 0, "ext_grid", cp1_eur_per_mw=50, cp2_eur_per_mw2=-1)


def reactive_cost(net: Net) -> None:
    pp.create_poly_cost(net, 0, "ext_grid", cp1_eur_per_mw=50, cq1_eur_per_mvar=1)


def no_number(net: Net) -> None:
    net.load.loc[0, "p_mw"] = np.nan


def no_bus(net: Net) -> None:
    net.line.loc[0, "to_bus"] = 99


def too_much(net: Net) -> None:
    net.load["p_mw"] = 5.0


def limits_crossed(net: Net) -> None:
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 1.2, 1.1


def names_that_run_together(net: Net) -> None:
    """Lines from `a-b` to `c` and from `a` to `b-c`."""
    net.bus["name"] = ["station", "a", "a-b", "c"]
    cable(net, 1, int(pp.create_bus(net, 0.4, name="b-c")))


def limits_of_a_machine_crossed(net: Net) -> None:
    pp.create_sgen(net, 3, 0.03, controllable=True, min_p_mw=0.04, max_p_mw=0.03)


REFUSED = {
    loop: "line 2: line 1-3 closes the loop 1-2-3-1, but the feeder must be radial; open it by taking line 1-3",
    two_grids: "there are 2 external grids, ext_grid 0 at bus 0 and ext_grid 1 (other) at bus 3, and a radial feeder",
    no_grid: "no external grid is in service; put one (ext_grid) at the bus of the substation",
    turned_round: "trafo 0: its hv winding of 20 kV is at a bus of 0.4 kV; is it turned round? swap its buses",
    short_transformer: "trafo 0: it has no impedance (vk_percent); give it",
    other_taps: "trafo 0 and trafo 1: parallel, on different ratios (1.025 and 1); put them on the same tap",
    negative_star: "trafo3w 0, mv side: r or x is negative (0.005 and -0.02155 pu on 1 MVA), and a line has 0 or more",
    switch_between_voltages: "bus 4 of 0.5 kV and bus 3 of 0.4 kV are one point by a closed switch; open it",
    line_between_voltages: "line 1: it joins buses of 0.4 and 0.5 kV, which takes a transformer; correct vn_kv",
    dc_line: "dcline 0: elements of this kind cannot be imported; take it out of service, or put a load",
    extended_ward: "xward 0: elements of this kind cannot be imported; take it out of service, or put a load",
    by_direction: "impedance 0: its impedance differs by direction, which no line's does; give one",
    empty_impedance: "impedance 0: it has no impedance (rft_pu, xft_pu); give it, or put a closed switch there",
    negative: "line 0: r or x is negative (-0.125 and 0.1 pu on 1 MVA), and a line has 0 or more",
    broken_cost: "pwl_cost 0 of ext_grid 0: only a cost of one slope can be imported; give it as a poly_cost",
    falling_cost: "poly_cost 0 of ext_grid 0: cp2_eur_per_mw2 is negative, so the cost is not convex; give 0 or more",
    reactive_cost: "poly_cost 0 of ext_grid 0: reactive power costs nothing here; take cq1 and cq2 out",
    no_number: "load 0: p_mw is no number; give one",
    no_bus: "line 0: its to_bus is 99, and there is no such bus; correct it",
    too_much: "its power flow has no solution in pandapower",
    names_that_run_together: "line 2 and line 1: both are called a-b-c by the buses at their ends; rename one of these",
    limits_crossed: "bus 1: no voltage is within its limits, 1.2 to 1.1 pu; widen them",
    limits_of_a_machine_crossed: "sgen 0: a least power is above the most; correct its limits",
}
"""What is refused, and the beginning of the sentence after the network's name."""
