"""The market of one window alone, for who steps through it: it begins with what stores hold at its beginning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ...market.tables import DEVICES
from ...network.arrays import FloatArray
from ..errors import refuse
from ..files.scenario import Scenario
from ..runs.amounts import counted
from .opening import Windows
from .windows import Window


def one_window(scenario: Scenario, number: int | None = None, run: Path | str | None = None) -> tuple[Scenario, str]:
    """The scenario of a window, without a horizon, and which it is, in words.

    What stores hold at its beginning says the run; the first window needs none, and neither do others without stores.

    Args:
        scenario: What has a horizon.
        number: Which window, from 1; the first one by default.
        run: The results folder of a run of it.

    Raises:
        ScenarioError: There is no such window, or nobody knows what stores hold at its beginning.
    """
    option = f"--window {number}"
    if scenario.horizon is None:
        raise refuse(option, "", f"there is no horizon, and so no windows; leave {option} out")
    scenario.check_horizon()
    windows = Windows(scenario)
    count, asked = len(windows.all), 1 if number is None else number
    if not 1 <= asked <= count:
        raise refuse(option, "", f"there is no such window of {counted(count, 'window')}; give 1 to {count}")
    window = windows.all[asked - 1]
    folder = None if run is None else Path(run)
    begun = windows.begin_kwh if window.number == 1 else _levels_kwh(windows, window, folder, option)
    others = "" if number or count == 1 else "; --window N opens another"
    return windows.scenario(window, begun), f"{windows.name(window)}{others}"


def _levels_kwh(windows: Windows, window: Window, run: Path | None, option: str) -> FloatArray:
    """What stores hold where a window begins that is not the first, (store,)."""
    if not windows.paths:
        return windows.begin_kwh
    if run is None:
        known = "what stores hold at its beginning is known to a run that has settled those before it"
        raise refuse(option, "", f"{known}; name its results folder in the place of the scenario")
    held = _held_kwh(run, window)
    if not held:
        sentence = f"the run in {run} has not come to the end of window {window.number - 1:,}"
        raise refuse(option, "", f"{sentence}; go on with it (gridbazaar run --resume {run})")
    names = [(path.owner, path.store.name) for path in windows.paths]
    missing = next((name for name in names if name not in held), None)
    if missing:
        raise refuse(option, "", f"the run in {run} has no {missing[1]} of {missing[0]}; leave out what adds it")
    return np.array([held[name] for name in names])


def _held_kwh(run: Path, window: Window) -> dict[tuple[str, str], float]:
    """What each store held at the beginning of a window, by owner and name; nothing where the run did not get there."""
    file = run / f"{DEVICES}.parquet"
    if not file.is_file():
        return {}
    rows = pq.read_table(file, filters=[("period", "==", window.first)])
    cells = (rows[key].to_pylist() for key in ("prosumer", "device", "energy_kwh"))
    return {(owner, name): level for owner, name, level in zip(*cells, strict=True)}
