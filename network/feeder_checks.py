"""What must hold for the data of a feeder, each check with its sentence: what is wrong, where, and the cure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from difflib import get_close_matches
from math import hypot, inf, isinf, isnan

from .elements import Bus, FeederError, Generator, Line, Table, Tree

# Beyond these, a number is in another unit, not unusual.
VOLTAGE_RANGE_PU = (0.5, 1.5)
BASE_RANGE_KV = (0.1, 500.0)
TAP_RANGE = (0.5, 2.0)
IMPEDANCE_CEILING_PU = 1e3  # on 1 MVA: a line that could not carry 1 kVA

_MAY_BE_INFINITE = {"p_max_kw", "q_max_kvar", "i_max_a", "q_min_kvar"}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing when nothing is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def check_elements(
    buses: Sequence[Bus], lines: Sequence[Line], generators: Sequence[Generator], root: str = ""
) -> None:
    """Every row by itself, unique names, and lines and generators at buses that exist.

    Raises:
        FeederError: naming the first row that is wrong.
    """
    for bus in buses:
        _check_bus(bus, held=bus.name == root)
    _check_unique([bus.name for bus in buses], "buses", "bus", "keep one")
    known = {bus.name for bus in buses}
    for line in lines:
        _check_line(line, known)
    _check_unique_lines(lines)
    for generator in generators:
        _check_generator(generator, known)
    _check_unique([g.name for g in generators], "generators", "generator", "rename one")


def check_stated_once(
    buses: Sequence[Bus], generators: Sequence[Generator], root: str, base_kv: float, root_voltage_pu: float
) -> None:
    """The root, the base voltage, the voltage held at the root, and that something generates.

    Raises:
        FeederError: with table "feeder", or "generators" when nothing generates.
    """
    held = next((bus for bus in buses if bus.name == root), None)
    if held is None:
        sentence = f"the root {root} is not a bus{did_you_mean(root, (bus.name for bus in buses))}"
        raise FeederError(f"{sentence}; name the bus of the substation", table="feeder", key="root", bus=root)
    low, high = BASE_RANGE_KV
    if not low <= base_kv <= high:
        sentence = f"{base_kv:g} kV is outside {low:g} to {high:g} kV; is it in volts?"
        raise FeederError(f"{sentence} give the line-to-line voltage in kV", table="feeder", key="base_kv")
    if not held.v_min_pu <= root_voltage_pu <= held.v_max_pu:
        sentence = f"{root_voltage_pu:g} pu is outside the limits {held.v_min_pu:g} to {held.v_max_pu:g} pu of the root"
        cure = f"bus {root}; hold the root within its limits or widen them"
        raise FeederError(f"{sentence} {cure}", table="feeder", key="root_voltage_pu", bus=root)
    if not generators:
        cure = "add the substation as a generator at the root"
        raise FeederError(f"no generator feeds this feeder; {cure} {root}", table="generators", bus=root)
    # Without one at the root the feeder is an island: then somebody else must be able to follow the load.
    if all(g.bus != root and g.p_min_kw == g.p_max_kw for g in generators):
        sentence = f"no generator stands at the root {root} and none elsewhere can vary its power, so nothing follows"
        cure = "the load; add the substation as a generator at the root"
        raise FeederError(f"{sentence} {cure}", table="generators", bus=root)


def check_impedances(tree: Tree, generators: Sequence[Generator], base_kv: float) -> None:
    """That each line could carry the nominal load behind it at all; if not, its impedance is in another unit.

    Raises:
        FeederError: the voltage drop of that load, less all generation behind the line, would exceed the voltage.
    """
    needed_kva = [hypot(bus.p_kw, bus.q_kvar) for bus in tree.buses]
    position = {bus.name: n for n, bus in enumerate(tree.buses)}
    kv = [bus.base_kv or base_kv for bus in tree.buses]
    for g in generators:
        needed_kva[position[g.bus]] -= max(abs(limit) for limit in (g.p_max_kw, g.q_min_kvar, g.q_max_kvar))
    for n in range(len(tree.buses) - 1, 0, -1):
        line = tree.lines[n - 1]
        needed_kva[tree.parent[n]] += needed_kva[n]
        z_ohm = hypot(line.r_ohm, line.x_ohm)
        line_kv = min(kv[n], kv[tree.parent[n]])
        if z_ohm == 0 and (line.tap != 1 or kv[n] != kv[tree.parent[n]]):
            sentence = "a transformer (a tap, or another base_kv at its other end) has an impedance; give it"
            raise FeederError(sentence, table="lines", row=line.name, key="r_ohm")
        drop_pu = z_ohm / line_kv**2 * needed_kva[n] / 1000
        if drop_pu > 1 or z_ohm / line_kv**2 > IMPEDANCE_CEILING_PU:
            sentence = f"{z_ohm:g} ohm at {line_kv:g} kV could never carry the load behind it"
            cure = "are r_ohm and x_ohm in milliohm, or loads in W? give ohm, kW, and base_kv in kV"
            raise FeederError(f"{sentence}; {cure}", table="lines", row=line.name, key="r_ohm")


def _check_bus(bus: Bus, *, held: bool) -> None:
    """One bus; only where the voltage is `held` (at the root) may both limits be the same."""
    _check_numbers(bus, "buses", bus.name)
    low, high = VOLTAGE_RANGE_PU
    for key, value in (("v_min_pu", bus.v_min_pu), ("v_max_pu", bus.v_max_pu)):
        if not low <= value <= high:
            sentence = f"{value:g} pu is outside {low:g} to {high:g} pu; is it in kV? divide by the base voltage"
            raise FeederError(sentence, table="buses", row=bus.name, key=key)
    low, high = BASE_RANGE_KV
    if bus.base_kv and not low <= bus.base_kv <= high:
        sentence = (
            f"{bus.base_kv:g} kV is outside {low:g} to {high:g} kV; is it in volts? give the nominal voltage in kV"
        )
        raise FeederError(sentence, table="buses", row=bus.name, key="base_kv")
    if bus.v_min_pu > bus.v_max_pu or (bus.v_min_pu == bus.v_max_pu and not held):
        sentence = f"v_min_pu {bus.v_min_pu:g} is not below v_max_pu {bus.v_max_pu:g}; swap or widen them"
        raise FeederError(sentence, table="buses", row=bus.name, key="v_min_pu")


def _check_line(line: Line, known: set[str]) -> None:
    _check_numbers(line, "lines", line.name)
    for key, end in (("from_bus", line.from_bus), ("to_bus", line.to_bus)):
        if end not in known:
            sentence = f"there is no bus {end}{did_you_mean(end, known)}; name a bus of the table of buses"
            raise FeederError(sentence, table="lines", row=line.name, key=key, bus=end)
    if line.from_bus == line.to_bus:
        raise FeederError("both ends are the same bus; correct one", table="lines", row=line.name, key="to_bus")
    for key, value in (("r_ohm", line.r_ohm), ("x_ohm", line.x_ohm)):
        if value < 0:
            sentence = f"{value:g} ohm is negative; a line has r_ohm and x_ohm of 0 or more"
            raise FeederError(sentence, table="lines", row=line.name, key=key)
    if line.b_us < 0:
        sentence = f"{line.b_us:g} microsiemens is negative; a line has a charging susceptance of 0 or more"
        raise FeederError(sentence, table="lines", row=line.name, key="b_us")
    low, high = TAP_RANGE
    if not low <= line.tap <= high:
        sentence = (
            f"{line.tap:g} is outside {low:g} to {high:g}; give the ratio relative to the nominal one, such as 1.025"
        )
        raise FeederError(sentence, table="lines", row=line.name, key="tap")
    for key, value in (("p_max_kw", line.p_max_kw), ("q_max_kvar", line.q_max_kvar), ("i_max_a", line.i_max_a)):
        if value <= 0:
            sentence = f"a rating of {value:g} carries nothing; give a rating above 0, or take the line out"
            raise FeederError(sentence, table="lines", row=line.name, key=key)


def _check_generator(generator: Generator, known: set[str]) -> None:
    _check_numbers(generator, "generators", generator.name)
    if generator.bus not in known:
        sentence = f"there is no bus {generator.bus}{did_you_mean(generator.bus, known)}; name a bus of the feeder"
        raise FeederError(sentence, table="generators", row=generator.name, key="bus", bus=generator.bus)
    if generator.a_usd_per_kw2h < 0:
        sentence = f"{generator.a_usd_per_kw2h:g} is negative, so the cost is not convex; give 0 or more"
        raise FeederError(sentence, table="generators", row=generator.name, key="a_usd_per_kw2h")
    ranges = (
        ("p_min_kw", generator.p_min_kw, "p_max_kw", generator.p_max_kw),
        ("q_min_kvar", generator.q_min_kvar, "q_max_kvar", generator.q_max_kvar),
    )
    for low_key, low, high_key, high in ranges:
        if low > high or low == inf or high == -inf:
            sentence = f"{low_key} {low:g} is above {high_key} {high:g}; swap them or correct one"
            raise FeederError(sentence, table="generators", row=generator.name, key=low_key)


def _check_numbers(row: Bus | Line | Generator, table: Table, label: str) -> None:
    for column in fields(row):
        value = getattr(row, column.name)
        if isinstance(value, str):
            if not value:
                raise FeederError("the name is empty; give one", table=table, row=label, key=column.name)
        elif isnan(value):
            cure = "write inf where there is no limit" if column.name in _MAY_BE_INFINITE else "give a number"
            raise FeederError(f"not a number (an empty cell?); {cure}", table=table, row=label, key=column.name)
        elif isinf(value) and column.name not in _MAY_BE_INFINITE:
            raise FeederError(f"{value} is not finite; give a number", table=table, row=label, key=column.name)


def _check_unique(names: Sequence[str], table: Table, noun: str, cure: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FeederError(f"{noun} {name} is given twice; {cure}", table=table, row=name, key="name")
        seen.add(name)


def _check_unique_lines(lines: Sequence[Line]) -> None:
    seen: dict[frozenset[str], str] = {}
    for line in lines:
        ends = frozenset((line.from_bus, line.to_bus))
        if ends in seen:
            sentence = f"a line between {line.from_bus} and {line.to_bus} is already given as {seen[ends]}"
            raise FeederError(f"{sentence}; keep one, parallel lines merged", table="lines", row=line.name)
        seen[ends] = line.name
