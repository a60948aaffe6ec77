"""What is not what it should be is refused in a sentence that says what to give."""

from collections.abc import Callable
from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.market import EnergyMarket, Hosting, MarketSettings, Workers
from gridbazaar.network.errors import InputError


@pytest.fixture(scope="module")
def parts() -> list[Any]:
    scenario = gb.load("two_homes")
    return [scenario.build_clearing(), scenario.build_households(), scenario.build_links()]


MARKETS: dict[str, tuple[Callable[[list[Any]], object], str]] = {
    "workers": (lambda parts: EnergyMarket(*parts, hosting=Workers(2)), r"^hosting is Workers\(.*; give Hosting\(W"),
    "settings": (lambda parts: EnergyMarket(*parts, settings={"case": 1}), r"^settings is \{'case': 1\}; give MarketS"),
    "messages": (lambda parts: EnergyMarket(*parts, messages=0.1), r"^messages is 0\.1; give MessageFaults\("),
    "clearing": (lambda parts: EnergyMarket(parts[0].feeder, *parts[1:]), r"^clearing is Feeder\(.*; give Clearing\("),
    "names": (lambda parts: EnergyMarket(parts[0], ["ann"], []), r"^a household is 'ann'; give Household\("),
    "backend": (lambda _: Hosting(2), r"^the backend is 2; give Workers\(2\)"),
    "some workers": (lambda _: Workers(2.5), r"^2\.5 is no number of workers; give a whole one$"),
    "half a step": (lambda _: MarketSettings(max_iterations=3.5), r"^max_iterations 3\.5 is not a whole number"),
    "session": (
        lambda parts: gb.Session(EnergyMarket(*parts)),
        r"^a session is of a scenario, .* <EnergyMarket round 0",
    ),
    "no list": (
        lambda _: gb.sweep("two_homes", {"alpha_scale": 1}),
        r"^alpha_scale: 1 is no list of values; write \[1,",
    ),
    "letters": (lambda _: gb.sweep("two_homes", {"market.method": "plain"}), r"'plain' is no list of values"),
    "loaded": (
        lambda _: gb.sweep(gb.load("two_homes"), {"alpha_scale": [1]}),
        r"^a sweep is of a scenario's name or file",
    ),
    "no run": (lambda parts: gb.compare([parts[0], parts[0]]), r" is no saved run; give load_run\(folder\), or the f"),
    "no folder": (lambda _: gb.compare(["a", "b"]), r"^a holds no run; name a results folder"),
}


@pytest.mark.parametrize("name", MARKETS)
def test_it_is_refused(parts: list[Any], name: str) -> None:
    make, sentence = MARKETS[name]
    with pytest.raises(InputError, match=sentence):
        make(parts)


def test_a_price_is_explained_for_a_time_as_for_its_number() -> None:
    with gb.Session("two_homes") as session:
        session.run_to("clearing")
        assert session.why("ann", "18:00") == session.why("ann", 19)
