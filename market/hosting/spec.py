"""What a community is set up with: the only time that private data is handed over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.behaviour import Behaviour, PriceTaker
from ...agents.containment_rules import THE_RUN_ENDS, ContainmentRules
from ...agents.household import Household
from ...agents.subproblem import Subproblem
from ...agents.trade_graph import TradeGraph
from ...network.arrays import IntArray
from .membership import Membership


@dataclass(frozen=True, slots=True)
class CommunitySpec:
    """What a community is set up with.

    Attributes:
        membership: Who lives in it.
        households: Their private data, in the order of the membership, as all that follows.
        behaviours: How they act.
        seeds: Where their own randomness starts.
        withdrawals: Whether the DSO clears for what they withdraw, trades included, and not for their bids.
        problem: How they solve their own problems, those without devices.
        rules: What is done about behaviours that fail.
    """

    membership: Membership
    households: tuple[Household, ...]
    behaviours: tuple[Behaviour, ...]
    seeds: tuple[np.random.SeedSequence, ...]
    withdrawals: bool = False
    problem: type[Subproblem] = Subproblem
    rules: ContainmentRules = THE_RUN_ENDS


def community_specs(
    households: Sequence[Household],
    graph: TradeGraph,
    communities: Sequence[IntArray],
    behaviours: Mapping[str, Behaviour] | None = None,
    seed: np.random.SeedSequence | None = None,
    *,
    withdrawals: bool = False,
    problem: type[Subproblem] = Subproblem,
    rules: ContainmentRules | None = None,
) -> list[CommunitySpec]:
    """What each community is set up with; each prosumer has the same seed wherever it lives.

    Args:
        households: The private data, in the order of the trade graph's names.
        graph: Who may trade with whom.
        communities: The prosumers of each, by index.
        behaviours: How the named prosumers act; all others are price takers.
        seed: Seed of all randomness; each prosumer gets its own child.
        withdrawals: Whether the DSO clears for what they withdraw, trades included, and not for their bids.
        problem: How they solve their own problems.
        rules: What is done about behaviours that fail; by default they end the run.
    """
    chosen = behaviours or {}
    seeds = (seed or np.random.SeedSequence()).spawn(len(households))
    periods, devices = households[0].periods, np.array([len(home.devices) for home in households])
    return [
        CommunitySpec(
            Membership.of(graph, members, periods, devices),
            tuple(households[i] for i in members),
            tuple(chosen.get(graph.names[i]) or PriceTaker() for i in members),
            tuple(seeds[i] for i in members),
            withdrawals,
            problem,
            rules or THE_RUN_ENDS,
        )
        for members in communities
    ]


def problem_of(household: Household, problem: type[Subproblem]) -> type[Subproblem]:
    """How a prosumer solves its own problem: as it is to, unless devices tie its periods together."""
    if not household.devices:
        return problem
    from ...agents.device_subproblem import DeviceSubproblem  # loads PIQP

    return DeviceSubproblem
