"""A run that is saved: what its results folder holds, read when it is asked for.

run = gb.load_run("results/ieee33/20260101-120000-000000")
run.outcome, run.kpis["welfare_usd"], run.scenario, run.prosumers
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...market.plotting import drawn
from ...market.tables import DEVICES, TABLES
from ...network.errors import InputError
from ..runs.resuming import read_manifest, scenario_in
from ..runs.tables_on_disk import MESSAGES, ROUNDS, read_table

if TYPE_CHECKING:
    import pandas as pd

    from ...agents.trade_graph import TradeGraph
    from ...network.feeder import Feeder
    from ...network.periods import When
    from ..files.scenario import Scenario

_ROLLING = ("windows", "imbalances")
"""The tables that a run of a rolling horizon has beside."""
WHOLE_TABLES = (*TABLES, DEVICES, *_ROLLING)
"""All tables that a run can leave of its schedule; those after `TABLES` only where there is something in them."""


def _stored(name: str) -> property:
    """A table of a run as an attribute."""
    return property(lambda run: run.table(name), doc=f"The table {name} of the results folder; see `table`.")


class StoredRun:
    """A run in its results folder.

    Attributes:
        folder: The results folder.
        manifest: What was run, where it comes from, on what, and how it ended.
        kpis: The run in numbers, as `kpis.json` has them; empty for a run that left none.
        prosumers, trades, prices, generators, buses, lines, bills, windows, imbalances, rounds,
            messages: Its tables, as pandas frames.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], kpis: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.kpis = kpis
        self._tables: dict[str, pd.DataFrame] = {}

    @cached_property
    def scenario(self) -> Scenario:
        """What was run, with everything that was changed.

        Raises:
            InputError: The manifest was changed by hand and is no scenario any more.
        """
        return scenario_in(self.folder, self.manifest)

    @property
    def name(self) -> str:
        """The name of the results folder, which tells the run from its neighbours."""
        return self.folder.resolve().name

    @property
    def title(self) -> str:
        """The title of the scenario, or what it is called, or the folder that the run stands in."""
        said = self.manifest.get("name") or Path(self.manifest.get("scenario_path", "")).stem
        return str(self.manifest["scenario"].get("title") or said or self.name)

    @property
    def outcome(self) -> str:
        """How it ended, in a word: "settled", "interrupted", ...; "running" if it goes on, or was killed."""
        return str(self.kpis.get("outcome", self.manifest["outcome"]))

    @property
    def message(self) -> str:
        """How it ended, in a sentence."""
        unfinished = "not finished: the run still goes on, or was killed; `gridbazaar run --resume` goes on with it"
        return str(self.kpis.get("message") or self.manifest.get("message") or unfinished)

    @property
    def settled(self) -> bool:
        """Whether its certificate proves that nobody gains by deviating."""
        return self.outcome == "settled"

    @property
    def delivered(self) -> bool:
        """Whether it has a schedule with a certificate, however good."""
        return self.kpis.get("regret_usd") is not None

    @cached_property
    def feeder(self) -> Feeder:
        """The feeder that was cleared on."""
        return self.scenario.build_feeder()

    @cached_property
    def graph(self) -> TradeGraph:
        """Who may trade with whom."""
        from ...agents.trade_graph import TradeGraph

        return TradeGraph(self.names, self.scenario.build_links())

    @property
    def dt_h(self) -> float:
        """Length of a period in hours."""
        return float(self.manifest["scenario"]["dt_h"])

    @property
    def when(self) -> When:
        """When the periods are."""
        return self.scenario.when if "start" in self.manifest["scenario"] else self.dt_h

    @property
    def homes(self) -> dict[str, str]:
        """The bus of each prosumer."""
        return {name: row["bus"] for name, row in self.manifest["scenario"]["prosumers"].items()}

    def plot(self, what: str = "balance", **options: Any) -> Any:
        """A drawing of it: "balance", "prices", "network", "feeder" or "convergence", see `plots.draw`."""
        return drawn(self, what, **options)

    @property
    def names(self) -> list[str]:
        """The names of the prosumers."""
        return list(self.manifest["scenario"]["prosumers"])

    @property
    def tables(self) -> list[str]:
        """The tables that the folder holds."""
        files = {file.stem for file in self.folder.iterdir() if file.suffix in {".parquet", ".arrows"}}
        return [name for name in (*WHOLE_TABLES, ROUNDS, MESSAGES) if name in files]

    def table(self, name: str) -> pd.DataFrame:
        """One of `tables`, read once: one row per prosumer and period, and so on; units stand in the columns' names.

        Raises:
            InputError: The run left no such table, or it cannot be read.
        """
        if name not in self._tables:
            if name not in self.tables:
                there = ", ".join(self.tables) or "none"
                raise InputError(f"the run in {self.folder} ({self.outcome}) has no table {name}; it has {there}")
            self._tables[name] = self._read(name)
        return self._tables[name]

    prosumers = _stored("prosumers")
    trades = _stored("trades")
    prices = _stored("prices")
    generators = _stored("generators")
    buses = _stored("buses")
    lines = _stored("lines")
    bills = _stored("bills")
    devices = _stored(DEVICES)
    windows = _stored("windows")
    imbalances = _stored("imbalances")
    rounds = _stored(ROUNDS)
    messages = _stored(MESSAGES)

    def _read(self, name: str) -> pd.DataFrame:
        try:
            if name in WHOLE_TABLES:
                import pandas as pd

                return pd.read_parquet(self.folder / f"{name}.parquet")
            grown: pd.DataFrame = read_table(self.folder, name).to_pandas()
        except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
            raise InputError(f"{self.folder / name}.parquet cannot be read ({error}); run the scenario anew") from None
        return grown


def load_run(folder: Path | str) -> StoredRun:
    """The run in a results folder, ended or not.

    Raises:
        InputError: The folder holds no run, or what it says of it is broken.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    file = folder / "kpis.json"
    try:
        kpis = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError):
        raise InputError(f"{file} cannot be read as JSON; restore it, or run the scenario anew") from None
    return StoredRun(folder, manifest, kpis)
