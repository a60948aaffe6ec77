"""Files as people and their programs save them: what can be read is read, all else is one sentence with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gridbazaar.scenarios as gb

TABLES = {
    "buses.csv": "bus,p_kw,q_kvar\ns,0,0\na,2,1\nb,3,1\n",
    "lines.csv": "from_bus,to_bus,r_ohm,x_ohm,p_max_kw\ns,a,0.02,0.01,\na,b,0.03,0.01,40\n",
    "generators.csv": "name,bus,a_usd_per_kw2h,b_usd_per_kwh,p_min_kw,p_max_kw,q_min_kvar,q_max_kvar\n"
    "grid,s,0.001,0.2,0,60,-30,30\n",
    "profiles.csv": "hour,load,sun\n1,0.6,0\n2,0.8,0.6\n3,1,0.9\n4,0.9,0.2\n",
    "prosumers.csv": "name,bus,alpha_usd_per_kw2h,beta_usd_per_kwh,elastic_max_kw,bid_max_kw,fixed_peak_kw,renewable,"
    "renewable_peak_kw\nann,a,0.02,0.5,8,15,2,sun,9\nbob,b,0.02,0.4,8,15,3,,0\n",
    "links.csv": "a,b,cap_kw\nann,bob,6\n",
    "s.yaml": "profiles: profiles.csv\nfeeder:\n  base_kv: 0.4\n  root: s\n  load_profile: load\n  buses: buses.csv\n"
    "  lines: lines.csv\n  generators: generators.csv\nprosumers: prosumers.csv\nlinks: links.csv\n",
}
Spoil = Callable[[dict[str, str]], dict[str, str | bytes]]


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Spoil], None]:
    monkeypatch.chdir(tmp_path)

    def write(spoil: Spoil) -> None:
        for name, text in {**TABLES, **spoil(TABLES)}.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def swap(file: str, old: str, new: str) -> Spoil:
    assert old in TABLES[file]
    return lambda tables: {file: tables[file].replace(old, new)}


def top(text: str) -> Spoil:
    return lambda tables: {"s.yaml": text, "base.yaml": tables["s.yaml"]}


READ: dict[str, Spoil] = {
    "byte-order marks": lambda tables: {name: "\ufeff" + text for name, text in tables.items()},
    "Windows line ends": lambda tables: {name: text.replace("\n", "\r\n") for name, text in tables.items()},
    "old Mac line ends": lambda tables: {name: text.replace("\n", "\r") for name, text in tables.items()},
    "spaces around names": swap("links.csv", "ann,bob", " ann , bob\u00a0"),
    "spaces in quotes": top("base: base.yaml\nprosumers: {'ann ': {bus: ' b'}}\n"),
    "padded hours": swap("profiles.csv", "\n1,", "\n01,"),
    "hours as decimals": swap("profiles.csv", "\n2,", "\n2.0,"),
    "empty optional values": top("base: base.yaml\ntitle:\nmarket: {method: , max_rounds: ~}\nprosumer_defaults:\n"),
}


@pytest.mark.parametrize("what", READ)
def test_what_can_be_read_is_read(what: str, save: Callable[[Spoil], None]) -> None:
    save(READ[what])
    scenario = gb.load("s.yaml")
    scenario.check()
    assert list(scenario.prosumers) == ["ann", "bob"]
    assert scenario.periods == 4


NEEDED = "is one value where keys and values are needed; write `key: value` lines below it"
REFUSED: dict[str, tuple[Spoil, str]] = {
    "tab": (
        swap("s.yaml", "  root", "\troot"),
        "s.yaml:4: this is not YAML: while scanning for the next token found character '\\t' that cannot start any"
        " token; indent with spaces, not with tabs",
    ),
    "anchor twice": (
        top("base: base.yaml\nx: &a 1\ny: &a 2\n"),
        "s.yaml:3: this is not YAML: found duplicate anchor 'a'; correct the line",
    ),
    "no anchor": (
        top("base: base.yaml\ntitle: *a\n"),
        "s.yaml:2: this is not YAML: found undefined alias 'a'; correct the line",
    ),
    "two documents": (
        top("base: base.yaml\n---\ntitle: x\n"),
        "s.yaml:2: this is not YAML: expected a single document in the stream but found another document; correct"
        " the line",
    ),
    "control character": (
        top("base: base.yaml\ntitle: a\x07b\n"),
        "s.yaml: this is not YAML (special characters are not allowed); save it as text in UTF-8",
    ),
    "UTF-16": (
        lambda tables: {"links.csv": tables["links.csv"].encode("utf-16")},
        "links.csv: the file cannot be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte);"
        " save it as text in UTF-8",
    ),
    "endless": (
        top("base: base.yaml\ntitle: " + "[" * 3000 + "]" * 3000),
        "s.yaml: this is nested without end; no scenario is so deep",
    ),
    "list for a key": (
        top("base: base.yaml\n? [a, b]\n: 3\n"),
        "s.yaml:2: a key is a single name; write `name: value`",
    ),
    "semicolons": (
        swap("prosumers.csv", ",", ";"),
        "prosumers.csv:1: the cells are not separated by commas; save the table as CSV with commas",
    ),
    "decimal comma in a row": (
        top("base: base.yaml\nlinks: {ann-bob: {cap_kw: 0,5}}\n"),
        "s.yaml:2 links.ann-bob.5: unknown key; write decimals with a point",
    ),
    "decimal comma in a cell": (
        swap("links.csv", "6", '"6,5"'),
        "links.csv:2 links.ann-bob.cap_kw: '6,5' is not a number; write it with a decimal point",
    ),
    "hour twice": (
        swap("profiles.csv", "\n2,", "\n01,"),
        "profiles.csv:3 hour: hour 1 is given twice; keep one row",
    ),
    "hour as time": (
        swap("profiles.csv", "\n2,", "\n01:00,"),
        "profiles.csv:3 hour: '01:00' is not the number of an hour (period); they count from 1",
    ),
    "no hours": (
        swap("profiles.csv", TABLES["profiles.csv"], "hour,load,sun\n"),
        "profiles.csv: there are no values below the header; write a row for every hour",
    ),
    "one number for a profile": (
        top("base: base.yaml\nprofiles: {sun: 0.5}\n"),
        "s.yaml:2 profiles.sun: 0.5 is one value where one for every hour is needed; write a list of them",
    ),
    "negative cap": (
        swap("links.csv", "6", "-6"),
        "links.csv:2 links.ann-bob.cap_kw: -6 is below 0; give at least that",
    ),
    "link to nobody": (
        swap("links.csv", "bob", "bop"),
        "links.csv:2 links.ann-bop.b: there is no prosumer bop; did you mean bob?, or take the link out (links:"
        " {ann-bop: null})",
    ),
    "folder for a table": (
        swap("s.yaml", "links.csv", "."),
        "s.yaml:10 links: . is a folder; name a CSV file beside the scenario, or write the table here",
    ),
    "folder for a base": (
        top("base: ..\n"),
        "s.yaml:1 base: .. is a folder without a file {above}.yaml; give the YAML file itself",
    ),
    "list for a base": (top("base: [a]\n"), "s.yaml:1 base: a base is one scenario; write its name, or its file"),
    "list for a table": (
        top("base: base.yaml\nprosumers: [{name: ann}]\n"),
        "s.yaml:2 prosumers: a list is one value where a table is needed; write rows (name: values), or name a CSV"
        " file",
    ),
    "word for defaults": (
        top("base: base.yaml\nprosumer_defaults: 3\n"),
        "s.yaml:2 prosumer_defaults: these are defaults by key; write `key: value` lines below it",
    ),
    "word for a row": (top("base: base.yaml\nprosumers: {ann: b}\n"), f"s.yaml:2 prosumers.ann: 'b' {NEEDED}"),
    "nothing to take out": (
        top("base: base.yaml\nlinks: {ann-bop: null}\n"),
        "s.yaml:2 links.ann-bop: nothing stands here; write a value, or take the key out",
    ),
    "unknown key without a value": (
        top("base: base.yaml\nmarket: {oder: }\n"),
        "s.yaml:2 market.oder: unknown key; did you mean order?",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_named(what: str, save: Callable[[Spoil], None], tmp_path: Path) -> None:
    spoil, sentence = REFUSED[what]
    save(spoil)
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load("s.yaml").check()
    assert str(refused.value) == sentence.replace("{above}", tmp_path.parent.name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x" * 300, f"{'x' * 60}... cannot be read (File name too long); give a YAML file"),
        (
            "",
            "there is no scenario without a name; give a YAML file, or one that comes with gridbazaar: "
            "ieee33, lv_street, cigre_lv, island, kerber_dorfnetz, two_homes",
        ),
    ],
)
def test_a_name_that_no_file_can_have(name: str, sentence: str) -> None:
    with pytest.raises(gb.ScenarioError) as refused:
        gb.load(name)
    assert str(refused.value) == sentence
