"""What is done for every prosumer is done once for each: work grows with their number, not with its square."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import gridbazaar.scenarios as gb
from gridbazaar.agents import Link, LinkError, PriceTaker, TradeGraph
from gridbazaar.market.hosting.partition import partition
from gridbazaar.market.hosting.spec import community_specs
from gridbazaar.market.setup import check_behaviours
from gridbazaar.network.errors import InputError


def street(folder: Path, homes: int) -> Path:
    """A scenario of so many homes in a row, from CSV tables."""
    rows = [f"h{i},{2 + i % 32},0.3,0.4,1,5,4,0.5" for i in range(homes)]
    head = "name,bus,alpha_usd_per_kw2h,beta_usd_per_kwh,elastic_min_kw,elastic_max_kw,bid_max_kw,fixed_peak_kw"
    (folder / "homes.csv").write_text("\n".join([head, *rows]))
    (folder / "pairs.csv").write_text("\n".join(["a,b,cap_kw", *(f"h{i},h{i + 1},2" for i in range(homes - 1))]))
    file = folder / "street.yaml"
    file.write_text("base: ieee33\nprosumers: homes.csv\nlinks: pairs.csv\n")
    return file


def steps(folder: Path, homes: int) -> int:
    """How many lines of Python, each turn of a loop counted, it takes to load, check and lay out a street."""
    file, count = street(folder, homes), 0

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        del frame, argument
        nonlocal count
        count += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        scenario = gb.load(str(file))
        scenario.check()
        scenario.doubts()
        households, links = scenario.build_households(), scenario.build_links()
        graph = TradeGraph([home.name for home in households], links)
        community_specs(households, graph, partition(graph, 1))
    finally:
        sys.settrace(before)
    return count


def test_setting_up_takes_work_in_proportion_to_the_prosumers(tmp_path: Path) -> None:
    steps(tmp_path, 10)  # imports
    few, more, many = (steps(tmp_path, homes) for homes in (50, 100, 200))
    assert many - more == pytest.approx(2 * (more - few), rel=0.05)


def test_a_cell_is_still_told_by_its_line(tmp_path: Path) -> None:
    file = street(tmp_path, 30)
    table = tmp_path / "homes.csv"
    table.write_text(table.read_text().replace("h7,9,0.3,0.4", "h7,9,0.3,-4"))
    with pytest.raises(gb.ScenarioError, match=r"homes\.csv:9 prosumers\.h7\.beta_usd_per_kwh: -4 is not above 0"):
        gb.load(str(file))
    table.write_text(table.read_text().replace("h7,9,0.3,-4", "h7,9,0.3,0.4"))
    with pytest.raises(gb.ScenarioError, match=r"changes .* prosumers\.h8\.beta_usd_per_kwh: -3 is not above 0"):
        gb.load(str(file), {"prosumers.h8.beta_usd_per_kwh": -3})


def test_of_many_names_a_few_are_told() -> None:
    names = [f"h{i}" for i in range(1000)]
    with pytest.raises(LinkError, match=r"no prosumer nobody; the prosumers are h0, h1, .*h11 and 988 more$"):
        TradeGraph(names, [Link("h1", "nobody", 1.0)])


def test_a_pair_that_is_linked_twice_either_way_round_is_refused() -> None:
    with pytest.raises(LinkError, match=r"^link a-b: a and b are linked twice"):
        TradeGraph("abc", [Link("b", "c", 1.0), Link("a", "b", 1.0), Link("b", "a", 1.0)])


def test_a_behaviour_for_nobody_is_refused_in_a_short_sentence(tmp_path: Path) -> None:
    names = [home.name for home in gb.load(str(street(tmp_path, 40))).build_households()]
    with pytest.raises(InputError, match=r"^there is a behaviour for x, but the prosumers are h0, .* and 28 more$"):
        check_behaviours({"x": PriceTaker()}, names)
