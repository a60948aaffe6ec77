"""Two homes on a short low-voltage feeder, as YAML: the smallest market that trades and has a rated line."""

FEEDER = """
feeder:
  base_kv: 0.4
  root: s
  buses: {s: {}, a: {p_kw: 2, q_kvar: 1}, b: {p_kw: 3, q_kvar: 1}}
  lines:
    s-a: {from_bus: s, to_bus: a, r_ohm: 0.02, x_ohm: 0.01}
    a-b: {from_bus: a, to_bus: b, r_ohm: 0.03, x_ohm: 0.01, p_max_kw: 40}
  generators:
    grid: {bus: s, a_usd_per_kw2h: 0.001, b_usd_per_kwh: 0.2, p_min_kw: 0, p_max_kw: 60, q_min_kvar: -30,
           q_max_kvar: 30}
"""
HOMES = """
prosumer_defaults: {alpha_usd_per_kw2h: 0.02, elastic_max_kw: 8, bid_max_kw: 15}
prosumers:
  ann: {bus: a, beta_usd_per_kwh: 0.5, fixed_peak_kw: 2, renewable: sun, renewable_peak_kw: 9}
  bob: {bus: b, beta_usd_per_kwh: 0.4, fixed_peak_kw: 3}
links:
  ann-bob: {a: ann, b: bob, cap_kw: 6}
market: {network_use: bids}
"""


def two_homes(sun: tuple[float, ...] = (0.0, 0.6, 0.9, 0.2)) -> str:
    """The scenario, with the sun by period."""
    return f"profiles: {{sun: {list(sun)}}}{FEEDER}{HOMES}"
