"""When the periods of a scenario are: makes profiles by time, and a window, profiles by period from a start on.

What a file says of time is `start`, `timezone`, `fill` and `window`. Afterwards the scenario says `start` and
`timezone` alone: its first period and where it is; profiles count the periods from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from ...network.calendars import MINUTES_PER_HOUR, SECONDS_PER_MINUTE, Calendar, step_min_of, zone_of
from ...network.errors import InputError
from ...network.periods import length_said
from ..errors import Problem, ScenarioError, refuse
from .horizon import FORECAST_SUFFIX
from .local_times import Refusal, instant_of
from .other_clocks import offset_elsewhere
from .resampling import ENERGY_SUFFIX, resampled
from .timed_series import TimedSeries
from .timed_table import FILLS, TIME_KEYS, TimedColumn
from .tree import PROFILES, Tree, did_you_mean, leaves
from .yaml_file import Path_

WINDOW = ("from", "until", "days")


def set_periods(tree: Tree) -> None:
    """Make the profiles of a tree that tells time those of its periods, and say when these are.

    Raises:
        ScenarioError: It cannot be known when a value is meant, or one is missing.
    """
    profiles = tree.values.get("profiles")
    profiles = profiles if isinstance(profiles, dict) else {}
    columns = {name: column for name, column in profiles.items() if isinstance(column, TimedColumn)}
    stated = [key for key in TIME_KEYS if tree.values.get(key) is not None]
    if not (columns or "start" in stated):
        raise _refusal(tree, (stated[0],))("nothing says when the periods are; write start: 2026-03-29T00:00")
    if "timezone" not in stated:
        sentence = "times need a zone; write one (timezone: Europe/Berlin, or UTC)"
        raise _refusal(tree, ("start",) if "start" in stated else PROFILES)(sentence)
    _Timing(tree, profiles, columns).apply()


@dataclass(frozen=True, slots=True)
class _Source:
    """Profiles that belong together: from when to when they are, seconds since 1970, and what they are called."""

    begin_s: int
    end_s: int
    name: str


_APART, _WORD = re.compile(r"[\s,;*+/=()\[\]{}'\"]+"), re.compile(r"[\w-]+")  # how names are found within values


class _Timing:
    """Finds the periods of one scenario, and writes its profiles anew."""

    def __init__(self, tree: Tree, profiles: dict[str, Any], columns: Mapping[str, TimedColumn]) -> None:
        self._tree, self._columns = tree, columns
        self._zone = _zone(tree)
        self._fill = _fill(tree)
        stated_min = _stated_step(tree)
        tables = {id(column.table): column.table for column in columns.values()}
        self._series = {key: TimedSeries.of(table, self._zone, stated_min) for key, table in tables.items()}
        self._step_min = stated_min or self._common_step()
        start = tree.values.get("start")
        self._start_s = None if start is None else instant_of(str(start), self._zone, _refusal(tree, ("start",)))
        counted = {name: values for name, values in profiles.items() if isinstance(values, dict)}
        named = _named(tree) if columns else counted.keys()
        self._counted = {name: values for name, values in counted.items() if name.replace(FORECAST_SUFFIX, "") in named}
        for name in sorted(counted.keys() - self._counted.keys()):  # as many of a base
            said = "is left out, as nothing names it and it counts periods beside a table with times"
            tree.notes.append(Problem(tree.place((*PROFILES, name)), f"profiles.{name}", said))
            del tree.values["profiles"][name]
        self._sources = self._found_sources()

    def apply(self) -> None:
        """Write start, step and profiles into the tree, and take out what they were made of."""
        calendar = self._calendar()
        places = {key: series.places() for key, series in self._series.items()}
        for name, column in self._columns.items():
            self._write_column(name, column, calendar, places[id(column.table)])
        self._write_counted(calendar)
        self._tell_steps()
        self._tell_offsets()
        tree = self._tree
        place = tree.place(("start",)) or tree.place(PROFILES)
        tree.put(("start",), calendar.at(0).isoformat(timespec="minutes"), place)
        tree.put(("dt_h",), calendar.dt_h, tree.place(("dt_h",)) or place)
        for key in ("window", "fill"):
            tree.values.pop(key, None)
        tree.calendar = calendar

    def _common_step(self) -> int:
        """The step of all tables, minutes; one hour without any."""
        steps = {series.calendar.step_min: series for series in self._series.values()}
        if len(steps) > 1:
            said = ", ".join(f"{series.table.file} {step} min" for step, series in steps.items())
            raise _refusal(self._tree, PROFILES)(f"tables have several steps ({said}); write one (step: 15min)")
        return next(iter(steps), MINUTES_PER_HOUR)

    def _found_sources(self) -> list[_Source]:
        """From when to when profiles are; those by period come last."""
        found = [_Source(one.calendar.start_s, one.calendar.end_s, one.table.file) for one in self._series.values()]
        if self._counted or not found:
            begin = self._start_s if self._start_s is not None else found[0].begin_s
            periods = max((len(values) for values in self._counted.values()), default=1)
            name = "the profiles by period" if self._counted else "a scenario without profiles"
            found.append(_Source(begin, begin + periods * self._step_s, name))
        return found

    @property
    def _step_s(self) -> int:
        return self._step_min * SECONDS_PER_MINUTE

    def _calendar(self) -> Calendar:
        """The periods: what the window says, or else all that profiles have from the start on."""
        sources = self._sources
        window = _window(self._tree)
        begin = self._bound(window, "from")
        begin = begin if begin is not None else self._start_s
        begin = begin if begin is not None else self._agreed("begin", {one.name: one.begin_s for one in sources})
        end = self._until(window, begin)
        end = end if end is not None else self._agreed("end", {one.name: one.end_s for one in sources})
        for one in sources:
            self._check_within(one, begin, end)
        count, rest = divmod(end - begin, self._step_s)
        if end < begin:
            sentence = f"it ends at {self._local(end)}, before it begins at {self._local(begin)}"
            raise self._blame(f"{sentence}; write a window (from, until) that ends later")
        if count < 1 or rest:
            sentence = f"from {self._local(begin)} until {self._local(end)} there is no whole number of periods"
            raise self._blame(f"{sentence} of {self._step_min} min; write a window (from, until) that has one")
        return Calendar(begin, self._zone.key, self._step_min, count)

    def _until(self, window: Mapping[str, Any], begin: int) -> int | None:
        """Where the window ends; days are local ones, of 23, 24 or 25 hours."""
        days = window.get("days")
        if days is None:
            return self._bound(window, "until")
        refusal = _refusal(self._tree, ("window", "days"))
        if "until" in window:
            raise refusal("a window has an end (until) or a number of days; keep one")
        if not (str(days).isdecimal() and 0 < int(days) < 100_000):
            raise refusal(f"{days} is no number of days; write a whole one above 0")
        first = datetime.fromtimestamp(begin, self._zone).replace(tzinfo=None)
        return instant_of((first + timedelta(days=int(days))).isoformat(), self._zone, refusal)

    def _bound(self, window: Mapping[str, Any], key: str) -> int | None:
        if key not in window:
            return None
        return instant_of(str(window[key]), self._zone, _refusal(self._tree, ("window", key)))

    def _agreed(self, verb: str, found: Mapping[str, int]) -> int:
        """When all profiles begin or end; they must agree where nobody says."""
        if len(set(found.values())) > 1:
            said = ", ".join(f"{name} at {self._local(instant)}" for name, instant in found.items())
            raise _refusal(self._tree, PROFILES)(f"profiles {verb} at different times ({said}); write a window")
        return next(iter(found.values()))

    def _check_within(self, one: _Source, begin: int, end: int) -> None:
        """Refuse periods that these profiles do not have, or only in part."""
        if begin < one.begin_s or end > one.end_s:
            asked = f"{self._local(begin)} to {self._local(end)} is asked for"
            there = f"of {one.name} there is {self._local(one.begin_s)} to {self._local(one.end_s)}"
            raise self._blame(f"{asked}, but {there}; write a start and a window that lie within, or add the rest")
        if self._counted and (begin - self._sources[-1].begin_s) % self._step_s:
            raise self._blame(f"{self._local(begin)} is inside of a period; begin where one does")

    def _blame(self, sentence: str) -> ScenarioError:
        """A refusal of what says when the scenario begins and ends."""
        stated = next((key for key in ("window", "start") if self._tree.values.get(key) is not None), "profiles")
        return _refusal(self._tree, (stated,))(sentence)

    def _local(self, instant_s: int) -> str:
        return datetime.fromtimestamp(instant_s, self._zone).isoformat(timespec="minutes")

    def _write_column(self, name: str, column: TimedColumn, calendar: Calendar, places: Sequence[str]) -> None:
        """Make a profile by time one by period."""
        series = self._series[id(column.table)]
        step_min = series.calendar.step_min
        first_min = (calendar.start_s - series.calendar.start_s) // SECONDS_PER_MINUTE
        last_min = first_min + calendar.count * calendar.step_min
        needed = slice(first_min // step_min, -(-last_min // step_min))
        values, note = series.values(column.name, needed, self._fill)
        if note:
            self._tree.notes.append(Problem(column.table.file, "", note))
        energy = name.endswith(ENERGY_SUFFIX)
        found = resampled(values, step_min, first_min, calendar.step_min, calendar.count, energy=energy)
        self._tree.values["profiles"][name] = {str(t): value for t, value in enumerate(found.tolist(), start=1)}
        for t in range(calendar.count):
            at = (first_min + t * calendar.step_min) // step_min
            self._tree.places[*PROFILES, name, str(t + 1)] = places[at]

    def _write_counted(self, calendar: Calendar) -> None:
        """Take of profiles by period those of the calendar."""
        skipped = (calendar.start_s - self._sources[-1].begin_s) // self._step_s
        wanted = range(skipped + 1, skipped + calendar.count + 1)
        for name, values in self._counted.items():
            if not skipped and len(values) <= calendar.count:
                continue  # whether it has all of them is checked where nobody speaks of time, too
            places = [self._tree.place((*PROFILES, name, str(t))) for t in wanted]
            cut = {str(k): values[str(t)] for k, t in enumerate(wanted, start=1) if str(t) in values}
            self._tree.put((*PROFILES, name), cut, self._tree.place((*PROFILES, name)))
            self._tree.places |= {(*PROFILES, name, str(k)): place for k, place in enumerate(places, start=1)}

    def _tell_offsets(self) -> None:
        """Note where a table has offsets that the clock of the zone never shows: the zone may be wrong."""
        for table in (series.table for series in self._series.values()):
            offset = offset_elsewhere((row.cells[table.column] for row in table.rows), self._zone)
            if offset:
                sentence = f"times have offsets ({offset}) that the clock of {self._zone.key} does not show then"
                self._tree.notes.append(
                    Problem(table.file, table.column, f"{sentence}: is timezone: {self._zone.key} right?")
                )

    def _tell_steps(self) -> None:
        """Note where a table has another step than the market."""
        for series in self._series.values():
            step = series.calendar.step_min
            if step != self._step_min:
                names = [name for name, column in self._columns.items() if column.table is series.table]
                self._tree.notes.append(Problem(series.table.file, "", _resampling(names, step, self._step_min)))


def _named(tree: Tree) -> set[str]:
    """The words of the values of a scenario, profiles aside: which profiles it names are among them."""
    rest = {key: value for key, value in tree.values.items() if (key,) != PROFILES}
    return {
        word
        for _, value in leaves(rest, ())
        for word in (str(value), *_APART.split(str(value)), *_WORD.findall(str(value)))
    }


def _resampling(names: Sequence[str], step_min: int, wanted_min: int) -> str:
    """What becomes of the values of a table with another step."""
    coarser = wanted_min > step_min
    energies = [name for name in names if name.endswith(ENERGY_SUFFIX)]
    said = []
    if len(energies) < len(names):
        said.append("averaged over" if coarser else "held in")
    if energies:
        said.append("summed up over" if coarser else "shared out evenly to")
    if len(said) == 2:
        said = [f"powers and factors are {said[0]}", f"energies ({', '.join(energies)}) {said[1]}"]
    else:
        said = [f"they are {said[0]}"]
    return f"values are of {step_min} min, periods have {wanted_min}: {', '.join(said)} these"


def _zone(tree: Tree) -> ZoneInfo:
    name = str(tree.values["timezone"])
    try:
        return zone_of(name)
    except InputError as error:
        near = did_you_mean(name, sorted(available_timezones())) if name else ""
        raise _refusal(tree, ("timezone",))(f"{error}{near if 'did you mean' in near else ''}") from None


def _fill(tree: Tree) -> str:
    how = tree.values.get("fill")
    if how is not None and how not in FILLS:
        raise _refusal(tree, ("fill",))(f"{how!r} is no way to fill what is missing; write {' or '.join(FILLS)}")
    return how or ""


def _stated_step(tree: Tree) -> int | None:
    """The step of the market, minutes; None if nothing says it."""
    stated = tree.values.get("dt_h")
    if stated is None:
        return None
    refusal = _refusal(tree, ("dt_h",))
    try:
        return step_min_of(float(stated))
    except InputError as error:
        if tree.places.get(("step",)) == tree.place(("dt_h",)):  # that is how it was written
            cure = "does not divide an hour into whole minutes, as periods of a calendar do; write one that does: 15min"
            raise _refusal(tree, ("step",))(f"{length_said(float(stated))} {cure}") from None
        raise refusal(str(error)) from None
    except (TypeError, ValueError, OverflowError):
        raise refusal(f"{stated!r} is no number of hours; write a step, such as step: 15min") from None


def _window(tree: Tree) -> Mapping[str, Any]:
    window = tree.values.get("window")
    if window is None:
        return {}
    if not isinstance(window, dict):
        raise _refusal(tree, ("window",))("a window is written {from: 2026-03-29, days: 7}, or with until")
    for key in window:
        if key not in WINDOW:
            raise _refusal(tree, ("window", str(key)))(f"unknown key{did_you_mean(str(key), WINDOW)}")
    return {key: value for key, value in window.items() if value is not None}


def _refusal(tree: Tree, path: Path_) -> Refusal:
    return lambda sentence: refuse(tree.place(path), ".".join(path), sentence)
