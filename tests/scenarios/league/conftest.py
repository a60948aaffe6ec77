"""A small market for leagues: three prosumers on a short feeder, two hours, prices that bids move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridbazaar.scenarios.__main__ import main

SMALL = """
title: Three on a short feeder
profiles:
  sun: [1.0, 0.2]
  load: [0.7, 1.0]
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
  ann: {bus: a, alpha_usd_per_kw2h: 0.002, beta_usd_per_kwh: 0.8, elastic_max_kw: 300, bid_max_kw: 500, fixed_peak_kw: 20}
  bob: {bus: b, alpha_usd_per_kw2h: 0.003, beta_usd_per_kwh: 0.7, elastic_max_kw: 300, bid_max_kw: 500, fixed_peak_kw: 30}
  cat: {bus: b, alpha_usd_per_kw2h: 0.004, beta_usd_per_kwh: 0.6, elastic_max_kw: 300, bid_max_kw: 500, renewable: sun, renewable_peak_kw: 120}
links:
  ann-bob: {a: ann, b: bob, cap_kw: 100}
  bob-cat: {a: bob, b: cat, cap_kw: 100}
  ann-cat: {a: ann, b: cat, cap_kw: 100}
"""  # noqa: E501


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    file = tmp_path_factory.mktemp("small") / "small.yaml"
    file.write_text(SMALL, encoding="utf-8")
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command line in this process; it answers with its exit code."""

    def go(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["gridbazaar", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    return go
