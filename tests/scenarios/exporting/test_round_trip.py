"""There and back: what is exported and imported again has the power flow of the run, names, limits and costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridbazaar.network import replay_ac
from gridbazaar.scenarios.exporting.pandapower_export import PandapowerExport
from gridbazaar.scenarios.files.import_row import ImportRow
from gridbazaar.scenarios.importing.importing import import_network

from .conftest import Save

COLUMNS = ("a_usd_per_kw2h", "b_usd_per_kwh", "p_min_kw", "p_max_kw")


@pytest.mark.parametrize("name", ["ieee33", "levels", "cigre", "radial1"])
def test_a_network_comes_back_with_its_power_flow(name: str, save: Save, tmp_path: Path) -> None:
    saved = save(name)
    net = PandapowerExport(saved.stored).net(1)
    pp.to_json(net, str(tmp_path / "net.json"))
    back = import_network(ImportRow(network=str(tmp_path / "net.json"), prosumers=1), tmp_path / "back")
    feeder, again = saved.stored.feeder, back.scenario.build_feeder()
    replay = replay_ac(feeder, saved.result.dispatch)
    assert np.abs(back.proof.scenario_pu - replay.v_pu[:, 1]).max() < 1e-8
    if not any(line.r_ohm == line.x_ohm == 0 for line in feeder.lines):  # a coupler makes one point of two buses
        assert again.names == feeder.names
        assert again.v_max_pu[1:] == pytest.approx(feeder.v_max_pu[1:])
    rated = {line.name: line.i_max_a for line in feeder.lines if np.isfinite(line.i_max_a) and line.r_ohm}
    assert {line.name: line.i_max_a for line in again.lines if np.isfinite(line.i_max_a)} == pytest.approx(rated)
    taps = {line.name: line.tap for line in feeder.lines if line.tap != 1}
    assert {line.name: line.tap for line in again.lines if line.tap != 1} == pytest.approx(taps, rel=1e-12)
    machines = {one.name: one for one in again.generators}
    for k, one in enumerate(feeder.generators):
        found = [getattr(machines[one.name], key) for key in COLUMNS]
        bounds = [saved.result.dispatch.p_gen_min_kw[k, 1], saved.result.dispatch.p_gen_max_kw[k, 1]]
        assert found == pytest.approx([one.a_usd_per_kw2h, one.b_usd_per_kwh, *bounds], rel=1e-12)
