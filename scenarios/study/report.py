"""The report of a study: one page that needs nothing but itself, the figures as PNG and SVG, the tables as CSV."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from io import StringIO
from pathlib import Path

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from . import figures
from .drawing import rendered, style
from .findings import Study
from .schedule_figures import balance_figures, feeder_figure
from .tables import tables

_MANY = 6  # as many power balances as a page shows


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure of the page: file name, caption, and the figure; None with why there is none in the caption's place."""

    name: str
    caption: str
    figure: Figure | None


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
        pictures = {shown.name: _save(shown, folder / "figures") for section in sections for shown in section.shown}
    page = folder / "report.html"
    page.write_text(_page(study, sections, made, pictures), encoding="utf-8")
    return page


_COBWEB_TEXTS = (
    "The price curve is what the DSO announces for each bid of one prosumer in one hour, the demand curve what that "
    "prosumer bids at each price, both traced from the model while all others rest and nobody shares. The steps are "
    "those of Algorithm 2 in the same market.",
    "Criterion (28) asks for a demand curve steeper than the price curve, bid by bid; the matrix version asks for a "
    "spectral radius of diag(1 / 2 alpha) dLMP/dbid below 1. Both are local, at the equilibrium: a limit that starts "
    "to bind on the way (a kink of the price curve) can make a run cycle that they let converge, and bids that stand "
    "at their limits do not answer at all.",
)
_WHY_NOT = {
    "figure2_cobweb": "There is no cobweb to draw: no bid answers to prices, or nobody can do without sharing.",
    "figure5_sharing": "There is no Figure 5: nobody is linked to anybody, so Algorithm 1 has nothing to do.",
}
_COLD_TEXT = (
    "Figure 5 starts Algorithm 1 from an empty ledger at the settled LMPs, as a last outer step without memory would; "
    "in the run itself each step goes on from the prices of the step before it and needs fewer rounds."
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


def _sections(study: Study) -> list[Section]:
    """The page from top to bottom."""
    cobweb = Shown("figure2_cobweb", "Demand curve, price curve, steps of Algorithm 2.", figures.cobweb_figure(study))
    feeder = Shown(
        "figure3_feeder", "One-line diagram; colour: LMP, mean over the periods.", feeder_figure(study.result)
    )
    outer = Shown("figure4_outer", "Outer error and DN operating cost per iteration.", figures.outer_figure(study))
    sharing = Shown("figure5_sharing", "Objectives and residuals per round.", figures.sharing_figure(study))
    alpha = Shown("figure9_alpha", "Outer error for alpha, 1.5 alpha and 2 alpha.", figures.alpha_figure(study))
    unsettled = Shown("open_questions", "Jacobi rounds, and flat demand.", figures.open_figure(study))
    balances = tuple(
        Shown(f"balance_{name}", f"Power balance and prices of {name}.", drawn)
        for name, drawn in balance_figures(study.result, most=_MANY).items()
    )
    most = (f"The {_MANY} prosumers that trade most are shown.",) if len(study.result.names) > _MANY else ()
    checked = ("Each statement is checked on this scenario and can fail.",)
    missing = tuple(f"Left out: {part}, because {why}" for part, why in study.left_out.items())
    criterion = ("criterion",) if study.slopes else ()
    return [
        Section("The paper's statements, point by point", checked + missing, tables=("statements",)),
        Section("Figure 2: does the fixed point converge?", _COBWEB_TEXTS, (cobweb,), criterion),
        Section("Figure 3: the feeder", shown=(feeder,)),
        Section("Figures 4 and 5: convergence", (_COLD_TEXT,), (outer, sharing)),
        Section("Figures 6 to 8: who generates, buys, sells and consumes", most, balances),
        Section("Table 1: parameters", tables=("table1_market", "table1_prosumers", "table1_generators")),
        Section("Table 2: costs in the three cases", (_CASES_TEXT,), tables=("table2_costs",)),
        Section("Do trades load the wires?", (_WIRES_TEXT,), tables=("network_use",)),
        Section("Figure 9: the role of alpha", shown=(alpha,)),
        Section("What the paper leaves open", shown=(unsettled,), tables=("open_questions",)),
        Section("Who saw what", (_LEDGER_TEXT,), tables=("who_saw_what", "messages")),
        Section("How long each part took", tables=("seconds",)),
    ]


def _save(shown: Shown, folder: Path) -> str:
    """Save a figure as PNG and SVG; the SVG in base64 for the page, empty where there is no figure."""
    if shown.figure is None:
        return ""
    folder.mkdir(exist_ok=True)
    svg = rendered(shown.figure, "svg")
    (folder / f"{shown.name}.svg").write_bytes(svg)
    (folder / f"{shown.name}.png").write_bytes(rendered(shown.figure, "png"))
    return b64encode(svg).decode()


def _page(study: Study, sections: list[Section], made: Mapping[str, pd.DataFrame], pictures: Mapping[str, str]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8"))
    result = study.result
    calibrated = ", which are calibrated so that the paper's observations hold together"
    return template.render(
        title=study.scenario.title or study.name,
        verdict=" ".join(f"{said[0].upper()}{said[1:]}." for said in (result.message, str(result.certificate))),
        calibrated=calibrated if study.name == "ieee33" else "",
        version=version("gridbazaar"),
        date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        seconds=f"{sum(study.seconds.values()):.1f}",
        sections=[_rendered(section, made, pictures) for section in sections],
    )


def _rendered(section: Section, made: Mapping[str, pd.DataFrame], pictures: Mapping[str, str]) -> dict[str, object]:
    drawn = [shown for shown in section.shown if shown.figure is not None]
    missing = tuple(f"{_WHY_NOT[shown.name]}" for shown in section.shown if shown.figure is None)
    return {
        "title": section.title,
        "texts": section.texts + missing,
        "figures": [{"caption": shown.caption, "svg": pictures[shown.name]} for shown in drawn],
        "tables": [_cells(name, made[name]) for name in section.tables],
    }


def _cells(name: str, frame: pd.DataFrame) -> dict[str, object]:
    """A table as the CSV has it: the same text in every cell."""
    lines = pd.read_csv(StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False)
    words = [k for k, column in enumerate(lines.columns) if pd.to_numeric(lines[column], errors="coerce").isna().all()]
    return {"name": name, "headings": list(lines.columns), "rows": lines.to_numpy().tolist(), "words": words}
