"""What is done once when a market is opened: checks, the trade graph of its case, its communities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..agents.behaviour import Behaviour, PriceTaker
from ..agents.household import Household, HouseholdError
from ..agents.mesa_library import mesa
from ..agents.operator import SystemOperator
from ..agents.platform import SharingPlatform
from ..agents.prosumer import Prosumer
from ..agents.subproblem import Subproblem
from ..agents.trade_graph import Link, TradeGraph
from ..network.arrays import IntArray
from ..network.clearing import Clearing
from ..network.errors import InputError
from .hosting.communities import Communities
from .hosting.lossy_channel import MessageFaults
from .hosting.options import Hosting
from .hosting.partition import partition
from .hosting.public import PublicProsumer
from .hosting.spec import CommunitySpec, community_specs
from .settings import Answers, Case, MarketSettings

if TYPE_CHECKING:
    from .proof.central import LowerLayer

_SHOWN = 12  # names in a sentence
_A_BEHAVIOUR = "an object of a class that extends gridbazaar.agents.Behaviour"


def check_parts(
    clearing: Clearing,
    households: Sequence[Household],
    behaviours: Mapping[str, Behaviour],
    settings: MarketSettings | None = None,
    hosting: Hosting | None = None,
    messages: MessageFaults | None = None,
) -> None:
    """Refuse what is not what it should be.

    And a market with nobody in it, with one name for two, whose prosumers count time unlike the DSO, or in which some
    act otherwise than behaviours do (`check_behaviours`).
    """
    _check_kind("clearing", clearing, Clearing, "Clearing(feeder, load_kw, load_kvar, dt_h)")
    _check_kind("households", households, Sequence, "a list of Household")
    _check_kind("behaviours", behaviours, Mapping, "a dict of them by the name of their prosumer")
    if settings is not None:
        _check_kind("settings", settings, MarketSettings, 'MarketSettings(method="plain") or the like')
    if hosting is not None:
        _check_kind("hosting", hosting, Hosting, "Hosting(Workers(2)) or the like")
    if messages is not None:
        _check_kind("messages", messages, MessageFaults, "MessageFaults(loss=0.1) or the like")
    for household in households:
        _check_kind("a household", household, Household, "Household(name, bus, ...)")
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
    check_behaviours(behaviours, [household.name for household in households])


def _check_kind(what: str, value: object, kind: type, cure: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{what} is {value!r}; give {cure}")


def check_behaviours(behaviours: Mapping[str, Behaviour], names: Sequence[str]) -> None:
    """Refuse what is no behaviour or names nobody, and one object that is to serve two: it would mix up their state."""
    owner: dict[int, str] = {}
    known = frozenset(names)
    for name, behaviour in behaviours.items():
        if name not in known:
            shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
            raise InputError(f"there is a behaviour for {name}, but the prosumers are {shown}")
        _check_kind(f"the behaviour of {name}", behaviour, Behaviour, _A_BEHAVIOUR)
        other = owner.setdefault(id(behaviour), name)
        if other != name:
            raise InputError(f"{other} and {name} share one behaviour object; give each its own")


def graph_of(households: Sequence[Household], links: Sequence[Link], case: Case) -> TradeGraph:
    """The trade graph of a case: without sharing (Case 1), all caps are 0.

    Raises:
        InputError: Something among the links is none.
    """
    _check_kind("links", links, Sequence, "a list of Link")
    for place, link in enumerate(links, start=1):
        _check_kind(f"link {place}", link, Link, "Link(a, b, cap_kw)")
    if case is Case.NO_SHARING:
        links = [replace(link, cap_kw=0.0) for link in links]
    return TradeGraph([h.name for h in households], links)


def set_up_communities(
    households: Sequence[Household],
    graph: TradeGraph,
    behaviours: Mapping[str, Behaviour] | None,
    seed: np.random.SeedSequence,
    hosting: Hosting,
    settings: MarketSettings,
) -> Communities:
    """Divide the prosumers into communities, and set these up."""
    backend, people = hosting.backend, len(households)
    divided = partition(graph, backend.communities(people) if backend else 1, hosting.together)
    problem: type[Subproblem] = Subproblem
    if settings.subproblem is Answers.OSQP:
        from ..agents.osqp_subproblem import OsqpSubproblem  # loads OSQP

        problem = OsqpSubproblem
    specs = community_specs(
        households,
        graph,
        divided,
        behaviours,
        seed,
        withdrawals=settings.withdrawals,
        problem=problem,
        rules=settings.containment,
    )
    return Communities(specs, graph, hosting)


def rehearsing(
    behaviours: Mapping[str, Behaviour], graph: TradeGraph, seed: np.random.SeedSequence, settings: MarketSettings
) -> dict[str, Behaviour]:
    """Copies of the behaviours that will declare to the planner of Case 2 what the behaviours do; none in other cases.

    To be made before prosumers move in: it is then that behaviours are asked, once, by the chance that is copied here.
    """
    if settings.case is not Case.CENTRAL:
        return {}
    seeds = dict(zip(graph.names, deepcopy(seed).spawn(len(graph.names)), strict=True))
    copies = {name: deepcopy(behaviour) for name, behaviour in behaviours.items() if name in seeds}
    for name, behaviour in copies.items():
        behaviour.rng = np.random.default_rng(seeds[name])
    return copies


def planner_of(
    households: Sequence[Household],
    graph: TradeGraph,
    settings: MarketSettings,
    behaviours: Mapping[str, Behaviour],
) -> LowerLayer | None:
    """Who solves the lower layer in Case 2, where central knowledge is the point; None in the others.

    A planner plans with what it is told: the households that these behaviours declare, and the spreads that they ask.
    """
    if settings.case is not Case.CENTRAL:
        return None
    from .proof.central import LowerLayer  # cvxpy takes a second to import and only Case 2 needs it

    own = [(behaviours.get(household.name) or PriceTaker(), household) for household in households]
    declared = [behaviour.declare(household) for behaviour, household in own]
    spreads = np.array([behaviour.spread_usd_per_kwh(household) for behaviour, household in own])
    return LowerLayer(declared, graph, withdrawals=settings.withdrawals, spread_usd_per_kwh=spreads)


def orders_only_add(specs: Sequence[CommunitySpec], graph: TradeGraph, settings: MarketSettings) -> bool:
    """Whether no prosumer can order less than nothing of the DSO: nobody feeds in, nor sells over the wires."""
    feeds_in = any(household.feed_in_max_kw.any() for spec in specs for household in spec.households)
    return not (feeds_in or (settings.withdrawals and graph.cap_kw.any()))


def tied_periods(households: Sequence[Household]) -> IntArray | None:
    """A number for each period, the same for those that somebody's device ties together, (period,); None without any.

    It is all that the market makes of devices: how far their ties reach, not whose they are.
    """
    groups = [home.fleet.tied() for home in households if home.devices]
    if not groups:
        return None
    periods = np.arange(groups[0].size)
    first = np.concatenate([np.unique(group, return_index=True)[1][group] for group in groups])
    pairs = np.ones(first.size), (np.tile(periods, len(groups)), first)
    graph = coo_array(pairs, shape=(periods.size, periods.size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def charged(households: Sequence[Household], graph: TradeGraph) -> bool:
    """Whether there are fees, on bids or on links."""
    on_bids = (fee for h in households for fee in (h.grid_fee_usd_per_kwh, h.feed_in_fee_usd_per_kwh))
    return any(on_bids) or bool(graph.fee_usd_per_kwh.any())


def agents_of(
    market: mesa.Model, communities: Communities, platform: SharingPlatform, operator: SystemOperator
) -> list[Prosumer] | list[PublicProsumer]:
    """The prosumers as agents of the market; their public side where they live elsewhere."""
    if not communities.here:
        names = [operator.clearing.feeder.names[n] for n in operator.connection]
        return [PublicProsumer(market, platform, i, bus) for i, bus in enumerate(names)]
    first = 1 + len(market.agents)
    for number, prosumer in enumerate(communities.here[0].prosumers, start=first):
        prosumer.unique_id = number  # one row of numbers for all agents of the market
        prosumer.model = market  # Mesa's data collector asks an agent for its model's steps
        market.register_agent(prosumer)
    return communities.here[0].prosumers
