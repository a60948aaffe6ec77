"""What is done once when a market is opened: checks, the trade graph of its case, its communities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..agents.behaviour import Behaviour
from ..agents.household import Household, HouseholdError
from ..agents.trade_graph import Link, TradeGraph
from ..network.clearing import Clearing
from ..network.errors import InputError
from .hosting.communities import Communities
from .hosting.options import Hosting
from .hosting.partition import partition
from .hosting.spec import community_specs
from .settings import Case

if TYPE_CHECKING:
    from .proof.central import LowerLayer


def check_households(clearing: Clearing, households: Sequence[Household]) -> None:
    """Refuse a market with nobody in it, with one name for two, or whose prosumers count time unlike the DSO."""
    if not households:
        raise InputError("a market needs at least one prosumer; add one")
    names = Counter(household.name for household in households)
    for household in households:
        if names[household.name] > 1:
            raise HouseholdError(household.name, "name", "this name is given twice; rename one")
        for key, value in (("periods", household.periods), ("dt_h", household.dt_h)):
            if value != getattr(clearing, key):
                sentence = f"{key} is {value:g}, but {getattr(clearing, key):g} for the feeder's loads; make them equal"
                raise HouseholdError(household.name, key, sentence)


def graph_of(households: Sequence[Household], links: Sequence[Link], case: Case) -> TradeGraph:
    """The trade graph of a case: without sharing (Case 1), all caps are 0."""
    if case is Case.NO_SHARING:
        links = [Link(link.a, link.b, 0.0) for link in links]
    return TradeGraph([h.name for h in households], links)


def set_up_communities(
    households: Sequence[Household],
    graph: TradeGraph,
    behaviours: Mapping[str, Behaviour] | None,
    seed: np.random.SeedSequence,
    hosting: Hosting,
) -> Communities:
    """Divide the prosumers into communities, and set these up."""
    backend, people = hosting.backend, len(households)
    divided = partition(graph, backend.communities(people) if backend else 1, hosting.together)
    return Communities(community_specs(households, graph, divided, behaviours, seed), graph, hosting)


def planner_of(households: Sequence[Household], graph: TradeGraph) -> LowerLayer:
    """Who solves the lower layer in Case 2, where central knowledge is the point."""
    from .proof.central import LowerLayer  # cvxpy takes a second to import and only Case 2 needs it

    return LowerLayer(households, graph)
