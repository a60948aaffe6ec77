"""Devices in scenario files: what is made of them, what a table gives to whom, and each way to write one wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.ev import Ev
from gridbazaar.agents.devices.kinds import KINDS
from gridbazaar.scenarios.errors import InfeasibleScenarioError
from gridbazaar.scenarios.files.device_schema import annotations
from gridbazaar.scenarios.files.device_values import is_series
from gridbazaar.scenarios.files.devices import OWN, find_kind
from gridbazaar.scenarios.files.file_schema import file_schema
from gridbazaar.scenarios.files.parameters import parameters_of

FLYWHEEL = """
from dataclasses import dataclass, replace
from gridbazaar.agents.devices.store import Store

@dataclass(frozen=True, eq=False, kw_only=True)
class Flywheel(Store):
    kind = "flywheel"
    loss_per_h: float = 0.2

class Nameless(Store):
    def __init__(self): raise OSError("never made")

@dataclass(frozen=True, eq=False, kw_only=True)
class Broken(Store):
    def block(self, periods, dt_h): return 1 / 0

@dataclass(frozen=True, eq=False, kw_only=True)
class Unmade(Store):
    def __post_init__(self): raise OSError("no key")

class Stranger: pass

@dataclass(frozen=True, eq=False, kw_only=True)
class Stumbles(Store):
    def infeasibility(self, periods, when): raise RuntimeError("boom")

@dataclass(frozen=True, eq=False, kw_only=True)
class Concave(Store):
    def block(self, periods, dt_h):
        block = super().block(periods, dt_h)
        return replace(block, quadratic_usd_per_h=block.quadratic_usd_per_h - 0.1)
"""
TOWN = """
base: ieee33
profiles: {cold: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]}
devices: devices.csv
prosumers:
  p1:
    devices:
      car: {kind: ev, capacity_kwh: 400, p_charge_max_kw: 50, trips: [{leaves_h: 7, returns_h: 17, energy_kwh: 90}]}
      warm: {kind: heat_pump, capacity_kwh: 100, p_max_kw: 30, heat_demand_kw: {profile: cold, peak: 20}, cop: cold}
  p3: {devices: {battery: null}}
"""
TABLE = """prosumer,name,kind,capacity_kwh,p_charge_max_kw,p_discharge_max_kw,efficiency_charge,trips
p*,battery,battery,100,50,50,,
p2,car,ev,300,50,,0.9,"[{leaves_h: 7, returns_h: 17, energy_kwh: 90}]"
"""


@pytest.fixture
def town(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(FLYWHEEL)
    (tmp_path / "devices.csv").write_text(TABLE)
    (tmp_path / "town.yaml").write_text(TOWN)
    return str(tmp_path / "town.yaml")


def devices(scenario: gb.Scenario) -> dict[str, dict[str, object]]:
    return {home.name: {device.name: device for device in home.devices} for home in scenario.build_households()}


def names(scenario: gb.Scenario) -> dict[str, list[str]]:
    return {prosumer: list(owned) for prosumer, owned in devices(scenario).items()}


def test_the_kinds_are_those_of_the_agents() -> None:
    assert {name: find_kind(name, "", "") for name in OWN} == KINDS


def test_own_devices_and_those_of_a_table(town: str) -> None:
    scenario = gb.load(town)
    scenario.check()
    made = devices(scenario)
    assert names(scenario) == {"p1": ["car", "warm", "battery"], "p2": ["battery", "car"], "p3": []}
    car, battery, warm = made["p2"]["car"], made["p1"]["battery"], made["p1"]["warm"]
    assert isinstance(car, Ev)
    assert (car.capacity_kwh, car.efficiency_charge, car.efficiency_discharge) == (300.0, 0.9, 0.92)
    assert [(trip.leaves_h, trip.returns_h, trip.energy_kwh) for trip in car.trips] == [(7.0, 17.0, 90.0)]
    assert isinstance(battery, Battery)
    assert battery.p_discharge_max_kw == 50.0
    cold = np.array([1.0] * 23 + [2.0])
    np.testing.assert_array_equal(warm.heat_demand_kw, 20 * cold)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(warm.cop, cold)  # type: ignore[attr-defined]


def test_one_value_is_changed_and_the_rest_stays(town: str) -> None:
    changed = gb.load(town, {"prosumers.p1.devices.battery.capacity_kwh": 120})
    made = devices(changed)
    assert [made[p]["battery"].capacity_kwh for p in ("p1", "p2")] == [120.0, 100.0]  # type: ignore[attr-defined]
    assert made["p1"]["battery"].p_charge_max_kw == 50.0  # type: ignore[attr-defined]
    everybody = devices(gb.load(town, {"prosumers.p[12].devices.battery.capacity_kwh": 7}))
    assert [everybody[p]["battery"].capacity_kwh for p in ("p1", "p2")] == [7.0, 7.0]  # type: ignore[attr-defined]
    of_table = devices(gb.load(town, {"devices.p*-battery.capacity_kwh": 8}))
    assert [of_table[p]["battery"].capacity_kwh for p in ("p1", "p2")] == [8.0, 8.0]  # type: ignore[attr-defined]
    less = gb.load(town, {"prosumers.p1.devices.battery": None, "prosumers.p1.devices.warm": None})
    assert names(less)["p1"] == ["car"]
    scaled = {"prosumers.p1.devices.warm.cop": {"profile": "cold", "peak": 3}}
    assert devices(gb.load(town, scaled))["p1"]["warm"].cop[-1] == 6.0  # type: ignore[attr-defined]


def test_a_device_of_the_table_may_have_a_dot_in_its_name(town: str) -> None:
    table = Path(town).parent / "devices.csv"
    table.write_text(TABLE + "p[23],wall.box,battery,5,2,2,,\n")
    changed = gb.load(town, {"prosumers.p2.devices.wall.box.capacity_kwh": 3})
    sizes = [devices(changed)[p]["wall.box"].capacity_kwh for p in ("p2", "p3")]  # type: ignore[attr-defined]
    assert sizes == [3.0, 5.0]
    every = devices(gb.load(town, {"prosumers.p[23].devices.wall.box.capacity_kwh": 4}))
    assert [every[p]["wall.box"].capacity_kwh for p in ("p2", "p3")] == [4.0, 4.0]  # type: ignore[attr-defined]
    assert "wall.box" not in devices(gb.load(town, {"prosumers.p2.devices.wall.box": None}))["p2"]


def test_a_scenario_inherits_devices_and_a_file_replaces_them(town: str) -> None:
    folder = Path(town).parent
    (folder / "own.yaml").write_text("base: town.yaml\nprosumers: {p2: {devices: {car: {capacity_kwh: 500}}}}\n")
    own = gb.load(str(folder / "own.yaml"))
    assert devices(own)["p2"]["car"].capacity_kwh == 500.0  # type: ignore[attr-defined]
    assert names(own) == {"p1": ["car", "warm", "battery"], "p2": ["car", "battery"], "p3": []}
    (folder / "few.csv").write_text("prosumer,name,kind,capacity_kwh,p_charge_max_kw\np2,tank,store,9,1\n")
    (folder / "other.yaml").write_text("base: town.yaml\ndevices: few.csv\n")
    assert names(gb.load(str(folder / "other.yaml"))) == {"p1": ["car", "warm"], "p2": ["tank"], "p3": []}


def test_a_manifest_holds_them_whole(town: str) -> None:
    scenario = gb.load(town)
    again = gb.Scenario.model_validate_json(scenario.model_dump_json(by_alias=True))
    assert names(again) == names(scenario)
    for prosumer, made in devices(scenario).items():
        for name, device in made.items():
            one, other = device.block(24, 1.0), devices(again)[prosumer][name].block(24, 1.0)  # type: ignore[attr-defined]
            np.testing.assert_array_equal(one.high, other.high)
            np.testing.assert_array_equal(one.row_low, other.row_low)


def test_a_share_of_those_whose_names_match() -> None:
    row = {
        "prosumer": "p*",
        "share": 0.67,
        "kind": "battery",
        "capacity_kwh": 5,
        "p_charge_max_kw": 1,
        "p_discharge_max_kw": 1,
    }
    drawn = [
        tuple(name for name, own in names(gb.load("ieee33", {"devices.battery": {**row, "seed": seed}})).items() if own)
        for seed in (*range(6), 0)
    ]
    assert {len(some) for some in drawn} == {2}
    assert drawn[0] == drawn[-1]
    assert len(set(drawn)) > 1


def test_defaults_of_prosumers_have_devices_of_their_own(tmp_path: Path) -> None:
    battery = "{kind: battery, capacity_kwh: 5, p_charge_max_kw: 1, p_discharge_max_kw: 1}"
    text = f"base: ieee33\nprosumer_defaults: {{devices: {{b: {battery}}}}}\n"
    (tmp_path / "s.yaml").write_text(text)
    made = devices(gb.load(str(tmp_path / "s.yaml"), {"prosumers.p2.devices": None}))
    assert {name: list(own) for name, own in made.items()} == {"p1": ["b"], "p2": [], "p3": ["b"]}


def test_a_class_of_a_file_is_meant_from_where_it_is_named(town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(town).parent
    wheel = "{kind: 'mine.py:Flywheel', capacity_kwh: 5, p_charge_max_kw: 1}"
    (folder / "wheel.yaml").write_text(f"base: ieee33\nprosumers: {{p1: {{devices: {{wheel: {wheel}}}}}}}\n")
    (folder / "wheels.csv").write_text("prosumer,name,kind,capacity_kwh,p_charge_max_kw\np2,w,mine.py:Flywheel,9,1\n")
    (folder / "table.yaml").write_text("base: ieee33\ndevices: wheels.csv\n")
    monkeypatch.chdir("/")
    for file, prosumer, name in (("wheel.yaml", "p1", "wheel"), ("table.yaml", "p2", "w")):
        made = devices(gb.load(str(folder / file)))[prosumer][name]
        assert (type(made).__name__, made.loss_per_h) == ("Flywheel", 0.2)  # type: ignore[attr-defined]
    monkeypatch.chdir(folder)
    change = {"kind": "mine.py:Flywheel", "capacity_kwh": 5, "p_charge_max_kw": 1}
    changed = gb.load("ieee33", {"prosumers.p3.devices.wheel": change})
    monkeypatch.chdir("/")
    assert type(devices(changed)["p3"]["wheel"]).__name__ == "Flywheel"


BATTERY = "prosumers.p1.devices.battery"
WRONG = {
    "misspelt key": ({f"{BATTERY}.capacity_kw": 1}, f"{BATTERY}.capacity_kw: unknown key; did you mean capacity_kwh?"),
    "misspelt name": (
        {"prosumers.p1.devices.battry.capacity_kwh": 1},
        "there is no device battry of p1; did you mean battery? to add one, give it a kind",
    ),
    "comma": ({f"{BATTERY}.capacity_kwh": "1,5"}, "'1,5' is not a number; write it with a decimal point"),
    "underscore": ({f"{BATTERY}.capacity_kwh": "1_0"}, "'1_0' is not a number; write a plain number, in the unit that"),
    "range": ({f"{BATTERY}.capacity_kwh": -3}, f"{BATTERY}.capacity_kwh: capacity_kwh -3 must be above 0"),
    "kind": (
        {f"{BATTERY}.kind": "batery"},
        f"{BATTERY}.kind: there is no kind of device batery, nor is it module:Class or path.py:Class; did you mean "
        "battery?",
    ),
    "stranger": (
        {f"{BATTERY}.kind": "{file}:Stranger"},
        "Stranger is not a subclass of gridbazaar.agents.Device; derive it from there",
    ),
    "nameless": ({f"{BATTERY}.kind": "{file}:Nameless"}, "Nameless has no parameter name; give its constructor one"),
    "raises": (
        {f"{BATTERY}.kind": "{file}:Broken"},
        f"{BATTERY}.kind: Broken cannot be made: ZeroDivisionError: division by zero (at {{file}}:15)",
    ),
    "unmade": ({f"{BATTERY}.kind": "{file}:Unmade"}, "Unmade cannot be made: OSError: no key (at {file}:19)"),
    "stumbles": (
        {f"{BATTERY}.kind": "{file}:Stumbles"},
        f"{BATTERY}.infeasibility: infeasibility() raised RuntimeError: boom (at {{file}}:25)",
    ),
    "concave": (
        {f"{BATTERY}.kind": "{file}:Concave"},
        f"{BATTERY}.block: block() is wrong: quadratic_usd_per_h of charge_kw in period 1 is below 0, which is not",
    ),
    "profile": ({"prosumers.p1.devices.warm.cop": "colde"}, "there is no profile colde; did you mean cold?"),
    "no profile": (
        {"prosumers.p1.devices.warm.cop": {"peak": 3}},
        "prosumers.p1.devices.warm.cop.profile: the profile is missing; add it",
    ),
    "profile key": (
        {"prosumers.p1.devices.warm.cop": {"profil": "cold"}},
        "prosumers.p1.devices.warm.cop.profil: unknown key; did you mean profile?",
    ),
    "series": (
        {f"{BATTERY}.p_charge_max_kw": [1, "x"]},
        "p_charge_max_kw: 'x' is not a number; write one, a profile, or {{profile: cold, peak: 3}}",
    ),
    "without end": (
        {f"{BATTERY}.p_charge_max_kw": "inf"},
        f"{BATTERY}.p_charge_max_kw: inf is no finite number, and a device needs one; write what its connection bears",
    ),
    "length": ({f"{BATTERY}.p_charge_max_kw": [1, 2]}, "p_charge_max_kw has 2 values, but there are 24 periods; give"),
    "trip key": (
        {"prosumers.p1.devices.car.trips": [{"leaves_h": 1, "retruns_h": 3}]},
        "prosumers.p1.devices.car.trips.1.retruns_h: unknown key; did you mean returns_h?",
    ),
    "trip": (
        {"prosumers.p1.devices.car.trips": [{"leaves_h": 5, "returns_h": 3}]},
        "prosumers.p1.devices.car.trips: trip 1 leaves at 5 h and returns at 3; it must return later",
    ),
    "name": ({f"{BATTERY}.name": "x"}, f"{BATTERY}.name: a device is called by its key, battery; take the name out"),
    "nobody": (
        {"devices.p*-battery.prosumer": "q*"},
        "devices.csv:2 devices.p*-battery.prosumer: no prosumer is called q*; known are p1, p2, p3",
    ),
    "twice": (
        {"devices.x": {"prosumer": "p1", "name": "battery", "kind": "battery"}},
        "devices.x: p1 has a device battery already, of {folder}/devices.csv:2; give one another name",
    ),
    "no row": ({"devices.y.kind": "ev"}, "devices.y.kind: there is no y in devices"),
    "no table": ({"devices": 3}, "devices: these are devices by name; write `batteries: "),
    "no devices": ({"prosumers.p1.devices": "x.csv"}, "'x.csv' is one value where a table is needed; write rows"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_one_sentence_with_its_place(what: str, town: str) -> None:
    changes, sentence = WRONG[what]
    folder = Path(town).parent
    file = folder / "mine.py"
    named = {key: value.format(file=file) if isinstance(value, str) else value for key, value in changes.items()}
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(town, named).check()
    assert sentence.format(file=file, folder=folder) in str(refused.value)
    assert len(refused.value.problems) == 1


def test_a_cell_of_the_table_is_told_with_its_line(town: str) -> None:
    table = Path(town).parent / "devices.csv"
    table.write_text(TABLE.replace("p2,car,ev,300", "p2,car,ev,3OO"))
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(town).check()
    assert str(refused.value) == f"{table}:3 prosumers.p2.devices.car.capacity_kwh: '3OO' is not a number; write a " + (
        "plain number, in the unit that the key names"
    )


def test_a_device_that_cannot_do_what_it_must(town: str) -> None:
    few = {"p_charge_max_kw": 2, "soc_start": 0.2}
    with pytest.raises(InfeasibleScenarioError) as refused:
        gb.load(town, {f"prosumers.p2.devices.car.{key}": at for key, at in few.items()}).check()
    said, place = str(refused.value), f"{Path(town).parent}/devices.csv:3 prosumers.p2.devices.car"
    assert said.startswith(f"{place}: car of p2 needs 120 kWh by the ")
    assert "end of period 7 (06:00-07:00) and can get 72.6; raise its charging power" in said  # 60 + 7 h * 2 kW * 0.9
    assert refused.value.exit_code == 4


UNABLE = {
    "load": (
        {"kind": "deferrable", "energy_kwh": 3, "p_max_kw": 1, "earliest_h": 5, "latest_h": 7.5},
        "x of p1 needs 3 kWh by the end of period 8 (07:00-08:00) and can get 2.5; raise p_max_kw, let its time be "
        "longer (earliest_h, latest_h), or lower energy_kwh",
    ),
    "jobs": (
        {"kind": "deferrable", "energy_kwh": 3, "p_max_kw": 1, "jobs": [{"earliest_h": 5, "latest_h": 7}]},
        "x of p1 needs 3 kWh by the end of period 7 (06:00-07:00) and can get 2; raise p_max_kw, let its jobs be "
        "longer, or lower energy_kwh",
    ),
    "cold": (
        {"kind": "heat_pump", "capacity_kwh": 10, "p_max_kw": 1, "heat_demand_kw": 5},
        "x of p1 runs empty in period 3 (02:00-03:00), 1 kWh too early; raise p_max_kw, cop or soc_start, or lower "
        "heat_demand_kw or comfort_soc_min",
    ),
    "cool": (
        {
            "kind": "heat_pump",
            "capacity_kwh": 10,
            "p_max_kw": 1,
            "soc_start": 0.7,
            "soc_end": 0.1,
            "comfort_soc_max": 0.5,
        },
        "x of p1 may hold 5 kWh at the end of period 1 (00:00-01:00) and cannot get below 7; raise comfort_soc_max, or "
        "lower soc_start",
    ),
    "never back": (
        {"kind": "heat_pump", "capacity_kwh": 10, "p_max_kw": 1, "cyclic": True, "heat_demand_kw": 3.1},
        "whatever that is; raise p_max_kw or cop, lower heat_demand_kw or loss_per_h, or give soc_start and soc_end "
        "instead of cyclic",
    ),
}


@pytest.mark.parametrize("what", UNABLE)
def test_what_it_cannot_do_is_told_with_its_own_keys(what: str) -> None:
    row, sentence = UNABLE[what]
    with pytest.raises(InfeasibleScenarioError) as refused:
        gb.load("ieee33", {"prosumers.p1.devices.x": row}).check()
    assert str(refused.value).endswith(sentence)


def test_a_home_that_cannot_serve_its_devices(town: str) -> None:
    changes = {"prosumers.p1.bid_max_kw": 0, "prosumers.p1.renewable_peak_kw": 0, "market.case": 1}
    with pytest.raises(InfeasibleScenarioError, match=r"town.yaml:7 prosumers\.p1\.devices: .* lacks .* kW"):
        gb.load(town, changes).check()


@pytest.mark.parametrize("kind", OWN)
def test_the_schema_has_the_parameters_of_the_class(kind: str) -> None:
    known = parameters_of(KINDS[kind])
    assert list(annotations(OWN[kind])) == list(known)
    series = {key for key, annotation in annotations(OWN[kind]).items() if annotation == "Series"}
    assert series == {key for key, (annotation, _) in known.items() if is_series(annotation)}


def test_editors_know_kinds_and_their_parameters() -> None:
    schema = file_schema()
    json.dumps(schema)
    kinds = {one["if"]["properties"]["kind"]["const"]: one["then"] for one in schema["$defs"]["DeviceRow"]["allOf"]}
    assert set(kinds) == set(OWN)
    assert {"capacity_kwh", "soc_end", "cyclic"} < set(kinds["battery"]["properties"])
    assert kinds["ev"]["properties"]["trips"]["type"] == "array"
    assert kinds["deferrable"]["additionalProperties"] is False
    rows = schema["properties"]["devices"]["anyOf"][1]["additionalProperties"]["anyOf"][0]
    assert {"prosumer", "share", "seed", "name"} < set(rows["properties"])
