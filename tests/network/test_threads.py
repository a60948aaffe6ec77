"""A clearing in several threads: the same bits as in one, whatever the cores, and errors that name their period."""

from __future__ import annotations

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line
from gridbazaar.network import clearing as module

FEEDER = Feeder(
    (Bus("a"), Bus("b"), Bus("c")),
    (Line("a", "b", 0.3, 0.2, p_max_kw=700.0), Line("b", "c", 0.4, 0.3)),
    (Generator("grid", "a", 1e-4, 0.1, 0.0, 0.0, 2000.0, -900.0, 900.0),),
    root="a",
    base_kv=11.0,
)
LOAD = np.outer([0.0, 200.0, 150.0], np.linspace(0.4, 2.6, 25))  # the last hours are short


@pytest.mark.parametrize("cores", [2, 3, 8])
def test_threads_change_no_bit(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, cores):
        monkeypatch.setattr(module, "_cores", lambda count=count: count)
        clearing = Clearing(FEEDER, LOAD, LOAD / 3, 1.0)
        assert len(clearing._lanes) == min(count, 25 // 6)
        found.append([clearing.clear(bid * np.ones_like(LOAD)) for bid in (0.0, 30.0, 5.0)])
    for one, many in zip(*found, strict=True):
        for name in ("p_gen_kw", "v_pu", "lmp_usd_per_kwh", "unserved_kw", "cone_gap"):
            assert np.array_equal(getattr(one, name), getattr(many, name)), name
    assert found[0][1].unserved_kw.max() > 0
    assert found[0][1].unserved_kw[:, 0].max() == 0
