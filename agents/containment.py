"""Containment: a behaviour is asked, and whatever it does, the market has a valid answer or a named end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from ..network.arrays import FloatArray, frozen
from ..network.errors import GridbazaarError
from . import answers
from .behaviour import Behaviour
from .behaviour_errors import AnswerError, BehaviourError
from .containment_rules import ContainmentRules, OnMisbehaviour
from .household import Household
from .messages import Delivery, Offer, Quote
from .misdeed import Misdeed
from .plan import Plan
from .print_limit import limited_print
from .subproblem import Subproblem
from .time_limit import TimeLimit

Told = TypeVar("Told", Quote, Delivery)
Answer = TypeVar("Answer")
_RECORDS: dict[str, type[Any]] = {"answer": Plan, "offer": Offer}
_AT_ONCE = ("declare", "spread_usd_per_kwh")
"""Hooks that are asked once, when a prosumer moves in: nothing of what follows has happened yet."""


class ExcludedError(Exception):
    """A behaviour has just been excluded: its prosumer is to answer once more, as a price taker."""


class Containment:
    """A prosumer's behaviour, behind checks of all that it answers, and what is done when it fails.

    Who leaves a hook as it is, is not asked: what `Behaviour` says stands. What is told is read-only.

    Attributes:
        behaviour: The behaviour.
        excluded: Whether it has been excluded: then nothing is asked of it any more.
        misdeeds: Its failures since somebody last took note of them.
    """

    def __init__(self, prosumer: str, behaviour: Behaviour, rules: ContainmentRules) -> None:
        """Contain the behaviour of this prosumer."""
        self.behaviour, self.excluded = behaviour, False
        self.misdeeds: list[Misdeed] = []
        self._prosumer, self._rules = prosumer, rules
        self._limit = TimeLimit(rules.answer_timeout_s)
        self._last: dict[str, Any] = {}

    # --- the hooks ---------------------------------------------------------------------------------------------------

    def declare(self, household: Household, cap_kw: float) -> Household:
        """The household that it acts as; `cap_kw` is the sum of its links' caps."""
        return self._ask("declare", partial(answers.household, real=household, cap_kw=cap_kw), household)

    def spread_usd_per_kwh(self, household: Household) -> float:
        """What it asks beside prices."""
        return self._ask("spread_usd_per_kwh", answers.spread, household)

    def believe(self, told: Told) -> Told:
        """What it is told, with the LMPs that it believes in."""
        lmp = frozen(told.lmp_usd_per_kwh)
        series = partial(answers.series, what="its series", shape=lmp.shape)
        return replace(told, lmp_usd_per_kwh=self._ask("believe", series, lmp))

    def answer(self, quote: Quote, problem: Subproblem) -> Plan:
        """Its plan for a quote."""
        return self._ask("answer", partial(answers.plan, quote=quote, columns=problem.columns), quote, problem)

    def offer(self, quote: Quote, plan: Plan, cap_kw: FloatArray) -> Offer:
        """What it tells the platform."""
        return self._ask("offer", partial(answers.offer, quote=quote, cap_kw=cap_kw), quote, plan)

    def bid(self, delivery: Delivery, plan: Plan) -> FloatArray:
        """What it wants to bid, not yet within its limits."""
        series = partial(answers.series, what="the bid", shape=plan.bid_kw.shape)
        return self._ask("bid", series, delivery, plan)

    # --- how they are asked ------------------------------------------------------------------------------------------

    def _ask(self, hook: str, checked: Callable[[object], Answer], *told: Any) -> Answer:
        plain: Callable[..., Answer] = partial(getattr(Behaviour, hook), self.behaviour)
        if self.excluded or not self.behaviour.overrides(hook):
            return plain(*told)
        try:
            answer = checked(self._limit.run(partial(self._called, hook, *told)))
        except (Exception, SystemExit) as error:  # a user's code may raise anything; it is told with its place
            return self._instead(hook, error, plain, told)
        self._last[hook] = answer
        return answer

    def _called(self, hook: str, *told: object) -> object:
        with limited_print():
            return getattr(self.behaviour, hook)(*map(_read_only, told))

    def _instead(
        self, hook: str, error: Exception | SystemExit, plain: Callable[..., Answer], told: tuple[Any, ...]
    ) -> Answer:
        """What stands in for an answer that cannot be taken."""
        does = self._rules.on_misbehaviour
        if does is OnMisbehaviour.STOP and isinstance(error, GridbazaarError):
            raise error  # what is refused keeps its kind
        known = isinstance(error, AnswerError | GridbazaarError)  # whose sentences are made here
        problem = str(error) if known else BehaviourError.told(error)
        wrong = BehaviourError(self._prosumer, type(self.behaviour).__name__, hook, problem)
        if does is OnMisbehaviour.STOP:
            raise wrong from error
        if does is OnMisbehaviour.EXCLUDE:
            self.excluded = True
            self._note(wrong, "it takes prices from now on")
            if hook not in _AT_ONCE:
                raise ExcludedError from error
            return plain(*told)
        if hook in self._last:
            self._note(wrong, "its last valid answer stands in")
            last: Answer = self._last[hook]
            return last
        self._note(wrong, "what a price taker would answer stands in")
        return plain(*told)

    def _note(self, wrong: BehaviourError, instead: str) -> None:
        self.misdeeds.append(Misdeed(self._prosumer, wrong.verb, str(wrong), instead, self.excluded))

    # --- what is kept ------------------------------------------------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        """What it must remember, in numbers, texts and dicts; what its behaviour remembers is not in it."""
        last = self._last if self._rules.on_misbehaviour is OnMisbehaviour.LAST else {}
        kept = {hook: _cells(answer) for hook, answer in last.items() if hook not in _AT_ONCE}
        return {"excluded": self.excluded, "last": kept}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what was `kept`."""
        self.excluded, self.misdeeds = kept["excluded"], []
        self._last = {
            hook: _RECORDS[hook](**answer) if hook in _RECORDS else answer for hook, answer in kept["last"].items()
        }

    @property
    def busy(self) -> bool:
        """Whether it is still at work on what it was asked long ago, and must be left alone."""
        return self._limit.busy


def _read_only(told: Any) -> Any:
    """What a behaviour is told, so that it cannot change what is the market's."""
    if isinstance(told, np.ndarray):
        return frozen(told)
    if not isinstance(told, Quote | Delivery):
        return told
    series: dict[str, Any] = {cell.name: frozen(getattr(told, cell.name)) for cell in fields(told)}
    return type(told)(**series)


def _cells(answer: Any) -> Any:
    """An answer in arrays by name; one that is an array as it is."""
    return {cell.name: getattr(answer, cell.name) for cell in fields(answer)} if is_dataclass(answer) else answer
