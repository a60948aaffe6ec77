"""What a person, or a program, is told at the end of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from ...market.outcome import Outcome
from ...market.result import Result
from ...market.settings import NetworkUse
from ...network.ac_replay import AcReplay
from ...network.arrays import FloatArray
from ...network.errors import SolverError
from ...network.periods import length_said
from .accuracy import CostBounds
from .amounts import counted, dollars, energy, last_place, listed, money
from .device_kpis import devices_said
from .fitting import Column, FittingTable
from .json_values import by_name, number
from .kept import Kept
from .kpis import curtailed_by_dso_kwh, indicators, total_usd
from .run import Run
from .who_saw_what import across

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3  # broken limits in a sentence; kpis.json has them all
_ROWS = 40  # prosumers in the table; of more than these the first half, and the rest in one row
_MOST_NUMBERS = 100_000  # of an array in kpis.json; prosumers.parquet has all
_CENT = 0.005  # $; fees below that are not worth a word

_KEPT = {
    Kept.SUMMARY: "of every round one row without arrays is kept; --record all keeps those of all prosumers and links",
    Kept.NONE: "no rounds are kept (--record none)",
}


def kpis(result: Result, replayed: AcReplay | SolverError | None = None) -> dict[str, Any]:
    """The run in numbers, ready for JSON: nothing in it is nan or infinite, what is not known is null.

    So are arrays by prosumer and period of more than 100,000 numbers, which the tables have.
    """
    certificate = result.certificate
    return {
        "settled": result.settled,
        "settled_for": result.settled_for,
        "outcome": result.outcome.name.lower(),
        "message": result.message,
        "outer_iterations": result.outer_iterations,
        "sharing_rounds": result.sharing_rounds,
        "clearings": result.clearings,
        "elastic_clearings": result.elastic_clearings,
        **_times(result),
        "dso_cost_usd": result.dso_cost_usd,
        "utility_usd": float(result.utility_usd.sum()),
        "welfare_usd": result.welfare_usd,
        "welfare_less_fees_usd": result.welfare_less_fees_usd,
        "prosumer_cost_usd": by_name(result.names, result.prosumer_cost_usd),
        "payment_usd": by_name(result.names, result.payment_usd),
        "network_use": result.network_use.value,
        "network_charge_usd": float(result.network_charge_usd.sum()),
        "grid_fee_usd": float(result.grid_fee_usd.sum()),
        "feed_in_fee_usd": float(result.feed_in_fee_usd.sum()),
        "sharing_fee_usd": float(result.sharing_fee_usd.sum()),
        "regret_usd": number(certificate.total_usd),
        "regret_relative": number(certificate.relative),
        "dso_regret_usd": number(certificate.dso_regret_usd),
        "regret_by_prosumer_usd": by_name(result.names, certificate.regret_usd),
        "certificate": _proven(result),
        "reciprocity_kw": result.reciprocity_kw,
        "diagnosis": _diagnosis(result),
        "max_cone_gap": certificate.physics.max_cone_gap,
        "voltage_error_pu": number(certificate.physics.voltage_error_pu),
        "root_mismatch_kw": number(certificate.physics.root_mismatch_kw),
        "local_optima": certificate.physics.local,
        "not_served": certificate.physics.short,
        "max_violation_kw": result.max_violation_kw,
        "voltage_min_pu": result.dispatch.voltage_min_pu,
        "voltage_max_pu": float(result.dispatch.v_pu.max()),
        "voltage_min_with_trades_pu": number(float(result.with_trades.v_pu.min())),
        "voltage_max_with_trades_pu": number(float(result.with_trades.v_pu.max())),
        "losses_with_trades_kwh": number(result.dt_h * float(result.with_trades.loss_kw.sum())),
        "limits_broken_with_trades": [str(breach) for breach in result.breaches],
        "losses_kwh": result.dispatch.losses_kwh,
        **indicators(result),
        "lmp_usd_per_kwh": _by_period(result, result.lmp_usd_per_kwh),
        "elastic_load_kw": _by_period(result, result.elastic_kw),
        "bid_kw": _by_period(result, result.bid_kw),
        "withdrawal_kw": _by_period(result, result.withdrawal_kw),
        **_replay(replayed),
        "misbehaved": [{**asdict(one), "sentence": str(one)} for one in result.hosting.misbehaved],
        "communities": _communities(result),
        "seconds": {phase: round(seconds, 6) for phase, seconds in result.seconds.items()},
    }


def show(console: Console, run: Run, title: str) -> None:
    """Print the summary of a run and where its results are; a path is one line, and in a file or pipe all lines are."""
    console.print(summary(run, title), soft_wrap=not console.is_terminal)
    console.print(Text(f"results: {run.folder}"), soft_wrap=True)


def summary(run: Run, title: str) -> RenderableType:
    """The summary of a run: who bought and paid what, if anything was delivered, and what is proven of it."""
    result = run.result
    delivered = bool(np.isfinite(result.certificate.total_usd))
    tables: list[RenderableType] = [schedule_table(result, title, run.cost_within)] if delivered else [Text(title)]
    tables += [_messages(run.who_saw_what)] if run.who_saw_what is not None else []
    tables += [_timing(result)] if result.hosting.timing.noun else []
    ending = Text(result.message, style="bold green" if result.settled else "bold red")
    return Group(*tables, *(Text(line) for line in _lines(run, delivered=delivered)), ending)


def _lines(run: Run, *, delivered: bool) -> list[str]:
    """What is said of a run, line by line."""
    result, dispatch = run.result, run.result.dispatch
    within = result.certificate.total_usd if result.settled else 0.0
    cost_within = run.cost_within.total_usd if run.cost_within else 0.0
    undelivered = "" if delivered else "nothing delivered; so far: "
    state = "" if result.settled or not delivered else ", both of the schedule in force at the end, as in kpis.json"
    length = length_said(result.dt_h)
    lines = [f"periods: {result.bid_kw.shape[1]} of {length}, {result.calendar}"] if result.calendar else []
    lines += [
        f"{undelivered}DSO cost {dollars(result.dso_cost_usd, cost_within)}, "
        f"welfare {_welfare(result, within, cost_within)}{state}; "
        f"losses {energy(dispatch.losses_kwh)} kWh, lowest voltage {dispatch.voltage_min_pu:.4f} pu, "
        f"highest {float(dispatch.v_pu.max()):.4f} pu{_curtailed(result)}",
        _network_use(result),
        f"{_rounds(result)} in {sum(result.seconds.values()):.2f} s; {_physics(result)}",
        f"{_proven(result)}; trades are reciprocal to {result.reciprocity_kw:g} kW",
    ]
    if not result.settled and result.diagnosis:
        lines.append(f"Algorithm 1 at the end: {result.diagnosis}")
    if result.max_violation_kw > 1e-6 and delivered:
        lines.append(f"trades leave a prosumer {result.max_violation_kw:.2g} kW outside its elastic limits")
    if delivered:
        lines += [*_with_trades(result), *devices_said(result)]
    if run.finding:
        lines.append(run.finding.sentence)
    if run.replayed:
        lines.append(f"AC power flow (pandapower): {_replay_sentence(run.replayed)}")
    if run.kept is not Kept.ALL:
        lines.append(_KEPT[run.kept])
    lines += [str(told) for told in (*result.hosting.incidents, *result.hosting.misbehaved)]
    if result.hosting.unsaved_because:
        lines.append(
            f"{result.hosting.unsaved_because}; whoever is lost, or resumes, lives through the whole run again"
        )
    return lines + ([result.hosting.timing.advice] if result.hosting.timing.advice else [])


def _welfare(result: Result, within: float, cost_within: float) -> str:
    """The welfare, and less fees where there are any: then only that is as closely known as the certificate says."""
    if not result.certificate.charged:
        return f"{dollars(result.welfare_usd, within)} (utility less DSO cost)"
    less = dollars(result.welfare_less_fees_usd, within)
    return f"{dollars(result.welfare_usd, cost_within)} (utility less DSO cost), {less} less fees"


def _proven(result: Result) -> str:
    """What is proven of a result; nothing where not all are served, however little anybody regrets."""
    told = result.certificate.physics.short  # windows that an older version has left do not say so
    if result.outcome is Outcome.HOUSEHOLD_SHORTAGE or (result.outcome is Outcome.SHORTAGE and not told):
        return "no certificate: what is asked for cannot be served"
    return str(result.certificate)


def _curtailed(result: Result) -> str:
    """What generators that cost nothing, or are paid for, could have fed in beside."""
    kwh = curtailed_by_dso_kwh(result)
    return f"; curtailed by the DSO {energy(kwh)} kWh" if kwh > 1e-3 * result.feeder.base_kw else ""


def _with_trades(result: Result) -> list[str]:
    """Which limits of the feeder break once trades are counted, if the DSO has not cleared for them."""
    broken = [*result.breaches]
    lost = int(np.isnan(result.with_trades.v_pu).any(axis=0).sum())
    if lost:
        return [f"with trades, the feeder has no AC power flow in {lost} of {result.bid_kw.shape[1]} periods"]
    if not broken or not result.uncleared_kw.any():
        return []
    more = (
        f", and {counted(len(broken) - _SHOWN, 'more limit breaks', 'more limits break')}"
        if len(broken) > _SHOWN
        else ""
    )
    cure = "market.network_use withdrawals lets the DSO see them"
    return [f"with trades, {', '.join(map(str, broken[:_SHOWN]))}{more}; {cure}"]


def _physics(result: Result) -> str:
    """How well the dispatch agrees with the AC equations."""
    proof = result.certificate.physics
    if proof.doubt:
        return "no AC solution"
    return f"voltages within {max(proof.voltage_error_pu, 1e-12):.0e} pu of the AC flow by sweeps"


def _network_use(result: Result) -> str:
    """What the network carries, and what is charged for it and for the rest."""
    within = result.certificate.total_usd
    if result.network_use is NetworkUse.WITHDRAWALS:
        charged = dollars(float(result.network_charge_usd.sum()), within)
        said = f"the network carries bids and trades (market.network_use withdrawals) and charges {charged} for trades"
    else:
        said = "the network carries bids; trades are contracts that load no wire (market.network_use bids)"
    fees = result.grid_fee_usd.sum(), result.feed_in_fee_usd.sum(), result.sharing_fee_usd.sum()
    named = zip(("grid", "feed-in", "sharing"), fees, strict=True)
    listed_fees = ", ".join(f"{name} {dollars(float(usd), within)}" for name, usd in named if usd >= _CENT)
    return f"{said}; fees: {listed_fees}" if listed_fees else said


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
        f"voltages within {replayed.voltage_error_pu:.1e} pu of the dispatch, "
        f"losses {energy(replayed.losses_kwh)} kWh; it holds to {replayed.tolerance_mva:.0e} MVA at every bus"
    )


def _messages(messages: pd.DataFrame) -> FittingTable:
    """Who saw what: senders down, receivers across."""
    cells = across(messages)
    return FittingTable(
        "who told whom what, and how often (every message: messages.parquet)",
        (Column("from"), *(Column(f"to {receiver}", words=True) for receiver in cells)),
        [(str(sender), *row) for sender, row in cells.iterrows()],
    )


def _timing(result: Result) -> FittingTable:
    """What each community took."""
    timing = result.hosting.timing
    columns = (
        Column(timing.noun),
        Column("prosumers"),
        *(Column(key, "s") for key in ("solving", "carrying", "waiting")),
    )
    rows = []
    for place, (count, effort) in enumerate(zip(timing.prosumers, timing.efforts, strict=True), start=1):
        spent = effort.solving_s, effort.carrying_s, effort.waiting_s
        rows.append((str(place), str(count), *(f"{seconds:.3f}" for seconds in spent)))
    return FittingTable("where the prosumers' time went", columns, rows)


def schedule_table(result: Result, title: str, within: CostBounds | None) -> FittingTable:
    """Who bought and paid what, to the digits that are known; charges on trades where there are any."""
    charged = ("charges",) if result.charges_usd.any() else ()
    columns = (
        Column("prosumer"),
        *(Column(key, "kWh") for key in ("bids", "bought", "sold", "elastic")),
        *(Column(key, "$") for key in ("cost", "payments", *charged, "total", "regret")),
    )
    powers = result.bid_kw, result.bought_kw, result.sold_kw, result.elastic_kw
    energies = np.column_stack([result.dt_h * kw.sum(axis=1) for kw in powers])
    charges = [result.charges_usd] if charged else []
    paid = np.column_stack([result.prosumer_cost_usd, result.payment_usd, *charges, total_usd(result)])
    regrets, known = np.maximum(result.regret_usd, 0.0), within.by_prosumer_usd if within else np.zeros(len(paid))
    shown = len(result.names) if len(result.names) <= _ROWS else _ROWS // 2
    amounts = [*zip(result.names[:shown], energies, paid, regrets, known, strict=False)]
    if shown < len(result.names):
        rest = (table[shown:].sum(axis=0) for table in (energies, paid, regrets))
        amounts.append((f"{len(result.names) - shown:,} more", *rest, within.total_usd if within else 0.0))
    rows = [
        (name, *map(energy, kwh), *(money(usd, last_place(known)) for usd in due), f"{regret:.1e}")
        for name, kwh, due, regret, known in amounts
    ]
    return FittingTable(title, columns, rows)


def _rounds(result: Result) -> str:
    elastic = f" and {result.elastic_clearings} with elastic bids" if result.elastic_clearings else ""
    sharing = f"{counted(sum(result.sharing_rounds), 'sharing round')} {listed(result.sharing_rounds)}"
    return f"{counted(result.clearings, 'clearing')}{elastic}, {sharing}"


def _communities(result: Result) -> dict[str, Any]:
    """Where prosumers lived, what it took to ask them, and who was lost."""
    timing = result.hosting.timing
    efforts = [(effort.solving_s, effort.carrying_s, effort.waiting_s) for effort in timing.efforts]
    return {
        "lived_in": timing.noun or "this process",
        "prosumers": list(timing.prosumers),
        **dict(zip(("solving_s", "carrying_s", "waiting_s"), map(list, zip(*efforts, strict=True)), strict=True)),
        "advice": timing.advice,
        "unsaved_because": result.hosting.unsaved_because,
        "incidents": [{**asdict(incident), "sentence": str(incident)} for incident in result.hosting.incidents],
    }


def _diagnosis(result: Result) -> dict[str, Any] | None:
    """Where Algorithm 1 stood at the end."""
    if result.diagnosis is None:
        return None
    cells = asdict(result.diagnosis)
    del cells["slowest_period"]  # which `place` has, counted from 1
    return {key: number(value) if isinstance(value, float) else value for key, value in cells.items()}


def _times(result: Result) -> dict[str, Any]:
    """When the periods of the arrays are, where anybody knows."""
    calendar = result.calendar
    if calendar is None:
        return {}
    return {"start": calendar.at(0).isoformat(), "timezone": calendar.zone, "dt_h": calendar.dt_h}


def _by_period(result: Result, values: FloatArray) -> dict[str, Any] | None:
    """An array by prosumer and period, unless it is too large for a file that people look into."""
    return by_name(result.names, values) if values.size <= _MOST_NUMBERS else None
