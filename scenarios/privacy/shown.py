"""What a person is shown of an experiment: what inexact messages cost, and how far off a listener is."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from ...market.hosting.message_log import PLATFORM
from ..league.tables import records
from ..runs.amounts import bound, money
from ..runs.fitting import Column, FittingTable
from ..sweeping.progress import SweepProgress
from .scope import NOTHING, WORDS
from .tables import EXACT, MOST, of_markets, of_prosumers
from .trial import PARTNER

if TYPE_CHECKING:
    from .experiment import Privacy

MARKETS = (
    Column("messages"),
    Column("settled", words=True),
    Column("rounds"),
    Column("certificate", "$"),
    Column("welfare cost", "$"),
    Column("within", "$"),
)
ERRORS = (
    Column("prosumer"),
    Column("messages", words=True),
    Column("alpha", "%"),
    Column("beta", "%"),
    Column("load", "%"),
    Column("shape", "%"),
    Column("by partner", "alpha, %"),
    Column("by partner", "load, %"),
    Column("guess", "alpha, %"),
    Column("guess", "load, %"),
)
_SEEN = {"alpha": "seen", "beta": "beta_seen", "load": "beta_seen", "shape": "seen"}
"""What has to be seen for an error to be no guess's: the level of the load follows from beta."""
_FEW = 8  # prosumers that are shown one by one
_FOUND = 0.01  # what is missed by less is found


class PrivacyProgress(SweepProgress):
    """Tells of every market that has ended; that inexact offers do not settle one is what is to be seen."""

    noun, nouns, table = "market", "markets", "privacy.csv"
    unremarkable = SweepProgress.unremarkable | {"iteration_limit", "restless", "blocked"}


def market_table(privacy: Privacy) -> FittingTable:
    """What inexact messages cost."""
    rows = [_market_cells(row) for row in records(of_markets(privacy.frame))]
    return FittingTable("what it costs to tell less, against exact offers, in welfare less fees", MARKETS, rows)


def error_table(privacy: Privacy) -> FittingTable:
    """How far off the platform is of each prosumer; of many, the median of all."""
    keys = ["messages", "quantum_kw", "noise_kw", "prosumer"]
    platform, partner = of_prosumers(privacy.frame), of_prosumers(privacy.frame, PARTNER)
    both = platform.merge(partner, on=keys, how="left", suffixes=("", "_partner"))
    many = both["prosumer"].nunique() > _FEW
    if many:
        numbers = both.drop(columns="prosumer").groupby(keys[:3], sort=False).median()
        both = numbers.reset_index().assign(prosumer=f"median of {platform['prosumer'].nunique():,}")
    else:
        both["prosumer"] = both["prosumer"].map(_named(privacy))
    rows = [_error_cells(row) for row in records(both.sort_values("prosumer", kind="stable"))]
    title = "by how much the platform misses what a prosumer keeps to itself (* by a guess, wholly or in part)"
    return FittingTable(title, ERRORS, rows)


def statements(privacy: Privacy) -> list[str]:
    """What the exact market gives away, and how many markets failed, in sentences."""
    frame = privacy.frame
    exact = of_prosumers(frame[frame["setting"] == 1])
    said = []
    if not exact.empty:
        alpha, beta = (
            int(((exact[seen] > 0) & (exact[error] < _FOUND)).sum())
            for seen, error in (("seen", "alpha_error"), ("beta_seen", "beta_error"))
        )
        said.append(
            f"exact offers: the platform finds alpha of {alpha:,} of {len(exact):,} prosumers to within "
            f"{100 * _FOUND:g} %; beta, and so the level of the load, of {beta:,}, whose elastic load it has seen fall "
            f"to its lower limit"
        )
    said += _undescribed(privacy)
    failed = frame[frame["welfare_usd"].isna()].drop_duplicates("setting")
    if not failed.empty:
        first = records(failed)[0]
        said.append(f"{len(failed):,} of the markets failed; first {first['messages']}: {first['message']}")
    return said


def _left_out(privacy: Privacy) -> dict[str, str]:
    """What the platform's attack does not describe of each prosumer for which that is something."""
    heard = privacy.frame[privacy.frame["kind"] == PLATFORM].drop_duplicates("prosumer")
    some = heard[heard["left_out"] != NOTHING]
    return dict(zip(some["prosumer"], some["left_out"], strict=True))


def _named(privacy: Privacy) -> Callable[[str], str]:
    """Names a prosumer, with what the attack does not describe of it."""
    left_out = _left_out(privacy)
    return lambda name: f"{name} ({left_out[name]})" if name in left_out else name


def _undescribed(privacy: Privacy) -> list[str]:
    """Of whom the attack does not describe the problem, and why; a sentence for each reason."""
    left_out, said = _left_out(privacy), []
    for what, why in WORDS.items():
        names = [name for name, reason in left_out.items() if reason == what]
        if names:
            who = ", ".join(names) if len(names) <= _FEW else f"{len(names):,} prosumers, first {names[0]}"
            said.append(f"the attack does not describe the problem of {who}: {why}")
    return said


def _market_cells(row: dict[str, Any]) -> tuple[str, ...]:
    settled = "yes" if row["settled"] == row["markets"] else f"{row['settled']} of {row['markets']}"
    told = row["messages"], settled if row["settled"] else "no", f"{row['rounds']:,.0f}"
    if not isfinite(row["welfare_usd"]):
        return row["messages"], "failed", "", "", "", ""
    if row["messages"] == "exact":
        return *told, bound(row["certificate_usd"])[1:], "", ""
    cost, within = row["welfare_cost_usd"], row["known_to_usd"]
    known = money(cost, within) if abs(cost) > within else "0"
    known = f"under {bound(abs(cost) + within)[1:]}" if known == "0" else known
    return *told, bound(row["certificate_usd"])[1:], known, bound(within)[1:]


def _error_cells(row: dict[str, Any]) -> tuple[str, ...]:
    platform = (
        percent(row[f"{key}_error"], row[f"{key}_error_within"], guessed=row[seen] < 1) for key, seen in _SEEN.items()
    )
    by_partner = (
        percent(row[f"{key}_error_partner"], guessed=row[f"{_SEEN[key]}_partner"] < 1) for key in ("alpha", "load")
    )
    guess = (percent(row[f"{key}_guess_error"]) for key in ("alpha", "load"))
    return row["prosumer"], row["messages"], *platform, *by_partner, *guess


def percent(error: float, within: float = 0.0, *, guessed: bool = False) -> str:
    """An error in percent, two digits of it, and after a +- what its mean over seeds is known to; * if by a guess.

    Above 1,000 % it is no more than that.
    """
    if not isfinite(error):
        return ""
    mark = "*" if guessed else ""
    if error > MOST:
        return f"> {100 * MOST:,.0f}{mark}"
    number = "0" if error < EXACT else _two_digits(100 * error)
    known = f" +-{_two_digits(100 * within)}" if within > EXACT else ""
    return f"{number}{known}{mark}"


def _two_digits(value: float) -> str:
    """A number above 0 with two digits that count: "0.0012", "3.4", "120"."""
    decimals = max(1 - floor(log10(value)), 0)
    return f"{round(value, 1 - floor(log10(value))):,.{decimals}f}"
