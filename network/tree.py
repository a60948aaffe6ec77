"""The order of a radial feeder from its root outwards, and what stands in the way of one: loops and loose buses."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from .elements import Bus, FeederError, Line, Tree


def order_from_root(buses: Sequence[Bus], lines: Sequence[Line], root: str) -> Tree:
    """The buses and lines in tree order, keeping the given order of buses wherever parents come first.

    Raises:
        FeederError: a line closes a loop, or buses hang loose.
    """
    _refuse_loops(buses, lines)
    rank = {bus.name: k for k, bus in enumerate(buses)}
    neighbours = _neighbours(buses, lines)
    position: dict[str, int] = {}
    ordered: list[Bus] = []
    feeding: list[Line] = []
    parent: list[int] = []
    waiting: list[tuple[int, str, Line | None]] = [(rank[root], root, None)]
    while waiting:
        _, name, line = heappop(waiting)
        position[name] = len(ordered)
        ordered.append(buses[rank[name]])
        parent.append(-1 if line is None else position[line.from_bus])
        feeding.extend(() if line is None else (line,))
        for neighbour, onward in neighbours[name]:
            if neighbour not in position:
                heappush(waiting, (rank[neighbour], neighbour, onward))
    _refuse_loose(buses, position, root)
    return Tree(tuple(ordered), tuple(feeding), tuple(parent))


def _neighbours(buses: Sequence[Bus], lines: Sequence[Line]) -> dict[str, list[tuple[str, Line]]]:
    """By bus: each neighbour with the line told from this bus towards it."""
    found: dict[str, list[tuple[str, Line]]] = {bus.name: [] for bus in buses}
    for line in lines:
        found[line.from_bus].append((line.to_bus, line))
        found[line.to_bus].append((line.from_bus, line.reversed()))
    return found


def _refuse_loops(buses: Sequence[Bus], lines: Sequence[Line]) -> None:
    """Name the first line, in the given order, that closes a loop with those before it: tie lines are given last."""
    group = {bus.name: bus.name for bus in buses}

    def leader(name: str) -> str:
        while group[name] != name:
            group[name] = group[group[name]]
            name = group[name]
        return name

    for k, line in enumerate(lines):
        one, other = leader(line.from_bus), leader(line.to_bus)
        if one == other:
            loop = [*_path(buses, lines[:k], line.from_bus, line.to_bus), line.from_bus]
            raise FeederError(
                f"line {line.name} closes the loop {'-'.join(loop)}, but the feeder must be radial; open it by taking "
                f"line {line.name} (or another line of the loop) out of the table",
                table="lines",
                row=line.name,
            )
        group[one] = other


def _path(buses: Sequence[Bus], lines: Sequence[Line], start: str, end: str) -> list[str]:
    """Buses from start to end along lines that form a forest and connect them."""
    neighbours = _neighbours(buses, lines)
    came_from = {start: start}
    frontier = [start]
    while end not in came_from:
        name = frontier.pop()
        fresh = [bus for bus, _ in neighbours[name] if bus not in came_from]
        came_from.update(dict.fromkeys(fresh, name))
        frontier.extend(fresh)
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _refuse_loose(buses: Sequence[Bus], reached: dict[str, int], root: str) -> None:
    loose = [bus.name for bus in buses if bus.name not in reached]
    if not loose:
        return
    noun, verb = ("bus", "hangs") if len(loose) == 1 else ("buses", "hang")
    shown = ", ".join(loose[:8]) + (f" and {len(loose) - 8} more" if len(loose) > 8 else "")
    raise FeederError(
        f"{noun} {shown} {verb} loose: no lines lead there from the root {root}; add the line that feeds "
        f"{loose[0]}, or take the loose {noun} out",
        table="buses",
        row=loose[0],
    )
