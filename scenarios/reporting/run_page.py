"""The page of a run: how it ended, what is proven, and what it found; of one that stopped early, what is there."""

from __future__ import annotations

from pathlib import Path

from ..study.drawing import style
from . import run_figures
from .accuracy import bound, cost_within_usd, last_place, welfare_within_usd
from .kpi_list import present, written
from .pages import PageTable, Picture, Section, write_page
from .run_tables import bill_table, origin_table, prosumer_table
from .savings import Savings
from .stored_run import StoredRun

_MANY = 12  # prosumers that have a balance each; of more, all together and those that trade most
_MOST = 6


def write_run_page(run: StoredRun, file: Path | None = None, savings: Savings | None = None) -> Path:
    """Write the page of a run, `report.html` in its folder by default.

    Args:
        run: The run, ended or not.
        file: Where the page goes.
        savings: What sharing saves, if a run without it was there to compare.

    Returns:
        The page.

    Raises:
        InputError: A table of the run is broken.
        OSError: The page cannot be written.
    """
    page = file or run.folder / "report.html"
    with style():
        sections = [section for section in _sections(run, savings) if section]
    write_page(page, run.title, _lead(run), sections, good=run.settled)
    return page


def _lead(run: StoredRun) -> list[str]:
    lead = [_sentence(run.message)]
    if run.kpis:
        lead.append(_sentence(str(run.kpis["certificate"])))
    if not run.delivered:
        lead.append("No schedule was delivered: what is shown is what was found on the way, and nothing is proven of it.")
    within, cost = welfare_within_usd(run), cost_within_usd(run) if run.delivered else None
    if within is not None and cost is not None:
        known = f"welfare within {bound(within)}, costs within {bound(cost)} (they change in first order, it in second)"
        lead.append(f"Amounts have the digits that the certificate leaves known: {known}.")
    return lead


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _sections(run: StoredRun, savings: Savings | None) -> list[Section | None]:
    """The page from top to bottom; None for what the run has nothing of."""
    return [
        _key_figures(run, savings),
        _balances(run),
        Section(
            "Prosumers",
            ("Cost is bids at the LMP, fees, charges and payments for trades, less the utility of elastic loads.",),
            tables=(prosumer_table(run, savings),),
        )
        if run.delivered
        else None,
        _drawn(run, "Prices", ("prices",), run_figures.price_figure, "LMPs of all buses and sharing prices."),
        _drawn(
            run, "Voltages and lines", ("buses", "lines"), run_figures.network_figure, "Voltages and line loading."
        ),
        Section("Bills", ("Above 0: received. Below 0: paid.",), tables=(bill_table(run),))
        if run.delivered and "bills" in run.tables
        else None,
        _drawn(
            run, "Convergence", ("rounds",), run_figures.convergence_figure, "Residuals and regret, round by round."
        ),
        Section("What was run", tables=(origin_table(run),)),
    ]


def _key_figures(run: StoredRun, savings: Savings | None) -> Section | None:
    if not run.kpis:
        return Section("Key figures", (f"The run ({run.outcome}) has left no results yet.",))
    within = {"welfare": welfare_within_usd(run), "cost": cost_within_usd(run) if run.delivered else None}
    shown = present(run.kpis)
    cells = [
        (kpi.label, written(kpi, run.kpis[kpi.key], last_place(within.get(kpi.bounded_by)))) for kpi in shown
    ]
    texts = ()
    if savings:
        known = savings.total_within_usd
        saved = written_dollars(savings.total_usd, known)
        cells.append(("saved by sharing", saved))
        cells.append(("Jain's index of savings", "not known" if savings.fairness is None else f"{savings.fairness:.2f}"))
    return Section("Key figures", texts, figures=cells)


def _balances(run: StoredRun) -> Section | None:
    """Who generates, buys, sells and consumes: all together first where there are many."""
    if "prosumers" not in run.tables:
        return None
    names, texts = run.prosumers, ()
    pictures = []
    if len(names) > _MANY:
        traded = run.table("prosumers").groupby("prosumer")["net_trade_kw"].apply(lambda kw: kw.abs().sum())
        names = [str(name) for name in traded.sort_values(ascending=False, kind="stable").index[:_MOST]]
        pictures = [Picture.of(run_figures.balance_figure(run), f"All {len(run.prosumers)} prosumers together.")]
    pictures += [Picture.of(run_figures.balance_figure(run, name), f"Power balance and prices of {name}.") for name in names]
    return Section("Power balances", texts, pictures=pictures)
