"""The report of a study: one page that needs nothing but itself, the figures as PNG and SVG, the tables as CSV."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ...market.result import Result
from ..drawing.html_page import page_of
from . import figures
from .cobweb_figure import cobweb_figure
from .drawing import rendered, style
from .feeder_figure import feeder_caption, feeder_figure
from .findings import PLAIN_TOLERANCE, Study
from .schedule_figures import balance_figure, largest_traders
from .tables import tables

_MANY = 6  # as many power balances as a page shows


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure of the page.

    Attributes:
        name: Its file name.
        caption: What it shows.
        svg, png: The figure; empty where there is none.
        missing: Why there is none.
    """

    name: str
    caption: str
    svg: bytes = b""
    png: bytes = b""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page; tables are named by their CSV file."""

    title: str
    texts: tuple[str, ...] = ()
    shown: tuple[Shown, ...] = ()
    tables: tuple[str, ...] = field(default=())


def write_report(study: Study, folder: Path) -> Path:
    """Write the page, `figures/` and `tables/` into a folder.

    Returns:
        The page.
    """
    made = tables(study)
    (folder / "tables").mkdir(exist_ok=True)
    for name, frame in made.items():
        frame.to_csv(folder / "tables" / f"{name}.csv", index=False)
    with style():
        sections = _sections(study)
    for shown in (shown for section in sections for shown in section.shown if shown.svg):
        (folder / "figures").mkdir(exist_ok=True)
        (folder / "figures" / f"{shown.name}.svg").write_bytes(shown.svg)
        (folder / "figures" / f"{shown.name}.png").write_bytes(shown.png)
    page = folder / "report.html"
    page.write_text(_page(study, sections, made), encoding="utf-8")
    return page


_COBWEB_TEXTS = (
    "The price curve is what the DSO announces for each bid of one prosumer in one hour, the demand curve what that "
    "prosumer bids at each price, both traced from the model while all others rest and nobody shares. The steps are "
    "those of Algorithm 2 in the same market.",
    "Criterion (28) asks for a demand curve steeper than the price curve, bid by bid; the matrix version asks for a "
    "spectral radius of diag(1 / 2 alpha) dLMP/dbid below 1. Both are local, at the equilibrium: a limit that starts "
    "to bind on the way (a kink of the price curve) can make a run cycle that they let converge, and bids that stand "
    "at their limits do not answer at all. Where there are many prosumers and periods, what happens is tried for those "
    "with the largest ratios.",
)
_WHY_NOT = {
    "figure2_cobweb": "There is no Figure 2: no bid answers to prices, or nobody can do without sharing.",
    "figure5_sharing": "There is no Figure 5: nobody is linked to anybody, so Algorithm 1 has nothing to do.",
    "open_questions": "There is no figure: none of these experiments could be made.",
}
_OUTER_TEXT = (
    "The market settles when the sum of all regrets falls below what market.regret_tolerance allows: that is the "
    "dotted line, at 1. The outer error is what the paper shows; nothing is decided by it. The regret of a step is "
    "that of the schedule cleared in it, and the first step is not certified."
)
_SHARING_CAPTION = (
    "Objectives and residuals per round. Dotted: the tolerances within which partners had to agree in the end; "
    "residuals below a hundredth of them are drawn there."
)
_COLD_TEXT = (
    "Figure 5 starts Algorithm 1 from an empty ledger at the settled LMPs, as a last outer step without memory would; "
    "in the run itself each step goes on from the prices of the step before it, for as long as regrets ask for it."
)
_CASES_TEXT = (
    "Case 1: no sharing. Case 2: the prosumers' problems solved by one planner. Case 3: Algorithm 1. Costs are (11), "
    "bids at the LMP less utility, with what the network and the platform charge for trades; payments between "
    "prosumers are part of Case 3 only, stand apart and sum to zero."
)
_WIRES_TEXT = (
    "The paper's DSO clears for bids; trades between prosumers are contracts that its equation (10) does not see. "
    "Physically each prosumer withdraws its bid and its net trade where it stands. Beside each other: the market of "
    "the paper with its flows as cleared and with the trades, and the one in which the DSO clears for withdrawals and "
    "prosumers pay the LMP on them, so that a trade bears what the network charges for it."
)
_LEDGER_TEXT = (
    "Every message of the run of Case 3, added up by sender and receiver, with all that is in it. Nothing else crosses "
    "between the agents. Needs (where somebody may go short) and books go to the person at the screen."
)


def _balance_figure(result: Result, i: int) -> Figure:
    """The power balance of a prosumer, by index."""
    return balance_figure(result, i, result.device_schedules.flows_of(result.names[i]))


def _sections(study: Study) -> list[Section]:
    """The page from top to bottom."""
    result = study.result
    cobweb = _shown("figure2_cobweb", _cobweb_caption(study), lambda: cobweb_figure(study))
    feeder = _shown("figure3_feeder", feeder_caption(result), lambda: feeder_figure(result))
    outer = _shown("figure4_outer", _outer_caption(study), lambda: figures.outer_figure(study))
    sharing = _shown("figure5_sharing", _SHARING_CAPTION, lambda: figures.sharing_figure(study))
    alpha = _shown("figure9_alpha", _alpha_caption(study), lambda: figures.alpha_figure(study))
    unsettled = _shown("open_questions", "Jacobi rounds, and flat demand.", lambda: figures.open_figure(study))
    balances = tuple(
        _shown(f"balance_{name}", f"Power balance and prices of {name}.", partial(_balance_figure, result, i))
        for i, name in ((i, result.names[i]) for i in largest_traders(result, _MANY))
    )
    most = (f"The {_MANY} prosumers that trade most are shown.",) if len(result.names) > _MANY else ()
    checked = ("Each statement is a comparison with a threshold on this scenario, and can fail.",)
    missing = tuple(f"Left out: {part}, because {why}" for part, why in study.left_out.items())
    criterion = ("criterion",) if study.slopes else ()
    return [
        Section("The paper's statements, point by point", checked + missing, tables=("statements",)),
        Section("Figure 2: does the fixed point converge?", _COBWEB_TEXTS, (cobweb,), criterion),
        Section("Figure 3: the feeder", shown=(feeder,)),
        Section("Figures 4 and 5: convergence", (_OUTER_TEXT, _COLD_TEXT), (outer, sharing)),
        Section("Figures 6 to 8: who generates, buys, sells and consumes", most, balances),
        Section("Table 1: parameters", tables=("table1_market", "table1_prosumers", "table1_generators")),
        Section("Table 2: costs in the three cases", (_CASES_TEXT,), tables=("table2_costs",)),
        Section("Do trades load the wires?", (_WIRES_TEXT,), tables=("network_use",)),
        Section("Figure 9: the role of alpha", shown=(alpha,)),
        Section("What the paper leaves open", shown=(unsettled,), tables=("open_questions",)),
        Section("Who saw what", (_LEDGER_TEXT,), tables=("who_saw_what", "messages")),
        Section("How long each experiment took", tables=("seconds",)),
    ]


def _shown(name: str, caption: str, draw: Callable[[], Figure | None]) -> Shown:
    """A figure as files; where it cannot be drawn, why: all else on the page is worth as much without it."""
    try:
        figure = draw()
        if figure is None:
            return Shown(name, caption, missing=_WHY_NOT[name])
        return Shown(name, caption, *rendered(figure))
    except Exception as error:
        why = f"{name} could not be drawn, which is a defect of gridbazaar ({type(error).__name__}: {error})."
        return Shown(name, caption, missing=why)


def _cobweb_caption(study: Study) -> str:
    gone = [part for part in study.left_out if "cobweb" in part]
    more = f" Left out: {', '.join(gone)}." if gone else ""
    return f"Demand curve, price curve, steps of Algorithm 2; the insets enlarge the crossing and the last steps.{more}"


def _outer_caption(study: Study) -> str:
    runs = {study.method: study.base} | ({"plain": study.plain[1.0]} if 1.0 in study.plain else {})
    further = f" plain goes on to {PLAIN_TOLERANCE:g}, for the sake of the error curve."
    proven = [
        f"{method} {'never' if run.proven_in is None else f'in iteration {run.proven_in}'}"
        for method, run in runs.items()
    ]
    return (
        "Outer error, regret and DN operating cost per iteration. Dotted: the tolerance that decides, "
        f"market.regret_tolerance {study.scenario.settings.regret_tolerance:g} of the turnover; the certificate fell "
        f"below it: {', '.join(proven)}.{'' if list(runs) == [study.method] else further}"
    )


def _alpha_caption(study: Study) -> str:
    return (
        "Outer error and regret for alpha, 1.5 alpha and 2 alpha. Dotted: the tolerance that decides, "
        f"market.regret_tolerance {study.scenario.settings.regret_tolerance:g} of the turnover."
    )


def _page(study: Study, sections: list[Section], made: Mapping[str, pd.DataFrame]) -> str:
    result = study.result
    calibrated = ", which are calibrated so that the paper's observations hold together"
    return page_of(
        __package__,
        "report.html.j2",
        title=study.scenario.title or study.name,
        verdict=" ".join(f"{said[0].upper()}{said[1:]}." for said in (study.base.message, str(result.certificate))),
        calibrated=calibrated if study.name == "ieee33" else "",
        seconds=f"{sum(study.seconds.values()):.1f}",
        sections=[_rendered(section, made) for section in sections],
    )


def _rendered(section: Section, made: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    drawn = [shown for shown in section.shown if shown.svg]
    return {
        "title": section.title,
        "texts": section.texts + tuple(shown.missing for shown in section.shown if shown.missing),
        "figures": [{"caption": shown.caption, "svg": b64encode(shown.svg).decode()} for shown in drawn],
        "tables": [_cells(name, made[name]) for name in section.tables],
    }


def _cells(name: str, frame: pd.DataFrame) -> dict[str, object]:
    """A table as the CSV has it: the same text in every cell."""
    lines = pd.read_csv(StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False)
    words = [k for k, column in enumerate(lines.columns) if pd.to_numeric(lines[column], errors="coerce").isna().all()]
    return {"name": name, "headings": list(lines.columns), "rows": lines.to_numpy().tolist(), "words": words}
