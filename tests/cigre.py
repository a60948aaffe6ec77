"""The CIGRE low-voltage network of pandapower as a feeder: three transformers, behind closed breakers."""

import pandapower as pp
import pandapower.networks

from gridbazaar.network import Bus, Feeder, Generator, Line


def cigre_lv(
    *machines: Generator, share: float = 1.0, v_max_pu: float = 1.1, b_usd_per_kwh: float = 0.1
) -> tuple[Feeder, "pp.pandapowerNet"]:
    """The feeder with a share of its loads and more generators, and the network that it was made of."""
    net = pandapower.networks.create_cigre_network_lv()
    net.load[["p_mw", "q_mvar"]] *= share
    name = [str(n) for n in net.bus.index]
    p_kw, q_kvar = (1e3 * net.load.groupby("bus")[key].sum() for key in ("p_mw", "q_mvar"))
    buses = [
        Bus(name[n], 0.9, v_max_pu, float(p_kw.get(n, 0.0)), float(q_kvar.get(n, 0.0)), float(kv))
        for n, kv in net.bus["vn_kv"].items()
    ]
    lines = [
        Line(name[row.from_bus], name[row.to_bus], row.r_ohm_per_km * row.length_km, row.x_ohm_per_km * row.length_km)
        for row in net.line.itertuples()
    ]
    for row in net.trafo.itertuples():
        per_percent = row.vn_lv_kv**2 / row.sn_mva / 100
        reactance = (row.vk_percent**2 - row.vkr_percent**2) ** 0.5
        r_ohm, x_ohm = row.vkr_percent * per_percent, reactance * per_percent
        lines.append(Line(name[row.hv_bus], name[row.lv_bus], r_ohm, x_ohm))
    lines += [Line(name[row.bus], name[row.element], 0.0, 0.0) for row in net.switch.itertuples()]
    grid = Generator("grid", "0", 0.0, b_usd_per_kwh, 0.0, -2000.0, 2000.0, -2000.0, 2000.0)
    return Feeder(tuple(buses), tuple(lines), (grid, *machines), "0", 20.0), net
