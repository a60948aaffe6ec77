"""A network between two tools: what every reader makes of its file, and what the scenario is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...network.elements import Bus, FeederError, Generator, Line
from ...network.feeder import Feeder
from ..errors import refuse


@dataclass(frozen=True, slots=True)
class Machine:
    """What feeds in at a bus: its costs and limits, and what it does in the given power flow.

    Attributes:
        generator: Costs and limits; limits are those of a profile of 1.
        p_kw, q_kvar: What it feeds in in the power flow of the original.
        profile: Name of the profile that its active power follows; "" for none.
        fixed: Whether it must feed in what its profile says; otherwise that is the most that it can.
    """

    generator: Generator
    p_kw: float
    q_kvar: float
    profile: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is not as in the original, each as a sentence: nothing is left out, and nothing changed, without one.

    Attributes:
        left_out: Elements that the scenario does not have.
        approximations: Elements that it has otherwise.
        defaults: What the original does not say, and what stands for it.
    """

    left_out: tuple[str, ...] = ()
    approximations: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()

    def __add__(self, other: Remarks) -> Remarks:
        """Both."""
        return Remarks(
            self.left_out + other.left_out,
            self.approximations + other.approximations,
            self.defaults + other.defaults,
        )


@dataclass(frozen=True, slots=True)
class Network:
    """A radial network as its original has it, at one state of its loads.

    Attributes:
        title: What the original is called.
        buses: Buses with their loads; loads are constant powers.
        lines: Lines and transformers, in any order and direction.
        machines: What feeds in, the substation not among it.
        substation: The external grid as a generator at the root; `p_min_kw` and so on are its limits.
        root_voltage_pu: Voltage that it holds.
        branch_names: By the ends of a line what the original calls it.
        load_profiles: By bus the name of the profile of its load, where it has one of its own.
        profiles: Values by period of each profile that the original brings along.
        dt_h: Length of a period of these, hours.
        remarks: What is not as in the original.
    """

    title: str
    buses: tuple[Bus, ...]
    lines: tuple[Line, ...]
    machines: tuple[Machine, ...]
    substation: Generator
    root_voltage_pu: float
    branch_names: Mapping[str, str]
    load_profiles: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    dt_h: float = 1.0
    remarks: Remarks = field(default_factory=Remarks)

    @property
    def base_kv(self) -> float:
        """Nominal voltage that most buses have, kV."""
        kv = [bus.base_kv for bus in self.buses]
        return max(set(kv), key=kv.count)

    def with_remarks(self, remarks: Remarks) -> Network:
        """The same, with more remarks."""
        return replace(self, remarks=self.remarks + remarks)

    def feeder(self) -> Feeder:
        """The network as a feeder.

        Raises:
            ScenarioError: It is none: it is meshed, or an element is out of range; the sentence names the element.
        """
        try:
            return Feeder(
                self.buses,
                self.lines,
                (self.substation, *(machine.generator for machine in self.machines)),
                self.substation.bus,
                self.base_kv,
                self.root_voltage_pu,
            )
        except FeederError as error:
            what = self.branch_names.get(error.row, "") if error.table == "lines" else ""
            sentence = f"{what}: {error.sentence}" if what else error.sentence
            place = "" if what else ".".join(part for part in (error.table, error.row, error.key) if part)
            raise refuse(self.title, place, sentence) from None
