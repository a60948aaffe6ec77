"""Values in another unit are told of, at their place and with the value that looks meant; usual ones are not."""

from pathlib import Path

import pytest

from gridbazaar.scenarios.errors import told as told_lines
from gridbazaar.scenarios.files.loading import load

SMALL = """
profiles: {{day: [0.0, 0.6, 0.9, 0.2]}}
dt_h: {dt_h}
feeder:
  base_kv: {base_kv}
  root: s
  buses: {{s: {{}}, a: {{p_kw: {p_kw}, q_kvar: 1}}, b: {{p_kw: 3, q_kvar: 1}}}}
  lines:
    s-a: {{from_bus: s, to_bus: a, r_ohm: {r_ohm}, x_ohm: {r_ohm}}}
    a-b: {{from_bus: a, to_bus: b, r_ohm: 0.03, x_ohm: 0.01, p_max_kw: {p_max_kw}, i_max_a: {i_max_a}}}
  generators:
    grid: {{bus: s, a_usd_per_kw2h: 0, b_usd_per_kwh: {b}, p_min_kw: 0, p_max_kw: 60, q_min_kvar: -30, q_max_kvar: 30}}
prosumers:
  ann: {{bus: a, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: {elastic}, bid_max_kw: 15}}
  bob: {{bus: b, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.4, elastic_max_kw: 8, bid_max_kw: 15, fixed_peak_kw: 3}}
links: {{ann-bob: {{a: ann, b: bob, cap_kw: 6}}}}
"""
USUAL = {"dt_h": 6, "base_kv": 0.4, "p_kw": 2, "r_ohm": 0.02, "p_max_kw": 40, "i_max_a": 63, "b": 0.2, "elastic": 8}
ODD = {
    "voltage in V": ({"base_kv": 400}, ("s.yaml:5 feeder.base_kv", "400 V are 0.4 kV?")),
    "rating in MW": ({"p_max_kw": 0.04}, ("s.yaml:10 feeder.lines.a-b.p_max_kw", "is it in MW? then p_max_kw is 40")),
    "rating in W": ({"p_max_kw": 60000}, ("s.yaml:10 feeder.lines.a-b.p_max_kw", "is it in W? then p_max_kw is 60")),
    "current in kA": ({"i_max_a": 0.063}, ("s.yaml:10 feeder.lines.a-b.i_max_a", "is it in kA? then i_max_a is 63")),
    "price per MWh": ({"b": 85}, ("s.yaml:12 feeder.generators.grid.b_usd_per_kwh", "85 $/MWh are 0.085?")),
    "home in W": ({"elastic": 8000}, ("s.yaml:14 prosumers.ann.elastic_max_kw", "8000 W are 8 kW?")),
    "coupler": ({"r_ohm": 0}, ("s.yaml:9 feeder.lines.s-a", "no impedance at all: buses s and a are one point")),
}


def told(folder: Path, **values: object) -> list[str]:
    file = folder / "s.yaml"
    file.write_text(SMALL.format(**{**USUAL, **values}))
    return [str(doubt).removeprefix(f"{folder}/") for doubt in load(str(file)).doubts()]


def test_nothing_is_said_of_usual_values(tmp_path):
    assert told(tmp_path) == []
    assert load("ieee33").doubts() == []


@pytest.mark.parametrize("name", ODD)
def test_another_unit_is_told_of_with_the_value_that_looks_meant(tmp_path, name):
    values, (place, says) = ODD[name]
    doubts = told(tmp_path, **values)
    assert any(doubt.startswith(place) and doubt.endswith(says) for doubt in doubts), doubts


def test_minutes_as_hours(tmp_path):
    day = ", ".join(["0.5"] * 96)
    file = tmp_path / "s.yaml"
    file.write_text(SMALL.format(**USUAL | {"dt_h": 15}).replace("0.0, 0.6, 0.9, 0.2", day))
    (doubt,) = map(str, load(str(file)).doubts())
    assert doubt == f"{file}:3 dt_h: 96 periods of 15 hours are 60 days; 15 minutes are 0.25?"


def test_loads_in_mw_and_in_w(tmp_path):
    (doubt,) = [d for d in map(str, load("ieee33", mw()).doubts()) if "buses" in d]
    assert "loads of 0.00372 kW in all move no voltage" in doubt
    assert "are they in MW?" in doubt
    assert any("are they in W?" in d for d in told(tmp_path, p_kw=5000))


def mw() -> dict[str, object]:
    """The paper's loads in MW."""
    rows = load("ieee33").feeder.buses
    keys = [(bus, key) for bus in rows for key in ("p_kw", "q_kvar")]
    return {f"feeder.buses.{bus}.{key}": getattr(rows[bus], key) / 1e6 for bus, key in keys}


def test_feed_in_that_wires_must_curtail_is_no_wrong_unit(tmp_path):
    file = tmp_path / "s.yaml"
    text = SMALL.format(**USUAL).replace("b: {p_kw: 3, q_kvar: 1}", "b: {p_kw: -20000, q_kvar: 1, curtailable: true}")
    file.write_text(text)
    assert [doubt.key for doubt in load(str(file)).doubts()] == []


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("feeder.lines.a-b.b_us", 0.0003, "in siemens? then b_us is 300"),
        ("feeder.buses.b.base_kv", 400, "400 V are 0.4 kV?"),
        ("prosumers.bob.grid_fee_usd_per_kwh", 5, "5 cents are 0.05?"),
        ("links.ann-bob.fee_usd_per_kwh", 2, "2 cents are 0.02?"),
    ],
)
def test_units_of_other_keys(tmp_path, key, value, says):
    file = tmp_path / "s.yaml"
    file.write_text(SMALL.format(**USUAL))
    assert any(doubt.key == key and doubt.sentence.endswith(says) for doubt in load(str(file), {key: value}).doubts())


STREET = """
profiles: {day: [0.0, 0.6, 0.9, 0.2]}
dt_h: 6
feeder:
  base_kv: 0.4
  root: s
  buses: {s: {}, a: {p_kw: 3}, b: {p_kw: 3}, c: {p_kw: 3}, d: {p_kw: 3}}
  lines:
    s-a: {from_bus: s, to_bus: a, r_ohm: 0.02, x_ohm: 0.008}
    a-b: {from_bus: a, to_bus: b, r_ohm: 0.02, x_ohm: 0.008}
    b-c: {from_bus: b, to_bus: c, r_ohm: 20, x_ohm: 8}
    c-d: {from_bus: c, to_bus: d, r_ohm: 0.02, x_ohm: 0.008}
  generators:
    grid: {bus: s, a_usd_per_kw2h: 0, b_usd_per_kwh: 0.2, p_min_kw: 0, p_max_kw: 60, q_min_kvar: -30, q_max_kvar: 30}
prosumers:
  ann: {bus: d, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: 8, bid_max_kw: 15}
"""


def test_one_line_in_milliohm_is_told_of_and_not_what_is_behind_it(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(STREET)
    says = "20 ohm in all are more than 300 times what other lines have; in milliohm? then r_ohm is 0.02"
    assert [str(doubt) for doubt in load(str(file)).doubts()] == [f"{file}:11 feeder.lines.b-c.r_ohm: {says}"]


def test_a_long_line_to_next_to_nothing_is_no_wrong_unit(tmp_path):
    file = tmp_path / "s.yaml"
    far = STREET.replace("c: {p_kw: 3}, d: {p_kw: 3}", "c: {}, d: {p_kw: 0.01}").replace(
        "elastic_max_kw: 8", "elastic_max_kw: 0.1"
    )
    file.write_text(far)
    assert load(str(file)).doubts() == []


def test_of_one_note_for_many_rows_a_few_are_told(tmp_path):
    file = tmp_path / "s.yaml"
    home = "bus: a, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: 1, bid_max_kw: 2"
    rows = "\n".join(f"  h{k}: {{{home}}}" for k in range(12))
    text = STREET.replace("r_ohm: 20, x_ohm: 8", "r_ohm: 0.02, x_ohm: 0.008")
    file.write_text(f"{text}{rows}\nprosumer_defaults: {{grid_fee_usd_per_kwh: 5}}\n")
    notes = told_lines(load(str(file)).doubts())
    assert [note.split(":")[-1] for note in notes[:5]] == [" 5 $/kWh is a dear fee; 5 cents are 0.05?"] * 5
    assert notes[5:] == [f"{file} grid_fee_usd_per_kwh: and 8 more"]


def test_a_length_in_metres_is_told_of_at_the_values_per_km(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(STREET.replace("r_ohm: 20, x_ohm: 8", "length_km: 100, r_ohm_per_km: 0.2, x_ohm_per_km: 0.08"))
    (doubt,) = map(str, load(str(file)).doubts())
    says = "20 ohm in all are more than 300 times what other lines have; in milliohm, or length_km in metres?"
    assert doubt.endswith(f"b-c.r_ohm_per_km: {says}")


def test_an_ordinary_service_line_to_a_home_in_watts_is_not_blamed(tmp_path):
    file = tmp_path / "s.yaml"
    homes = STREET.replace("r_ohm: 20, x_ohm: 8", "r_ohm: 0.5, x_ohm: 0.2").replace(
        "r_ohm: 0.02, x_ohm: 0.008", "r_ohm: 0.001, x_ohm: 0.0004"
    )
    other = "bus: a, alpha_usd_per_kw2h: 0.02, beta_usd_per_kwh: 0.5, elastic_max_kw: 8, bid_max_kw: 15"
    rows = "".join(f"  h{k}: {{{other}}}\n" for k in range(3))
    file.write_text(homes.replace("elastic_max_kw: 8", "elastic_max_kw: 8000") + rows)
    keys = [doubt.key for doubt in load(str(file)).doubts()]
    assert "prosumers.ann.elastic_max_kw" in keys
    assert not any("r_ohm" in key for key in keys)


def test_lines_of_another_voltage_say_nothing_of_a_street(tmp_path):
    file = tmp_path / "s.yaml"
    text = STREET.replace("base_kv: 0.4", "base_kv: 20").replace(
        "c: {p_kw: 3}, d: {p_kw: 3}", "c: {base_kv: 0.4}, d: {base_kv: 0.4, p_kw: 30}"
    )
    text = text.replace("r_ohm: 0.02, x_ohm: 0.008", "r_ohm: 0.5, x_ohm: 0.4").replace(
        "r_ohm: 20, x_ohm: 8", "r_ohm: 0.003, x_ohm: 0.01"
    )
    file.write_text(text.replace("to_bus: d, r_ohm: 0.5, x_ohm: 0.4", "to_bus: d, r_ohm: 0.15, x_ohm: 0.05"))
    assert [doubt.key for doubt in load(str(file)).doubts() if "ohm" in doubt.key] == []
