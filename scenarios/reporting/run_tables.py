"""The tables of a run's page."""

from __future__ import annotations

from ..files.schema import ProsumerRow
from ..runs.amounts import energy, last_place, money
from .accuracy import digits_within_by_prosumer_usd
from .pages import MOST_ROWS, PageTable, cut_short
from .rolling_section import horizon_said
from .savings import Savings
from .stored_run import StoredRun

_PRICE_TAKER = ProsumerRow.model_fields["behaviour"].default


def prosumer_table(run: StoredRun, savings: Savings | None) -> PageTable:
    """What each prosumer took, used and paid, and what it saves by sharing where that is known."""
    table, dt_h = run.table("prosumers"), run.manifest["scenario"]["dt_h"]
    kwh = dt_h * table.groupby("prosumer", sort=False)[["bid_kw", "net_trade_kw", "elastic_kw"]].sum()
    known, totals = digits_within_by_prosumer_usd(run), run.kpis["total_usd_by_prosumer"]
    shares = {f"self-{what}": run.kpis[f"self_{what}_by_prosumer"] for what in ("consumption", "sufficiency")}
    shares = {heading: share for heading, share in shares.items() if any(own is not None for own in share.values())}
    rows = []
    for name in list(kwh.index)[:MOST_ROWS]:
        place = last_place(known.get(name))
        own = [_percent(share[name]) for share in shares.values()]
        regret = run.kpis["regret_by_prosumer_usd"][name]
        cells = [name, *map(energy, kwh.loc[name]), *own, money(totals[name], place), f"{max(regret or 0, 0):.1e}"]
        rows.append(cells + ([_saved(savings, name)] if savings else []))
    headings = ["prosumer", "bids kWh", "net trade kWh", "elastic kWh", *shares]
    headings += ["total $", "regret $", *(["saved $"] if savings else [])]
    return PageTable(headings, cut_short(rows, len(kwh)))


def balance_table(run: StoredRun) -> PageTable:
    """What each account receives less what it pays."""
    balance = run.table("bills").groupby("account", sort=False)["amount_usd"].sum().round(2)
    rows = [[str(account), _cents(usd)] for account, usd in balance.head(MOST_ROWS).items()]
    title = "what is received less what is paid"
    return PageTable(("account", "balance $"), cut_short(rows, len(balance)), title=title)


def payment_table(run: StoredRun) -> PageTable:
    """All payments, from who pays to who is paid."""
    bills = run.table("bills")
    paid = bills[bills["amount_usd"] < 0]
    cells = paid.head(MOST_ROWS)[["account", "counterparty", "item", "amount_usd"]].to_numpy().tolist()
    rows = [[*words, _cents(-usd)] for *words, usd in cells]
    headings = ("from", "to", "for", "amount $")
    return PageTable(headings, cut_short(rows, len(paid)), (0, 1, 2), "payments")


def origin_table(run: StoredRun) -> PageTable:
    """Where the run comes from, what was changed in its scenario, and on what it ran."""
    manifest, scenario = run.manifest, run.manifest["scenario"]
    behaviours = {
        name: row["behaviour"] for name, row in scenario["prosumers"].items() if row["behaviour"] != _PRICE_TAKER
    }
    facts = {
        "scenario": manifest.get("scenario_path", ""),
        "command": manifest.get("command", ""),
        "changed": "; ".join(manifest.get("overrides", [])) or "nothing",
        "behaviours of their own": "; ".join(f"{name}: {said}" for name, said in behaviours.items()),
        "market": ", ".join(f"{key} {scenario['market'][key]}" for key in ("case", "method", "order", "network_use")),
        "horizon": horizon_said(run),
        "periods": run.scenario.periods_said if "start" in scenario else "",
        "seed": str(manifest.get("seed", "")),
        "started": " and resumed ".join([manifest.get("started", ""), *manifest.get("resumed", [])]),
        "versions": ", ".join(f"{name} {number}" for name, number in manifest.get("versions", {}).items()),
        "git commit": manifest.get("git_commit", ""),
        "files that differ from it": ", ".join(manifest.get("git_changes", [])),
        "machine": ", ".join(f"{key} {value}" for key, value in manifest.get("machine", {}).items()),
        "results folder": str(run.folder),
    }
    return PageTable(("what", ""), [(what, said) for what, said in facts.items() if said], (0, 1))


def _cents(usd: float) -> str:
    return f"{usd + 0.0:,.2f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _saved(savings: Savings, name: str) -> str:
    """What a prosumer saves, unless that is less than it is known to."""
    usd, within = savings.usd[name], savings.within_usd.get(name)
    if within is None:
        return f"{money(usd)} (proven by nothing)"
    return money(usd, last_place(within)) if abs(usd) > within else f"0 (known to {money(within)})"
