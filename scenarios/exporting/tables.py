"""The tables of a saved run for other programs: as CSV files, or as the sheets of a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...market.tables import TABLES
from ...network.errors import InputError
from ..errors import refuse
from ..reporting.stored_run import WHOLE_TABLES, StoredRun
from ..runs.kept import ARRAYS
from ..runs.tables_on_disk import ROUNDS

if TYPE_CHECKING:
    import pandas as pd

_SHEET_ROWS = 2**20
"""What a sheet of Excel holds, its heading included."""


def tables_of(run: StoredRun, period: int | None = None) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables that a run has left, by name: those of its schedule, and its rounds without what is an array in each.

    Units stand in the headings; see README.md, "The results folder".

    Args:
        run: The run.
        period: The only period that is wanted, from 0; tables without periods, bills and rounds, are left out then.

    Raises:
        InputError: It has left no table.
    """
    names = [name for name in (*WHOLE_TABLES, ROUNDS) if name in run.tables]
    if not names:
        raise InputError(f"the run in {run.folder} ({run.outcome}) has left no table; go on with it, or run it anew")
    for name in names:
        table = run.table(name).drop(columns=list(ARRAYS), errors="ignore") if name == ROUNDS else run.table(name)
        if period is None:
            yield name, table
        elif "period" in table and name != ROUNDS:
            yield name, table[table["period"] == period + 1]


def missing_tables(run: StoredRun) -> list[str]:
    """The tables of a schedule that a run has not left."""
    return [name for name in TABLES if name not in run.tables]


def write_csv(run: StoredRun, folder: Path, period: int | None = None) -> list[str]:
    """Write every table as a CSV file into a folder; empty cells are what is not known. The files' names.

    Tables of an export before this one go from the folder.
    """
    tables = dict(tables_of(run, period))
    for name in (*WHOLE_TABLES, ROUNDS):
        (folder / f"{name}.csv").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    return [f"{name}.csv" for name in tables]


def write_workbook(run: StoredRun, file: Path, period: int | None = None) -> list[str]:
    """Write every table as a sheet of a workbook, with a heading that stays in sight; the sheets' names.

    Names stay text, whatever they begin with: a bus "010" is no number and a prosumer "=1" no formula. Times are
    dates of Excel, which knows no time zones: what the clock shows, and beside it its offset from UTC.

    Raises:
        ScenarioError: XlsxWriter is missing, or a sheet does not hold a table.
    """
    if not find_spec("xlsxwriter"):
        raise refuse("--to xlsx", "", "XlsxWriter is missing; install it with: pip install 'gridbazaar[excel]'")
    import pandas as pd

    tables = dict(tables_of(run, period))
    for name, table in tables.items():
        if len(table) >= _SHEET_ROWS:
            sentence = f"the table {name} has {len(table):,} rows and a sheet holds {_SHEET_ROWS - 1:,}"
            raise refuse("--to xlsx", "", f"{sentence}; export one period with --period, or --to csv")
    texts = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    from xlsxwriter.exceptions import FileCreateError

    try:
        with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": texts}) as book:
            for name, table in tables.items():
                _by_the_clock(table).to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0), inf_rep="inf")
    except FileCreateError as error:  # which wraps what the system says
        raise OSError(*getattr(error.args[0], "args", error.args)) from error
    return list(tables)


def _by_the_clock(table: pd.DataFrame) -> pd.DataFrame:
    """The same with local times without a zone; `time_utc_offset` (+02:00) tells an hour that comes twice apart."""
    told = table.copy()
    for name in table.select_dtypes("datetimetz"):
        offset = table[name].dt.strftime("%z")
        told[name] = table[name].dt.tz_localize(None)
        told.insert(list(told).index(name) + 1, f"{name}_utc_offset", offset.str[:3] + ":" + offset.str[3:])
    return told
