"""All that the page draws at a round, ready to be drawn: made where the market lives, read where the page does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...market.record import standing
from ...network.periods import period_name
from ..runs.accuracy import CostBounds
from ..stepping.session import Session
from ..stepping.views import residuals
from .charts import Options, balance_chart, devices_chart, outer_chart, prices_chart, residuals_chart
from .feeder_map import feeder_map
from .figures import Figure, figures_of
from .snapshot import Snapshot, snapshot_of
from .tables import Row, bill_columns, bill_rows, device_columns, device_rows, prosumer_columns, prosumer_rows
from .wanted import Wanted


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What there is to see of a market at a round.

    Attributes:
        wanted: What was asked to be seen.
        name: What the scenario is called.
        standing: What the last round came to, and who acts next, in words.
        convergence: How Algorithm 1 goes, and who is slowest, in words.
        certificate: What is proven, in words.
        round, newest: The round, and the last one that is known of its branch.
        ended: Whether the run has ended there.
        branch: The branch.
        branches: All branches in words, by name.
        periods: The periods in words.
        prosumers, links: Their names.
        figures: The key figures.
        difference: What differs from the branch that is compared with, in words; empty without one.
        basis: What the balances are: of which schedule.
        feeder: The drawing of the feeder.
        left_out: What of the trades the drawing leaves out, in words; empty if nothing.
        reason: Why power costs what it does at the bus of the chosen prosumer, in words; empty without one.
        residuals, outer, balance, prices: Charts.
        people, people_columns, bills, bill_columns: Tables.
        device_title: Whose devices stand in chart and table, when, and of which plan, in words; empty without devices,
            and unless private data are asked for.
        devices, device_rows, device_columns: What they do: a chart by period, and a table of one period and of all.
        plans: What the chosen prosumer alone knows, in lines; empty unless private data are asked for.
    """

    wanted: Wanted
    name: str
    standing: str
    convergence: str
    certificate: str
    round: int
    newest: int
    ended: bool
    branch: str
    branches: dict[str, str]
    periods: Sequence[str]
    prosumers: Sequence[str]
    links: Sequence[str]
    figures: Sequence[Figure]
    difference: str
    basis: str
    feeder: str
    left_out: str
    reason: str
    residuals: Options
    outer: Options
    balance: Options
    prices: Options
    people: list[Row]
    people_columns: list[Row]
    bills: list[Row]
    bill_columns: list[Row]
    device_title: str
    devices: Options
    device_rows: list[Row]
    device_columns: list[Row]
    plans: str


def scene_of(session: Session, wanted: Wanted) -> Scene:
    """What there is to see of a session."""
    market = session.market
    now = snapshot_of(market)
    result, history = now.result, session.history()
    within = CostBounds.of(session.scenario, result)
    names = list(result.names)
    chosen = names.index(wanted.prosumer) if wanted.prosumer in names else None
    rows = range(len(names)) if chosen is None else [chosen]
    feeder, left_out = feeder_map(now, wanted)
    devices = _devices(now, wanted)
    difference = session.diff(wanted.other, f"{session.branch.name}@{session.round}") if wanted.other else None
    return Scene(
        wanted=wanted,
        name=session.name,
        standing=standing(market),
        convergence=str(residuals(market)) if session.round else "",
        certificate=str(result.certificate),
        round=session.round,
        newest=session.newest,
        ended=session.ended,
        branch=session.branch.name,
        branches={branch.name: _told(str(branch), branch.note) for branch in session.branches},
        periods=[period_name(t, result.when) for t in range(now.bid_kw.shape[1])],
        prosumers=names,
        links=[link.name for link in result.graph.links],
        figures=figures_of(market, now, within, difference.one if difference else None),
        difference=str(difference) if difference else "",
        basis=_basis(now),
        feeder=feeder,
        left_out=left_out,
        reason=session.why(wanted.prosumer, wanted.period + 1) if chosen is not None and market.iteration else "",
        residuals=residuals_chart(history, session.round),
        outer=outer_chart(history, session.round),
        balance=balance_chart(now, rows, private=wanted.private),
        prices=prices_chart(now, chosen, wanted.link),
        people=prosumer_rows(now, chosen, within, private=wanted.private),
        people_columns=prosumer_columns(private=wanted.private),
        bills=bill_rows(result, chosen),
        bill_columns=bill_columns(chosen),
        device_title=devices[0],
        devices=devices[1],
        device_rows=devices[2],
        device_columns=device_columns() if devices[2] else [],
        plans=str(session.prosumer(wanted.prosumer)) if wanted.private and chosen is not None else "",
    )


def _told(branch: str, note: str) -> str:
    return f"{branch} ({note})" if note else branch


def _devices(now: Snapshot, wanted: Wanted) -> tuple[str, Options, list[Row]]:
    """Title, chart and rows of the devices of the chosen prosumer or of all; nothing unless private data are wanted."""
    owners = {owner for owner, _ in now.result.device_schedules.names}
    who = wanted.prosumer
    if not wanted.private or not (who in owners if who else owners):
        return "", {}, []
    whose = f"devices of {who}" if who else "devices"
    if now.devices is None:
        return f"{whose}: while prosumers share in other processes, what they are to do is known only there", {}, []
    flows = [flow for flow in now.devices if not who or flow.owner == who]
    names = [flow.name if who else f"{flow.name} of {flow.owner}" for flow in flows]
    when = period_name(wanted.period, now.result.when)
    title = f"{whose} in {when}, {'as planned in this round' if now.sharing else 'as committed to'}"
    rows = device_rows(flows, names, wanted.period, now.result.dt_h)
    if len(flows) > len(rows):
        title += f"; the first {len(rows)} of {len(flows)} have a row"
    return title, devices_chart(now, flows, names), rows


def _basis(now: Snapshot) -> str:
    """Which schedule balances and trades are of."""
    if now.sharing:
        return "as offered in this round; nothing is delivered yet"
    return "as delivered" if now.result.bid_kw.any() or now.trade_kw.any() else "nothing is delivered yet"
