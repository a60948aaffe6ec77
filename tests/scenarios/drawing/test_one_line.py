"""The one-line diagram: it is XML, everything is in it once, nothing crosses, and it says the numbers it was given."""

from __future__ import annotations

import re
import sys
from itertools import combinations
from math import nan
from subprocess import run
from time import perf_counter
from xml.etree import ElementTree

import numpy as np
import pytest

import gridbazaar.scenarios as gb
from gridbazaar.network import Feeder
from gridbazaar.scenarios.drawing.colours import UNKNOWN, cividis
from gridbazaar.scenarios.drawing.layout import layout
from gridbazaar.scenarios.drawing.legend import ticks
from gridbazaar.scenarios.drawing.one_line import one_line
from gridbazaar.scenarios.drawing.shade import Shade

SVG = "{http://www.w3.org/2000/svg}"
GRID = {"a_usd_per_kw2h": 0.0, "b_usd_per_kwh": 0.1, "c_usd_per_h": 0.0}
GRID |= {"p_min_kw": 0.0, "p_max_kw": 9.0, "q_min_kvar": -9.0, "q_max_kvar": 9.0}


def feeder_of(parents: list[int], names: list[str] | None = None) -> Feeder:
    """The feeder in which bus k + 1 is fed by bus parents[k]."""
    names = names or [str(k) for k in range(len(parents) + 1)]
    lines = [
        {"from_bus": names[parent], "to_bus": names[k], "r_ohm": 0.1, "x_ohm": 0.1}
        for k, parent in enumerate(parents, start=1)
    ]
    generators = [{"name": "grid", "bus": names[0], **GRID}]
    return Feeder.from_tables([{"name": name} for name in names], lines, generators, root=names[0], base_kv=11.0)


def random_feeder(buses: int, seed: int) -> Feeder:
    rng = np.random.default_rng(seed)
    return feeder_of([int(rng.integers(max(0, k - 12), k)) for k in range(1, buses)])


def drawn(*words: object, **more: object) -> ElementTree.Element:
    return ElementTree.fromstring(one_line(*words, **more))  # type: ignore[arg-type]


def titles(drawing: ElementTree.Element) -> list[str]:
    return [title.text or "" for title in drawing.iter(f"{SVG}title")]


def test_everything_of_ieee33_is_there_once_and_says_its_numbers() -> None:
    scenario = gb.load("ieee33")
    feeder = scenario.build_feeder()
    lmp = np.linspace(0.25, 0.28, 33)
    loading = np.full(33, 0.4)
    loading[feeder.index("26")], loading[5] = 1.236, nan
    homes = {name: row.bus for name, row in scenario.prosumers.items()}
    drawing = drawn(
        feeder, Shade(lmp, "LMP", "$/kWh"), loading=loading, prosumers=homes, trades=[("p1", "p2", 12.3456789)]
    )
    assert len(drawing.findall(f".//{SVG}circle")) == 33
    said = titles(drawing)
    assert len([text for text in said if text.startswith("bus ")]) == 33
    assert len([text for text in said if text.startswith("line ")]) == 32
    for bus, value in zip(feeder.names, lmp, strict=True):
        (text,) = [text for text in said if re.match(rf"bus {bus}\b", text)]
        assert f"LMP {value:.6g} $/kWh" in text
        assert ("prosumers: " in text) == (bus in homes.values())
        assert ("generators: " in text) == (bus in {machine.bus for machine in feeder.generators})
    assert "line 6-26: loaded to 123.6 %" in said
    assert f"line {feeder.line_name(5)}: no rating" in said
    assert "p1 to p2: 12.3457 kW" in said
    shown = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"LMP, $/kWh", "0.2500", "0.2650", "0.2800", "12.3 kW", *feeder.names} <= set(shown)


def test_colours_go_from_the_lowest_to_the_highest_value() -> None:
    feeder = feeder_of([0, 1, 2])
    fills = [
        bus.get("fill") for bus in drawn(feeder, Shade(np.array([3, 1, nan, 2.0]), "v", "pu")).iter(f"{SVG}circle")
    ]
    assert fills == [cividis(1.0), cividis(0.0), UNKNOWN, cividis(0.5)]
    same = drawn(feeder, Shade(np.full(4, 0.1), "v", "pu"))
    assert {bus.get("fill") for bus in same.iter(f"{SVG}circle")} == {cividis(0.5)}
    fixed = drawn(feeder, Shade(np.array([1, 1, 1, 2.0]), "v", "pu", limits=(0.0, 4.0)))
    assert [bus.get("fill") for bus in fixed.iter(f"{SVG}circle")] == [cividis(0.25)] * 3 + [cividis(0.5)]


def test_cividis_is_that_of_matplotlib() -> None:
    from matplotlib import colormaps

    for share in np.linspace(0, 1, 33):
        ours = [int(cividis(share)[k : k + 2], 16) for k in (1, 3, 5)]
        np.testing.assert_allclose(ours, 255 * np.array(colormaps["cividis"](share)[:3]), atol=9)


def test_ticks_tell_the_ends_apart() -> None:
    assert ticks(0.2374912, 0.2374918) == ("0.237491200", "0.237491500", "0.237491800")
    assert ticks(1.0, 1.0) == ("", "1", "")
    assert ticks(-2000.0, 3000.0) == ("-2,000", "500", "3,000")
    assert ticks(nan, nan) == ("", "unknown", "")


@pytest.mark.parametrize("seed", range(20))
def test_no_two_lines_cross_and_no_bus_stands_on_another(seed: int) -> None:
    feeder = random_feeder(60, seed)
    place = layout(feeder)
    assert len({tuple(spot) for spot in place}) == 60
    pieces = []
    for n in range(1, 60):
        (x0, y0), (x1, y1) = place[feeder.parent[n]], place[n]
        assert x1 == x0 + 1
        pieces.append((n, x1, y1, min(y0, y1), max(y0, y1)))
    for (n, x, y, low, high), (m, x2, y2, low2, high2) in combinations(pieces, 2):
        if x == x2 and feeder.parent[n] != feeder.parent[m]:  # in one column, from different buses: they stay apart
            assert high < low2 or high2 < low, (n, m, y, y2)


def test_the_trunk_runs_straight() -> None:
    place = layout(gb.load("ieee33").build_feeder())
    assert set(place[:18, 1]) == {0.0}
    assert place[17, 0] == 17


def test_names_are_escaped_and_characters_that_xml_has_not_are_replaced() -> None:
    feeder = feeder_of([0], ["<b>&\"'", "bus\x01"])
    text = one_line(feeder, prosumers={"<script>": "bus\x01"}, title="a < b")
    drawing = ElementTree.fromstring(text)
    assert "<script>" not in text
    assert titles(drawing)[0] == "a < b"
    assert any(said.startswith("bus <b>&\"' (substation)") for said in titles(drawing))
    assert "bus bus\ufffd\nprosumers: <script>" in titles(drawing)


def test_a_single_bus_and_neighbours_at_one_bus() -> None:
    assert len(drawn(feeder_of([])).findall(f".//{SVG}circle")) == 1
    drawing = drawn(feeder_of([0]), prosumers={"a": "1", "b": "1"}, trades=[("a", "b", 2.0), ("b", "a", 0.0)])
    assert [said for said in titles(drawing) if said.endswith(" kW")] == ["a to b: 2 kW"]
    assert "nan" not in ElementTree.tostring(drawing, encoding="unicode")


def numbers(path: str) -> list[float]:
    return [float(number) for number in re.findall(r"[-\d.]+", path)]


def test_a_branch_leaves_its_bus_and_not_the_middle_of_another_line() -> None:
    feeder = feeder_of([0, 1, 2, 1, 1])
    drawing = drawn(feeder)
    at = [(float(bus.get("cx", 0)), float(bus.get("cy", 0))) for bus in drawing.iter(f"{SVG}circle")]
    lines = [p for p in drawing.iter(f"{SVG}path") if (p.findtext(f"{SVG}title") or "").startswith("line ")]
    for n, line in enumerate(lines, start=1):
        x0, y0, middle, y1, x1 = numbers(line.get("d", ""))  # straight from the bus into the lane, then along it
        parent = at[feeder.parent_index[n]]
        assert (x0, y0) == pytest.approx(parent, abs=0.06)
        assert (x1, y1) == pytest.approx(at[n], abs=0.06)
        assert middle == pytest.approx((x0 + x1) / 2, abs=0.06)


def test_what_arrows_tell_stands_beside_names() -> None:
    """The loop of neighbours is above their names, and the power of an upright arrow to its right."""
    feeder = feeder_of([0, 1, 1])
    homes = {"one": "1", "two": "1", "far": "2", "low": "3"}
    drawing = drawn(feeder, prosumers=homes, trades=[("one", "two", 1.0), ("far", "low", 5.0)])
    texts = {text.text: text for text in drawing.iter(f"{SVG}text")}
    loop, _ = [path for path in drawing.iter(f"{SVG}path") if "Q" in path.get("d", "")]
    names = float(texts["one, two"].get("y", 0))
    assert max(numbers(loop.get("d", ""))[1::2]) < names - 10
    assert float(texts["1.00 kW"].get("y", 0)) < names - 22
    power = texts["5.00 kW"]
    assert power.get("text-anchor") == "start"
    assert float(power.get("x", 0)) > max(float(texts[name].get("x", 0)) for name in ("far", "low")) + 10


def test_an_arrow_points_at_the_buyer_and_is_as_wide_as_its_power_is_large() -> None:
    feeder = feeder_of([0, 1, 2])
    homes = {"a": "1", "b": "3"}
    at = [(float(bus.get("cx", 0)), float(bus.get("cy", 0))) for bus in drawn(feeder).iter(f"{SVG}circle")]
    for trade, start, end in ((("a", "b", 5.0), 1, 3), (("b", "a", 5.0), 3, 1)):
        drawing = drawn(feeder, prosumers=homes, trades=[trade])
        (arrow,) = [group for group in drawing.iter(f"{SVG}g") if " to " in (group.findtext(f"{SVG}title") or "")]
        curve, head = arrow.findall(f"{SVG}path")
        first = [float(number) for number in re.findall(r"[-\d.]+", curve.get("d", ""))[:2]]
        tip = [float(number) for number in re.findall(r"[-\d.]+", head.get("d", ""))[:2]]
        assert np.hypot(*np.subtract(first, at[start])) < 12
        assert np.hypot(*np.subtract(tip, at[end])) < 12
    drawing = drawn(feeder, prosumers={**homes, "c": "2"}, trades=[("a", "b", 5.0), ("c", "b", 10.0)])
    widths = [float(path.get("stroke-width", 0)) for path in drawing.iter(f"{SVG}path") if "Q" in path.get("d", "")]
    assert widths == pytest.approx([3.6, 6.0])


def test_300_buses_are_drawn_at_once_without_names() -> None:
    feeder = random_feeder(300, 1)
    homes = {f"h{k}": str(k % 300) for k in range(300)}
    trades = [(f"h{k}", f"h{k + 1}", float(k)) for k in range(1, 299)]
    start = perf_counter()
    drawing = drawn(feeder, Shade(np.arange(300.0), "LMP", "$/kWh"), prosumers=homes, trades=trades)
    assert perf_counter() - start < 1
    assert len(drawing.findall(f".//{SVG}circle")) == 300
    assert "h17" not in [text.text for text in drawing.iter(f"{SVG}text")]
    assert any("prosumers: h17" in said for said in titles(drawing))


def test_a_long_feeder_is_no_deep_recursion() -> None:
    assert layout(feeder_of(list(range(2999))))[-1].tolist() == [2999.0, 0.0]


def test_what_does_not_fit_the_feeder_is_refused() -> None:
    feeder = feeder_of([0, 1])
    with pytest.raises(ValueError, match=r"shade has shape \(2,\), not one value for each of 3 buses"):
        one_line(feeder, Shade(np.zeros(2), "LMP", "$/kWh"))
    with pytest.raises(KeyError, match="nobody"):
        one_line(feeder, prosumers={"a": "1"}, trades=[("a", "nobody", 1.0)])


def test_it_needs_no_plotting_library() -> None:
    code = (
        "import sys, gridbazaar.scenarios.drawing.one_line; print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False False\n"


def test_names_stand_above_arrows_and_lines_and_keep_no_pointer_off() -> None:
    feeder = gb.load("island").build_feeder()
    drawing = drawn(feeder, prosumers={"mill": "hill", "inn": "village"}, trades=[("mill", "inn", 3.0)])
    order = list(drawing.iter())
    last_arrow = max(order.index(path) for path in drawing.iter(f"{SVG}path") if path.get("fill") == "none")
    names = [text for text in drawing.iter(f"{SVG}text") if text.text in {*feeder.names, "mill", "inn", "diesel"}]
    assert len(names) == 7
    assert min(map(order.index, names)) > last_arrow
    (group,) = [group for group in drawing.iter(f"{SVG}g") if names[0] in list(group)]
    assert (group.get("pointer-events"), group.get("paint-order"), group.get("stroke")) == ("none", "stroke", "#ffffff")
