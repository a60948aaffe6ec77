"""The conformance kit: what comes with gridbazaar passes; each thing that can be wrong fails where it should."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents import Behaviour, Offer, PriceTaker
from gridbazaar.agents.behaviours.shading import Shading
from gridbazaar.scenarios.conformance import CHECKS, Check, ConformanceError
from gridbazaar.scenarios.conformance import trial as trials

BY_NAME: dict[str, Check] = {str(check): check for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=str)
@pytest.mark.parametrize("behaviour", [PriceTaker, Shading])
def test_what_comes_with_gridbazaar_passes(check: Check, behaviour: type[Behaviour]) -> None:
    assert check(behaviour)


class Nan(Behaviour):
    def believe(self, lmp):
        return lmp * np.nan


class OverCap(Behaviour):
    def offer(self, quote, plan):
        return Offer(plan.trade_kw + 1e4, quote.price_usd_per_kwh)


class Unbalanced(Behaviour):
    def answer(self, quote, problem):
        plan = problem.share(quote)
        return replace(plan, elastic_kw=plan.elastic_kw + 1.0)


class Raises(Behaviour):
    def bid(self, delivery, plan):
        raise KeyError("forecast")


class Text(Behaviour):
    def declare(self, household):
        return "a poor house"


class Negative(Behaviour):
    def spread_usd_per_kwh(self, household):
        return -1.0


class Meddles(Behaviour):
    def believe(self, lmp):
        lmp += 1.0
        return lmp


class Rolls(Behaviour):
    def believe(self, lmp):
        return lmp + 1e-3 * random.random()


class Global(Behaviour):
    def believe(self, lmp):
        return lmp + 1e-3 * np.random.rand()  # noqa: NPY002


class Forgets(Behaviour):
    def __init__(self):
        self.asked = 0

    def believe(self, lmp):
        self.asked += 1
        return lmp + 1e-4 * self.asked

    def saved_state(self):
        return {}


class Unsaved(Behaviour):
    def believe(self, lmp):
        self.kept = object()
        return lmp


class Slow(Behaviour):
    def believe(self, lmp):
        time.sleep(0.3)
        return lmp


class Shameless(Behaviour):
    def bid(self, delivery, plan):
        return self.fixed_kw

    def declare(self, household):
        self.fixed_kw = household.fixed_kw
        return household


class MarksUp(Behaviour):
    def offer(self, quote, plan):
        return Offer(plan.trade_kw, quote.price_usd_per_kwh * 1.05)


ONE = PriceTaker()


class Local(Behaviour):
    """Answers otherwise where this module is not the one that was loaded first."""

    def believe(self, lmp):
        import multiprocessing

        return lmp + (1e-3 if multiprocessing.parent_process() else 0.0)


FAILS = {
    "believe": [
        (Nan, "behaviour Nan of p1, in believe(): its series has a value that is not a finite number (and "),
        (Meddles, "in believe(): ValueError: output array is read-only"),
    ],
    "offer": [(OverCap, "in offer(): power_kw exceeds the cap of a link (15) by ")],
    "answer": [(Unbalanced, "plan 1 misses the balance (13) by 1 kW; see problem.share(quote)")],
    "bid": [(Raises, "in bid(): KeyError: 'forecast' (at ")],
    "declare": [(Text, "in declare(): returned str; return a Household")],
    "spread_usd_per_kwh": [(Negative, "in spread_usd_per_kwh(): returned -1.0; return a number of at least 0")],
    "deterministic": [
        (Rolls, "a second run differs in round "),
        (Global, "a second run differs in round "),
    ],
    "saved": [
        (Forgets, "what goes on from a saved state differs in round "),
        (Unsaved, "behaviour Unsaved of p1 remembers a object, which cannot be kept"),
    ],
    "worker": [(Local, "the run in a worker process differs in round ")],
    "private": [(Shameless, "its bid is its fixed_kw, which is private, but for a constant, in all periods")],
    "settles": [(MarksUp, "not settled: ")],
    "made": [
        (lambda: 5, "int is not a subclass of gridbazaar.agents.Behaviour"),
        (lambda: ONE, "the same object is given out twice; make a new one for each prosumer"),
    ],
}
CASES = [(name, *case) for name, cases in FAILS.items() for case in cases]


@pytest.mark.parametrize(("name", "make", "sentence"), CASES, ids=lambda part: getattr(part, "__name__", None))
def test_what_is_wrong_fails_where_it_should(name, make, sentence):
    with pytest.raises(ConformanceError) as failed:
        BY_NAME[name](make)
    assert sentence in str(failed.value)


def test_who_is_late_fails(monkeypatch):
    monkeypatch.setattr(trials, "PATIENCE_S", 0.1)
    with pytest.raises(ConformanceError, match=r"behaviour Slow of p1, in believe\(\): did not answer within 0\.1 s"):
        BY_NAME["quick"](Slow)


def test_another_scenario_and_seat(twelve):
    assert "26 rounds" not in BY_NAME["worker"](Shading, str(twelve), "h3")
    with pytest.raises(ConformanceError, match="behaviour Nan of h3"):
        BY_NAME["believe"](Nan, str(twelve), "h3")
    with pytest.raises(gb.ScenarioError, match=r"^--prosumer h33: there is no prosumer h33; did you mean h3\?$"):
        BY_NAME["worker"](Shading, str(twelve), "h33")
