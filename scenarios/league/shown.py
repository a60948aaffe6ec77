"""What a person is shown of a league: who gains by what, in a table and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..files.behaviour_text import parsed
from ..runs.amounts import bound, counted, dollars, money
from ..runs.fitting import Column, FittingTable
from ..sweeping.progress import SweepProgress
from .tables import by_seat, grouped, records, shaders

if TYPE_CHECKING:
    from .league import League

HEADINGS = (
    Column("behaviour"),
    Column("seat", words=True),
    Column("case"),
    Column("gain", "$"),
    Column("within", "$"),
    Column("others", "lost, $"),
    Column("welfare", "lost, $"),
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
    rows: list[tuple[str, ...]] = []
    for seat in records(seats):
        gain = money(seat["gain_usd"], seat["known_to_usd"])
        others = money(seat["others_lost_usd"], seat["others_known_to_usd"])
        welfare = money(seat["welfare_loss_usd"], seat["together_known_to_usd"])
        who = short(seat["behaviour"]), seat["prosumer"], str(seat["case"])
        rows.append((*who, gain, bound(seat["known_to_usd"])[1:], others, welfare, f"{seat['published']:,.0f}"))
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
    said = [_most(case, some) for case, some in grouped(by_seat(league.frame), "case")]
    return [*said, *_rings(league.frame), *_sizes(league.frame), *_failures(league.frame)]


def _most(case: int, seats: pd.DataFrame) -> str:
    """The most that anybody gains alone in a case."""
    best = max(records(seats), key=lambda seat: seat["gain_usd"])
    within = best["known_to_usd"]
    if best["gain_usd"] <= within:
        return f"Case {case}: nobody gains by any of these behaviours alone, as far as is known"
    gain = f"{dollars(best['gain_usd'], within)} (known to {bound(within)})"
    return f"Case {case}: {best['prosumer']} gains most, {gain}, by {short(best['behaviour'])}"


def _rings(frame: pd.DataFrame) -> list[str]:
    """What the best ring of each case gains together."""
    said = []
    for case, rows in grouped(shaders(frame, members=2), "case"):
        rings = [ring for _, ring in grouped(rows, "match")]
        best = max(rings, key=lambda ring: float(ring["gain_usd"].sum()))
        gain, within = (float(best[key].sum()) for key in ("gain_usd", "known_to_usd"))
        who = " and ".join(f"{row['prosumer']} by {row['percent']:.3g} %" for row in records(best))
        told = f"{dollars(gain, within)} together (known to {bound(within)})"
        said.append(f"Case {case}: the best ring shades {who} and gains {told}")
    return said


def _sizes(frame: pd.DataFrame) -> list[str]:
    """How the gain of the best shading shrinks with more, smaller prosumers: what the whole prosumer would gain."""
    said = []
    for case, rows in grouped(shaders(frame, members=1), "case"):
        parts = []
        for count, some in grouped(rows, "parts"):
            best = max(records(some), key=lambda row: row["gain_usd"])
            gain, within = count * best["gain_usd"], count * best["known_to_usd"]
            parts.append(f"{dollars(gain, within)} (known to {bound(within)}) with {count}")
        said.append(f"Case {case}: the best shading of one part of n, times n, gains {', '.join(parts)}")
    return said


def _failures(frame: pd.DataFrame) -> list[str]:
    """How many matches have brought nothing."""
    failed = frame[frame["outcome"] != "settled"].drop_duplicates("match")
    if failed.empty:
        return []
    first = records(failed)[0]
    return [f"{counted(len(failed), 'match has', 'matches have')} not settled; first of all {first['message']}"]
