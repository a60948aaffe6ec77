"""Behaviours by name: what is found, and each way in which one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents import BehaviourError, PriceTaker
from gridbazaar.scenarios.files.behaviours import make_behaviour, registered_behaviours
from gridbazaar.scenarios.files.changes import changes_of

CODE = """
from gridbazaar.agents import Behaviour
class Fine(Behaviour):
    def believe(self, lmp): return lmp + 0.03
class Fails(Behaviour):
    def offer(self, quote, plan): return 1 / 0
class CannotBeMade(Behaviour):
    def __init__(self): raise OSError("no key")
class Stranger: pass
class Misspelt(Behaviour):
    def beleive(self, lmp): return lmp * 100
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CODE)
    return tmp_path / "mine.py"


def test_registered_module_and_file(file: Path) -> None:
    assert registered_behaviours()["price_taker"] == "gridbazaar.agents.behaviour:PriceTaker"
    assert type(make_behaviour("price_taker", "", "")) is PriceTaker
    assert type(make_behaviour("gridbazaar.agents.behaviour:PriceTaker", "", "")) is PriceTaker
    one, two = make_behaviour(f"{file}:Fine", "", ""), make_behaviour(f"{file}:Fine", "", "")
    assert type(one) is type(two)
    assert one is not two


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "price_takr",
            "there is no behaviour price_takr, nor is it module:Class or path.py:Class; did you mean price_taker?",
        ),
        ("nowhere:Mine", "there is no module nowhere; correct the name before the colon, or install what holds it"),
        ("nowhere.py:Mine", "there is no file nowhere.py; correct the path before the colon"),
        ("{file}:Mine", "has no class Mine; correct the name after the colon"),
        ("{file}:Stranger", "Stranger is not a subclass of gridbazaar.agents.Behaviour; derive it from there"),
        ("{file}:Misspelt", "Misspelt.beleive overrides nothing; did you mean believe?"),
        ("{file}:CannotBeMade", "CannotBeMade() cannot be made: OSError: no key (at "),
    ],
)
def test_a_behaviour_that_cannot_be_had(name: str, sentence: str, file: Path) -> None:
    with pytest.raises(gb.ScenarioError) as refused:
        make_behaviour(name.format(file=file), "my.yaml:3", "prosumers.p2.behaviour")
    assert str(refused.value).startswith("my.yaml:3 prosumers.p2.behaviour: ")
    assert sentence in str(refused.value)


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    with pytest.raises(gb.ScenarioError, match="there is no module nothing_of_this_name"):
        make_behaviour(f"{tmp_path / 'broken.py'}:Mine", "", "")
    (tmp_path / "worse.py").write_text("def f(:\n")
    with pytest.raises(gb.ScenarioError, match=r"cannot be imported: SyntaxError"):
        make_behaviour(f"{tmp_path / 'worse.py'}:Mine", "", "")


def test_a_scenario_file_names_its_behaviour_from_where_it_stands(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = file.parent / "mine.yaml"
    scenario.write_text("base: ieee33\nprosumers: {p2: {behaviour: mine.py:Fine}}\n")
    monkeypatch.chdir("/")
    market = gb.load(str(scenario)).market()
    assert [type(prosumer.behaviour).__name__ for prosumer in market.prosumers] == ["PriceTaker", "Fine", "PriceTaker"]
    plain, other = gb.load("ieee33").market().run(), market.run()
    assert plain.bid_kw[1].sum() > 100
    assert other.bid_kw[1].sum() == pytest.approx(0, abs=0.1)  # 3 cents dearer, grid power is never worth it


def test_a_behaviour_that_fails_names_its_file_and_line(file: Path) -> None:
    market = gb.load("ieee33", {"prosumers.p3.behaviour": f"{file}:Fails"}).market()
    with pytest.raises(BehaviourError) as failed:
        market.run()
    assert f"behaviour Fails of p3, in offer(): ZeroDivisionError: division by zero (at {file}:6)" == str(failed.value)
    assert failed.value.exit_code == 2


def test_a_file_that_was_edited_is_loaded_anew(file: Path) -> None:
    """Also within the second, and when as long as before."""
    name = f"{file}:Fine"
    first = make_behaviour(name, "", "")
    file.write_text(CODE.replace("0.03", "0.04"))
    second = make_behaviour(name, "", "")
    assert (round(first.believe(0), 2), round(second.believe(0), 2)) == (0.03, 0.04)  # type: ignore[arg-type, call-overload]
    assert type(make_behaviour(name, "", "")) is type(second)
    file.write_text(CODE)
    assert type(make_behaviour(name, "", "")) is type(first)
    assert not (file.parent / "__pycache__").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"prosumers.p2.behaviour": "mine.py:Fine"},
        {"prosumers.p2": {"behaviour": "mine.py:Fine"}},
        changes_of(["prosumers.p2.behaviour=mine.py:Fine"]),
    ],
)
def test_a_change_names_a_behaviour_from_here_and_for_good(changes: Any, file: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(file.parent)
    scenario = gb.load("ieee33", changes)
    recorded = scenario.model_dump_json(by_alias=True)
    monkeypatch.chdir("/")
    gb.Scenario.model_validate_json(recorded).check()
    assert scenario.prosumers["p2"].behaviour == f"{file}:Fine"
