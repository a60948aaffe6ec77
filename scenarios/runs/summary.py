"""What a person, or a program, is told at the end of a run."""

from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...agents.arrays import FloatArray
from ...market.result import Result
from ...network.ac_replay import AcReplay
from ...network.errors import SolverError
from .who_saw_what import across

if TYPE_CHECKING:
    from .running import Run


def kpis(result: Result, replayed: AcReplay | SolverError | None = None) -> dict[str, Any]:
    """The run in numbers, ready for JSON: nothing in it is nan or infinite, what is not known is null."""
    certificate = result.certificate
    return {
        "settled": result.settled,
        "outcome": result.outcome.name.lower(),
        "message": result.message,
        "outer_iterations": result.outer_iterations,
        "sharing_rounds": result.sharing_rounds,
        "clearings": result.clearings,
        "elastic_clearings": result.elastic_clearings,
        "dso_cost_usd": result.dso_cost_usd,
        "utility_usd": float(result.utility_usd.sum()),
        "welfare_usd": result.welfare_usd,
        "prosumer_cost_usd": _by_name(result, result.prosumer_cost_usd),
        "payment_usd": _by_name(result, result.payment_usd),
        "regret_usd": _number(certificate.total_usd),
        "regret_relative": _number(certificate.relative),
        "dso_regret_usd": _number(certificate.dso_regret_usd),
        "regret_by_prosumer_usd": _by_name(result, certificate.regret_usd),
        "certificate": str(certificate),
        "reciprocity_kw": result.reciprocity_kw,
        "diagnosis": _diagnosis(result),
        "max_cone_gap": certificate.max_cone_gap,
        "max_violation_kw": result.max_violation_kw,
        "voltage_min_pu": result.dispatch.voltage_min_pu,
        "losses_kwh": result.dispatch.losses_kwh,
        "lmp_usd_per_kwh": _by_name(result, result.lmp_usd_per_kwh),
        "elastic_load_kw": _by_name(result, result.elastic_kw),
        "bid_kw": _by_name(result, result.bid_kw),
        **_replay(replayed),
        "communities": _communities(result),
        "seconds": {phase: round(seconds, 6) for phase, seconds in result.seconds.items()},
    }


def summary(run: "Run", title: str) -> RenderableType:
    """The summary of a run: who bought and paid what, if anything was delivered, and what is proven of it."""
    result, replayed = run.result, run.replayed
    delivered = np.isfinite(result.certificate.total_usd)
    undelivered = "" if delivered else "nothing delivered; so far: "
    dispatch = result.dispatch
    lines = [
        f"{undelivered}DSO cost ${result.dso_cost_usd:,.2f}, welfare ${result.welfare_usd:,.2f} "
        f"(utility less DSO cost); losses {dispatch.losses_kwh:,.0f} kWh, "
        f"lowest voltage {dispatch.voltage_min_pu:.4f} pu",
        f"{_clearings(result)}, {sum(result.sharing_rounds)} sharing rounds "
        f"{result.sharing_rounds} in {sum(result.seconds.values()):.2f} s; cone gap {dispatch.max_cone_gap:.1e}",
        f"{result.certificate}; trades are reciprocal to {result.reciprocity_kw:g} kW",
    ]
    if not result.settled and result.diagnosis:
        lines.append(f"Algorithm 1 at the end: {result.diagnosis}")
    if result.max_violation_kw > 1e-6 and delivered:
        lines.append(f"trades leave a prosumer {result.max_violation_kw:.2g} kW outside its elastic limits")
    if replayed:
        lines.append(f"AC power flow (pandapower): {_replay_sentence(replayed)}")
    ending = [Text(result.message, style="bold green" if result.settled else "bold red")]
    ending.append(Text(f"results: {run.folder}"))
    tables = [_schedule(result, title)] if delivered else []
    tables += [_messages(run.who_saw_what)] if run.who_saw_what is not None else []
    tables += [_timing(result)] if result.timing.noun else []
    lines += [str(incident) for incident in result.incidents]
    if result.unsaved_because:
        lines.append(f"{result.unsaved_because}; whoever is lost, or resumes, lives through the whole run again")
    lines += [result.timing.advice] if result.timing.advice else []
    return Group(*tables, *(Text(line) for line in lines), *ending)


def _replay(replayed: AcReplay | SolverError | None) -> dict[str, Any]:
    """What the AC power flow says, if it was asked."""
    if replayed is None:
        return {"ac_replay": None}
    if isinstance(replayed, SolverError):
        return {"ac_replay": f"failed: {replayed}"}
    return {
        "ac_replay": _replay_sentence(replayed),
        "ac_voltage_error_pu": replayed.voltage_error_pu,
        "ac_losses_kwh": replayed.losses_kwh,
        "ac_tolerance_mva": replayed.tolerance_mva,
    }


def _replay_sentence(replayed: AcReplay | SolverError) -> str:
    if isinstance(replayed, SolverError):
        return f"failed: {replayed}"
    return (
        f"voltages within {replayed.voltage_error_pu:.1e} pu of the dispatch, losses {replayed.losses_kwh:,.0f} kWh; "
        f"it holds to {replayed.tolerance_mva:.0e} MVA at every bus"
    )


def _messages(messages: pd.DataFrame) -> Table:
    """Who saw what: senders down, receivers across."""
    cells = across(messages)
    table = _table(
        "who told whom what, and how often (every message: ledger.parquet)",
        "",
        *map(str, cells),
        words=[str(receiver) for receiver in cells],
    )
    for sender, row in cells.iterrows():
        table.add_row(str(sender), *row)
    return table


def _timing(result: Result) -> Table:
    """What each community took."""
    timing = result.timing
    table = _table(
        "where the prosumers' time went", timing.noun, "prosumers", "solving\ns", "carrying\ns", "waiting\ns"
    )
    for number, (count, effort) in enumerate(zip(timing.prosumers, timing.efforts, strict=True), start=1):
        spent = effort.solving_s, effort.carrying_s, effort.waiting_s
        table.add_row(str(number), str(count), *(f"{seconds:.3f}" for seconds in spent))
    return table


def _schedule(result: Result, title: str) -> Table:
    energy_headings = ("bids\nkWh", "bought\nkWh", "sold\nkWh", "elastic\nkWh")
    table = _table(title, "prosumer", *energy_headings, "cost\n$", "payments\n$", "total\n$", "regret\n$")
    bought, sold = (result.dt_h * kw.sum(axis=1) for kw in (result.bought_kw, result.sold_kw))
    for i, name in enumerate(result.names):
        energy = (result.dt_h * result.bid_kw[i].sum(), bought[i], sold[i], result.dt_h * result.elastic_kw[i].sum())
        cost, payment = result.prosumer_cost_usd[i], result.payment_usd[i]
        money = (f"{cost:,.0f}", f"{payment:,.0f}", f"{cost + payment:,.2f}")
        table.add_row(name, *(f"{kwh:,.0f}" for kwh in energy), *money, f"{result.regret_usd[i]:.1e}")
    return table


def _table(title: str, *headings: str, words: Collection[str] = ()) -> Table:
    """An empty table; its first column and those of words are flush left."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == headings[0] or heading in words else "right")
    return table


def _clearings(result: Result) -> str:
    elastic = f" and {result.elastic_clearings} with elastic bids" if result.elastic_clearings else ""
    return f"{result.clearings} clearings{elastic}"


def _communities(result: Result) -> dict[str, Any]:
    """Where prosumers lived, what it took to ask them, and who was lost."""
    timing = result.timing
    efforts = [(effort.solving_s, effort.carrying_s, effort.waiting_s) for effort in timing.efforts]
    return {
        "lived_in": timing.noun or "this process",
        "prosumers": list(timing.prosumers),
        **dict(zip(("solving_s", "carrying_s", "waiting_s"), map(list, zip(*efforts, strict=True)), strict=True)),
        "advice": timing.advice,
        "unsaved_because": result.unsaved_because,
        "incidents": [{**asdict(incident), "sentence": str(incident)} for incident in result.incidents],
    }


def _diagnosis(result: Result) -> dict[str, Any] | None:
    """Where Algorithm 1 stood at the end."""
    if result.diagnosis is None:
        return None
    cells = asdict(result.diagnosis)
    del cells["slowest_period"]  # which `place` has, counted from 1
    return {key: _number(value) if isinstance(value, float) else value for key, value in cells.items()}


def _by_name(result: Result, values: FloatArray) -> dict[str, Any]:
    cells = np.where(np.isfinite(values), values, np.nan)
    return {name: _listed(row) for name, row in zip(result.names, cells, strict=True)}


def _listed(row: Any) -> Any:
    return [_number(value) for value in row] if np.ndim(row) else _number(row)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
