"""Scenarios that import when they are read: the cache, and the examples that come with gridbazaar."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pandapower as pp
import pytest
from small_networks import small

import gridbazaar.scenarios as gb
from gridbazaar.scenarios.files.file_schema import file_schema
from gridbazaar.scenarios.importing import importing, kept


@pytest.fixture
def asking(tmp_path):
    """A scenario file that imports the network beside it."""
    pp.to_json(small(), str(tmp_path / "net.json"))
    file = tmp_path / "mine.yaml"
    file.write_text(
        "import: {network: net.json, prosumers: 3, seed: 2}\ntitle: Mine\nprosumers: {p2: {bid_max_kw: 7}}\n"
    )
    return file


def refused(file, text):
    file.write_text(text)
    with pytest.raises(gb.ScenarioError) as refusal:
        gb.load(str(file))
    return str(refusal.value)


def test_it_imports_once_and_states_what_it_changes(asking, cache, monkeypatch):
    scenario = gb.load(str(asking))
    assert (scenario.title, len(scenario.prosumers), scenario.prosumers["p2"].bid_max_kw) == ("Mine", 3, 7)
    (folder,) = cache.iterdir()
    assert folder.name.startswith("net-")
    monkeypatch.setattr(importing, "import_network", None)
    assert gb.load(str(asking)) == scenario
    assert len(list(cache.iterdir())) == 1


def test_a_file_that_has_changed_is_imported_anew(asking, cache):
    before = gb.load(str(asking))
    net = small()
    net.load["p_mw"] *= 0.5
    pp.to_json(net, str(asking.parent / "net.json"))
    after = gb.load(str(asking))
    assert after.feeder.buses["2"].p_kw == pytest.approx(before.feeder.buses["2"].p_kw / 2)
    assert len(list(cache.iterdir())) == 2


def test_without_pandapower_it_says_what_to_install(asking, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(kept, "version", missing)
    sentence = refused(asking, "import: {network: case33bw}")
    assert sentence == (
        f"{asking}:1 import: networks are read with pandapower, which is missing: pip install 'gridbazaar[grid]'"
    )


REFUSED = {
    "import: {network: net.json, prosumer: 3}": "import.prosumer: unknown key; did you mean prosumers?",
    "import: {prosumers: 3}": "import.network: this value is missing; add it",
    "import: {network: net.json, links: star}": "import.links: 'star' is not known; write one of 'ring', 'neighbours'",
    "import: {network: net.json, peak: 0}": "import.peak: 0 is not above 0; give a value above it",
    "import: net.json": "import: 'net.json' is one value where keys and values are needed",
    "{base: ieee33, import: {network: net.json}}": "import: a scenario has a base or an import; take one of them out",
    "import: {network: other.json}": "import: there is no such file; correct its name",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_wish_is_refused_with_its_place(text, asking):
    sentence = refused(asking, text)
    assert sentence.startswith(f"{asking}:1 {REFUSED[text]}")
    assert "\n" not in sentence


def test_the_schema_knows_the_key():
    schema = file_schema()
    keys = schema["properties"]["import"]["properties"]
    assert keys["network"]["type"] == ["string", "number"]
    assert schema["$defs"][keys["links"]["$ref"].rpartition("/")[2]]["enum"] == ["ring", "neighbours", "complete"]


def test_the_shipped_example_settles(cache):
    scenario = gb.load("cigre_lv")
    assert (len(scenario.feeder.buses), len(scenario.prosumers)) == (41, 20)
    assert scenario.market().run().settled
    assert [folder.name.rpartition("-")[0] for folder in cache.iterdir()] == ["create_cigre_network_lv"]


def test_the_other_one_is_valid():
    scenario = gb.load("kerber_dorfnetz")
    scenario.check()
    assert (len(scenario.feeder.buses), len(scenario.prosumers), scenario.periods) == (116, 20, 24)


def command(*words, folder):
    done = [sys.executable, "-m", "gridbazaar.scenarios", *words]
    return subprocess.run(done, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_tells_what_it_made_and_it_can_be_run(tmp_path):
    pp.to_json(small(), str(tmp_path / "net.json"))
    done = command("import", "net.json", "--prosumers", "3", "-o", "here", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "written: here (4 buses, 3 lines, 3 generators, 3 prosumers, 3 links)"
    assert "left out: nothing" in lines
    assert any(line.startswith("proof: voltages of 4 buses within ") for line in lines)
    assert lines[-1] == "try it: gridbazaar run here/here.yaml"
    assert command("validate", "here", folder=tmp_path).returncode == 0


def test_the_command_refuses_numbers_that_mean_nothing(tmp_path):
    done = command("import", "case33bw", "--prosumers", "0", folder=tmp_path)
    assert (done.returncode, done.stderr) == (2, "--prosumers 0 import.prosumers: 0 is below 1; give at least that\n")
