"""One market, settled as closely as gains need it: what everybody paid, and how closely that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...agents.behaviour import Behaviour
from ...market.energy_market import EnergyMarket
from ...market.hosting.message_log import SCREEN, Entries
from ...market.outcome import Outcome
from ...market.result import Result
from ...market.rounds import Phase
from ...network.arrays import FloatArray
from ..files.scenario import Scenario
from ..runs.accuracy import cost_within_by_prosumer_usd, cost_within_usd
from ..runs.kpis import total_usd

_CLOSER = 2e-5  # of the scenario's tolerances: gains are differences of costs
_MOST_STEPS = 8  # outer steps that are worth it
_BYTES = 8
Behaviours = Mapping[str, Behaviour]


@dataclass(frozen=True, slots=True)
class Day:
    """What a day has brought.

    Attributes:
        result: The market as it ended.
        settled: Whether its certificate is within the scenario's own tolerance.
        behaviours: The behaviours that acted, as the day has left them; those that take prices are left out.
        cost_usd: What each paid on the whole, payments included, less the true utility of what it consumed,
            (prosumer,).
        known_to_usd: By how much that may differ from the cost at the equilibrium, as the certificate tells,
            (prosumer,): `left_open_by_prosumer_usd` at its LMPs, with alpha of the real household.
        dso_known_to_usd: Likewise for the DSO's cost and all utilities together.
        published: How many numbers each told others in that run, by the message log, (prosumer,).
    """

    result: Result
    settled: bool
    behaviours: Behaviours
    cost_usd: FloatArray
    known_to_usd: FloatArray
    dso_known_to_usd: float
    published: tuple[int, ...]


def play(scenario: Scenario, behaviours: Callable[[], Behaviours] | None = None, seed: int | None = None) -> Day:
    """Settle the market of a scenario, more closely than its own tolerance asks for where that takes few steps.

    What costs differ by is known to the square root of what welfare may miss (`left_open_usd`), so that gains, which
    are differences of costs, need a market that is settled far closer than its schedule does.

    Args:
        scenario: What is played.
        behaviours: Makes the behaviours of a run; as the scenario says by default. It is asked once for each run.
        seed: Seed of all randomness; the scenario's own by default.
    """
    made = behaviours or scenario.build_behaviours
    usual = scenario.settings
    closer = scenario.changed(
        regret_tolerance=usual.regret_tolerance * _CLOSER,
        regret_tolerance_usd=usual.regret_tolerance_usd * _CLOSER,
        max_iterations=min(_MOST_STEPS, usual.max_iterations),
    )
    found = _run(closer, made(), seed, usual.regret_tolerance)
    return found if found.settled else _run(scenario, made(), seed, usual.regret_tolerance)


def _run(scenario: Scenario, behaviours: Behaviours, seed: int | None, tolerance: float) -> Day:
    """One run; whether it has settled is told by this tolerance, as a fraction of the turnover."""
    sent: Counter[str] = Counter()

    def count(entries: Entries) -> None:
        for sender, receiver, size in zip(entries.senders, entries.receivers, entries.sizes.tolist(), strict=True):
            sent[sender] += size // _BYTES if receiver != SCREEN else 0  # whoever runs the market is nobody in it

    with scenario.market(rng=seed, behaviours=behaviours, log=count) as market:
        _settle(market, tolerance)
        result = market.result()
    assert sum(result.settlement.balance_cents().values()) == 0, "what everybody pays and is paid must balance"
    published = tuple(sent[name] for name in result.names)
    return Day(
        result,
        result.settled or _is_proven(result, tolerance),
        behaviours,
        total_usd(result),
        cost_within_by_prosumer_usd(scenario, result),
        cost_within_usd(scenario, result),
        published,
    )


def _settle(market: EnergyMarket, tolerance: float) -> None:
    """Run a market until it ends, or is within the tolerance and comes no closer."""
    before = np.inf
    while market.running:
        market.step()
        if market.iteration < 2 or market.phase is not Phase.SHARING or market.platform.rounds:
            continue
        certificate = market.proof.certificate()  # of the schedule that was cleared just now
        if certificate.relative <= tolerance and certificate.total_usd > before / 2:
            return
        before = certificate.total_usd


def _is_proven(result: Result, tolerance: float) -> bool:
    """Whether a run that was stopped, or went on for closer agreement in vain, has what the scenario asks for."""
    stopped = result.outcome in (Outcome.RUNNING, Outcome.ITERATION_LIMIT, Outcome.RESTLESS, Outcome.BLOCKED)
    served = not (result.dispatch.short_periods or result.certificate.physics.doubt)
    return stopped and served and result.certificate.relative <= tolerance
