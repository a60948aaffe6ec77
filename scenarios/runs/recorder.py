"""The results folder: every round is on disk as soon as it is finished, everything else when the run ends.

- `manifest.json`: the resolved scenario, where it comes from, how the run was asked for, seed, versions, git commit and
  tracked files that differ from it, machine, how it ended
- `rounds.parquet`: one row a round, with all arrays or without (`kept.Kept`); while the run goes on `rounds.arrows`,
  which can be read after any crash
- `messages.parquet`: who told whom what, if that was asked for; likewise
- `prosumers.parquet`: one row per prosumer and period; likewise `trades`, `prices`, `generators`, `buses`, `lines`,
  `bills`
- `kpis.json`: the numbers that `--json` prints
- `checkpoint/`: what a run goes on from that has not ended; see `market.checkpoints`
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from pydantic_core import to_json

from ...market.checkpoints import Checkpoints
from ...market.columns import Columns
from ...market.hosting.message_log import Entries
from ...market.result import Result
from ...market.rounds import Round
from ...market.tables import tables_of
from ...network.errors import InputError
from ..errors import ReplayError, ResultsError
from ..files.scenario_rows import ScenarioRows
from .arrow import table
from .kept import MANIFEST, Kept, Notes
from .streams import Stream, access, read_stream
from .tables_on_disk import MESSAGES, ROUNDS, SCHEMAS, only, read_table

_LIBRARIES = ("gridbazaar", "mesa", "cvxpy", "clarabel", "osqp", "piqp", "numpy", "scipy")
_LOCK = ".lock"
OPEN = {"running", "interrupted", "failed"}
"""How a run stands that can go on."""
_TELLING = ["iteration", "phase", "primal_kw", "dual_usd_per_kwh", "dso_cost_usd", "outer_error", "regret_usd"]
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from.

    Attributes:
        path: The scenario's file, or the results folder that has recorded it.
        name: What the scenario is called, also of a run of a run.
        command: The command line.
        overrides: What it changes in the scenario, as given: "--set dt_h=0.5", "--case 1".
    """

    path: str = ""
    name: str = ""
    command: str = ""
    overrides: tuple[str, ...] = ()


class Recorder:
    """Writes a run into its folder; in one that holds a run already, it goes on where that ended.

    It is the only one that writes there until its `with` block ends: all that a run writes belongs into it.

    Attributes:
        folder: The results folder.
        name: What the scenario is called; also of a run that goes on.
        kept: What is kept of every round.
        checkpoints: Where the run is saved now and then.
        checkpoint: Where it goes on from; None for one that begins.
    """

    def __init__(
        self, folder: Path, scenario: ScenarioRows, *, notes: Notes | None = None, origin: Origin | None = None
    ) -> None:
        """Begin a folder, or go on in it: the manifest is written at once.

        Args:
            folder: The results folder.
            scenario: What is run.
            notes: What is written down meanwhile; a run that goes on keeps of its rounds what it kept.
            origin: Where the scenario comes from; that of a run that goes on stays as it was.

        Raises:
            InputError: Another process is writing there, or the run has ended.
            ResultsError: The folder cannot be written.
        """
        self.folder = folder
        self._finished = False
        self._lock = _locked(folder)
        self.checkpoints = Checkpoints(folder / CHECKPOINT)
        try:
            self._begin(scenario, origin or Origin(), notes or Notes())
        except BaseException:
            self._unlock()
            raise

    def _begin(self, scenario: ScenarioRows, origin: Origin, notes: Notes) -> None:
        folder, manifest = self.folder, _read_manifest(self.folder)
        if manifest.get("outcome", "running") not in OPEN:  # somebody has ended it since it was chosen
            sentence = f"the run in {folder} has ended ({manifest['outcome']}); there is nothing to resume, run it anew"
            raise InputError(sentence)
        self.kept = Kept(manifest.get("record", Kept.ALL)) if manifest else notes.rounds or Kept.by_size(scenario)
        self._manifest = {**_manifest(scenario, origin, manifest), "record": self.kept.value}
        self.name = str(self._manifest["name"])
        self._write_json(MANIFEST, self._manifest)
        before = {name: read_table(folder, name) for name in SCHEMAS}
        self.checkpoint = self.checkpoints.newest(
            at_most=sys.maxsize if self.kept is Kept.NONE else len(before[ROUNDS])
        )
        begun = self.checkpoint.rounds if self.checkpoint else 0
        before[MESSAGES] = _until(before[MESSAGES], begun)  # others are sent again
        schemas = {ROUNDS: only(ROUNDS, self.kept.columns)} if self.kept is not Kept.NONE else {}
        if notes.messages or before[MESSAGES]:
            schemas[MESSAGES] = SCHEMAS[MESSAGES]
        self._streams = {
            name: Stream(folder / f"{name}.arrows", schema, before[name].select(schema.names))
            for name, schema in schemas.items()
        }
        self._relived = before[ROUNDS].select(_TELLING).to_pylist()

    def relives(self, number: int) -> bool:
        """Whether a round, from 1, is on disk already."""
        return number <= len(self._relived)

    def relived(self, record: Round) -> bool:
        """Whether a round is on disk already.

        Raises:
            ReplayError: It is, but with other numbers.
        """
        if not self.relives(record.number):
            return False
        recorded = self._relived[record.number - 1]
        if not all(_same(getattr(record, name), recorded[name]) for name in _TELLING):
            raise ReplayError(record.number)
        return True

    def write(self, record: Round) -> None:
        """Put what is kept of a finished round on disk."""
        if ROUNDS in self._streams:
            self._streams[ROUNDS].write([getattr(record, name) for name in self.kept.columns])

    def note_messages(self, entries: Entries) -> None:
        """Put messages on disk."""
        count = len(entries.senders)
        same = [[value] * count for value in (entries.round, entries.message, ", ".join(entries.fields))]
        self._streams[MESSAGES].write_columns([*same, entries.senders, entries.receivers, entries.sizes])

    @property
    def keeps_messages(self) -> bool:
        """Whether messages are written down."""
        return MESSAGES in self._streams

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Write how a run ended that an error ended, and let others write; finished rounds can be read, come what may.

        What is done here follows an error of its own accord, and must not hide it.
        """
        if error is not None and not self._finished:
            with suppress(ResultsError):
                self._write_json(MANIFEST, {**self._manifest, **_ending(error)})
            with suppress(ResultsError):
                self.close()
        for stream in self._streams.values():
            stream.close()
        self._unlock()

    def _unlock(self) -> None:
        """Let others write."""
        with suppress(OSError):  # first the file, then the lock: nobody can lock a file that is about to go
            (self.folder / _LOCK).unlink()
        self._lock.release()

    def close(self) -> None:
        """Turn rounds and messages into Parquet; no more of them can be written.

        Raises:
            ResultsError: They cannot be turned; the streams are left as they are.
        """
        for name, stream in self._streams.items():
            stream.close()
            rows = read_stream(stream.path, SCHEMAS[name])
            self._put(f"{name}.parquet", partial(pq.write_table, rows))
            with access(stream.path):
                stream.path.unlink()

    def finish(
        self, result: Result, kpis: dict[str, Any], *, ended: bool, more: Mapping[str, Columns] | None = None
    ) -> None:
        """Write what the run found: tables, KPIs, and how it ended; if it has, nothing is left to go on from.

        Args:
            result: What it found.
            kpis: That in numbers.
            ended: Whether it has ended.
            more: Tables that there are beside those of the result, by name.

        Raises:
            ResultsError: A file cannot be written.
        """
        for name in tables_of(result):
            self._put(f"{name}.parquet", partial(_write_table, result, name))
        for name, columns in (more or {}).items():
            self._put(f"{name}.parquet", partial(pq.write_table, table(columns)))
        self.write_kpis(kpis)
        ending = {key: kpis[key] for key in ("outcome", "message", "seconds")}
        self._write_json(MANIFEST, {**self._manifest, **ending})
        self._finished = True
        if ended:
            shutil.rmtree(self.folder / CHECKPOINT, ignore_errors=True)

    def write_kpis(self, kpis: dict[str, Any]) -> None:
        """Write the run in numbers.

        Raises:
            ResultsError: The file cannot be written.
        """
        self._write_json("kpis.json", kpis)

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        text = to_json(content, indent=1) + b"\n"  # which takes a tenth of the time that json.dumps does
        self._put(name, lambda file: file.write_bytes(text))

    def _put(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file as a whole, or leave the one that is there."""
        file, unfinished = self.folder / name, self.folder / f"{name}.partial"
        try:
            with access(file):
                write(unfinished)
                os.replace(unfinished, file)
        except ResultsError:
            with suppress(OSError):
                unfinished.unlink()
            raise


def _manifest(scenario: ScenarioRows, origin: Origin, before: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    again = {"resumed": [*before.get("resumed", []), now]} if before else {}
    return {
        "started": before.get("started", now),
        **again,
        "name": before.get("name", origin.name),
        "scenario_path": before.get("scenario_path", origin.path),
        "command": before.get("command", origin.command),
        "overrides": before.get("overrides", list(origin.overrides)),
        "scenario": json.loads(scenario.model_dump_json(by_alias=True)),
        "seed": scenario.seed,
        "versions": {name: version(name) for name in _LIBRARIES},
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": [name for name in _git("diff", "--name-only", "-z", "HEAD").split("\0") if name],
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
        "outcome": "running",
    }


def _locked(folder: Path) -> FileLock:
    """A lock that the system takes back when this process ends, however it ends."""
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except OSError as error:
        if not isinstance(error, Timeout):
            raise ResultsError(folder / _LOCK, error) from error
        raise InputError(f"the run in {folder} is still going on in another process; wait for it, or end it") from None
    return lock


def _ending(error: BaseException) -> dict[str, str]:
    """What a manifest says of a run that an error has ended; one of them is a second Ctrl-C."""
    if isinstance(error, KeyboardInterrupt):
        return {"outcome": "interrupted", "message": "interrupted in the middle of a round"}
    return {"outcome": "failed", "message": str(error) or type(error).__name__}


def _write_table(result: Result, name: str, file: Path) -> None:
    pq.write_table(table(result.columns(name)), file)


def _until(rows: pa.Table, last: int) -> pa.Table:
    """The rows of rounds up to this one."""
    if not len(rows):
        return rows
    import pyarrow.compute as pc

    return rows.filter(pc.less_equal(rows["round"], last))


def _same(one: Any, other: Any) -> bool:
    """Whether two cells are equal; nan is nan."""
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124  # which is what nan is


def _read_manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _git(*words: str) -> str:
    """What git says of the checkout this code runs from; empty where it is installed without one."""
    command: Sequence[str] = ("git", "-C", str(Path(__file__).resolve().parent), *words)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
