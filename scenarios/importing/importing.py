"""The import from end to end: read, make it a scenario, write, load back, prove."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import UnwrittenError, refuse
from ..files.import_row import ImportRow
from ..files.text import shown
from .hours import hours_of
from .network import Network, Remarks
from .pandapower_reading import Read
from .peak import fitting_peak
from .proof import Proof, prove
from .prosumers import elastic_kw, linked, place, stands
from .readme import write_readme
from .sources import read_network
from .writing import write_scenario

if TYPE_CHECKING:
    from ..files.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes:
        folder: Where the scenario is.
        network: The network as it was read, and what is not as in the original.
        scenario: The scenario, loaded from the folder.
        proof: How closely its voltages agree with those of the original.
    """

    folder: Path
    network: Network
    scenario: Scenario
    proof: Proof


def import_network(wish: ImportRow, folder: Path) -> Imported:
    """Make a scenario folder of a network of another tool.

    Args:
        wish: The network, and what is put into it.
        folder: Where it is written; it must not be there.

    Raises:
        ScenarioError: It cannot be imported; the sentence names the element.
        UnwrittenError: The folder cannot be written.
    """
    if folder.exists():
        raise refuse(
            f"import {wish.network}", "", f"{shown(folder)} is there already; name another folder with -o, or remove it"
        )
    read = read_network(wish)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".import-", dir=folder.parent) as aside:
            written = Path(aside) / folder.resolve().name
            written.mkdir()
            imported = _written(read, written, wish)
            written.rename(folder)
    except OSError as error:
        raise UnwrittenError(error) from error
    return replace(imported, folder=folder)


def _written(read: Read, folder: Path, wish: ImportRow) -> Imported:
    """Write the folder, load it back, prove it, and say so in it."""
    from ..files.loading import load

    network = read.network
    hours = hours_of(network, wish.periods)
    at = stands(network, wish.prosumers, wish.seed)
    peak = wish.peak or fitting_peak(network, network.feeder(), hours, elastic_kw(network, at))
    hours = hours.scaled(network, peak or 1.0)
    network = network.with_remarks(hours.remarks + _said_of(peak, wish))
    left, prosumers = place(network, at, peak or 1.0, wish.seed, hours)
    write_scenario(folder, left, prosumers, linked(network, prosumers, wish.links), hours)
    scenario = load(str(folder))
    proof = prove(read, scenario)
    write_readme(folder, network, scenario, proof, wish.seed)
    scenario.check()
    return Imported(folder, network, scenario, proof)


def _said_of(peak: float, wish: ImportRow) -> Remarks:
    """What the peak of the loads is, where it is not that which is given."""
    if wish.peak is not None:
        return Remarks(defaults=(f"loads have their peak at {peak:g} of those given, as asked",))
    if peak == 0:
        return Remarks(
            defaults=("no share of the loads keeps all limits of voltage and current; the peak is that given",)
        )
    if peak < 1:
        sentence = "loads as given, with elastic loads, break a limit of voltage or current: their peak is at"
        return Remarks(defaults=(f"{sentence} {peak:g} of those given",))
    return Remarks()
