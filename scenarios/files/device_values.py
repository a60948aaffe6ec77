"""The parameters of devices as files write them: numbers, profiles by name, trips, jobs."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args, get_origin

from ...network.calendars import Calendar
from ..errors import refuse
from .schema import NUMBER, WORD, Count, Number
from .tree import Tree, did_you_mean
from .trips import JOBS, SCHEMAS, TRIPS, Kind, hours_of
from .yaml_file import Path_, read_value

if TYPE_CHECKING:
    from ...network.arrays import FloatArray

Factor = Callable[[Path_, str], "FloatArray"]
"""The profile of a name, (period,), which stands at a path."""
_SERIES = ("profile", "peak")
_AS_FILES: dict[Any, Any] = {float: Number, int: Count, float | None: Number | None, int | None: Count | None}
"""Numbers are in files what they are everywhere in a scenario."""


class DeviceValues:
    """Reads values as the annotations of parameters want them."""

    def __init__(self, tree: Tree, factor: Factor, calendar: Calendar | None) -> None:
        """Begin.

        Args:
            tree: Where each value is written.
            factor: The profiles.
            calendar: When the periods are; None where nobody knows.
        """
        self._tree, self._factor, self._calendar = tree, factor, calendar

    def read(self, path: Path_, known: tuple[Any, Any] | None, value: Any) -> Any:
        """A value that stands at this path, for a parameter with this annotation and default.

        Raises:
            ScenarioError: It is a series, or a list of trips or jobs, and is not written right.
        """
        if known is None:
            return value
        if isinstance(value, str) and value[:1] in ("[", "{"):  # in the cell of a table
            value = read_value(value, self._tree.place(path), ".".join(path))
        if is_series(known[0]):
            return self._series(path, value)
        kind = kind_of(known[0])
        return hours_of(kind, value, path, self._tree, self._calendar) if kind and isinstance(value, list) else value

    @staticmethod
    def keys(known: Mapping[str, tuple[Any, Any]], detail: Any) -> list[str]:
        """The keys that could stand where pydantic found something wrong."""
        if len(detail["loc"]) > 1:
            kind = kind_of(known[detail["loc"][0]][0])
            return list(SCHEMAS[kind]["properties"]) if kind else []
        return [key for key in known if key != "name"]

    @staticmethod
    def annotation(annotation: Any) -> Any:
        """What pydantic is to check: series have been read here already."""
        return object if is_series(annotation) else _AS_FILES.get(annotation, annotation)

    def _series(self, path: Path_, value: Any) -> "FloatArray | float":
        """A number for all periods, or one for each: a list, a profile, or a profile times its peak."""
        import numpy as np

        if isinstance(value, Mapping):
            return self._scaled(path, value)
        if isinstance(value, list):
            return np.array([self._number(path, one) for one in value])
        if isinstance(value, str) and WORD.fullmatch(value):
            sentence = f"{value} is no finite number, and a device needs one; write what its connection bears at most"
            raise refuse(self._tree.place(path), ".".join(path), sentence)
        if isinstance(value, str) and not NUMBER.fullmatch(value):
            return self._factor(path, value)
        return self._number(path, value)

    def _scaled(self, path: Path_, value: Mapping[str, Any]) -> "FloatArray":
        unknown = next((key for key in value if key not in _SERIES), None)
        if unknown is not None or not isinstance(value.get("profile"), str):
            sentence = f"unknown key{did_you_mean(unknown, _SERIES)}" if unknown else "the profile is missing; add it"
            here = (*path, unknown or "profile")
            raise refuse(self._tree.place(here), ".".join(here), sentence)
        return self._number((*path, "peak"), value.get("peak", 1.0)) * self._factor(
            (*path, "profile"), value["profile"]
        )

    def _number(self, path: Path_, value: Any) -> float:
        if isinstance(value, bool) or not (isinstance(value, int | float) or NUMBER.fullmatch(str(value))):
            sentence = f"{value!r} is not a number; write one, a profile, or {{profile: cold, peak: 3}}"
            raise refuse(self._tree.place(path), ".".join(path), sentence)
        return float(value)


def is_series(annotation: Any) -> bool:
    """Whether a parameter may be one number for each period: an array is among what it may be."""
    import numpy as np

    return any((get_origin(part) or part) is np.ndarray for part in (annotation, *get_args(annotation)))


def kind_of(annotation: Any) -> Kind | None:
    """Of which kind a parameter has times, if it is a sequence of trips or jobs."""
    from ...agents.devices.deferrable import Job
    from ...agents.devices.ev import Trip

    inside = {part for one in (annotation, *get_args(annotation)) for part in get_args(one)}
    return TRIPS if Trip in inside else JOBS if Job in inside else None
