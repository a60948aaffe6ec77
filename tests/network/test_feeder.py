"""A feeder in whatever order, form and direction it is given."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from gridbazaar.network import Bus, Feeder, FeederError, Generator, Line


def test_buses_stand_root_first_and_parents_before_children(build):
    feeder = build(
        buses=[Bus(name) for name in "dcba"],
        lines=[Line("d", "c", 1, 1), Line("c", "a", 2, 2), Line("b", "a", 3, 3)],
    )
    assert feeder.names == ("a", "c", "d", "b")
    assert feeder.parent.tolist() == [-1, 0, 1, 0]
    assert [line.name for line in feeder.lines] == ["a-c", "c-d", "a-b"]
    assert feeder.r_ohm.tolist() == [0, 2, 1, 3]
    assert [feeder.line_name(n) for n in (1, 2, 3)] == ["a-c", "c-d", "a-b"]
    assert feeder.path_to_root(2) == (2, 1)
    assert feeder.path_to_root(0) == ()


def test_given_order_is_kept_where_it_can_be(ieee33, ieee33_tables):
    assert ieee33.feeder.names == tuple(str(n) for n in range(1, 34))
    shuffled = {name: rows[::-1] for name, rows in ieee33_tables.items()}
    feeder = Feeder.from_tables(**shuffled, root="1", base_kv=12.66)
    assert set(feeder.names) == set(ieee33.feeder.names)
    assert all(parent < n for n, parent in enumerate(feeder.parent))


def test_ratings_travel_with_a_turned_line(build):
    feeder = build(lines=[Line("b", "a", 0.3, 0.2, 10, 20, 30), Line("c", "b", 0.5, 0.4)])
    assert (feeder.p_max_kw[1], feeder.q_max_kvar[1], feeder.i_max_a[1]) == (10, 20, 30)
    assert (feeder.r_ohm[1], feeder.x_ohm[1]) == (0.3, 0.2)
    assert np.isinf(feeder.p_max_kw[2])


def test_data_frames(ieee33, ieee33_tables):
    frames = {name: pd.DataFrame(rows) for name, rows in ieee33_tables.items()}
    assert Feeder.from_tables(**frames, root=1, base_kv=12.66) == ieee33.feeder


def test_bus_numbers_are_names(build):
    """Pandas makes 2.0 of 2 in a column with gaps."""
    lines = pd.DataFrame({"from_bus": [1.0, 2.0], "to_bus": [2, 3], "r_ohm": 1.0, "x_ohm": 1.0})
    generator = Generator("g", "1", 0, 1, 0, 0, 1, 0, 0)
    feeder = build(buses=[{"bus": 1}, {"bus": "2 "}, {"name": 3.0}], lines=lines, generators=[generator], root=1.0)
    assert feeder.names == ("1", "2", "3")
    assert feeder.index(3) == feeder.index("3") == feeder.index(3.0) == 2


def test_graph_there_and_back(ieee33):
    graph = ieee33.feeder.graph()
    nx.set_node_attributes(graph, (0, 1), "pos")  # no column, and left alone
    nx.set_edge_attributes(graph, "black", "color")
    assert nx.is_arborescence(graph)
    for same in (graph, graph.to_undirected(), graph.reverse()):
        assert Feeder.from_graph(same, ieee33.feeder.generators, root="1", base_kv=12.66) == ieee33.feeder


def test_nearly_a_column_is_refused_in_a_graph(ieee33):
    graph = ieee33.feeder.graph()
    graph.edges["6", "26"]["p_max_kW"] = 1090
    with pytest.raises(FeederError, match=r"lines\.6-26\.p_max_kW: unknown column p_max_kW; did you mean p_max_kw\?"):
        Feeder.from_graph(graph, ieee33.feeder.generators, root="1", base_kv=12.66)


def test_arrays_cannot_be_changed(ieee33):
    for name in ("r_ohm", "p_kw", "parent", "generator_bus", "v_min_pu"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(ieee33.feeder, name)[0] = 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: f.index("sub"), "buses.sub: there is no bus sub$"),
        (lambda f: f.index("aa"), r"buses.aa: there is no bus aa; did you mean a\?"),
        (lambda f: f.line_name(0), "lines: no line feeds bus number 0; lines are numbered 1 to 2"),
        (lambda f: f.line_name(3), "no line feeds bus number 3"),
    ],
)
def test_asking_for_what_is_not_there(build, call, says):
    with pytest.raises(FeederError, match=says):
        call(build())
