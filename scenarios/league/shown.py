"""What a person is shown of a league: who gains by what, in a table and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..files.behaviour_text import parsed
from ..reporting.accuracy import bound
from ..runs.amounts import counted, dollars, money
from ..runs.fitting import Column, FittingTable
from ..sweeping.progress import SweepProgress
from .match import Kind
from .tables import by_seat

if TYPE_CHECKING:
    from .league import League

HEADINGS = (
    Column("behaviour"),
    Column("seat", words=True),
    Column("case"),
    Column("gain", "$"),
    Column("within", "$"),
    Column("others lost", "$"),
    Column("welfare lost", "$"),
    Column("told", "numbers"),
)


class LeagueProgress(SweepProgress):
    """Tells of every match that has ended."""

    noun, nouns, table = "match", "matches", "league.csv"


def seat_rows(seats: pd.DataFrame) -> list[tuple[str, ...]]:
    """The rows of the table of seats: every amount without digits that are not known.

    "within" is what the certificates leave open of the gain, and where chance was drawn several times half the width
    of the 95 % confidence interval beside it.
    """
    rows = []
    for seat in seats.itertuples():
        within = seat.known_to_usd + seat.interval_usd
        amounts = (money(usd, within) for usd in (seat.gain_usd, seat.others_lost_usd, seat.welfare_loss_usd))
        gain, others, welfare = amounts
        told = f"{seat.published:,.0f}"
        name = short(str(seat.behaviour))
        rows.append((name, str(seat.prosumer), str(seat.case), gain, bound(within)[1:], others, welfare, told))
    return rows


def short(text: str) -> str:
    """A behaviour as tables name it: without the path of its file."""
    name, given = parsed(text)
    values = ", ".join(f"{key}={value!r}" for key, value in given.items())
    return name.rpartition(":")[2] + (f"({values})" if values else "")


def seat_table(league: League) -> FittingTable:
    """What each behaviour gains in each seat against truthful others."""
    seats = by_seat(league.frame)
    return FittingTable(
        "what a prosumer gains that is no price taker, against price takers", HEADINGS, seat_rows(seats)
    )


def statements(league: League) -> list[str]:
    """The answers of a league: the most that anybody gains by lying in each case, what rings gain, and with many."""
    seats, said = by_seat(league.frame), []
    for case, some in seats.groupby("case"):
        best = some.loc[some["gain_usd"].idxmax()]
        within = float(best["known_to_usd"] + best["interval_usd"])
        if best["gain_usd"] > within:
            gain = f"{best['prosumer']} gains most, {dollars(best['gain_usd'], within)} (known to {bound(within)})"
            said.append(f"Case {case}: {gain}, by {short(best['behaviour'])}")
        else:
            said.append(f"Case {case}: nobody gains by any of these behaviours alone, as far as is known")
    return [*said, *_rings(league.frame), *_sizes(league.frame), *_failures(league.frame)]


def _rings(frame: pd.DataFrame) -> list[str]:
    """What the best ring of each case gains together."""
    members = frame[(frame["kind"] == Kind.RING) & (frame["parts"] == 1) & frame["percent"].notna()]
    pairs = members.groupby(["case", "match"]).filter(lambda rows: len(rows) > 1)
    said = []
    for case, rows in pairs.groupby("case"):
        total = rows.groupby("match")[["gain_usd", "known_to_usd"]].sum()
        best = rows[rows["match"] == total["gain_usd"].idxmax()]
        gain, within = float(total["gain_usd"].max()), float(total.loc[total["gain_usd"].idxmax(), "known_to_usd"])
        who = " and ".join(f"{row.prosumer} by {row.percent:.3g} %" for row in best.itertuples())
        said.append(f"Case {case}: the best ring shades {who} and gains {dollars(gain, within)} together")
    return said


def _sizes(frame: pd.DataFrame) -> list[str]:
    """How the gain of the best shading shrinks with more, smaller prosumers."""
    alone = frame[(frame["kind"] == Kind.RING) & frame["percent"].notna()]
    alone = alone.groupby("match").filter(lambda rows: len(rows) == 1)
    said = []
    for case, rows in alone.groupby("case"):
        parts = [
            f"{dollars(float((some['gain_usd'] * n).max()), float((some['known_to_usd'] * n).min()))} with {n}"
            for n, some in rows.groupby("parts")
        ]
        said.append(f"Case {case}: the best shading of one prosumer in n gains, times n: {', '.join(parts)}")
    return said


def _failures(frame: pd.DataFrame) -> list[str]:
    """How many matches have brought nothing."""
    failed = frame[frame["outcome"] != "settled"].drop_duplicates("match")
    if failed.empty:
        return []
    first = failed.iloc[0]
    return [f"{counted(len(failed), 'match has', 'matches have')} not settled; first of all {first['message']}"]
