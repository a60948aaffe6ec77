"""How a branch begins where its parent stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...market.warm_start import is_variation, warm_start
from ..files.behaviour_text import takes_prices

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ..files.scenario import Scenario


def begin(market: EnergyMarket, parent: EnergyMarket, before: Scenario, now: Scenario) -> str:
    """Let the market of a new branch begin where its parent stands, as far as that can be.

    Args:
        market: That of the new branch, in which nothing has happened yet.
        parent: That of the branch that it leaves.
        before, now: Their scenarios; the same values mean that nothing was changed.

    Returns:
        What a person should know of it; empty if nothing.

    Raises:
        UnsavedError: A behaviour remembers what cannot be kept.
    """
    if parent.rounds == 0:
        return ""
    if not is_variation(market, parent):
        return (
            f"begins at round 0, not at {parent.rounds}: who there is, who trades with whom, how many periods, "
            "the case or what the network carries was changed, and none of that can be on the way"
        )
    state = parent.snapshot()
    if now.model_dump() == before.model_dump():
        market.restore(state)
        return ""
    penalty = now.settings.penalty_usd_per_kw2h == before.settings.penalty_usd_per_kw2h
    warm_start(market, state, anew=_anew(before, now), penalties=penalty)
    return "the DSO clears first, for the bids as they are; nothing that was proven before counts"


def _anew(before: Scenario, now: Scenario) -> set[str]:
    """Who begins with nothing planned: other behaviours, and behaviours that know their household otherwise."""
    alike = now.seed == before.seed and now.alpha_scale == before.alpha_scale and now.profiles == before.profiles
    return {
        name
        for name, row in now.prosumers.items()
        if row.behaviour != before.prosumers[name].behaviour
        or (not takes_prices(row.behaviour) and not (alike and row == before.prosumers[name]))
    }
