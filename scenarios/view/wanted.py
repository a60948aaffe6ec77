"""What a person wants to see of a market, and what was typed to change it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import refuse
from ..files.yaml_file import read_value

LMP, VOLTAGE = "LMP", "voltage"
SHADES = (LMP, VOLTAGE)
"""What buses can be coloured by."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at.

    Attributes:
        period: The period that the feeder is drawn for, by index.
        shade: What buses are coloured by, one of `SHADES`.
        loading: Whether lines are coloured by their loading.
        prosumer: Whose balance and bills are shown; "" for all together.
        link: The link whose price is shown beside the others where there are many; "" for none.
        private: Whether plans, elastic loads and forecasts are shown, which prosumers tell nobody.
        other: The branch that this one is compared with; "" for none.
    """

    period: int = 0
    shade: str = LMP
    loading: bool = True
    prosumer: str = ""
    link: str = ""
    private: bool = False
    other: str = ""


def changes_in(text: str) -> dict[str, object]:
    """The changes of a text with one `key=value` a line, with values as files have them.

    Raises:
        ScenarioError: A line is no key and value.
    """
    changes: dict[str, object] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = (part.strip() for part in line.partition("="))
        if not (key and equals):
            raise refuse(line, "", "this is not a key and a value; write one a line, like alpha_scale=2")
        changes[key] = read_value(value, line, key)
    return changes
