"""A behaviour that fails: replaced by its last valid answer, or excluded, and named; whatever it does."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Behaviour, BehaviourError, Delivery, Offer, PriceTaker, Prosumer, Quote
from gridbazaar.agents.containment import Containment
from gridbazaar.agents.containment_rules import ContainmentRules, OnMisbehaviour
from gridbazaar.agents.print_limit import limited_print
from gridbazaar.market.hosting.checkpoint import _behaviour
from gridbazaar.market.hosting.plain import UnsavedError

SHAPE = 1, 2
ZERO = np.zeros(SHAPE)
FIXED = np.full(2, 0.2), np.zeros(2), np.zeros(2)
QUOTE = Quote(*FIXED, np.full(SHAPE, 0.15), ZERO, ZERO, np.full(SHAPE, 1e-3), np.full(SHAPE, 1e-3))
DEAR = replace(QUOTE, price_usd_per_kwh=np.full(SHAPE, 0.25))
DELIVERY = Delivery(np.full(2, 0.2), np.full(SHAPE, 0.2), ZERO)


@pytest.fixture
def moved_in(home):
    def go(behaviour, on="last", limit=None):
        contained = Containment("a", behaviour, ContainmentRules(OnMisbehaviour(on), limit))
        return Prosumer(mesa.Model(rng=1), home(), np.array([40.0]), contained, np.random.default_rng(1))

    return go


class Once(Behaviour):
    """Answers well the first time, and then in another way."""

    def __init__(self, hook, then):
        self.hook, self.then, self.asked = hook, then, 0

    def _(self, hook, well, *told):
        self.asked += 1
        return well if self.asked == 1 or hook != self.hook else self.then(*told)

    def believe(self, lmp):
        return self._("believe", lmp + 0.01, lmp) if self.hook == "believe" else lmp

    def offer(self, quote, plan):
        well = Offer(0.5 * plan.trade_kw, quote.price_usd_per_kwh)
        return self._("offer", well, quote, plan) if self.hook == "offer" else well

    def bid(self, delivery, plan):
        well = 0.5 * plan.bid_kw
        return self._("bid", well, delivery, plan) if self.hook == "bid" else well


def raises(*_):
    raise KeyError("forecast")


def leaves(*_):
    sys.exit(7)


def floods(*_):
    print("x" * 20_000)


class UnreadableError(Exception):
    def __str__(self):
        raise ValueError("no")


def is_unreadable(*_):
    raise UnreadableError


def talks(*_):
    raise ValueError("x" * 10**6)


FAILURES = {
    "unreadable": (is_unreadable, "UnreadableError: its message cannot be read (at "),
    "talks": (talks, f"ValueError: {'x' * 500} (at "),
    "raises": (raises, "KeyError: 'forecast' (at "),
    "leaves": (leaves, "SystemExit: 7 (at "),
    "nan": (lambda *_: Offer(np.nan * ZERO, ZERO), "power_kw has a value that is not a finite number"),
    "shape": (lambda *_: Offer(np.zeros(3), ZERO), "power_kw has shape (3,); (1, 2) is needed"),
    "over": (lambda *_: Offer(ZERO + 1e9, ZERO), "power_kw exceeds the cap of a link (15) by 1e+09 kW"),
    "floods": (floods, "printed more than 16,384 characters for one answer; print less"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_last_valid_answer_stands_in(moved_in, name):
    then, problem = FAILURES[name]
    prosumer = moved_in(Once("offer", then))
    well, _ = prosumer.answer(QUOTE)
    again, _ = prosumer.answer(DEAR)
    assert well.power_kw.any()
    assert np.array_equal(well.power_kw, again.power_kw)
    assert np.array_equal(well.price_usd_per_kwh, again.price_usd_per_kwh)
    (deed,) = prosumer.containment.misdeeds
    assert str(deed).startswith(f"behaviour Once of a, in offer(): {problem}")
    assert str(deed).endswith("; its last valid answer stands in")


@pytest.mark.parametrize("name", FAILURES)
def test_who_is_excluded_answers_as_a_price_taker(moved_in, name):
    then, problem = FAILURES[name]
    excluded, taker = moved_in(Once("offer", then), "exclude"), moved_in(PriceTaker())
    for quote in (QUOTE, DEAR, QUOTE):
        told, expected = excluded.answer(quote)[0], taker.answer(quote)[0]
    assert np.array_equal(told.power_kw, expected.power_kw)
    assert np.array_equal(excluded.deliver(DELIVERY)[0].power_kw, taker.deliver(DELIVERY)[0].power_kw)
    (deed,) = excluded.containment.misdeeds  # it is not asked any more
    assert problem in str(deed)
    assert deed.excluded


@pytest.mark.parametrize("name", FAILURES)
def test_by_default_the_run_ends(moved_in, name):
    then, problem = FAILURES[name]
    prosumer = moved_in(Once("offer", then), "stop")
    prosumer.answer(QUOTE)
    with pytest.raises(BehaviourError) as failed:
        prosumer.answer(QUOTE)
    assert str(failed.value).startswith(f"behaviour Once of a, in offer(): {problem}")


def test_before_any_valid_answer_a_price_taker_s_stands_in(moved_in):
    class Never(Behaviour):
        believe = offer = bid = answer = raises
        declare = spread_usd_per_kwh = raises

    never, taker = moved_in(Never()), moved_in(PriceTaker())
    assert np.array_equal(never.answer(QUOTE)[0].power_kw, taker.answer(QUOTE)[0].power_kw)
    assert np.array_equal(never.deliver(DELIVERY)[0].power_kw, taker.deliver(DELIVERY)[0].power_kw)
    assert never.regret(DELIVERY).usd == taker.regret(DELIVERY).usd
    deeds = never.containment.misdeeds
    assert {deed.sentence.split("in ")[1].split(":")[0] for deed in deeds} == {
        "declare()",
        "spread_usd_per_kwh()",
        "believe()",
        "answer()",
        "offer()",
        "bid()",
    }
    assert {deed.instead for deed in deeds} == {"what a price taker would answer stands in"}


@pytest.mark.parametrize("hook", ["believe", "bid"])
def test_other_hooks_stand_in_with_what_they_said(moved_in, hook):
    prosumer = moved_in(Once(hook, raises))
    first, again = prosumer.deliver(DELIVERY)[0], prosumer.deliver(DELIVERY)[0]
    assert np.array_equal(first.power_kw, again.power_kw)
    assert prosumer.containment.misdeeds


class Liar(Behaviour):
    """Declares less than half of its use of power, and fails later."""

    def declare(self, household):
        return replace(household, elastic_max_kw=household.elastic_max_kw * 0.1)

    def bid(self, delivery, plan):
        raise ValueError("enough")


def test_who_lied_and_is_excluded_acts_for_its_real_household(moved_in):
    liar, taker = moved_in(Liar(), "exclude"), moved_in(PriceTaker())
    liar.answer(QUOTE)
    taker.answer(QUOTE)
    assert not np.array_equal(liar.plan.elastic_kw, taker.plan.elastic_kw)
    assert np.array_equal(liar.deliver(DELIVERY)[0].power_kw, taker.deliver(DELIVERY)[0].power_kw)
    liar.commit()
    taker.commit()
    assert np.array_equal(liar.schedule.elastic_kw, taker.schedule.elastic_kw)
    assert liar.problem.household is liar.household


def test_an_impossible_declaration_is_contained(home):
    class Impossible(Behaviour):
        def declare(self, household):
            none, most = 0 * household.bid_max_kw, household.elastic_max_kw
            return replace(household, bid_max_kw=none, renewable_kw=none, elastic_min_kw=most)

    contained = Containment("a", Impossible(), ContainmentRules(OnMisbehaviour("exclude"), None))
    prosumer = Prosumer(mesa.Model(rng=1), home(), np.array([0.1]), contained, np.random.default_rng(1))
    (deed,) = prosumer.containment.misdeeds
    assert "in declare(): prosumer a: period 1 (00:00-01:00) needs" in str(deed)
    assert prosumer.problem.household is prosumer.household


class Sleeps(Behaviour):
    def __init__(self, seconds):
        self.seconds, self.asked = seconds, 0

    def offer(self, quote, plan):
        self.asked += 1
        if self.asked == 2:
            time.sleep(self.seconds)
        return Offer(plan.trade_kw, quote.price_usd_per_kwh)


def test_who_is_late_is_gone_on_without_and_not_asked_before_it_is_back(moved_in):
    prosumer = moved_in(Sleeps(1.0), limit=0.2)
    well, _ = prosumer.answer(QUOTE)
    start = time.monotonic()
    late, _ = prosumer.answer(DEAR)
    assert time.monotonic() - start < 0.9
    busy, _ = prosumer.answer(DEAR)
    assert np.array_equal(well.power_kw, late.power_kw)
    assert np.array_equal(well.power_kw, busy.power_kw)
    problems = [deed.sentence.partition("(): ")[2] for deed in prosumer.containment.misdeeds]
    assert problems == [
        "did not answer within 0.2 s (market.answer_timeout_s)",
        "is still busy with what it was asked before (market.answer_timeout_s 0.2)",
    ]
    assert prosumer.containment.busy
    while prosumer.containment.busy:
        time.sleep(0.05)
    back, _ = prosumer.answer(DEAR)
    assert not np.array_equal(well.power_kw, back.power_kw)


def test_who_is_still_busy_cannot_be_saved(moved_in):
    prosumer = moved_in(Sleeps(0.5), limit=0.1)
    prosumer.answer(QUOTE)
    prosumer.answer(QUOTE)
    sentence = "behaviour Sleeps of a is still busy with what it was asked before, and cannot be saved meanwhile"
    with pytest.raises(UnsavedError, match=f"^{sentence}$"):
        _behaviour(prosumer)
    while prosumer.containment.busy:
        time.sleep(0.05)
    assert json.loads(f"{{{_behaviour(prosumer)}}}")["a"]["contained"]["dict"]


def test_errors_in_a_call_with_a_limit_have_their_place(moved_in):
    prosumer = moved_in(Once("offer", raises), "stop", limit=5.0)
    prosumer.answer(QUOTE)
    with pytest.raises(BehaviourError, match=r"KeyError: 'forecast' \(at .*test_containment\.py:\d+\)"):
        prosumer.answer(QUOTE)


def test_what_is_told_cannot_be_changed(moved_in):
    class Meddles(Behaviour):
        def offer(self, quote, plan):
            quote.price_usd_per_kwh += 1.0
            return Offer(plan.trade_kw, quote.price_usd_per_kwh)

    prosumer = moved_in(Meddles(), "stop")
    with pytest.raises(BehaviourError, match="ValueError: output array is read-only"):
        prosumer.answer(QUOTE)
    assert (QUOTE.price_usd_per_kwh == 0.15).all()


def test_an_answer_that_is_changed_later_has_been_taken_as_it_was(moved_in):
    class Reuses(Behaviour):
        asked = 0

        def offer(self, quote, plan):
            if not self.asked:
                self.power = np.array(plan.trade_kw)
            self.asked += 1
            if self.asked == 2:
                self.power[:] = np.nan
            return Offer(self.power, quote.price_usd_per_kwh)

    prosumer = moved_in(Reuses())
    well, _ = prosumer.answer(QUOTE)
    again, _ = prosumer.answer(QUOTE)
    assert np.isfinite(well.power_kw).all()
    assert np.array_equal(well.power_kw, again.power_kw)


def test_late_calls_leave_no_layers_on_stdout(capsys):
    def late():
        with limited_print():
            held.wait()

    before = sys.stdout
    for _ in range(3):
        held = threading.Event()
        thread = threading.Thread(target=late)
        thread.start()
        while sys.stdout is before or not sys.stdout.counts:
            time.sleep(0.01)
        with limited_print():  # begins while the late one is there, and ends after it
            held.set()
            thread.join()
            print("here")
    with limited_print():
        assert sys.stdout.beneath is before
    assert capsys.readouterr().out == 3 * "here\n"
    sys.stdout = before


def test_stdout_is_as_before(moved_in, capsys):
    before = sys.stdout
    prosumer = moved_in(Once("offer", lambda *_: print("so it is")))
    prosumer.answer(QUOTE)
    prosumer.answer(QUOTE)
    assert sys.stdout is before
    assert capsys.readouterr().out == "so it is\n"
