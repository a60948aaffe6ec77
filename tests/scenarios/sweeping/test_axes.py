"""What is swept: values between commas, every combination, and what is no sweep."""

from __future__ import annotations

import numpy as np
import pytest

from gridbazaar.scenarios.errors import ScenarioError
from gridbazaar.scenarios.sweeping.axes import Axis, axes_of, combinations, split


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", ["1", "2", "3"]),
        ("1", ["1"]),
        (" 1 , 2 ", ["1", "2"]),
        ("[1,2],[3,4]", ["[1,2]", "[3,4]"]),
        ("{a: 1, b: [2, 3]},null", ["{a: 1, b: [2, 3]}", "null"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("Shading(percent=5, more=1),price_taker", ["Shading(percent=5, more=1)", "price_taker"]),
        ("1,,2", ["1", "", "2"]),
        ("", [""]),
    ],
)
def test_values_stand_between_commas_outside_of_brackets(text: str, values: list[str]) -> None:
    assert split(text) == values


def test_values_are_read_as_a_file_has_them() -> None:
    axis = Axis.read("profiles.sun", "[0,1],[1,0]", "--set profiles.sun=[0,1],[1,0]")
    assert axis.values == (["0", "1"], ["1", "0"])
    assert axis.change(1).value == ["1", "0"]
    assert axis.change(1).place == "--set profiles.sun=[1,0]"


def test_values_from_python() -> None:
    (axis,) = axes_of({"profiles.sun": [np.array([0.0, 1.0]), [1, 0]]})
    assert axis.values == ([0.0, 1.0], [1, 0])
    assert axes_of({"market.case": np.array([1, 3])})[0].texts == ("1", "3")
    assert axes_of({"links.a-b": [None, "x"]})[0].texts == ("null", "x")


def test_the_last_key_changes_first() -> None:
    assert combinations(axes_of({"a": [1, 2], "b": [3, 4]})) == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,,2", "--set a=1,,2: a value is missing between commas; write it, or take a comma out"),
        ("1,2,1", "a: the value 1 is given twice; leave one out"),
    ],
)
def test_what_is_no_sweep_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        Axis.read("a", text, f"--set a={text}")
    assert str(refused.value) == sentence


def test_no_values_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"^a: there is no value to sweep; name one at least"):
        axes_of({"a": []})
