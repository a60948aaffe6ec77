"""What a person wants to see of a market."""

from __future__ import annotations

from dataclasses import dataclass

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
        private: Whether plans, elastic loads, forecasts and what devices do are shown, which prosumers tell nobody.
        other: The branch that this one is compared with; "" for none.
    """

    period: int = 0
    shade: str = LMP
    loading: bool = True
    prosumer: str = ""
    link: str = ""
    private: bool = False
    other: str = ""
