"""What is no feeder is refused with table, row, column, what is wrong and the cure."""

import pickle
from math import inf, nan

import pandas as pd
import pytest

from gridbazaar.network import Bus, Feeder, FeederError, InputError, Line


def generator(**changes):
    usual = {
        "name": "g", "bus": "a", "a_usd_per_kw2h": 0, "b_usd_per_kwh": 0.1, "c_usd_per_h": 0,
        "p_min_kw": 0, "p_max_kw": 1000, "q_min_kvar": -500, "q_max_kvar": 500,
    }  # fmt: skip
    return usual | changes


def line(**changes):
    return {"from_bus": "a", "to_bus": "b", "r_ohm": 0.3, "x_ohm": 0.2} | changes


B_C = Line("b", "c", 0.5, 0.4)
BUSES = [Bus("a"), Bus("b"), Bus("c")]

# name: parts of the feeder, the sentence, and where it points (table, row, key)
WRONG = {
    "loop": (
        {"lines": [line(), B_C, Line("c", "a", 1, 1)]},
        "line c-a closes the loop c-b-a-c, but the feeder must be radial; open it by taking line c-a "
        "(or another line of the loop) out of the table",
        ("lines", "c-a", ""),
    ),
    "loop away from the root": (
        {
            "buses": [*BUSES, Bus("d")],
            "lines": [line(), B_C, Line("c", "d", 1, 1), Line("d", "b", 1, 1)],
        },
        "line d-b closes the loop d-c-b-d, but",
        ("lines", "d-b", ""),
    ),
    "one loose bus": (
        {"lines": [line()]},
        "bus c hangs loose: no lines lead there from the root a; add the line that feeds c, or take the loose bus out",
        ("buses", "c", ""),
    ),
    "many loose buses": (
        {"buses": [*BUSES, *(Bus(f"n{k}") for k in range(10))], "lines": [line(), B_C]},
        "buses n0, n1, n2, n3, n4, n5, n6, n7 and 2 more hang loose",
        ("buses", "n0", ""),
    ),
    "parallel lines": (
        {"lines": [line(), B_C, Line("b", "a", 1, 1)]},
        "a line between b and a is already given as a-b; keep one, parallel lines merged",
        ("lines", "b-a", ""),
    ),
    "line to nowhere": (
        {"lines": [line(), line(from_bus="b", to_bus="cc")]},
        "there is no bus cc; did you mean c?; name a bus of the table of buses",
        ("lines", "b-cc", "to_bus"),
    ),
    "line to itself": (
        {"lines": [line(to_bus="a")]},
        "both ends are the same bus; correct one",
        ("lines", "a-a", "to_bus"),
    ),
    "negative resistance": (
        {"lines": [line(r_ohm=-0.1), B_C]},
        "-0.1 ohm is negative; a line has r_ohm and x_ohm of 0 or more",
        ("lines", "a-b", "r_ohm"),
    ),
    "negative reactance": (
        {"lines": [line(x_ohm=-0.1), B_C]},
        "-0.1 ohm is negative",
        ("lines", "a-b", "x_ohm"),
    ),
    "negative charging": (
        {"lines": [line(b_us=-1), B_C]},
        "-1 microsiemens is negative; a line has a charging susceptance of 0 or more",
        ("lines", "a-b", "b_us"),
    ),
    "tap in percent": (
        {"lines": [line(tap=2.5), B_C]},
        "2.5 is outside 0.5 to 2; give the ratio relative to the nominal one, such as 1.025",
        ("lines", "a-b", "tap"),
    ),
    "rating of nothing": (
        {"lines": [line(i_max_a=0), B_C]},
        "a rating of 0 carries nothing; give a rating above 0, or take the line out",
        ("lines", "a-b", "i_max_a"),
    ),
    "empty rating": (
        {"lines": [line(p_max_kw=nan), B_C]},
        "not a number (an empty cell?); write inf where there is no limit",
        ("lines", "a-b", "p_max_kw"),
    ),
    "empty impedance": (
        {"lines": [line(r_ohm=nan), B_C]},
        "not a number (an empty cell?); give a number",
        ("lines", "a-b", "r_ohm"),
    ),
    "infinite load": (
        {"buses": [Bus("a"), Bus("b", p_kw=inf), Bus("c")]},
        "inf is not finite; give a number",
        ("buses", "b", "p_kw"),
    ),
    "words for a number": (
        {"lines": [line(r_ohm="0.3 ohm"), B_C]},
        "'0.3 ohm' is not a number; write a plain number",
        ("lines", "a-b", "r_ohm"),
    ),
    "impedance in milliohm": (
        {"lines": [line(r_ohm=922.0, x_ohm=470.0), B_C], "buses": [Bus("a"), Bus("b", p_kw=500.0), Bus("c")]},
        "1034.88 ohm at 10 kV could never carry the load behind it; are r_ohm and x_ohm in milliohm, or loads in W?",
        ("lines", "a-b", "r_ohm"),
    ),
    "base in volts": (
        {"base_kv": 12660.0},
        "12660 kV is outside 0.1 to 500 kV; is it in volts? give the line-to-line voltage in kV",
        ("feeder", "", "base_kv"),
    ),
    "voltage limit in kV": (
        {"buses": [Bus("a"), Bus("b", v_min_pu=9.5), Bus("c")]},
        "9.5 pu is outside 0.5 to 1.5 pu; is it in kV? divide by the base voltage",
        ("buses", "b", "v_min_pu"),
    ),
    "swapped voltage limits": (
        {"buses": [Bus("a"), Bus("b", 1.05, 0.95), Bus("c")]},
        "v_min_pu 1.05 is not below v_max_pu 0.95; swap or widen them",
        ("buses", "b", "v_min_pu"),
    ),
    "root voltage outside its limits": (
        {"root_voltage_pu": 1.1},
        "1.1 pu is outside the limits 0.95 to 1.05 pu of the root bus a; hold the root within its limits or widen them",
        ("feeder", "", "root_voltage_pu"),
    ),
    "unknown root": (
        {"root": "aa"},
        "the root aa is not a bus; did you mean a?; name the bus of the substation",
        ("feeder", "", "root"),
    ),
    "bus twice": ({"buses": [*BUSES, Bus("b")]}, "bus b is given twice; keep one", ("buses", "b", "name")),
    "nameless bus": ({"buses": [*BUSES, Bus("")]}, "the name is empty; give one", ("buses", "", "name")),
    "generator twice": (
        {"generators": [generator(), generator(bus="b")]},
        "generator g is given twice; rename one",
        ("generators", "g", "name"),
    ),
    "generator nowhere": (
        {"generators": [generator(bus="x")]},
        "there is no bus x; name a bus of the feeder",
        ("generators", "g", "bus"),
    ),
    "swapped active limits": (
        {"generators": [generator(p_min_kw=10, p_max_kw=5)]},
        "p_min_kw 10 is above p_max_kw 5; swap them or correct one",
        ("generators", "g", "p_min_kw"),
    ),
    "swapped reactive limits": (
        {"generators": [generator(q_min_kvar=500, q_max_kvar=-500)]},
        "q_min_kvar 500 is above q_max_kvar -500",
        ("generators", "g", "q_min_kvar"),
    ),
    "concave cost": (
        {"generators": [generator(a_usd_per_kw2h=-1e-5)]},
        "-1e-05 is negative, so the cost is not convex; give 0 or more",
        ("generators", "g", "a_usd_per_kw2h"),
    ),
    "no generator": (
        {"generators": []},
        "no generator feeds this feeder; add the substation as a generator at the root a",
        ("generators", "", ""),
    ),
    "island that cannot follow its load": (
        {"generators": [generator(bus="c", p_min_kw=100, p_max_kw=100)]},
        "no generator stands at the root a and none elsewhere can vary its power, so nothing follows the load",
        ("generators", "", ""),
    ),
    "missing column": (
        {"lines": [{"from_bus": "a", "to_bus": "b", "r_ohm": 1}, B_C]},
        "this column is missing; add it",
        ("lines", "a-b", "x_ohm"),
    ),
    "misspelt column": (
        {"lines": pd.DataFrame([line(p_max_kW=1.0)])},
        "unknown column p_max_kW; did you mean p_max_kw?",
        ("lines", "a-b", "p_max_kW"),
    ),
    "strange column": (
        {"buses": [{"bus": "a", "colour": "red"}]},
        "unknown column colour; the columns are name, v_min_pu, v_max_pu, p_kw, q_kvar",
        ("buses", "a", "colour"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused_with_place_and_cure(build, name):
    parts, sentence, (table, row, key) = WRONG[name]
    with pytest.raises(FeederError) as caught:
        build(**({"buses": BUSES} | parts))
    error = caught.value
    assert sentence in str(error)
    assert (error.table, error.row, error.key) == (table, row, key)
    assert str(error).startswith(".".join(part for part in (table, row, key) if part) + ": ")
    assert isinstance(error, InputError)
    assert (str(copy := pickle.loads(pickle.dumps(error))), copy.bus, copy.line) == (str(error), error.bus, error.line)


RIGHT = {
    "no ratings": {"lines": [line(p_max_kw="inf", i_max_a=inf), B_C]},
    "pure reactance": {"lines": [line(r_ohm=0), B_C]},
    "reactive power without a lower limit": {"generators": [generator(q_min_kvar=-inf)]},
    "generators without any limit": {
        "generators": [generator(p_min_kw=0, p_max_kw=inf, q_min_kvar=-inf, q_max_kvar=inf)]
    },
    "negative load": {"buses": [Bus("a"), Bus("b", p_kw=-300), Bus("c")]},
}


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_but_right(build, name):
    assert len(build(**({"buses": BUSES} | RIGHT[name])).buses) == 3


def test_the_root_may_have_one_voltage_because_it_is_held_there():
    held = [Bus("a", v_min_pu=1.0, v_max_pu=1.0), Bus("b"), Bus("c")]
    feeder = Feeder.from_tables(held, [line(), B_C], [generator()], root="a", base_kv=12.66)
    assert (feeder.v_min_pu[0], feeder.v_max_pu[0]) == (1.0, 1.0)
    with pytest.raises(FeederError, match=r"v_min_pu 1 is not below v_max_pu 1; swap or widen them"):
        Feeder.from_tables(held, [line(), B_C], [generator()], root="b", base_kv=12.66)
