"""Which matches make up a league: every behaviour in every seat, mixed fields, rings, and prosumers that are split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature
from itertools import combinations, product
from pathlib import Path
from random import Random
from types import FunctionType

from ...agents.behaviour import Behaviour, close_all
from ...agents.behaviours.colluders import Colluders
from ..files.behaviour_text import parsed
from ..files.behaviours import OWN, find_behaviour, make_behaviour
from ..files.loading import load
from .match import Kind, Match
from .plan import MATCHES, Plan
from .sizes import part

PLACE = "--behaviours"
_TAKES_PRICES = "PriceTaker"
_RING = "Colluders"
Draft = tuple[Kind, int, int, int, int, dict[str, str]]
"""A match before it has a number: kind, parts, case, seed, days, behaviours."""


def shipped_behaviours() -> tuple[str, ...]:
    """The behaviours that come with gridbazaar and need no parameter, but for the price taker."""
    others = [name for name in OWN if name not in (_TAKES_PRICES, "price_taker")]
    return tuple(name for name in others if _needs_nothing(find_behaviour(name, PLACE, "")))


def _needs_nothing(made: type[Behaviour]) -> bool:
    return all(one.default is not one.empty for one in signature(made).parameters.values())


def matches_of(plan: Plan, folder: Path) -> list[Match]:
    """All matches of a league, in the order of its table.

    Raises:
        ScenarioError: The scenario is wrong, or there is no such behaviour.
    """
    scenario = load(plan.scenario)
    scenario.check_is_one_market()
    seats = list(scenario.prosumers)
    kinds = {text: _class_of(text) for text in plan.behaviours}
    drafts = [draft for case in plan.cases for draft in _of_case(plan, case, seats, kinds)]
    truths = list(dict.fromkeys((parts, case, seed) for _, parts, case, seed, _, _ in drafts))
    alone = [] if (1, 1, 0) in truths else [(1, 1, 0)]  # what sharing saves is told against Case 1
    first: list[Draft] = [(Kind.TRUTH, *which, _days(plan, which[0]), {}) for which in [*alone, *truths]]
    return [
        Match(number, kind, plan.scenario, parts, case, seed, days, behaviours, folder / MATCHES / f"{number:05d}.json")
        for number, (kind, parts, case, seed, days, behaviours) in enumerate([*first, *drafts], start=1)
    ]


def _days(plan: Plan, parts: int) -> int:
    """How many days of truth are played: chance may be in messages, whose seed goes with the day."""
    faults = load(plan.scenario).messages
    return plan.days if parts == 1 and (faults.delay_rounds or faults.loss or faults.stale_rounds) else 1


def _of_case(plan: Plan, case: int, seats: Sequence[str], kinds: dict[str, type[Behaviour]]) -> Iterator[Draft]:
    """The matches of a case."""
    for text, made in kinds.items():
        if issubclass(made, Colluders):
            yield from ((Kind.RING, 1, case, 0, 1, dict.fromkeys(pair, text)) for pair in combinations(seats, 2))
            continue
        days, seeds = plan.days if learns(made) else 1, plan.seeds if draws_lots(made) else 1
        for name, seed in product(seats, range(seeds)):
            yield Kind.SEAT, 1, case, seed, days, {name: text}
        if learns(made) and len(seats) > 1:
            yield from ((Kind.FIELD, 1, case, seed, days, dict.fromkeys(seats, text)) for seed in range(seeds))
    choices = [_TAKES_PRICES, *(text for text, made in kinds.items() if not issubclass(made, Colluders))]
    for draw in range(plan.draws):
        chance = Random(draw)  # noqa: S311  # of a simulation
        drawn = {name: chance.choice(choices) for name in seats}
        yield Kind.FIELD, 1, case, draw % plan.seeds, 1, {k: text for k, text in drawn.items() if text != _TAKES_PRICES}
    for parts, name in product(plan.sizes, seats):
        yield Kind.RING, parts, case, 0, 1, {name if parts == 1 else part(name, 0): _RING}


def learns(made: type[Behaviour]) -> bool:
    """Whether a behaviour makes something of a day that is over."""
    return made.learn is not Behaviour.learn


def draws_lots(made: type[Behaviour]) -> bool:
    """Whether a behaviour leaves anything to chance: one of its methods names its `rng`."""
    own = [
        vars(parent).values() for parent in made.__mro__ if issubclass(parent, Behaviour) and parent is not Behaviour
    ]
    methods = [method for values in own for method in values if isinstance(method, FunctionType)]
    return any("rng" in method.__code__.co_names for method in methods)


def _class_of(text: str) -> type[Behaviour]:
    """The class of a behaviour with its parameters, which are checked."""
    made = find_behaviour(parsed(text)[0], f"{PLACE} {text}", "")
    close_all([make_behaviour(text, f"{PLACE} {text}", "")])
    return made
