"""Devices of prosumers: their kinds by name, and devices with parameters as files write them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...network.calendars import Calendar
from ...network.errors import GridbazaarError
from ...network.periods import When
from ..errors import Problem, ScenarioError, refuse
from .behaviour_text import parsed
from .device_values import DeviceValues, Factor
from .named_classes import Catalogue
from .parameters import checked, held, parameters_of
from .problems import UNKNOWN, told
from .schema import DeviceRow
from .tree import Tree
from .yaml_file import Path_

if TYPE_CHECKING:
    from ...agents.devices.device import Device

OWN = {
    "store": "gridbazaar.agents.devices.store:Store",
    "battery": "gridbazaar.agents.devices.battery:Battery",
    "ev": "gridbazaar.agents.devices.ev:Ev",
    "heat_pump": "gridbazaar.agents.devices.heat_pump:HeatPump",
    "deferrable": "gridbazaar.agents.devices.deferrable:Deferrable",
}
"""The kinds that come with gridbazaar."""
_NAMED = Catalogue("kind of device", "gridbazaar.agents.Device", "gridbazaar.devices", OWN)


def registered_devices() -> dict[str, str]:
    """The kinds of devices that can be named without a module: name and where each comes from."""
    return _NAMED.registered()


def find_kind(name: str, place: str, key: str) -> "type[Device]":
    """The class of a kind of device.

    Args:
        name: A registered name, `module:Class` or `path.py:Class`.
        place, key: Where it is named, for messages.

    Raises:
        ScenarioError: There is none, it is not a subclass of Device, or it cannot be given a name.
    """
    from ...agents.devices.device import Device

    made: type[Device] = _NAMED.find(name, Device, place, key)
    if "name" not in parameters_of(made):
        raise refuse(place, key, f"{made.__name__} has no parameter name; give its constructor one")
    return made


def names_device(name: str, place: str) -> bool:
    """Whether a name, or a `module:Class`, is that of a device.

    Raises:
        ScenarioError: There is no such module or class.
    """
    from ...agents.devices.device import Device

    if ":" not in name:
        return name in registered_devices()
    made = _NAMED.loaded(name, place, "")
    return isinstance(made, type) and issubclass(made, Device)


def make_device(text: str, place: str) -> "Device":
    """A device of a text: a kind with parameters, `battery(capacity_kwh=10, p_charge_max_kw=4)`.

    Raises:
        ScenarioError: There is no such kind, or a parameter is wrong.
    """
    from ...agents.behaviour_errors import BehaviourError

    try:
        name, given = parsed(text)
        made = find_kind(name, place, "")
        return made(**checked(made, {"name": made.__name__.lower(), **_arrays(given)}, place, ""))
    except (ValueError, GridbazaarError) as error:
        raise error if isinstance(error, ScenarioError) else refuse(place, "", str(error)) from None
    except Exception as error:  # a user's code may raise anything; it is told with its place
        raise refuse(place, "", f"{text} cannot be made: {BehaviourError.told(error)}") from error


def _arrays(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same with lists of numbers as arrays."""
    import numpy as np

    numbers = {key for key, part in given.items() if isinstance(part, list) and {*map(type, part)} <= {int, float}}
    return {key: np.array(part, dtype=float) if key in numbers else part for key, part in given.items()}


class DeviceMaker:
    """Makes the devices of a scenario's prosumers."""

    def __init__(self, tree: Tree, factor: Factor, periods: int, when: When) -> None:
        """Begin.

        Args:
            tree: Where each value is written.
            factor: The profile of this name, (period,), named at this path.
            periods: How many.
            when: A calendar, or the length of a period in hours.
        """
        calendar = when if isinstance(when, Calendar) else None
        self._tree, self._periods = tree, periods
        self._dt_h = when.dt_h if isinstance(when, Calendar) else when
        self._values = DeviceValues(tree, factor, calendar)

    def devices(self, prosumer: str, rows: Mapping[str, DeviceRow]) -> "tuple[Device, ...]":
        """The devices of a prosumer.

        Raises:
            ScenarioError: A kind does not exist, or a parameter is wrong.
        """
        return tuple(self._made(("prosumers", prosumer, "devices", name), row) for name, row in rows.items())

    def _made(self, path: Path_, row: DeviceRow) -> "Device":
        """One device, which is also asked to lay itself out if it is a user's own."""
        from ...agents.behaviour_errors import BehaviourError
        from ...agents.devices.device import DeviceError

        at_kind = self._tree.place((*path, "kind")), ".".join((*path, "kind"))
        made = find_kind(row.kind, *at_kind)
        given = self._given(path, made, {key: value for key, value in row.parameters.items() if value is not None})
        try:
            device = made(**given)
            if row.kind not in OWN:
                device.block(self._periods, self._dt_h)
        except DeviceError as error:
            here = (*path, error.key)
            raise refuse(self._tree.place(here), ".".join(here), error.problem) from None
        except Exception as error:  # a user's code may raise anything; it is told with its place
            raise refuse(*at_kind, f"{made.__name__} cannot be made: {BehaviourError.told(error)}") from error
        return device

    def _given(self, path: Path_, made: type, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as the constructor wants them, the device's name among them."""
        from pydantic import ValidationError

        known = parameters_of(made)
        if "name" in parameters:
            here = (*path, "name")
            sentence = f"a device is called by its key, {path[-1]}; take the name out"
            raise refuse(self._tree.place(here), ".".join(here), sentence)
        given = {key: self._values.read((*path, key), known.get(key), value) for key, value in parameters.items()}
        own = {key: (self._values.annotation(annotation), default) for key, (annotation, default) in known.items()}
        try:
            return held(own, {"name": path[-1], **given})
        except ValidationError as error:
            details = error.errors()
            misspelt = {one["loc"][:-1] for one in details if one["type"] in UNKNOWN}
            lacking = [one for one in details if one["type"] != "missing" or one["loc"][:-1] not in misspelt]
            raise ScenarioError([self._problem(path, one, known) for one in lacking]) from None

    def _problem(self, path: Path_, detail: Any, known: Mapping[str, tuple[Any, Any]]) -> Problem:
        here = (*path, *(str(part + 1) if isinstance(part, int) else part for part in detail["loc"]))
        sentence, kind = told(detail, lambda: self._values.keys(known, detail))
        return self._tree.problem(here, sentence, kind)
