"""The import from end to end: read, make it a scenario, write, load back, prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import UnwrittenError, refuse
from ..files.text import shown
from .day import LOAD, day
from .network import Network, Remarks
from .pandapower_reading import Read
from .peak import fitting_peak
from .powers import SUN
from .proof import Proof, prove
from .prosumers import Link, Links, Prosumer, elastic_kw, linked, place, stands
from .readme import write_readme
from .sources import read_network
from .writing import write_scenario

if TYPE_CHECKING:
    from ..files.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an import is asked for beside the network.

    Attributes:
        prosumers: How many.
        links: Who may trade with whom.
        seed: Of what is drawn.
        periods: Periods of the day, where the network brings no profiles along.
        price_usd_per_kwh: What a kWh of the external grid costs if it has no costs.
        peak: Largest share of the given loads that the day has; what the network can carry if not given.
    """

    prosumers: int = 20
    links: Links = Links.RING
    seed: int = 0
    periods: int = 24
    price_usd_per_kwh: float = 0.15
    peak: float | None = None


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


def import_network(what: str, folder: Path, wishes: Wishes) -> Imported:
    """Make a scenario folder of a network of another tool.

    Args:
        what: A file, or a name: of a network of pandapower, of MATPOWER, or a SimBench code.
        folder: Where it is written; it must not be there.
        wishes: What is asked for beside the network.

    Raises:
        ScenarioError: It cannot be imported; the sentence names the element.
        UnwrittenError: The folder cannot be written.
    """
    if folder.exists():
        raise refuse(
            f"import {what}", "", f"{shown(folder)} is there already; name another folder with -o, or remove it"
        )
    read = read_network(what, wishes.price_usd_per_kwh)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".import-", dir=folder.parent) as aside:
            written = Path(aside) / folder.resolve().name
            written.mkdir()
            imported = _written(read, written, wishes)
            written.rename(folder)
    except OSError as error:
        raise UnwrittenError(error) from error
    return replace(imported, folder=folder)


def _written(read: Read, folder: Path, wishes: Wishes) -> Imported:
    """Write the folder, load it back, prove it, and say so in it."""
    from ..files.loading import load

    network = read.network
    feeder = network.feeder()
    profiles, load_profile, remarks = _profiles(network, wishes)
    network = network.with_remarks(remarks)
    at = stands(network, wishes.prosumers, wishes.seed)
    peak = wishes.peak or fitting_peak(network, feeder, profiles, load_profile, elastic_kw(network, at))
    if not network.profiles:
        network = network.with_remarks(_said_of(peak, wishes))
        profiles = {**profiles, LOAD: [round((peak or 1.0) * value, 6) for value in profiles[LOAD]]}
    left, prosumers = place(network, at, peak or 1.0, wishes.seed, load_profile, SUN)
    links = linked(network, prosumers, wishes.links)
    write_scenario(folder, folder.name, left, prosumers, links, profiles, load_profile)
    scenario = load(str(folder))
    proof = prove(read, scenario)
    write_readme(folder, network, scenario, proof, wishes.seed)
    scenario.check()
    return Imported(folder, network, scenario, proof)


def _profiles(network: Network, wishes: Wishes) -> tuple[Mapping[str, Sequence[float]], str, Remarks]:
    """Profiles by name, that of loads without one of their own, and what is ours of them."""
    if network.profiles:
        return network.profiles, "", Remarks()
    made = day(wishes.periods)
    sun = any(machine.profile == SUN for machine in network.machines)
    sentence = f"a day of {wishes.periods} periods of our own making: loads with a peak in the evening"
    return made, LOAD, Remarks(defaults=(f"{sentence}, {'all PV' if sun else 'PV of prosumers'} with one at noon",))


def _said_of(peak: float, wishes: Wishes) -> Remarks:
    """What the peak of the loads is, where it is not that which is given."""
    if wishes.peak is not None:
        return Remarks(defaults=(f"loads have their peak at {peak:g} of those given, as asked",))
    if peak == 0:
        return Remarks(
            defaults=("no share of the loads keeps all limits of voltage and current; the peak is that given",)
        )
    if peak < 1:
        sentence = "loads as given, with elastic loads, break a limit of voltage or current: their peak is at"
        return Remarks(defaults=(f"{sentence} {peak:g} of those given",))
    return Remarks()


__all__ = ["Imported", "Link", "Prosumer", "Wishes", "import_network"]
