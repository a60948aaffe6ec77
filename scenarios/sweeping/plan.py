"""What is swept, on disk: so that a sweep can go on, and another one cannot take its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...network.errors import InputError
from .axes import Axis
from .keeping import lasting_name

PLAN = "sweep.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is swept, as `sweep.json` has it.

    Attributes:
        scenario: The name or file of the scenario.
        axes: The keys and the values that each takes.
    """

    scenario: str
    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, scenario: str, axes: Sequence[Axis]) -> Plan:
        """A plan that holds from anywhere: a file is meant from here.

        Raises:
            ScenarioError: There is no such scenario.
        """
        return cls(lasting_name(scenario), tuple(axes))

    def write(self, folder: Path) -> None:
        """Write it into a folder."""
        axes = [{"key": axis.key, "values": axis.values, "texts": axis.texts} for axis in self.axes]
        text = json.dumps({"scenario": self.scenario, "axes": axes}, indent=1)
        (folder / PLAN).write_text(f"{text}\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """That of a folder.

        Raises:
            InputError: The folder holds no sweep.
        """
        try:
            plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
            axes = (Axis(axis["key"], tuple(axis["values"]), tuple(axis["texts"])) for axis in plan["axes"])
            return cls(plan["scenario"], tuple(axes))
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"{folder} holds no sweep; name the folder of one, with its {PLAN}") from None
