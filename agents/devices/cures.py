"""What would help a store that cannot do what it must, in the words of what its owner has written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cures:
    """Ends of sentences, without a full stop.

    Attributes:
        short: It cannot hold enough.
        full: It cannot hold as little as it may.
        cyclic: It cannot come back to the level that it begins with.
    """

    short: str = "raise its charging power or what it starts with, or lower what it needs"
    full: str = "raise its discharging power or soc_max, or lower what it starts with"
    cyclic: str = "raise its power, lower what it loses or needs, or give soc_start and soc_end instead of cyclic"


OF_STORE = Cures()
OF_HEAT_PUMP = Cures(
    short="raise p_max_kw, cop or soc_start, or lower heat_demand_kw or comfort_soc_min",
    full="raise comfort_soc_max, or lower soc_start",
    cyclic="raise p_max_kw or cop, lower heat_demand_kw or loss_per_h, or give soc_start and soc_end instead of cyclic",
)
OF_LOAD = Cures(short="raise p_max_kw, let its time be longer (earliest_h, latest_h), or lower energy_kwh")
OF_JOBS = Cures(short="raise p_max_kw, let its jobs be longer, or lower energy_kwh")
