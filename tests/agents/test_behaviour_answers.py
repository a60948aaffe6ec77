"""Whatever a behaviour answers wrongly is refused with its owner, its class, its method and what would be right."""

import mesa
import numpy as np
import pytest

from gridbazaar.agents import Behaviour, BehaviourError, Delivery, Offer, PriceTaker, Prosumer, Quote
from gridbazaar.network import InputError

SHAPE = 1, 2
ZERO = np.zeros(SHAPE)
FIXED = np.full(2, 0.2), np.zeros(2), np.zeros(2)
QUOTE = Quote(*FIXED, np.full(SHAPE, 0.2), ZERO, ZERO, np.full(SHAPE, 1e-3), np.full(SHAPE, 1e-3))
DELIVERY = Delivery(np.full(2, 0.2), np.full(SHAPE, 0.2), ZERO)


@pytest.fixture
def prosumer(home):
    def moved_in(behaviour):
        return Prosumer(mesa.Model(rng=1), home(), np.array([40.0]), behaviour, np.random.default_rng(1))

    return moved_in


def odd(verb, answer):
    """A behaviour that answers a question in an odd way, from what it is asked."""
    return type("Odd", (Behaviour,), {verb: lambda _, *told: answer(*told)})()


def ask(prosumer, verb):
    """What it says: its bid when sharing has ended, or its offer in a round of it."""
    said, _ = prosumer.deliver(DELIVERY) if verb == "bid" else prosumer.answer(QUOTE)
    return said


WRONG = {
    "offer no Offer": (
        "offer",
        lambda _, plan: (plan.trade_kw, 1),
        "returned tuple; return Offer(power_kw, price_usd_per_kwh)",
    ),
    "offer None": ("offer", lambda *_: None, "returned NoneType; return Offer(power_kw, price_usd_per_kwh)"),
    "offer of a wrong shape": (
        "offer",
        lambda quote, plan: Offer(plan.trade_kw[0], quote.price_usd_per_kwh),
        "power_kw has shape (2,); (1, 2) is needed",
    ),
    "offer nan": (
        "offer",
        lambda _, plan: Offer(plan.trade_kw, np.nan * ZERO),
        "price_usd_per_kwh has a value that is not a finite number",
    ),
    "offer words": (
        "offer",
        lambda quote, _: Offer("much", quote.price_usd_per_kwh),
        "power_kw is not an array of numbers",
    ),
    "offer over the cap": (
        "offer",
        lambda quote, _: Offer(np.full(SHAPE, -43.5), quote.price_usd_per_kwh),
        "power_kw exceeds the cap of a link (15) by 3.5 kW; clip it to the cap",
    ),
    "answer no Plan": ("answer", lambda *_: 5, "returned int; return a Plan, as problem.share(quote) does"),
    "bid of a wrong shape": ("bid", lambda *_: np.zeros(3), "the bid has shape (3,); (2,) is needed"),
    "bid inf": ("bid", lambda *_: np.full(2, np.inf), "the bid has a value that is not a finite number"),
    "bid None": ("bid", lambda *_: None, "the bid has shape (); (2,) is needed"),
    "believe too little": ("believe", lambda lmp: lmp[0], "its series has shape (); (2,) is needed"),
    "believe nan": ("believe", lambda lmp: lmp * np.nan, "its series has a value that is not a finite number"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answer(prosumer, name):
    verb, answer, problem = WRONG[name]
    with pytest.raises(BehaviourError) as refusal:
        ask(prosumer(odd(verb, answer)), verb)
    assert str(refusal.value) == f"behaviour Odd of a, in {verb}(): {problem}"
    assert (refusal.value.prosumer, refusal.value.behaviour, refusal.value.verb) == ("a", "Odd", verb)


@pytest.mark.parametrize("verb", ["believe", "answer", "offer", "bid"])
def test_an_error_inside_is_passed_on_with_its_cause_and_place(prosumer, verb):
    with pytest.raises(
        BehaviourError, match=rf"behaviour Odd of a, in {verb}\(\): ZeroDivisionError: division by zero"
    ) as refusal:
        ask(prosumer(odd(verb, lambda *_: 1 / 0)), verb)
    assert isinstance(refusal.value.__cause__, ZeroDivisionError)
    assert f"{__file__}:" in str(refusal.value)


def test_what_gridbazaar_itself_refuses_inside_keeps_its_kind(prosumer):
    def refuse(*_):
        raise InputError("not today")

    with pytest.raises(InputError, match=r"^not today$"):
        ask(prosumer(odd("offer", refuse)), "offer")


def test_bids_are_held_within_their_limits(prosumer):
    """(17): a bid beyond its limit is cut, and what is consumed follows."""
    eager = prosumer(odd("bid", lambda *_: np.array([-50.0, 500.0])))
    assert np.array_equal(ask(eager, "bid").power_kw, [0.0, 100.0])
    assert np.array_equal(eager.commit().power_kw, [0.0, 100.0])
    assert eager.schedule.elastic_kw == pytest.approx([-10.0, 70.0])


def test_a_behaviour_that_overrides_nothing_takes_prices(prosumer):
    plain, named = (ask(prosumer(kind()), "offer") for kind in (Behaviour, PriceTaker))
    assert np.array_equal(plain.power_kw, named.power_kw)
    assert np.array_equal(plain.price_usd_per_kwh, QUOTE.price_usd_per_kwh)


def test_prices_believed_are_prices_acted_on(prosumer):
    """Who believes that power is dear bids less, and reports its regret at what it believes."""
    doubter = prosumer(odd("believe", lambda lmp: lmp + 0.08))
    taker = prosumer(PriceTaker())
    doubted, taken = ask(doubter, "bid").power_kw, ask(taker, "bid").power_kw
    assert taken - doubted == pytest.approx([0.08 / (2 * 1e-3)] * 2, abs=0.01)
    assert ask(doubter, "offer").power_kw.sum() > ask(taker, "offer").power_kw.sum()
