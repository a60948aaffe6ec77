"""The table of an experiment: one row for each listener and prosumer in each market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ...market.hosting.message_log import PLATFORM
from ..league.tables import half_width
from ..sweeping.keeping import Row
from .setting import Setting

_TOLD = ["setting", "messages", "quantum_kw", "noise_kw", "seed", "outcome", "message"]
MARKET = ["rounds", "clearings", "certificate_usd", "welfare_usd", "fees_usd", "welfare_cost_usd", "known_to_usd"]
ERRORS = ["alpha_error", "beta_error", "load_error", "shape_error"]
GUESSES = [name.replace("_error", "_guess_error") for name in ERRORS]
_FOUND = ["kind", "listener", "prosumer", "left_out", "alpha_usd_per_kw2h", "beta_usd_per_kwh", "misfit"]
EXACT = 1e-6
"""An error below is what rounding of numbers leaves."""
MOST = 10.0
"""An error above says no more than that nothing was found."""
COLUMNS = [*_TOLD, *MARKET, *_FOUND, *ERRORS, *GUESSES]


def table(settings: Sequence[Setting], rows: Mapping[int, Row]) -> pd.DataFrame:
    """The markets that have been run; one row of a market that failed.

    Columns: setting, messages (how offers are told), quantum_kw, noise_kw, seed, outcome, message; then

    - rounds, clearings, certificate_usd, welfare_usd: of the market. fees_usd: what prosumers pay in it in fees, which
      is a transfer and no part of the welfare.
    - welfare_cost_usd: the welfare less fees with exact offers, less that of this market, of the schedule that it ended
      with, settled or not. Fees count here because price takers weigh them: what is largest at the equilibrium, and
      bounded by certificates, is the welfare less fees. known_to_usd: by how much the exact market may itself miss the
      best, as its certificate tells; certificate_usd bounds likewise what this one misses.
    - kind: `platform`, who hears all offers and orders of a prosumer, or `partner`, who hears what is offered to it;
      listener: which partner; prosumer: of whom; left_out: what of the prosumer's problem the attack does not describe,
      `nothing`, `devices` or `fees` (`scope`).
    - alpha_usd_per_kw2h, beta_usd_per_kwh: what the listener has found (`attack`); none where it tells nothing.
      misfit: what the fit leaves of what it is to explain, 0 to 1.
    - alpha_error, beta_error, load_error, shape_error: how far it is off with that, and the guess for the rest,
      relative to the truth (`scores`); alpha_guess_error and so on: how far off the guess alone is.
    """
    exact = rows.get(1, {})
    cells = [row for one in settings if one.number in rows for row in _rows_of(one, rows[one.number], exact)]
    return pd.DataFrame(cells, columns=COLUMNS)


def _rows_of(setting: Setting, row: Row, exact: Row) -> list[dict[str, Any]]:
    """The rows of a market."""
    market = {name: row.get(name) for name in ("outcome", "message", *MARKET)}
    if row.get("welfare_usd") is not None and exact.get("welfare_usd") is not None:
        best, here = (one["welfare_usd"] - one["fees_usd"] for one in (exact, row))
        market["welfare_cost_usd"] = best - here
        market["known_to_usd"] = max(exact["certificate_usd"] or 0.0, 0.0)
    told = {**setting.told(), **market}
    return [told | found for found in row.get("found", [{}])] or [told]


def of_markets(frame: pd.DataFrame) -> pd.DataFrame:
    """The markets, one row for each way to tell offers; of noise, means over its seeds.

    Columns: messages, quantum_kw, noise_kw, settled (how many of `markets`), and those of `table` of a market;
    known_to_usd is the largest of the seeds' and half the width of the 95 % confidence interval of their mean.
    """
    each = frame.drop_duplicates("setting")
    each = each.assign(settled=each["outcome"] == "settled")
    ways = each.groupby(["messages", "quantum_kw", "noise_kw"], sort=False)
    found = ways[MARKET].mean()
    found["known_to_usd"] = ways["known_to_usd"].max() + ways["welfare_cost_usd"].agg(half_width)
    found["settled"], found["markets"] = ways["settled"].sum(), ways.size()
    return found.reset_index()


def of_prosumers(frame: pd.DataFrame, kind: str = PLATFORM) -> pd.DataFrame:
    """How far off listeners of a kind are, one row for each way to tell offers and prosumer; means over seeds.

    Of partners, the mean of all that a prosumer has. Columns: messages, quantum_kw, noise_kw, prosumer, those of
    `ERRORS` and `GUESSES`, `seen` (the part of them that found anything), `beta_seen` (that saw beta), and for each
    error `<error>_within`, half the width of the 95 % confidence interval of its mean over the seeds.
    """
    some = frame[frame["kind"] == kind]
    some = some.assign(seen=some["alpha_usd_per_kw2h"].notna(), beta_seen=some["beta_usd_per_kwh"].notna())
    keys = ["messages", "quantum_kw", "noise_kw", "prosumer"]
    numbers = [*ERRORS, *GUESSES, "seen", "beta_seen"]
    seeds = some.astype(dict.fromkeys(numbers, float)).groupby([*keys, "seed"], sort=False)[numbers].mean()
    ways = seeds.groupby(level=keys, sort=False)
    within = ways[ERRORS].agg(half_width).add_suffix("_within")
    return ways.mean().join(within).reset_index()
