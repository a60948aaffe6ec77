"""A run of a rolling horizon in numbers, and in a line of its summary.

What is a sum or an extreme over time is that over the kept parts of all windows. Left out, because their definitions
do not carry over: a bound on the welfare (each window has a certificate of its own), and with forecasts that are not
perfect all that says how loads and renewables met, which nobody has planned: self-consumption, self-sufficiency, and
what prosumers curtail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...agents.household import Household
from ...market.outcome import Outcome
from ..files.scenario import Scenario
from ..runs.amounts import counted
from ..runs.device_kpis import device_indicators
from ..runs.json_values import by_name
from ..runs.run import Finding
from ..runs.summary import kpis
from .imbalances import imbalances_said
from .stores import StorePath
from .whole import RollingResult

_OF_WHAT_HAPPENED = ("self_consumption", "self_sufficiency", "curtailed_by_prosumers_kwh")
_BY_PROSUMER = ("self_consumption_by_prosumer", "self_sufficiency_by_prosumer")


def figures(
    result: RollingResult, scenario: Scenario, folder: Path, homes: Sequence[Household], paths: Sequence[StorePath]
) -> dict[str, Any]:
    """The run in numbers, ready for JSON: those of any run, how many windows there were, and what differed."""
    devices = _of_devices(result, scenario, homes, paths)
    found = {**kpis(result), **devices, "results": str(folder), **finding(result, scenario).figures}
    if result.outcome is Outcome.RUNNING:
        found["outcome"] = "interrupted"
    if result.imbalances:
        found |= dict.fromkeys(_OF_WHAT_HAPPENED)
        found |= {key: dict.fromkeys(result.names) for key in _BY_PROSUMER}
    return found


def finding(result: RollingResult, scenario: Scenario) -> Finding:
    """What there is to know beside: the windows, and the imbalances."""
    horizon, settled = scenario.horizon, np.asarray(result.windows["settled"])
    assert horizon is not None
    count = settled.size
    numbers: dict[str, Any] = {"windows": count, "windows_settled": int(settled.sum())}
    said = f"{counted(count, 'window')} of {horizon.length_h:g} h, of which {horizon.kept_h:g} h are kept"
    if result.imbalances is None:
        return Finding(numbers, f"{said}; forecasts are perfect")
    found = result.imbalances
    paid_usd = float(found.usd.sum())
    numbers |= {
        "imbalance_usd": paid_usd,
        "imbalance_usd_by_prosumer": by_name(result.names, found.usd),
        "lacking_kwh": found.lacking_kwh,
        "over_kwh": found.over_kwh,
    }
    differed = imbalances_said(found.lacking_kwh, found.over_kwh, paid_usd)
    return Finding(numbers, f"{said}; forecasts by {horizon.forecast}: {differed}")


def _of_devices(
    result: RollingResult, scenario: Scenario, homes: Sequence[Household], paths: Sequence[StorePath]
) -> dict[str, Any]:
    """What devices did: of stores as the windows had them, which begin at a level of their own."""
    count = result.bid_kw.shape[1]
    owned = []
    for home in homes:
        series: dict[str, Any] = {cell.name: getattr(home, cell.name) for cell in fields(home)}
        series = {key: value[:count] for key, value in series.items() if isinstance(value, np.ndarray)}
        stores = tuple(path.until(count) for path in paths if path.owner == home.name)
        owned.append(replace(home, **series, calendar=None, devices=stores))
    found = device_indicators(result, owned)
    for row in found.get("devices", []):
        row["kind"] = scenario.prosumers[row["prosumer"]].devices[row["device"]].kind
    return found
