"""A radial feeder: checked, ordered from the root outwards, with its data as arrays by bus.

feeder = Feeder.from_tables(buses, lines, generators, root="1", base_kv=12.66)
feeder.index("18"), feeder.line_name(17), feeder.r_ohm, feeder.parent
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .arrays import FloatArray, IntArray
from .elements import Bus, FeederError, Generator, Line
from .feeder_checks import check_elements, check_impedances, check_stated_once, did_you_mean
from .per_unit import power_base_kw
from .tables import Rows, bus_name, read_graph, read_table
from .tree import order_from_root

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Bus", "Feeder", "FeederError", "Generator", "Line"]

Array = TypeVar("Array", FloatArray, IntArray)


@dataclass(frozen=True)
class Feeder:
    """A radial feeder fed at `root`, whose voltage is held at `root_voltage_pu`.

    Buses, lines and generators may be given in any order and lines in either direction. After construction `buses`
    are ordered root first and every parent before its children (in the given order where that allows), and
    `lines[n - 1]` feeds bus n and runs away from the root. Everything indexed "by bus" follows this order; in arrays
    of line data, entry n is the line that feeds bus n and entry 0 (the root) is 0, or inf for a limit.

    Raises:
        FeederError: the data are not a radial feeder; it names table, row, column and the cure.
    """

    buses: tuple[Bus, ...]
    lines: tuple[Line, ...]
    generators: tuple[Generator, ...]
    root: str
    base_kv: float
    root_voltage_pu: float = 1.0
    parent_index: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_elements(self.buses, self.lines, self.generators, self.root)
        check_stated_once(self.buses, self.generators, self.root, self.base_kv, self.root_voltage_pu)
        tree = order_from_root(self.buses, self.lines, self.root)
        object.__setattr__(self, "buses", tree.buses)
        object.__setattr__(self, "lines", tree.lines)
        object.__setattr__(self, "parent_index", tree.parent)
        object.__setattr__(self, "generators", tuple(self.generators))
        check_impedances(tree, self.generators, self.base_kv)

    @classmethod
    def from_tables(
        cls,
        buses: Rows[Bus],
        lines: Rows[Line],
        generators: Rows[Generator],
        *,
        root: object,
        base_kv: float,
        root_voltage_pu: float = 1.0,
    ) -> Feeder:
        """The feeder of three tables, each a pandas DataFrame or an iterable of mappings or value objects.

        Columns are the fields of `Bus`, `Line` and `Generator`; the column naming a bus may be called "bus" or "name".

        Raises:
            FeederError: see `Feeder`.
        """
        return cls(
            buses=read_table(Bus, buses),
            lines=read_table(Line, lines),
            generators=read_table(Generator, generators),
            root=bus_name(root),
            base_kv=float(base_kv),
            root_voltage_pu=float(root_voltage_pu),
        )

    @classmethod
    def from_graph(
        cls,
        graph: nx.Graph[Any] | nx.DiGraph[Any],
        generators: Rows[Generator],
        *,
        root: object,
        base_kv: float,
        root_voltage_pu: float = 1.0,
    ) -> Feeder:
        """The feeder of a networkx tree: node attributes are the fields of `Bus`, edge attributes those of `Line`.

        Raises:
            FeederError: see `Feeder`.
        """
        buses, lines = read_graph(graph)
        return cls(
            buses=buses,
            lines=lines,
            generators=read_table(Generator, generators),
            root=bus_name(root),
            base_kv=float(base_kv),
            root_voltage_pu=float(root_voltage_pu),
        )

    def index(self, bus: object) -> int:
        """Position of a bus in every array by bus.

        Raises:
            FeederError: there is no such bus.
        """
        name = bus_name(bus)
        if name not in self._index_of:
            raise FeederError(f"there is no bus {name}{did_you_mean(name, self._index_of)}", table="buses", row=name)
        return self._index_of[name]

    def line_name(self, n: int) -> str:
        """Name of the line that feeds bus n, such as "6-26".

        Raises:
            FeederError: no line feeds bus n (n is the root, or outside 1 to the number of lines).
        """
        if not 1 <= n < len(self.buses):
            raise FeederError(f"no line feeds bus number {n}; lines are numbered 1 to {len(self.lines)}", table="lines")
        return self.lines[n - 1].name

    def path_to_root(self, n: int) -> tuple[int, ...]:
        """Buses from n (included) towards the root (left out): the lines that power for bus n runs through."""
        path = []
        while n > 0:
            path.append(n)
            n = self.parent_index[n]
        return tuple(path)

    def graph(self) -> nx.DiGraph[str]:
        """The feeder as a directed networkx tree from the root outwards, with the fields of `Bus` and `Line`."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for bus in self.buses:
            graph.add_node(bus.name, **_attributes(bus, "name"))
        for line in self.lines:
            graph.add_edge(line.from_bus, line.to_bus, **_attributes(line, "from_bus", "to_bus"))
        return graph

    @cached_property
    def _index_of(self) -> dict[str, int]:
        return {bus.name: n for n, bus in enumerate(self.buses)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Bus names in order."""
        return tuple(bus.name for bus in self.buses)

    @cached_property
    def parent(self) -> IntArray:
        """Index of the bus one step nearer to the root, -1 for the root."""
        return _frozen(np.array(self.parent_index, dtype=np.intp))

    @cached_property
    def v_min_pu(self) -> FloatArray:
        """Lower voltage limit by bus, pu."""
        return _column([bus.v_min_pu for bus in self.buses])

    @cached_property
    def v_max_pu(self) -> FloatArray:
        """Upper voltage limit by bus, pu."""
        return _column([bus.v_max_pu for bus in self.buses])

    @cached_property
    def p_kw(self) -> FloatArray:
        """Nominal active load by bus, kW."""
        return _column([bus.p_kw for bus in self.buses])

    @cached_property
    def q_kvar(self) -> FloatArray:
        """Nominal reactive load by bus, kvar."""
        return _column([bus.q_kvar for bus in self.buses])

    @cached_property
    def r_ohm(self) -> FloatArray:
        """Series resistance of the line feeding each bus, ohm."""
        return _column([0.0, *(line.r_ohm for line in self.lines)])

    @cached_property
    def x_ohm(self) -> FloatArray:
        """Series reactance of the line feeding each bus, ohm."""
        return _column([0.0, *(line.x_ohm for line in self.lines)])

    @cached_property
    def kv(self) -> FloatArray:
        """Nominal voltage of each bus, line to line, kV."""
        return _column([bus.base_kv or self.base_kv for bus in self.buses])

    @cached_property
    def line_kv(self) -> FloatArray:
        """Nominal voltage that the line feeding each bus is told on, kV: the lower one of its ends."""
        return _frozen(np.minimum(self.kv, np.concatenate([self.kv[:1], self.kv[self.parent[1:]]])))

    @cached_property
    def b_us(self) -> FloatArray:
        """Charging susceptance of the line feeding each bus, microsiemens."""
        return _column([0.0, *(line.b_us for line in self.lines)])

    @cached_property
    def tap(self) -> FloatArray:
        """Off-nominal ratio at the sending end of the line feeding each bus; 1 for a line."""
        return _column([1.0, *(line.tap for line in self.lines)])

    @cached_property
    def base_kw(self) -> float:
        """What 1 pu of power is inside the room, kW: see `per_unit`."""
        return power_base_kw(self)

    @cached_property
    def p_max_kw(self) -> FloatArray:
        """Active rating of the line feeding each bus, kW; inf where none is stated."""
        return _column([inf, *(line.p_max_kw for line in self.lines)])

    @cached_property
    def q_max_kvar(self) -> FloatArray:
        """Reactive rating of the line feeding each bus, kvar; inf where none is stated."""
        return _column([inf, *(line.q_max_kvar for line in self.lines)])

    @cached_property
    def i_max_a(self) -> FloatArray:
        """Current rating of the line feeding each bus, A; inf where none is stated."""
        return _column([inf, *(line.i_max_a for line in self.lines)])

    @cached_property
    def generator_bus(self) -> IntArray:
        """Bus index of each generator."""
        return _frozen(np.array([self._index_of[g.bus] for g in self.generators], dtype=np.intp))


def _attributes(row: Bus | Line, *left_out: str) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in fields(row) if column.name not in left_out}


def _column(values: list[float]) -> FloatArray:
    return _frozen(np.array(values, dtype=np.float64))


def _frozen(array: Array) -> Array:
    """The array, read-only: a feeder does not change under those who share it."""
    array.setflags(write=False)
    return array
