"""The key figures that pages and comparisons show: their names, units, and how each is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..runs.amounts import dollars, energy

_CLEARED = {"dso_cost_usd", "losses_kwh", "voltage_min_pu", "line_loading_max_percent", "clearings", "rounds"}


@dataclass(frozen=True, slots=True)
class Kpi:
    """A key figure.

    Attributes:
        key: Its key in `kpis.json`.
        label: Its name, as people read it.
        unit: "$", "kWh", "kW", "pu", "%" (of a number that is percent), "share" (of one that is 0 to 1), or "".
        bounded_by: What of a certificate bounds it: "optimum", "welfare", "cost", or "" for nothing.
    """

    key: str
    label: str
    unit: str
    bounded_by: str = ""


KPIS = (
    Kpi("welfare_usd", "welfare", "$", "welfare"),
    Kpi("welfare_less_fees_usd", "welfare less fees", "$", "optimum"),
    Kpi("dso_cost_usd", "DSO cost", "$", "cost"),
    Kpi("utility_usd", "utility", "$", "cost"),
    Kpi("network_charge_usd", "charges for trades", "$", "cost"),
    Kpi("imbalance_usd", "paid for imbalances", "$"),
    Kpi("lacking_kwh", "lacking against plans", "kWh"),
    Kpi("over_kwh", "over against plans", "kWh"),
    Kpi("traded_kwh", "traded", "kWh"),
    Kpi("self_consumption", "self-consumption", "share"),
    Kpi("self_sufficiency", "self-sufficiency", "share"),
    Kpi("charged_kwh", "taken by devices", "kWh"),
    Kpi("discharged_kwh", "given by devices", "kWh"),
    Kpi("storage_losses_kwh", "lost in stores", "kWh"),
    Kpi("curtailed_by_prosumers_kwh", "curtailed, prosumers", "kWh"),
    Kpi("curtailed_by_dso_kwh", "curtailed, DSO", "kWh"),
    Kpi("peak_withdrawal_kw", "peak withdrawal", "kW"),
    Kpi("peak_root_kw", "peak at the root", "kW"),
    Kpi("losses_kwh", "losses", "kWh"),
    Kpi("losses_with_trades_kwh", "losses, with trades", "kWh"),
    Kpi("voltage_min_pu", "lowest voltage", "pu"),
    Kpi("voltage_min_with_trades_pu", "lowest, with trades", "pu"),
    Kpi("line_loading_max_percent", "highest line loading", "%"),
    Kpi("line_loading_max_with_trades_percent", "loading, with trades", "%"),
    Kpi("windows", "windows", ""),
    Kpi("windows_settled", "windows settled", ""),
    Kpi("clearings", "clearings", ""),
    Kpi("rounds", "rounds of sharing", ""),
    Kpi("regret_usd", "regret", "$"),
)
"""All of them, in the order in which they are shown."""


def written(kpi: Kpi, value: float | None, within: float | None = None) -> str:
    """A key figure with the digits that fit it and are known, and its unit; empty for none."""
    return "" if value is None else amount(value, kpi.unit, within)


def amount(value: float, unit: str, within: float | None = None) -> str:
    """A number with its unit, such as "$1.29", "24.3 kWh", "57.3 %"."""
    if unit == "$":
        return dollars(value, within or 0.0)
    if unit in {"kWh", "kW"}:
        return f"{energy(value)} {unit}"
    if unit == "$/kWh":
        return f"{value + 0.0:.4f}"  # tables of prices have the unit in their title
    if unit == "pu":
        return f"{value:.4f} pu"
    if unit in {"share", "%"}:
        return f"{(100 if unit == 'share' else 1) * value:.1f} %"
    return f"{value:,g}"


def present(kpis: Mapping[str, Any]) -> list[Kpi]:
    """Those of the list that a run has, without the flows "with trades" that are the same as those cleared.

    Of a run that has delivered no schedule only those that the DSO's last clearing has.
    """
    keys = {kpi.key for kpi in KPIS} if kpis.get("regret_usd") is not None else _CLEARED
    found = [kpi for kpi in KPIS if kpi.key in keys and kpis.get(kpi.key) is not None]
    if kpis.get("welfare_less_fees_usd") == kpis.get("welfare_usd"):  # nothing is charged
        found = [kpi for kpi in found if kpi.key != "welfare_less_fees_usd"]
    return [kpi for kpi in found if "_with_trades" not in kpi.key or not _same_as_cleared(kpi, kpis)]


def _same_as_cleared(kpi: Kpi, kpis: Mapping[str, Any]) -> bool:
    cleared = kpis.get(kpi.key.replace("_with_trades", ""))
    return cleared is not None and written(kpi, kpis[kpi.key]) == written(kpi, cleared)
