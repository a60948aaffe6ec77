"""Behaviours with parameters and in groups: how they are written, what is refused, and what becomes of them."""

from __future__ import annotations

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.behaviour_text import as_text, parsed, takes_prices, with_parameters
from gridbazaar.scenarios.files.changes import behaviours_of
from gridbazaar.scenarios.files.file_schema import file_schema

MINE = """
from gridbazaar.agents import Behaviour

class Mine(Behaviour):
    def __init__(self, factor: float, words: str = "a:b"):
        self.factor, self.words = factor, words
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def made(scenario, name):
    return scenario._building.behaviours()[name]


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        ("Shading", "Shading", {}),
        ("Shading(percent=5)", "Shading", {"percent": 5}),
        ("Shading()", "Shading", {}),
        ("a/b.py:C(x='1:2', y=[1, 2])", "a/b.py:C", {"x": "1:2", "y": [1, 2]}),
        ("My (1)/b.py:C(x=1)", "My (1)/b.py:C", {"x": 1}),
        ("My (1)/b.py:C", "My (1)/b.py:C", {}),
    ],
)
def test_a_text_is_a_name_with_parameters(text, name, given):
    assert parsed(text) == (name, given)
    assert parsed(with_parameters(text, {"z": "3"})) == (name, {**given, "z": 3})


@pytest.mark.parametrize(
    "text",
    [
        "Shading(5)",
        "Shading(percent=)",
        "Shading(percent=x)",
        "Shading(",
        "Shading()()",
        "Shading(percent=1, percent=2)",
        "Shading(**{})",
        "A(__import__('os'))",
    ],
)
def test_what_is_no_such_text_is_refused(text):
    with pytest.raises(ValueError, match="is no behaviour with parameters; write it like Shading"):
        parsed(text)


def test_a_mapping_is_the_same_as_a_text():
    assert as_text({"name": "Shading", "percent": 5}) == "Shading(percent=5)"
    assert as_text({"name": "Shading"}) == "Shading"
    assert as_text({"percent": 5}) == {"percent": 5}  # which the schema refuses
    assert takes_prices("price_taker")
    assert not takes_prices("Shading")


def test_parameters_in_a_file(folder):
    (folder / "s.yaml").write_text(
        "base: ieee33\nprosumers:\n  p1: {behaviour: {name: Shading, percent: 7}}\n"
        "  p2: {behaviour: 'mine.py:Mine(factor=2)'}\n  p3: {behaviour: {name: mine.py:Mine, factor: 3, words: 'c'}}\n"
    )
    scenario = gb.load(str(folder / "s.yaml"))
    assert made(scenario, "p1").percent == 7
    assert (made(scenario, "p2").factor, made(scenario, "p2").words) == (2.0, "a:b")
    assert (made(scenario, "p3").factor, made(scenario, "p3").words) == (3.0, "c")
    again = gb.Scenario.model_validate(scenario.model_dump(by_alias=True, mode="json"))
    assert made(again, "p3").factor == 3.0  # as a manifest keeps it


def test_parameters_from_python_and_on_the_command_line(folder, monkeypatch):
    monkeypatch.chdir(folder)
    from_python = gb.load("ieee33", {"prosumers.p2.behaviour": {"name": "mine.py:Mine", "factor": 4}})
    assert made(from_python, "p2").factor == 4.0
    for texts, parameters in ((["p2=mine.py:Mine(factor=4)"], []), (["p2=mine.py:Mine"], ["factor=4"])):
        assert made(gb.load("ieee33", behaviours_of(texts, parameters)), "p2").factor == 4.0
    everybody = gb.load("ieee33", behaviours_of(["p*=Shading"], ["percent=3"]))
    assert {name: one.percent for name, one in everybody._building.behaviours().items()} == dict.fromkeys(
        ("p1", "p2", "p3"), 3
    )


REFUSED = {
    "unknown": ("Shading(percnt=5)", r"Shading, parameter percnt: unknown parameter; did you mean percent\?"),
    "out of range": ("Shading(percent=200)", "Shading, parameter percent: Input should be less than 100; it is 200"),
    "no number": ("Shading(percent='x')", "Shading, parameter percent: Input should be a valid number.*; it is 'x'"),
    "missing": ("{file}:Mine", "Mine, parameter factor: is missing; add it"),
    "position": ("Shading(5)", r"'Shading\(5\)' is no behaviour with parameters; write it like Shading\(percent=5\)"),
    "misspelt": ("Shadin(percent=5)", r"there is no behaviour Shadin, nor is it .*; did you mean Shading\?"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_wrong_parameter_is_one_sentence(folder, what):
    text, sentence = REFUSED[what]
    scenario = gb.load("ieee33", {"prosumers.p2.behaviour": text.format(file=folder / "mine.py")})
    with pytest.raises(gb.ScenarioError, match=sentence) as told:
        scenario.check()
    assert len(told.value.problems) == 1
    assert "prosumers.p2.behaviour" in str(told.value)


# --- groups


def group(**rows):
    return gb.load("ieee33", {f"behaviours.{name}": row for name, row in rows.items()})


def test_a_group_acts_alike():
    scenario = group(some={"prosumers": "p[12]", "behaviour": {"name": "Shading", "percent": 3}})
    assert {name: row.behaviour for name, row in scenario.prosumers.items()} == {
        "p1": "Shading(percent=3)",
        "p2": "Shading(percent=3)",
        "p3": "price_taker",
    }


def test_a_share_is_drawn_with_a_seed():
    draws = {
        seed: [
            name
            for name, row in group(some={"share": 0.67, "seed": seed, "behaviour": "Shading"}).prosumers.items()
            if row.behaviour == "Shading"
        ]
        for seed in (*range(10), 0)
    }
    assert all(len(names) == 2 for names in draws.values())
    assert len({tuple(names) for names in draws.values()}) > 1
    assert group(some={"share": 0, "behaviour": "Shading"}).prosumers["p1"].behaviour == "price_taker"


def test_the_file_of_a_group_is_meant_from_the_scenario(folder):
    (folder / "s.yaml").write_text("base: ieee33\nbehaviours:\n  all: {behaviour: {name: mine.py:Mine, factor: 2}}\n")
    assert made(gb.load(str(folder / "s.yaml")), "p3").factor == 2.0


def test_what_is_changed_from_outside_goes_before_the_group_of_a_file(folder):
    (folder / "s.yaml").write_text("base: ieee33\nbehaviours:\n  all: {behaviour: Shading}\n")
    for changes in ({"prosumers.p2.behaviour": "LossAverse"}, behaviours_of(["p2=LossAverse"])):
        rows = gb.load(str(folder / "s.yaml"), changes).prosumers
        assert {name: row.behaviour for name, row in rows.items()} == {
            "p1": "Shading",
            "p2": "LossAverse",
            "p3": "Shading",
        }


def test_a_name_is_a_name_before_it_is_a_pattern():
    scenario = gb.load(
        "ieee33",
        {
            "links": {},
            "prosumers.h[1]": {
                "bus": "9",
                "alpha_usd_per_kw2h": 1e-4,
                "beta_usd_per_kwh": 0.3,
                "elastic_max_kw": 9,
                "bid_max_kw": 9,
            },
            "behaviours.one": {"prosumers": "h[1]", "behaviour": "Shading"},
        },
    )
    assert scenario.prosumers["h[1]"].behaviour == "Shading"
    assert scenario.prosumers["p1"].behaviour == "price_taker"


WRONG_GROUPS = {
    "nobody drawn": ({"share": 0.1, "behaviour": "Shading"}, "a share of 0.1 of 3 is nobody; write more, or 0"),
    "half a seed": (
        {"seed": 1.5, "behaviour": "Shading"},
        "behaviours.some.seed: 1.5 is not a whole number; write one",
    ),
    "nobody": (
        {"prosumers": "q*", "behaviour": "Shading"},
        r"behaviours.some.prosumers: no prosumer is called q\*; known are p1",
    ),
    "share": ({"share": 2, "behaviour": "Shading"}, "behaviours.some.share: 2 is no share; write a number from 0 to 1"),
    "no number": ({"share": "x", "behaviour": "Shading"}, "behaviours.some.share: 'x' is not a number; write one"),
    "no behaviour": ({"prosumers": "p*"}, r"a group needs a behaviour; write \{prosumers: 'h\*', behaviour: Shading\}"),
    "key": (
        {"prosumer": "p*", "behaviour": "Shading"},
        r"behaviours.some.prosumer: unknown key; did you mean prosumers\?",
    ),
}


@pytest.mark.parametrize("what", WRONG_GROUPS)
def test_a_wrong_group_is_one_sentence(what):
    row, sentence = WRONG_GROUPS[what]
    with pytest.raises(gb.ScenarioError, match=sentence):
        group(some=row)


def test_a_pattern_changes_all_that_match():
    scenario = gb.load("ieee33", {"prosumers.p*.elastic_max_kw": 77})
    assert [row.elastic_max_kw for row in scenario.prosumers.values()] == [77, 77, 77]
    with pytest.raises(gb.ScenarioError, match=r"no prosumer is called q\*; known are p1, p2, p3"):
        gb.load("ieee33", {"prosumers.q*.elastic_max_kw": 77})


def test_editors_know_groups_and_parameters():
    schema = file_schema()
    kinds = [one["type"] for one in schema["$defs"]["ProsumerRow"]["properties"]["behaviour"]["anyOf"]]
    assert "object" in kinds
    assert set(schema["properties"]["behaviours"]["additionalProperties"]["properties"]) == {
        "prosumers",
        "share",
        "seed",
        "behaviour",
    }


WRONG_SECTIONS = {
    "no groups": "behaviours: [a, b]",
    "nobody": "behaviours: {all: {prosumers: 'x*', behaviour: Shading}}",
    "no behaviour": "behaviours: {all: {share: 0.3}}",
}


@pytest.mark.parametrize("what", WRONG_SECTIONS)
def test_wrong_groups_hide_no_other_problem_of_the_file(tmp_path, what):
    file = tmp_path / "s.yaml"
    file.write_text(f"base: ieee33\nalpha_scale: x\n{WRONG_SECTIONS[what]}\nmarket: {{oder: jacobi}}\n")
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(str(file))
    keys = [problem.key for problem in refused.value.problems]
    assert len(keys) == 3
    assert set(keys[:2]) == {"alpha_scale", "market.oder"}
    assert keys[2].startswith("behaviours")
    file.write_text(f"base: ieee33\n{WRONG_SECTIONS[what]}\n")
    with pytest.raises(gb.ScenarioError) as alone:
        gb.load(str(file))
    assert len(alone.value.problems) == 1
