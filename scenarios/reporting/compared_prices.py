"""Prices of two runs: their means, and where they differ most."""

from __future__ import annotations

from ...network.calendars import Calendar
from ...network.periods import period_name
from .differences import Difference
from .stored_run import StoredRun

_UNIT = "$/kWh"


def price_differences(first: StoredRun, other: StoredRun) -> list[Difference]:
    """The mean LMP and sharing price of two runs with the same periods, and where either differs most.

    No certificate bounds prices: the differences stand as they were found.
    """
    lmp = _differences(first, other, "prices", "bus", "lmp_usd_per_kwh", "LMP")
    return lmp + _differences(first, other, "trades", "link", "price_usd_per_kwh", "price")


def _differences(
    first: StoredRun, other: StoredRun, table: str, place: str, column: str, label: str
) -> list[Difference]:
    """Of a table with one row per place and period, the places that both runs have."""
    if not all(table in run.tables for run in (first, other)):
        return []
    ours, theirs = (run.table(table).set_index([place, "period"])[column] for run in (first, other))
    both = ours.index.intersection(theirs.index, sort=False)
    if not len(both):
        return []
    ours, theirs = ours[both], theirs[both]
    found = [Difference("prices", f"{label}, mean", _UNIT, float(ours.mean()), float(theirs.mean()))]
    apart = (theirs - ours).abs()
    if not apart.max() > 0:
        return found
    row = int(apart.to_numpy().argmax())
    name, period = both[row]
    when = first.when
    where = f"{label} {name}, {period_name(period - 1, when) if isinstance(when, Calendar) else f'period {period}'}"
    return [*found, Difference("prices", where, _UNIT, float(ours.iloc[row]), float(theirs.iloc[row]))]
