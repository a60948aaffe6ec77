"""The table of a league: one row for each prosumer on each day of each match, with what it gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ..runs.kpis import jain_index
from ..sweeping.keeping import Row
from .match import Kind, Match

CONFIDENCE = 0.95
Key = tuple[int, int, int]
"""Parts, case and seed: what the truthful market of a match has in common with it."""


def table(matches: Sequence[Match], rows: Mapping[int, Row]) -> pd.DataFrame:
    """The matches that have been played, one row for each prosumer on each day; one row of a match that failed.

    Columns: match, kind, case, parts, field (who acts otherwise, and how), seed, outcome, message; then

    - day: from 1.
    - prosumer, behaviour: who, and how it acts.
    - cost_usd: what it paid on the whole, payments included, less the true utility of what it consumed.
    - gain_usd: the cost of the same prosumer on the same day with everybody truthful, less that. known_to_usd: by how
      much the gain may differ from that of the equilibria, as the two certificates tell.
    - others_lost_usd: what all others have lost together. others_known_to_usd: likewise.
    - welfare_loss_usd, dso_cost_change_usd, together_known_to_usd: of the market as a whole, the same in all its rows.
    - jain: fairness, Jain's index of what each saves by sharing, against Case 1 with everybody truthful; none where
      somebody loses by it, or nobody saves.
    - published: how many numbers it told others until the market was settled (the message log).
    - percent: what it shades by, where that was searched for.
    """
    truths = {_key(match): rows[match.number]["days"] for match in matches if _is_truth(match, rows)}
    cells = [cell for match in matches if match.number in rows for cell in _rows_of(match, rows[match.number], truths)]
    return pd.DataFrame(cells, columns=_COLUMNS)


_TOLD = ["match", "kind", "case", "parts", "field", "seed", "outcome", "message"]
_FOUND = ["day", "prosumer", "behaviour", "cost_usd", "gain_usd", "known_to_usd", "others_lost_usd"]
_MARKET = ["others_known_to_usd", "welfare_loss_usd", "dso_cost_usd", "dso_cost_change_usd", "together_known_to_usd"]
_COLUMNS = [*_TOLD, *_FOUND, *_MARKET, "jain", "published", "percent"]


def _key(match: Match) -> Key:
    return match.parts, match.case, match.seed


def _is_truth(match: Match, rows: Mapping[int, Row]) -> bool:
    return match.kind is Kind.TRUTH and bool(rows.get(match.number, {}).get("days"))


def _rows_of(match: Match, row: Row, truths: Mapping[Key, list[Row]]) -> list[dict[str, Any]]:
    """The rows of a match."""
    field = ", ".join(f"{name}={text}" for name, text in match.behaviours.items())
    told = dict(
        zip(_TOLD[:6], (match.number, match.kind.value, match.case, match.parts, field, match.seed), strict=True)
    )
    told |= {"outcome": row["outcome"], "message": row["message"]}
    days = [cell for k, day in enumerate(row["days"], start=1) for cell in _day(match, row, day, k, truths)]
    return [told | cell for cell in days] or [told]


def _day(match: Match, row: Row, day: Row, number: int, truths: Mapping[Key, list[Row]]) -> list[dict[str, Any]]:
    """The rows of a day; without gains where the truthful market has not settled."""
    days = truths.get(_key(match), [])
    truth = days[min(number, len(days)) - 1] if days else None
    alone = truths.get((1, 1, 0), [None])[0]
    market = {**_market(day, truth), "day": number, "jain": _jain(day, alone)}
    found: list[dict[str, Any]] = [{**_gains(day, truth, i), **market} for i in range(len(day["prosumers"]))]
    percents = row.get("percents", {})
    for i, name in enumerate(day["prosumers"]):
        acts = match.behaviours.get(name, "PriceTaker")
        found[i] |= {"prosumer": name, "behaviour": acts, "cost_usd": day["cost_usd"][i]}
        found[i] |= {"published": day["published"][i], "percent": percents.get(name)}
    return found


def _gains(day: Row, truth: Row | None, i: int) -> dict[str, float]:
    """What a prosumer has gained, and the others lost."""
    if truth is None:
        return {}
    gain = np.array(truth["cost_usd"], float) - np.array(day["cost_usd"], float)
    known = np.array(truth["known_to_usd"], float) + np.array(day["known_to_usd"], float)
    return {
        "gain_usd": float(gain[i]),
        "known_to_usd": float(known[i]),
        "others_lost_usd": float(gain[i] - gain.sum()),
        "others_known_to_usd": float(known.sum() - known[i]),
    }


def _market(day: Row, truth: Row | None) -> dict[str, float]:
    """What the market as a whole has lost."""
    if truth is None:
        return {"dso_cost_usd": day["dso_cost_usd"]}
    return {
        "welfare_loss_usd": truth["welfare_usd"] - day["welfare_usd"],
        "dso_cost_usd": day["dso_cost_usd"],
        "dso_cost_change_usd": day["dso_cost_usd"] - truth["dso_cost_usd"],
        "together_known_to_usd": truth["together_known_to_usd"] + day["together_known_to_usd"],
    }


def _jain(day: Row, alone: Row | None) -> float | None:
    if alone is None or alone["prosumers"] != day["prosumers"]:
        return None
    return jain_index(np.array(alone["cost_usd"], float) - np.array(day["cost_usd"], float))


def by_seat(frame: pd.DataFrame) -> pd.DataFrame:
    """What each behaviour gains in each seat against truthful others, one row for each case, behaviour and seat.

    Of several days the last one counts. Where chance was drawn several times, amounts are means of the draws. What each
    is known to is what the certificates leave open at the most (`known_to_usd`, `others_known_to_usd`,
    `together_known_to_usd`, as in `table`) and, of draws, half the width of the 95 % confidence interval of their mean
    by Student's t beside it.
    """
    alone = frame[(frame["kind"] == Kind.SEAT) & (frame["behaviour"] != "PriceTaker") & frame["gain_usd"].notna()]
    groups = last_day(alone[alone["outcome"] == "settled"]).groupby(["case", "behaviour", "prosumer"], sort=False)
    seats = groups[[*_KNOWN, "dso_cost_change_usd", "published"]].mean()
    for amount, known in _KNOWN.items():
        seats[known] = groups[known].max() + groups[amount].agg(half_width)
    return seats.reset_index()


_KNOWN = {
    "gain_usd": "known_to_usd",
    "others_lost_usd": "others_known_to_usd",
    "welfare_loss_usd": "together_known_to_usd",
}


def half_width(values: pd.Series[float]) -> float:
    """Half the width of the 95 % confidence interval of the mean of these, by Student's t; 0 of one value."""
    count = len(values)
    if count < 2:
        return 0.0
    return float(student.ppf((1 + CONFIDENCE) / 2, count - 1) * values.std(ddof=1) / np.sqrt(count))


def shaders(frame: pd.DataFrame, members: int) -> pd.DataFrame:
    """The members of all rings of so many, one row for each, with what it shades by and gains."""
    found = frame[(frame["kind"] == Kind.RING) & frame["percent"].notna() & frame["gain_usd"].notna()]
    return found[found.groupby("match")["prosumer"].transform("size") == members]


def last_day(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last day of each match."""
    return frame[frame["day"] == frame.groupby("match")["day"].transform("max")]


def grouped(frame: pd.DataFrame, key: str) -> list[tuple[Any, pd.DataFrame]]:
    """The rows by a value of theirs, in the order in which the values come."""
    return list(frame.groupby(key, sort=False))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as mappings."""
    rows: Any = frame.to_dict("records")
    return list(rows)
