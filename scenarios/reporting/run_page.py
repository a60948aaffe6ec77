"""The page of a run: how it ended, what is proven, and what it found; of one that stopped early, what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..runs.amounts import bound, dollars, last_place
from ..study.drawing import style
from . import run_figures
from .accuracy import cost_within_usd, digits_within_usd, optimum_within_usd, welfare_within_usd
from .device_figures import device_figure, device_table
from .feeder_picture import feeder_picture
from .kpi_list import present, written
from .pages import Picture, Section, write_page
from .rolling_section import UNTOLD, rolling_section
from .run_tables import balance_table, origin_table, payment_table, prosumer_table
from .savings import Savings
from .stored_run import StoredRun
from .stored_schedule import StoredSchedule, balance_of

_TOTAL_TEXT = (
    "The total is what bids at the LMP, fees, charges, devices and trades come to, less the utility of the elastic "
    "load; below 0 is better than to pay nothing."
)
_DRAWN: tuple[tuple[str, set[str], Callable[[StoredRun], Figure], str], ...] = (
    ("Prices", {"prices"}, run_figures.price_figure, "LMPs of all buses, and what partners pay each other."),
    ("Voltages and lines", {"buses", "lines"}, run_figures.network_figure, "Voltages, and the lines used most."),
    ("Convergence", {"rounds"}, run_figures.convergence_figure, "Residuals of Algorithm 1 and regret, round by round."),
)
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
        sections = [*_sections(run, savings)]
    write_page(page, run.title, _lead(run), sections, good=run.settled)
    return page


def _lead(run: StoredRun) -> list[str]:
    lead = [_sentence(run.message)]
    if run.kpis:
        lead.append(_sentence(str(run.kpis["certificate"])))
    if not run.delivered:
        lead.append("No schedule was delivered: what is shown is the last clearing, and nothing is proven of it.")
    cost = cost_within_usd(run) if run.delivered else None
    if cost is not None:
        lead.append(
            f"Costs are known within {bound(cost)}: the certificate bounds the welfare, and costs change faster than "
            "that near the optimum. Digits that are not known are left out."
        )
    return lead


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _sections(run: StoredRun, savings: Savings | None) -> Iterator[Section]:
    """The page from top to bottom, as far as the run has come."""
    yield _key_figures(run, savings)
    if "windows" in run.tables:
        yield rolling_section(run)
    if {"prices", "prosumers", "lines", "trades"} <= set(run.tables):
        yield Section("The feeder", pictures=(feeder_picture(run),))
    if run.delivered and {"prosumers", "trades"} <= set(run.tables):
        yield _balances(run)
    if run.delivered and "total_usd_by_prosumer" in run.kpis:
        texts = [_TOTAL_TEXT, *([UNTOLD] if "imbalance_usd" in run.kpis else [])]
        yield Section("Prosumers", texts, tables=(prosumer_table(run, savings),))
    if run.delivered and "devices" in run.tables:
        yield _devices(run)
    for title, tables, draw, caption in _DRAWN:
        if tables <= set(run.tables):
            yield Section(title, pictures=(Picture.of(draw(run), caption),))
    if run.delivered and "bills" in run.tables:
        yield Section("Bills", tables=(balance_table(run), payment_table(run)))
    yield Section("What was run", tables=(origin_table(run),))


def _key_figures(run: StoredRun, savings: Savings | None) -> Section:
    if not run.kpis:
        return Section("Key figures", (f"The run ({run.outcome}) has left no results.",))
    costs, welfare = digits_within_usd(run) if run.delivered else None, welfare_within_usd(run)
    within = {"welfare": costs if welfare is None else welfare, "optimum": optimum_within_usd(run), "cost": costs}
    shown = [
        (kpi.label, written(kpi, run.kpis[kpi.key], last_place(within.get(kpi.bounded_by))))
        for kpi in present(run.kpis)
    ]
    texts = [_sentence(savings.said)] if savings else []
    return Section("Key figures", texts, figures=[*shown, *(_saved(savings) if savings else [])])


def _saved(savings: Savings) -> list[tuple[str, str]]:
    """What sharing saves, and how evenly."""
    saved = dollars(savings.total_usd, last_place(savings.total_within_usd))
    return [("saved by sharing", saved), ("Jain's index of savings", savings.fairness_said)]


def _devices(run: StoredRun) -> Section:
    """What devices do, and what each has taken, given and lost."""
    caption = "Power of all devices together, and what the largest hold."
    return Section(
        "Devices",
        [_sentence(said) for said in run.kpis.get("charging_while_discharging", ())],
        tables=(device_table(run),) if "devices" in run.kpis else (),
        pictures=(Picture.of(device_figure(run), caption),),
    )


def _balances(run: StoredRun) -> Section:
    """Who generates, buys, sells and consumes: all together first where there are many."""
    schedule = StoredSchedule.of(run)
    count, pictures, texts = len(schedule.names), [], []
    shown = [*range(count)]
    if count > _MANY:
        shown = [int(i) for i in np.argsort(-schedule.traded_kwh, kind="stable")[:_MOST]]
        texts.append(f"All {count} prosumers together, then the {_MOST} that trade most.")
        everybody = balance_of(schedule.together("all prosumers"), 0)
        pictures.append(Picture.of(everybody, "Power balance of all prosumers, and their mean LMP."))
    for i in shown:
        caption = f"Power balance of {schedule.names[i]}, and its prices."
        pictures.append(Picture.of(balance_of(schedule, i), caption))
    return Section("Power balances", texts, pictures=pictures)
