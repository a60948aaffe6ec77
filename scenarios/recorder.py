"""The results folder: every round is on disk as soon as it is finished, everything else when the run ends.

- `manifest.json`: the resolved scenario, seed, versions, git commit, machine, how it ended
- `rounds.parquet`: one row a round; while the run goes on `rounds.arrows`, which can be read after any crash
- `prosumers.parquet`: one row per prosumer and period; likewise `trades`, `prices`, `network`, `bills`
- `kpis.json`: the numbers that `--json` prints
"""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..market.result import Result
from ..market.rounds import Round
from ..network.errors import InputError
from .scenario import Scenario

_LIBRARIES = ("gridbazaar", "mesa", "cvxpy", "clarabel", "osqp", "numpy", "scipy")
_TABLES = ("prosumers", "trades", "prices", "network", "bills")
_STREAM, _ROUNDS = "rounds.arrows", "rounds.parquet"


def new_folder(scenario: str, parent: Path | None = None) -> Path:
    """A new folder `results/<scenario>/<time>`, or `parent` itself if one is given.

    Raises:
        InputError: It cannot be made, or already holds results.
    """
    folder = parent or Path("results") / scenario / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty; name a new folder with -o, so that no results are lost")
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}; name another folder with -o") from None
    return folder


class Recorder:
    """Writes a run into its folder.

    Attributes:
        folder: The results folder.
    """

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        """Begin a folder: the manifest is written at once."""
        self.folder = folder
        self._manifest = _manifest(scenario)
        self._write_json("manifest.json", self._manifest)
        self._schema = _schema()
        self._sink = (folder / _STREAM).open("wb")
        self._stream = pa.ipc.new_stream(self._sink, self._schema)

    def write(self, record: Round) -> None:
        """Put a finished round on disk."""
        columns = [pa.array([_cell(getattr(record, f.name))], self._schema.field(f.name).type) for f in fields(Round)]
        self._stream.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self._sink.flush()

    def close(self) -> None:
        """Turn the rounds into Parquet; the run is over, whatever its end."""
        self._stream.close()
        self._sink.close()
        rounds = self.folder / _STREAM
        pq.write_table(read_rounds(self.folder), self.folder / _ROUNDS)
        rounds.unlink()

    def finish(self, result: Result, kpis: dict[str, Any]) -> None:
        """Write what the run found: tables, KPIs, and how it ended."""
        for name in _TABLES:
            getattr(result, name).to_parquet(self.folder / f"{name}.parquet", index=False)
        self._write_json("kpis.json", kpis)
        ending = {key: kpis[key] for key in ("outcome", "message", "seconds")}
        self._write_json("manifest.json", {**self._manifest, **ending})

    def fail(self, message: str) -> None:
        """Write that the run ended with an error."""
        self._write_json("manifest.json", {**self._manifest, "outcome": "failed", "message": message})

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        partial = self.folder / f"{name}.partial"
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial, self.folder / name)


def read_rounds(folder: Path | str) -> pa.Table:
    """The rounds of a results folder; of a run that was killed, all rounds that it had finished.

    Raises:
        InputError: The folder holds no rounds.
    """
    folder = Path(folder)
    if (folder / _ROUNDS).is_file():
        return pq.read_table(folder / _ROUNDS)
    if not (folder / _STREAM).is_file():
        raise InputError(f"{folder} holds no rounds; name a results folder")
    batches: list[pa.RecordBatch] = []
    with pa.OSFile(str(folder / _STREAM)) as source, suppress(pa.ArrowInvalid, OSError):
        batches.extend(pa.ipc.open_stream(source))  # a run that was killed may have left half of its last round
    return pa.Table.from_batches(batches, schema=_schema())


def _schema() -> pa.Schema:
    kinds: dict[str, Callable[[], pa.DataType]] = {"int": pa.int64, "float": pa.float64}
    arrays = pa.list_(pa.float64())
    types = {f.name: _type_name(f.type) for f in fields(Round)}
    return pa.schema(
        [(name, arrays if kind == "array" else kinds.get(kind, pa.string)()) for name, kind in types.items()]
    )


def _type_name(annotation: Any) -> str:
    name = getattr(annotation, "__name__", str(annotation))
    return "array" if "ndarray" in name or "FloatArray" in name else name


def _cell(value: Any) -> Any:
    return value.ravel() if isinstance(value, np.ndarray) else value


def _manifest(scenario: Scenario) -> dict[str, Any]:
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "scenario": json.loads(scenario.model_dump_json(by_alias=True)),
        "seed": scenario.seed,
        "versions": {name: version(name) for name in _LIBRARIES},
        "git_commit": _git("rev-parse", "HEAD"),
        "git_changes": bool(_git("status", "--porcelain")),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
        "outcome": "running",
    }


def _git(*words: str) -> str:
    """What git says of the checkout this code runs from; empty where it is installed without one."""
    command: Sequence[str] = ("git", "-C", str(Path(__file__).resolve().parent), *words)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
