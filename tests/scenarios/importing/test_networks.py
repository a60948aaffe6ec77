"""Networks of pandapower from end to end: proof, and a market with 20 prosumers that settles."""

from __future__ import annotations

import pandas as pd
import pytest

NETWORKS = {
    "case33bw": (33, 32, 0),
    "cigre_lv": (41, 40, 0),
    "cigre_mv": (15, 14, 3),
    "kerber_landnetz_freileitung_1": (15, 14, 2),
    "kerber_landnetz_kabel_1": (18, 17, 2),
    "kerber_dorfnetz": (116, 115, 2),
}
"""Buses, lines, and machines that stand for what lines and transformers draw."""


@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_proven_and_its_market_settles(name, importing):
    imported = importing(name)
    buses, lines, machines = NETWORKS[name]
    scenario = imported.scenario
    assert (len(scenario.feeder.buses), len(scenario.feeder.lines)) == (buses, lines)
    assert len(scenario.feeder.generators) == 1 + machines
    assert len(scenario.prosumers) == len(scenario.links) == 20
    proof = pd.read_csv(imported.folder / "proof.csv")
    assert len(proof) == len(imported.proof.buses) >= buses
    assert (proof["original_pu"] - proof["scenario_pu"]).abs().max() < 1e-9
    assert imported.proof.light_pu < 1e-4
    result = scenario.market().run()
    assert result.settled
    assert result.trades["trade_kw"].abs().sum() > 0
    assert result.buses["v_pu"].between(0.9 - 1e-9, 1.1 + 1e-9).all()
    assert (result.lines["loading_percent"].fillna(0) < 100.1).all()
