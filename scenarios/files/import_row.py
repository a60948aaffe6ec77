"""The key `import` of scenario files: a network of another tool that a scenario is made of, and what is added to it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .schema import Count, Number, Row


class Links(StrEnum):
    """Who may trade with whom."""

    RING = "ring"
    NEIGHBOURS = "neighbours"
    COMPLETE = "complete"


class ImportRow(Row):
    """A network of another tool, and the prosumers, prices and hours that are put into it."""

    network: str = Field(description="a file, or a name of a network of pandapower or MATPOWER, or a SimBench code")
    prosumers: Count = Field(20, ge=1, le=10_000, description="how many are put at buses with loads")
    links: Links = Field(Links.RING, description="who may trade with whom")
    seed: Count = Field(0, ge=0, le=2**32 - 1, description="of where prosumers stand and what they have")
    periods: Count = Field(24, ge=1, le=288, description="of a day, where the network brings no profiles along")
    day: Count = Field(182, ge=1, le=366, description="of the year, where the network brings profiles along")
    price_usd_per_kwh: Number = Field(0.15, gt=0, le=10, description="of the external grid, if it has no costs")
    peak: Number | None = Field(
        None, gt=0, le=10, description="largest share of the given loads; what voltages and lines allow by default"
    )


class ImportingRow(Row):
    """A scenario that imports, as far as the import is concerned."""

    wish: ImportRow = Field(alias="import")
