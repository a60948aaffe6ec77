"""Levels run back and forward by compiled code have the bits that they have by interpreted code."""

import numpy as np
import pytest

from gridbazaar.agents import rows
from gridbazaar.agents.devices.store import Store


@pytest.mark.parametrize("cyclic", [False, True])
def test_compiled_and_interpreted_code_have_the_same_bits(monkeypatch, cyclic):
    rng = np.random.default_rng(3)
    periods = 200
    store = Store(
        name="store", capacity_kwh=9.0, p_charge_max_kw=rng.choice([0.0, 3.0], periods), p_discharge_max_kw=2.0,
        efficiency_charge=0.9, efficiency_discharge=0.95, loss_per_h=0.01, drain_kw=0.02, cyclic=cyclic,
        soc_min=np.where(np.arange(periods) % 40 == 39, 0.3, 0.0),
    )  # fmt: skip
    assert store.infeasibility(periods, 0.25) == ""
    wanted = rng.choice([0.0, 0.5, 3.0], (3, periods)) * rng.uniform(0.5, 1.5, (3, periods))
    found = []
    for many in (False, True):
        monkeypatch.setattr(rows._tally, "_cells", 2 * rows._WORTH_COMPILING if many else -1_000_000)
        found.append(store.mended(wanted, 0.25))
    assert found[0].tobytes() == found[1].tobytes()
    assert store.block(periods, 0.25).breach(found[0]) < 1e-12
    changed = np.abs(found[0][:2] - np.minimum(wanted[:2], [store.p_charge_max_kw, np.full(periods, 2.0)]))
    assert (changed > 0.1).sum() > 20  # there was something to mend
