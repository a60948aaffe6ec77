"""Lines of a feeder, made of the branches of a power flow: parallel ones joined, what hangs open taken off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...network.elements import Line
from ..errors import refuse
from .branches import Branch, Ratings
from .network import Remarks
from .nodes import Nodes

Earth = dict[int, complex]
"""By point the admittance to earth there, per unit on 1 MVA."""
_SAME = 1e-9


def without_stubs(branches: Iterable[Branch], nodes: Nodes) -> tuple[list[Branch], Earth, Remarks]:
    """Branches between points that are fed; what one that is open at an end draws stands at its other end."""
    kept, earth, left_out, approximations = [], Earth(), [], []
    for branch in branches:
        fed = branch.start in nodes.names, branch.end in nodes.names
        if all(fed) and branch.start != branch.end:
            kept.append(branch)
        elif all(fed):
            left_out.append(f"{branch.element}: both its ends are one point, {nodes.names[branch.start]}")
            _add(earth, branch.start, branch.y_start_pu + branch.y_end_pu)
        elif any(fed):
            node = branch.start if fed[0] else branch.end
            drawn = branch.seen_from_start() if fed[0] else branch.seen_from_end()
            _add(earth, node, drawn)
            if drawn:
                kvar = -1e3 * drawn.imag * nodes.v_pu[node] ** 2
                sentence = f"{branch.element}: open at one end; what it draws, {kvar:.4g} kvar"
                approximations.append(f"{sentence}, is a constant power at {nodes.names[node]}")
    return kept, earth, Remarks(tuple(left_out), tuple(approximations))


def lines_of(
    branches: Iterable[Branch], nodes: Nodes, earth: Earth, title: str
) -> tuple[tuple[Line, ...], dict[str, str], Remarks]:
    """The lines, what each is called in the original, and what was joined or approximated.

    Args:
        branches: Between points that are fed.
        nodes: These points.
        earth: Takes on what a line cannot have: conductances, and what a magnetising branch draws.
        title: What the network is called.

    Raises:
        ScenarioError: A line joins different nominal voltages, parallel transformers stand on different taps, or names
            of buses make two lines one.
    """
    groups: dict[frozenset[int], list[Branch]] = {}
    for branch in branches:
        kv = nodes.kv[branch.start], nodes.kv[branch.end]
        if not branch.couples and kv[0] != kv[1]:
            sentence = f"{branch.element}: it joins buses of {kv[0]:g} and {kv[1]:g} kV"
            raise refuse(title, "", f"{sentence}, which takes a transformer; correct vn_kv of one of them")
        groups.setdefault(frozenset((branch.start, branch.end)), []).append(branch)
    lines, approximations = [], []
    names: dict[str, str] = {}
    for group in groups.values():
        branch = group[0] if len(group) == 1 else _joined(group, title)
        if len(group) > 1:
            approximations.append(f"{branch.element}: parallel, one line of their joint impedance and rating")
        line, rest = _line(branch, nodes)
        if line.name in names:
            sentence = (
                f"{branch.element} and {names[line.name]}: both are called {line.name} by the buses at their ends"
            )
            raise refuse(title, "", f"{sentence}; rename one of these buses")
        lines.append(line)
        names[line.name] = branch.element
        own = dict(zip((branch.start, branch.end), rest, strict=True))
        for node, admittance in own.items():
            _add(earth, node, admittance)
        if any(abs(admittance) > _SAME * abs(1 / branch.z_pu) for admittance in rest):
            kva = sum(drawn_kw(own, nodes).values())
            sentence = (
                f"{branch.element}: what it draws itself, {round(kva.real, 3):.4g} kW and {round(kva.imag, 3):.4g} kvar"
            )
            approximations.append(f"{sentence} (iron, magnetising), is a constant power at its ends")
    return tuple(lines), names, Remarks(approximations=tuple(approximations))


def _line(branch: Branch, nodes: Nodes) -> tuple[Line, tuple[complex, complex]]:
    """A line, and what is left of the admittances to earth beside its charging."""
    kv = min(nodes.kv[branch.start], nodes.kv[branch.end])
    half = max(0.0, min(branch.y_start_pu.imag, branch.y_end_pu.imag))
    line = Line(
        nodes.names[branch.start],
        nodes.names[branch.end],
        branch.z_pu.real * kv**2,
        branch.z_pu.imag * kv**2,
        p_max_kw=branch.ratings.p_max_kw,
        q_max_kvar=branch.ratings.q_max_kvar,
        i_max_a=branch.ratings.i_max_a,
        b_us=2e6 * half / kv**2,
        tap=branch.ratio,
    )
    return line, (branch.y_start_pu - 1j * half, branch.y_end_pu - 1j * half)


def _joined(group: list[Branch], title: str) -> Branch:
    """Parallel branches as one, rated so that none carries more than it may: they share by their admittances."""
    first = group[0]
    same_way = [first, *(branch if branch.start == first.start else _turned(branch) for branch in group[1:])]
    for branch in same_way[1:]:
        if abs(branch.ratio / first.ratio - 1) > _SAME:
            sentence = f"{first.element} and {branch.element}: parallel, on different ratios"
            raise refuse(title, "", f"{sentence} ({first.ratio:g} and {branch.ratio:g}); put them on the same tap")
    admittance = sum(1 / branch.z_pu for branch in same_way)
    shared = [branch.ratings.times(abs(admittance * branch.z_pu)) for branch in same_way]
    return replace(
        first,
        element=" and ".join(branch.element for branch in group),
        z_pu=1 / admittance,
        y_start_pu=sum(branch.y_start_pu for branch in same_way),
        y_end_pu=sum(branch.y_end_pu for branch in same_way),
        ratings=Ratings(
            min(one.i_max_a for one in shared),
            min(one.p_max_kw for one in shared),
            min(one.q_max_kvar for one in shared),
        ),
    )


def _turned(branch: Branch) -> Branch:
    """The same branch told from its other end."""
    return replace(
        branch,
        start=branch.end,
        end=branch.start,
        z_pu=branch.z_pu * branch.ratio**2,
        y_start_pu=branch.y_end_pu,
        y_end_pu=branch.y_start_pu,
        ratio=1 / branch.ratio,
    )


def _add(earth: Earth, node: int, admittance: complex) -> None:
    earth[node] = earth.get(node, 0j) + admittance


def drawn_kw(earth: Mapping[int, complex], nodes: Nodes) -> dict[int, complex]:
    """What the admittances to earth draw at the voltages of the power flow, kW + j kvar by point."""
    return {node: 1e3 * (admittance * nodes.v_pu[node] ** 2).conjugate() for node, admittance in earth.items()}
