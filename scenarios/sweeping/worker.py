"""One point of a sweep, from its scenario to its row; in a process of its own if there are many."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

from ...network.errors import GridbazaarError
from ..files.loading import load
from ..files.source import find
from ..reporting.stored_run import load_run
from ..rolling.rolling import run_rolling
from ..runs.kept import Kept, Notes
from ..runs.recorder import Origin
from ..runs.running import run_scenario
from .keeping import Row
from .points import Point, finished

_FAILED = {2: "refused", 4: "infeasible"}


def run_point(point: Point) -> Row:
    """Run a point, or go on with its run, and save it; what fails is a row, too.

    An interrupt (Ctrl-C) ends the run after the round under way.
    """
    before = finished(point)
    if before:  # its process has died when it was done
        return point.found(before)
    try:
        scenario = load(point.scenario, point.changes)
        point.folder.mkdir(parents=True, exist_ok=True)
        changed = tuple(change.place for change in point.changes)
        file = find(point.scenario)
        origin = Origin(str(file.resolve()), file.stem, overrides=changed)
        with redirect_stdout(sys.stderr):  # what behaviours print is no part of the table
            if scenario.horizon:
                run_rolling(scenario, point.folder, origin=origin)
            else:
                run_scenario(scenario, point.folder, origin=origin, notes=Notes(Kept.SUMMARY))
    except GridbazaarError as error:
        return point.row(_FAILED.get(error.exit_code, "failed"), str(error), error.exit_code)
    return point.found(load_run(point.folder))
