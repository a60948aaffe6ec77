"""Nothing that crosses between a prosumer and the rest of the market carries what only the prosumer should know."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
import pytest

from gridbazaar.agents import Behaviour, Offer


@dataclass
class Wiretap:
    """Everything that went to or came from a community, in the order it did, as (verb, message)."""

    heard: list[tuple[str, object]]

    def on(self, community):
        for verb in ("answer", "regrets", "deliver", "commit"):
            setattr(community, verb, self._listening(verb, getattr(community, verb)))
        return self

    def _listening(self, verb, method):
        def heard(message):
            reply = method(message)
            self.heard += [(f"to {verb}", message), (f"from {verb}", reply)]
            return reply

        return heard


def numbers(message: object) -> Iterator[float]:
    """Every number in a message; anything but numbers in records, tuples and arrays is a leak by itself."""
    if is_dataclass(message):
        for field in fields(message):
            yield from numbers(getattr(message, field.name))
    elif isinstance(message, tuple):
        for part in message:
            yield from numbers(part)
    elif isinstance(message, np.ndarray) and message.dtype in (float, np.intp):
        yield from message.ravel().tolist()
    else:
        assert type(message) in {int, float}, f"a message holds a {type(message).__name__}"
        yield message


def secrets(household) -> np.ndarray:
    """Cost coefficients, loads and forecasts of a household, and their sums over the day; zero is no secret."""
    series = household.fixed_kw, household.renewable_kw, household.fixed_kw - household.renewable_kw
    of_the_day = [values.sum() for values in series]
    cost = household.alpha_usd_per_kw2h, 2 * household.alpha_usd_per_kw2h, household.beta_usd_per_kwh
    known = np.concatenate([*series, of_the_day, cost])
    return known[known != 0]


def leaks(heard, households) -> set[tuple[str, str]]:
    """Which verbs carry a secret, up to sign and nine digits, and whose."""
    found = set()
    by_verb: dict[str, set[float]] = {}
    for verb, message in heard:
        by_verb.setdefault(verb, set()).update(abs(number) for number in numbers(message))
    for household in households:
        secret = np.abs(secrets(household))
        for verb, values in by_verb.items():
            said = np.sort(list(values))
            place = np.searchsorted(said, secret)
            near = said[np.clip(np.stack([place - 1, place]), 0, said.size - 1)]
            if np.isclose(near, secret, rtol=1e-9, atol=0).any():
                found.add((verb, household.name))
    return found


@pytest.fixture
def listen(ieee33_bazaar, open_market):
    def run(behaviours=None, **settings):
        market = open_market(ieee33_bazaar(), behaviours=behaviours, **settings)
        tap = Wiretap([]).on(market.communities.here[0])
        return tap, market.run(), market

    return run


@pytest.mark.parametrize("settings", [{}, {"order": "gauss_seidel"}, {"case": 2}], ids=str)
def test_a_whole_run_gives_nothing_away(listen, ieee33_bazaar, settings):
    tap, result, _ = listen(**settings)
    assert result.settled
    assert leaks(tap.heard, ieee33_bazaar().households) == set()


def test_without_partners_a_bid_is_the_net_load_where_nothing_else_moves(listen, ieee33_bazaar):
    """What no protocol hides: who trades with nobody and whose elastic load is at its limit bids what it must have."""
    tap, result, _ = listen(case=1)
    found = leaks(tap.heard, ieee33_bazaar().households)
    assert {verb for verb, _ in found} == {"from answer", "to answer", "from deliver", "from commit"}
    assert "p2" not in {name for _, name in found}
    assert result.elastic_kw[1].min() > 1


def test_every_message_was_heard(listen):
    """As many as the rounds of the run: one question and one answer each."""
    tap, result, market = listen()
    count = {verb: sum(v == f"from {verb}" for v, _ in tap.heard) for verb in ("answer", "regrets", "deliver")}
    steps = result.outer_iterations
    deliveries = (market.datacollector.get_model_vars_dataframe().phase == "delivery").sum()
    assert count == {"answer": sum(result.sharing_rounds), "regrets": steps - 1, "deliver": deliveries}
    offers = [message for verb, message in tap.heard if verb == "from answer"]
    assert np.array_equal(offers[-1].power_kw, market.platform.power_kw)


class TellsItsCost(Behaviour):
    """Asks its beta as a price, the first time."""

    told = False

    def offer(self, quote, plan):
        price = np.array(quote.price_usd_per_kwh)
        if not self.told:
            price[0, 3], self.told = self.household.beta_usd_per_kwh, True
        return Offer(plan.trade_kw, price)

    def answer(self, quote, problem):
        self.household = problem.household
        return problem.share(quote)


class TellsItsForecast(TellsItsCost):
    """Offers its forecast as a power, in one period."""

    def offer(self, quote, plan):
        power = np.array(plan.trade_kw)
        power[0, 7] = self.household.renewable_kw[6]
        return Offer(power, quote.price_usd_per_kwh)


class BidsItsLoad(TellsItsCost):
    """Bids its fixed load."""

    def bid(self, delivery, plan):
        return self.household.fixed_kw


LEAKING = {TellsItsCost: "from answer", TellsItsForecast: "from answer", BidsItsLoad: "from deliver"}


@pytest.mark.parametrize("kind", LEAKING)
def test_a_leak_is_found(listen, ieee33_bazaar, kind):
    """The test above can fail: each of these prosumers gives one number away."""
    tap, _, _ = listen({"p1": kind()}, max_iterations=3)
    assert (LEAKING[kind], "p1") in leaks(tap.heard, ieee33_bazaar().households)


def test_an_object_in_a_message_is_found(ieee33_bazaar):
    with pytest.raises(AssertionError, match="a message holds a list"):
        list(numbers(Offer(np.zeros(2), ieee33_bazaar().households)))


def test_platform_and_operator_hold_no_household(listen, ieee33_bazaar):
    """What they keep is arrays, the graph, rules and a feeder: nothing in their reach is a prosumer's."""
    _, _, market = listen(max_iterations=2)
    found = {"platform": reach(market.platform), "operator": reach(market.operator)}
    homes = {id(home) for home in ieee33_bazaar().households}
    kept = {id(getattr(home, key)) for home in ieee33_bazaar().households for key in home.__slots__[2:4]}
    for name, objects in found.items():
        assert objects.isdisjoint(homes | kept), name


def reach(agent) -> set[int]:
    """Ids of all that can be reached from an agent's attributes, but for the model that schedules it."""
    seen: set[int] = set()
    todo = [value for key, value in vars(agent).items() if key != "model"]
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, dict):
            todo += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set | frozenset):
            todo += thing
        else:
            todo += list(getattr(thing, "__dict__", {}).values())
            todo += [getattr(thing, key) for key in getattr(type(thing), "__slots__", ()) if hasattr(thing, key)]
    return seen
