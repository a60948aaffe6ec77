"""What is written down of a round: `Round`, from the market that it has just ended in."""

from __future__ import annotations

from typing import Protocol

from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..network.arrays import FloatArray, frozen
from .hosting.communities import Communities
from .outcome import Ending, Outcome
from .proof import wording
from .proof.stopping_rule import StoppingRule
from .rounds import Phase, Round
from .settings import MarketSettings


class Recorded(Protocol):
    """What is read of an `EnergyMarket`."""

    settings: MarketSettings
    operator: SystemOperator
    platform: SharingPlatform
    proof: StoppingRule
    communities: Communities
    phase: Phase
    rounds: int
    bid_kw: FloatArray
    ending: Ending
    last: Round | None

    @property
    def iteration(self) -> int:
        """Outer step of Algorithm 2."""


def record(market: Recorded, phase: Phase, seconds: float, lost: int) -> Round:
    """What the round that has just ended produced; `lost` is how many incidents there had been before."""
    told = [*market.communities.incidents[lost:], *market.communities.misbehaviour.misdeeds]
    platform, operator, proof = market.platform, market.operator, market.proof
    diagnosis = proof.diagnose(platform)
    return Round(
        number=market.rounds,
        iteration=market.iteration,
        phase=phase,
        seconds=seconds,
        primal_kw=platform.primal_kw,
        dual_usd_per_kwh=platform.dual_usd_per_kwh,
        dso_cost_usd=operator.cleared.cost_usd,
        outer_error=proof.state.outer_error,
        regret_usd=proof.total_regret_usd,
        regret_by_prosumer_usd=frozen(proof.state.regret_usd),
        clearings=operator.state.clearings,
        elastic_clearings=operator.state.elastic_clearings,
        slowest=diagnosis.place,
        verdict=diagnosis.verdict,
        bid_kw=frozen(platform.bids.bid_kw if phase is Phase.SHARING else market.bid_kw),
        lmp_usd_per_kwh=frozen(platform.lmp_usd_per_kwh),
        power_kw=frozen(platform.power_kw),
        price_usd_per_kwh=frozen(platform.price_usd_per_kwh),
        penalty_usd_per_kw2h=frozen(platform.pairs.penalty.value),
        incidents="; ".join(map(str, told)),
        sentence=_sentence(market, phase),
    )


def _sentence(market: Recorded, phase: Phase) -> str:
    """What a round came to."""
    known = market.proof.state
    if market.phase is Phase.ENDED:
        return market.ending.message
    if phase is Phase.CLEARING:
        return wording.of_clearing(market.iteration, market.operator.cleared.cost_usd, known.proven)
    if phase is Phase.SHARING:
        return wording.of_sharing(market.iteration, market.platform.rounds, known.diagnosis)
    if market.phase is Phase.SHARING:
        return wording.of_closer_sharing(market.iteration, known.sharing_regret_usd)
    return wording.of_delivery(market.iteration, known.outer_error)


_NEXT = {
    Phase.CLEARING: "next, the DSO clears for the bids and announces LMPs",
    Phase.SHARING: "next, prosumers answer their quotes and the platform moves the prices",
    Phase.DELIVERY: "next, what was agreed is delivered and becomes the next bids",
}


def standing(market: Recorded) -> str:
    """Where a market stands: what the last round came to, and who acts next."""
    said = f"round {market.rounds}, {market.last.sentence}" if market.last else "round 0, nobody has acted yet"
    return f"{said}; {_NEXT[market.phase]}" if market.phase in _NEXT else said


def ending_of(market: Recorded, outcome: Outcome, why: str) -> Ending:
    """How a market ends, in words, for a reason."""
    settings, proof = market.settings, market.proof
    message = outcome.value.format(
        max_iterations=settings.max_iterations,
        regret_tolerance=settings.regret_tolerance,
        relative=proof.certificate().relative,
        outer_error=proof.state.outer_error,
        rounds=market.platform.rounds,
        primal_kw=market.platform.primal_kw,
        order=settings.order,
        acts=proof.conduct.acts,
        iterations=market.iteration,
        why=why,
    )
    declared = outcome is Outcome.SETTLED and proof.conduct.behaving
    return Ending(outcome, f"{message}; {proof.conduct.settled_for}" if declared else message)
