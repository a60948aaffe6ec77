"""A small market: three prosumers on a short feeder, and prices that bids move."""

from string import Template

_TEXT = """
title: Three on a short feeder
profiles:
  sun: $sun
  load: $load
feeder:
  base_kv: 11.0
  root: s
  load_profile: load
  buses: {s: {}, a: {p_kw: 50, q_kvar: 10}, b: {p_kw: 50, q_kvar: 10}}
  lines:
    s-a: {from_bus: s, to_bus: a, r_ohm: 0.2, x_ohm: 0.1}
    a-b: {from_bus: a, to_bus: b, r_ohm: 0.2, x_ohm: 0.1}
  generators:
    grid: {bus: s, a_usd_per_kw2h: 5.0e-4, b_usd_per_kwh: 0.1, p_min_kw: 0, p_max_kw: 2000, q_min_kvar: -900, q_max_kvar: 900}
prosumers:
  ann: {bus: a, alpha_usd_per_kw2h: 0.002, beta_usd_per_kwh: 0.8, elastic_max_kw: 300, bid_max_kw: 500, fixed_peak_kw: 20, fixed_profile: $fixed}
  bob: {bus: b, alpha_usd_per_kw2h: 0.003, beta_usd_per_kwh: 0.7, elastic_max_kw: 300, bid_max_kw: 500, fixed_peak_kw: 30, fixed_profile: $fixed}
  cat: {bus: b, alpha_usd_per_kw2h: 0.004, beta_usd_per_kwh: 0.6, elastic_max_kw: 300, bid_max_kw: 500, renewable: sun, renewable_peak_kw: 120}
links:
  ann-bob: {a: ann, b: bob, cap_kw: 100}
  bob-cat: {a: bob, b: cat, cap_kw: 100}
  ann-cat: {a: ann, b: cat, cap_kw: 100}
$more
"""  # noqa: E501


def short_feeder(sun: list[float], load: list[float], *, fixed: str = "", more: str = "") -> str:
    """The scenario, as its file has it.

    Args:
        sun, load: The profiles.
        fixed: That of fixed loads; none: constant.
        more: Further lines.
    """
    return Template(_TEXT).substitute(sun=sun, load=load, fixed=fixed, more=more)
