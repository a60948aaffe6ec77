"""The tables of the page: prosumers, and who pays whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...market.columns import Names
from ...market.result import Result
from ..runs.accuracy import CostBounds
from ..runs.amounts import counted, dollars, energy, last_place
from ..stepping.device_flows import DeviceFlow
from .snapshot import Snapshot

Row = dict[str, Any]
_MOST_ROWS = 40
"""Of more prosumers all together and the chosen one have a row."""


def prosumer_rows(now: Snapshot, chosen: int | None, within: CostBounds | None, *, private: bool) -> list[Row]:
    """Energy and money of prosumers, to the digits that are known: all together first, then each, or of many one."""
    names = now.result.names
    each = range(len(names)) if len(names) <= _MOST_ROWS else [chosen] if chosen is not None else []
    total, own = (within.total_usd, within.by_prosumer_usd) if within else (0.0, np.zeros(len(names)))
    everybody = _row(now, f"all {counted(len(names), 'prosumer')}", range(len(names)), total, private=private)
    return [everybody, *(_row(now, names[i], [i], own[i], private=private) for i in each)]


def prosumer_columns(*, private: bool) -> list[Row]:
    """The columns of that table."""
    labels = {"prosumer": "prosumer", "bids": "bids, kWh", "bought": "bought, kWh", "sold": "sold, kWh"}
    labels |= {"payments": "payments", "regret": "regret"}
    labels |= {"elastic": "elastic, kWh", "cost": "cost"} if private else {}
    return [_column(key, label) for key, label in labels.items()]


def device_rows(flows: Sequence[DeviceFlow], names: Sequence[str], period: int, dt_h: float) -> list[Row]:
    """What devices do in a period, and what of energy they take and give in all; of many the first."""
    return [
        {
            "device": name,
            "takes": energy(float(flow.charge_kw[period])),
            "gives": energy(float(flow.discharge_kw[period])),
            "holds": energy(float(flow.energy_kwh[period])) if np.isfinite(flow.energy_kwh[period]) else "",
            "charged": energy(dt_h * float(flow.charge_kw.sum())),
            "discharged": energy(dt_h * float(flow.discharge_kw.sum())),
        }
        for flow, name in list(zip(flows, names, strict=True))[:_MOST_ROWS]
    ]


def device_columns() -> list[Row]:
    """The columns of that table."""
    labels = {"device": "device", "takes": "takes, kW", "gives": "gives, kW", "holds": "then holds, kWh"}
    labels |= {"charged": "takes in all, kWh", "discharged": "gives in all, kWh"}
    return [_column(key, label) for key, label in labels.items()]


def bill_rows(result: Result, chosen: int | None) -> list[Row]:
    """What the chosen prosumer receives and pays; without one the balance of everybody, of many prosumers together."""
    if chosen is None:
        return _balances(result)
    columns = result.settlement.columns()
    account, item, other = (columns[key] for key in ("account", "item", "counterparty"))
    assert isinstance(account, Names)
    assert isinstance(item, Names)
    assert isinstance(other, Names)
    mine = np.flatnonzero(account.index == chosen)
    rows = zip(item.index[mine], other.index[mine], np.asarray(columns["amount_usd"])[mine], strict=True)
    return [{"what": item.names[k], "who": other.names[m], "usd": dollars(float(usd))} for k, m, usd in rows]


def bill_columns(chosen: int | None) -> list[Row]:
    """The columns of that table."""
    if chosen is None:
        return [_column("who", "account"), _column("usd", "receives, less what it pays")]
    return [_column("what", "item"), _column("who", "with"), _column("usd", "receives (below 0: pays)")]


def _balances(result: Result) -> list[Row]:
    balance = {who: cents / 100 for who, cents in result.settlement.balance_cents().items()}
    people = result.names
    if len(people) <= _MOST_ROWS:
        return [{"who": who, "usd": dollars(usd)} for who, usd in balance.items()]
    total = sum(balance.pop(name) for name in people)
    rows = {f"all {counted(len(people), 'prosumer')}": total, **balance}
    return [{"who": who, "usd": dollars(usd)} for who, usd in rows.items()]


def _row(now: Snapshot, name: str, rows: Sequence[int], within_usd: float, *, private: bool) -> Row:
    result, chosen, place = now.result, list(rows), last_place(within_usd)

    def kwh(power_kw: np.ndarray) -> str:
        return energy(result.dt_h * float(power_kw[chosen].sum()))

    regret = float(np.maximum(result.regret_usd[chosen], 0.0).sum())
    row = {"prosumer": name, "bids": kwh(now.bid_kw), "bought": kwh(now.bought_kw), "sold": kwh(now.sold_kw)}
    row["payments"] = dollars(float(result.payment_usd[chosen].sum()), place)
    row["regret"] = f"${regret:.2g}" if np.isfinite(regret) else "-"
    if private:
        row["elastic"] = kwh(now.elastic_kw) if now.elastic_kw is not None else "-"
        row["cost"] = dollars(float(result.prosumer_cost_usd[chosen].sum()), place)
    return row


def _column(key: str, label: str) -> Row:
    align = "left" if key in ("prosumer", "what", "who", "device") else "right"
    return {"name": key, "label": label, "field": key, "align": align}
