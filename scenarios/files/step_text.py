"""The length of a period as people write it: `step: 15min`."""

import re

from ..errors import refuse

_STEP = re.compile(r"(\d+)\s*(min|h)")
_MINUTES = {"min": 1, "h": 60}


def step_h(text: object, place: str) -> float:
    """A step in hours.

    Raises:
        ScenarioError: It is none.
    """
    written = _STEP.fullmatch(str(text).strip())
    if not written or not int(written[1]):
        raise refuse(place, "step", f"{str(text)!r} is no step; write it with its unit, such as 15min or 1h")
    return int(written[1]) * _MINUTES[written[2]] / 60
