"""A feeder that cannot carry its load says where, when, why and how much; and every cure it names is a cure."""

import pickle
import re
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gridbazaar.network import Bus, Clearing, Generator, InfeasibleError, Line, ShortageError
from gridbazaar.network.infeasibility.remedies import LimitCure, LoadCure, PriceCure


def strong(case):
    """Wide voltage limits and thick ratings, so that only generation can be short."""
    return case.buses(v_min_pu=0.6).lines(
        **{f"l{line.name.replace('-', '_')}": {"p_max_kw": np.inf} for line in case.feeder.lines}
    )


@dataclass(frozen=True)
class Expected:
    """How the case is made, and what the error must say of it."""

    make: object
    says: str
    facts: dict = field(default_factory=dict)
    cures: tuple = (LoadCure, LimitCure)
    lost_load: float = 10.0


CASES = {
    "line rating": Expected(
        lambda case: case.hours(17).lines(l6_26={"p_max_kw": 500.0}),
        r"in period 1 \(00:00-01:00\) line 6-26 is full at 500 kW: \d+\.\d kW less load at bus \d+, "
        r"or a rating of \d+\.\d kW on line 6-26, would do$",
        {"line": "6-26", "period": 0, "short_periods": 1},
    ),
    "current rating": Expected(
        lambda case: case.hours(17).lines(l6_26={"i_max_a": 30.0}),
        r"line 6-26 is full at 30 A: .*, or a rating of \d+\.\d A on line 6-26, would do$",
        {"line": "6-26"},
    ),
    "reactive rating": Expected(
        lambda case: case.hours(17).lines(l6_26={"q_max_kvar": 200.0}),
        r"line 6-26 is full at 200 kvar: \d+\.\d kvar more compensation at bus 30, or a rating of \d+\.\d kvar on line",
        {"line": "6-26"},
    ),
    "low voltage": Expected(
        lambda case: case.bids(b18=700.0),
        r"in period 19 \(18:00-19:00\) bus 18 would fall to 0\.9\d{3} pu, 0\.0\d{3} pu below its v_min_pu of 0\.95: "
        r"\d+\.\d kW less load at bus 18, or a v_min_pu of 0\.9\d{3} at all buses that have 0\.95, would do",
        {"bus": "18", "line": "", "period": 18},
    ),
    "low voltage, load too small to be shed at one bus": Expected(
        lambda case: case.hours(18).generators("substation"),
        r"bus 18 would fall to .* pu below .*: \d+\.\d kW less load over \d+ buses \(.* at bus .*, \.\.\.\), or a",
        {"bus": "18"},
    ),
    "generation": Expected(
        lambda case: strong(case).hours(18).generators("substation", p_max_kw=3000.0),
        "generation is short by {missing_kw:.1f} kW with every generator at its p_max_kw: .* kW less load .*, or a "
        r"p_max_kw of \d+\.\d for generator substation, would do$",
        {"generator": "substation", "line": ""},
    ),
    "reactive generation": Expected(
        lambda case: strong(case).hours(18).generators(q_max_kvar=100.0, q_min_kvar=0.0),
        "reactive power is short by {missing_kvar:.1f} kvar with every generator at its q_max_kvar: "
        r"\d+\.\d kvar more compensation at bus \d+, or a q_max_kvar of \d+\.\d for generator",
    ),
    "line and voltage together": Expected(
        lambda case: case.bids(b26=600.0),
        r"line 6-26 is full at 1090 kW: .*, or a rating of \d+\.\d kW on line 6-26 and a v_min_pu of 0\.\d{4}",
        {"line": "6-26"},
    ),
    "beyond what wires carry": Expected(
        lambda case: case.hours(3).bids(b18=20000.0),
        r"in period 1 .* kW less load at bus 18",
        {},
        cures=(LoadCure,),  # no limits would do: the wires collapse
    ),
    "price": Expected(
        lambda case: case.hours(18),
        r"bus \d+ could be served only at 0\.2\d* \$/kWh, above the value of lost load of 0\.2 \$/kWh: "
        r".* or a value of lost load of 0\.2\d \$/kWh, would do$",
        cures=(LoadCure, PriceCure),
        lost_load=0.2,
    ),
}


@pytest.fixture(params=CASES)
def expected(request):
    return CASES[request.param]


@pytest.fixture
def case(expected, ieee33):
    return expected.make(ieee33)


@pytest.fixture
def error(case, expected):
    return ShortageError.of(case.feeder, case.clearing(expected.lost_load).clear(case.bid_kw))


def carried(feeder, p_kw, q_kvar, value_of_lost_load):
    """Whether a fresh clearing of one period is short of nothing."""
    clearing = Clearing(feeder, p_kw[:, None], q_kvar[:, None], 1.0, value_of_lost_load)
    return ShortageError.of(feeder, clearing.clear(np.zeros((len(feeder.buses), 1)))) is None


def after(cure, case, t, value_of_lost_load=10.0):
    """The case of period t after the cure, as arguments of `carried`."""
    p_kw, q_kvar = (case.load_kw + case.bid_kw)[:, t], case.load_kvar[:, t]
    if isinstance(cure, LoadCure):
        return case.feeder, *cure.applied(case.feeder, p_kw, q_kvar), value_of_lost_load
    if isinstance(cure, LimitCure):
        return cure.applied(case.feeder), p_kw, q_kvar, value_of_lost_load
    return case.feeder, p_kw, q_kvar, cure.value_of_lost_load_usd_per_kwh


def test_sentence(error, expected):
    facts = {"missing_kw": error.missing_kw, "missing_kvar": error.missing_kvar}
    says = expected.says
    for name, value in facts.items():
        says = says.replace(f"{{{name}:.1f}}", f"{value:.1f}".replace(".", r"\."))
    assert str(error).count("\n") == 0
    assert re.search(says, str(error)), str(error)


def test_attributes(error, expected, case):
    for name, value in expected.facts.items():
        assert getattr(error, name) == value
    assert error.missing_kw + abs(error.missing_kvar) > 1.0
    assert error.bus in case.feeder.names
    assert isinstance(error, InfeasibleError)
    assert error.exit_code == 4


def test_cures_work(error, expected, case):
    assert tuple(type(cure) for cure in error.cures) == expected.cures
    assert not carried(
        case.feeder, (case.load_kw + case.bid_kw)[:, error.period], case.load_kvar[:, error.period], expected.lost_load
    )
    for cure in error.cures:
        assert carried(*after(cure, case, error.period, expected.lost_load)), str(cure)


def test_nobody_is_asked_to_shed_more_than_there_is(error, case):
    load = (case.load_kw + case.bid_kw)[:, error.period]
    for cure in error.cures:
        if isinstance(cure, LoadCure) and cure.unit == "kW":
            for bus, change in cure.changes:
                assert -change <= load[case.feeder.index(bus)]


def test_error_crosses_a_process_boundary(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.line, copy.bus, copy.cures) == (str(error), error.line, error.bus, error.cures)


@pytest.mark.parametrize(
    "name", ["line rating", "current rating", "reactive rating", "low voltage", "generation", "reactive generation"]
)
def test_cures_do_not_exaggerate(ieee33, name):
    """A little less of the cure (4 %), and the period is short again."""
    case = CASES[name].make(ieee33)
    error = ShortageError.of(case.feeder, case.clearing().clear(case.bid_kw))
    for cure in error.cures:
        if isinstance(cure, LoadCure):
            less = LoadCure(cure.unit, tuple((bus, 0.96 * change) for bus, change in cure.changes))
        else:
            less = LimitCure(tuple(_nearer(change) for change in cure.changes))
        assert not carried(*after(less, case, error.period)), f"{cure} when {less} is enough"


def _nearer(change):
    return replace(change, value=change.value - 0.04 * (change.value - change.old))


def test_nothing_short_no_error(ieee33):
    assert ShortageError.of(ieee33.feeder, ieee33.clearing().clear(ieee33.bid_kw)) is None


@pytest.mark.parametrize("kind", [LoadCure, LimitCure])
def test_applying_cures_one_after_the_other_ends_the_shortage(ieee33, kind):
    """The worst period is named first; with all short periods cured in turn nothing is short."""
    case = ieee33.bids(b26=500.0)
    seen = 0
    while error := ShortageError.of(case.feeder, case.clearing().clear(case.bid_kw)):
        seen += 1
        assert seen <= 24
        cure = next(cure for cure in error.cures if isinstance(cure, kind))
        if kind is LimitCure:
            case = case.with_(feeder=cure.applied(case.feeder))
        else:
            load = case.load_kw.copy()
            load[:, error.period] = cure.applied(case.feeder, load[:, error.period], case.load_kvar[:, error.period])[0]
            case = case.with_(load_kw=load)
    assert seen >= 1


def test_more_periods_are_counted(ieee33):
    case = ieee33.hours(17, 18, 3).lines(l6_26={"p_max_kw": 500.0})
    error = ShortageError.of(case.feeder, case.clearing().clear(case.bid_kw))
    assert (error.period, error.short_periods) == (1, 2)
    assert str(error).endswith("(1 other period is short, too)")


@pytest.fixture
def feed_in(build):
    """500 kW fed in behind a line that takes 300 kW, with a current rating or without."""

    def cleared(**ratings):
        feeder = build(
            lines=[Line("a", "b", 0.3, 0.2), Line("b", "c", 0.5, 0.4, **ratings)],
            generators=[Generator("substation", "a", 1e-5, 0.2, 0, -5000, 5000, -5000, 5000)],
        )
        load = np.array([0.0, 100.0, -500.0])
        return feeder, load, Clearing(feeder, load[:, None], np.zeros((3, 1)), 1.0).clear(np.zeros((3, 1)))

    return cleared


def test_too_much_feed_in_is_named_as_such(feed_in):
    feeder, load, dispatch = feed_in(i_max_a=300 / 10 / 3**0.5)
    error = ShortageError.of(feeder, dispatch)
    assert (error.line, error.bus) == ("b-c", "c")
    assert error.missing_kw == pytest.approx(200, abs=1)
    load_cure, limit_cure = error.cures
    assert str(load_cure).endswith("kW more load (or less feed-in) at bus c")
    assert carried(feeder, *load_cure.applied(feeder, load, np.zeros(3)), 10.0)
    assert carried(limit_cure.applied(feeder), load, np.zeros(3), 10.0)


def test_power_burned_in_the_relaxation_shows_in_the_cone_gap(feed_in):
    """Without a current rating (5) lets a line lose whatever is too much: no shortage, but no AC solution either."""
    feeder, load, dispatch = feed_in(p_max_kw=300)
    clearing = Clearing(feeder, load[:, None], 0 * load[:, None], 1.0, physics="cone")
    relaxed = clearing.clear(np.zeros((3, 1)))
    assert relaxed.shortage_cost_usd == 0
    assert relaxed.inexact_periods == [0]
    error = ShortageError.of(feeder, dispatch)
    assert (error.line, dispatch.inexact_periods) == ("b-c", [])
    assert error.missing_kw == pytest.approx(200, abs=1)


def test_one_bus_with_too_much_generation(build):
    generator = Generator("g", "a", 0, 0.1, 0, 100, 200, -50, 50)
    feeder = build(buses=[Bus("a")], lines=[], generators=[generator])
    error = ShortageError.of(feeder, Clearing(feeder, [[70.0]], [[0.0]], 1.0).clear([[0.0]]))
    assert str(error) == (
        "in period 1 (00:00-01:00) generation exceeds the load by 30.0 kW with every generator at its p_min_kw: "
        "30.1 kW more load (or less feed-in) at bus a, or a p_min_kw of 69.9 for generator g, would do"
    )


def test_one_bus_with_too_much_reactive_power(build):
    generator = Generator("g", "a", 0, 0.1, 0, 0, 200, -20, 50)
    feeder = build(buses=[Bus("a")], lines=[], generators=[generator])
    error = ShortageError.of(feeder, Clearing(feeder, [[70.0]], [[-45.0]], 1.0).clear([[0.0]]))
    assert str(error) == (
        "in period 1 (00:00-01:00) reactive power is in excess by 25.0 kvar with every generator at its q_min_kvar: "
        "25.1 kvar less compensation at bus a, or a q_min_kvar of -45.1 for generator g, would do"
    )


def test_more_than_wires_carry_at_any_voltage(build):
    """Past the nose of the voltage curve no limit helps, only less load."""
    feeder = build(generators=[Generator("substation", "a", 0, 0.2, 0, 0, 1e6, -1e6, 1e6)])
    load = np.array([0.0, 0.0, 60e3])
    error = ShortageError.of(feeder, Clearing(feeder, load[:, None], np.zeros((3, 1)), 1.0).clear(np.zeros((3, 1))))
    (cure,) = error.cures
    assert (error.line, error.generator, error.bus) == ("", "", "c")
    assert re.fullmatch(
        r"in period 1 \(00:00-01:00\) bus c cannot be served within the limits of wires and generators: "
        r"\d+\.\d kW less load at bus c would do",
        str(error),
    )
    assert carried(feeder, *cure.applied(feeder, load, np.zeros(3)), 10.0)


def test_generator_too_dear_to_run(build):
    """A generator dearer than lost load stands still; the limit of the other one is not said to be the whole story."""
    cheap = Generator("cheap", "a", 0, 0.1, 0, 0, 100, -50, 50)
    dear = Generator("dear", "a", 0, 50.0, 0, 0, 50, -50, 50)
    feeder = build(buses=[Bus("a")], lines=[], generators=[cheap, dear])
    error = ShortageError.of(feeder, Clearing(feeder, [[170.0]], [[0.0]], 1.0).clear([[0.0]]))
    assert str(error) == (
        "in period 1 (00:00-01:00) bus a cannot be served within the limits of wires and generators: "
        "70.1 kW less load at bus a would do"
    )


def test_one_bus_short_of_generation(build):
    feeder = build(buses=[Bus("a")], lines=[], generators=[Generator("g", "a", 0, 0.1, 0, 0, 100, -50, 50)])
    error = ShortageError.of(feeder, Clearing(feeder, [[130.0]], [[0.0]], 1.0).clear([[0.0]]))
    assert str(error) == (
        "in period 1 (00:00-01:00) generation is short by 30.0 kW with every generator at its p_max_kw: "
        "30.1 kW less load at bus a, or a p_max_kw of 130.1 for generator g, would do"
    )
