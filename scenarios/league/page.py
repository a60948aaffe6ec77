"""The page of a league: its answers, its figures and its tables, in one file that needs nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ..reporting.pages import PageTable, Picture, Section, write_page
from ..runs.amounts import counted, money
from ..study.drawing import file_of
from .figures import gain_figure, learning_figure
from .league import League
from .match import Kind
from .shown import HEADINGS, seat_rows, short, statements
from .tables import by_seat, last_day, records

_HOW = (
    "Gains are what a prosumer paid on the whole, payments included and less the true utility of what it consumed, "
    "when everybody took prices, less the same now. Each is known to what the certificates of the two markets leave "
    "open; where chance was drawn several times, to that and the 95 % confidence interval of the mean (Student's t)."
)
_FIELDS = "Every prosumer acts on a behaviour that was drawn for it, or all learn; gains are those of the last day."
_RINGS = "Members shade so that they pay least together: the best joint declaration that a search has found."
_GAINS = "Gains by behaviour and seat, against price takers; whiskers: what is left open."
_LEARNING = "Gains of behaviours that learn, by day; means of the draws."


def write_league_page(league: League) -> Path:
    """Write `league.html` and `league.svg` into the folder of a league.

    Returns:
        The page.

    Raises:
        OSError: It cannot be written.
    """
    pictures = {_GAINS: gain_figure(league.frame), _LEARNING: learning_figure(league.frame)}
    drawn = pictures[_GAINS]
    if drawn:
        (league.folder / "league.svg").write_bytes(file_of(drawn, "svg"))
    page = league.folder / "league.html"
    counts = league.frame.drop_duplicates("match")["outcome"].value_counts()
    played = f"{counted(int(counts.sum()), 'match', 'matches')}: " + ", ".join(
        f"{n:,} {what}" for what, n in counts.items()
    )
    write_page(
        page,
        f"What lying gains: {Path(league.plan.scenario).stem}",
        [*statements(league), played],
        _sections(league, pictures),
    )
    return page


def _sections(league: League, pictures: dict[str, Figure | None]) -> list[Section]:
    """The sections of the page."""
    headings = [f"{column.heading}, {column.unit}" if column.unit else column.heading for column in HEADINGS]
    seats = PageTable(headings, seat_rows(by_seat(league.frame)), (0, 1))
    drawn = [Picture.of(figure, caption) for caption, figure in pictures.items() if figure]
    frame = league.frame[league.frame["gain_usd"].notna()]
    parts = [Section("Alone against price takers", [_HOW], pictures=drawn, tables=[seats])]
    for title, text, kind in (("Mixed fields", _FIELDS, Kind.FIELD), ("Rings", _RINGS, Kind.RING)):
        some = frame[frame["kind"] == kind]
        if not some.empty:
            parts.append(Section(title, [text], tables=[_match_table(some)]))
    failed = league.frame[league.frame["outcome"] != "settled"].drop_duplicates("match")
    if not failed.empty:
        rows = [(row["field"], str(row["case"]), row["outcome"], row["message"]) for row in records(failed)]
        parts.append(Section("Not settled", tables=[PageTable(("who", "case", "outcome", "why"), rows, (0, 2, 3))]))
    return parts


def _match_table(frame: pd.DataFrame) -> PageTable:
    """The last day of some matches, a row for each prosumer."""
    rows = []
    for row in records(last_day(frame)):
        acts = short(row["behaviour"]) if pd.isna(row["percent"]) else f"shades by {row['percent']:.3g} %"
        gain = money(row["gain_usd"], row["known_to_usd"])
        welfare = money(row["welfare_loss_usd"], row["together_known_to_usd"])
        fair = "" if pd.isna(row["jain"]) else f"{row['jain']:.2f}"
        rows.append((str(row["match"]), str(row["case"]), row["prosumer"], acts, gain, welfare, fair))
    headings = ("match", "case", "prosumer", "acts as", "gain, $", "welfare lost, $", "fairness of savings (Jain)")
    return PageTable(headings, rows, (2, 3))
