"""A battery at home or in a yard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .store import Series, Store


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Battery(Store):
    """A `Store` with the losses and the wear of lithium-ion cells, unless told otherwise: 90 % there and back.

    Attributes:
        p_discharge_max_kw: As of `Store`, but it must be said: a battery that gives nothing back is none.
    """

    kind: ClassVar[str] = "battery"

    p_discharge_max_kw: Series
    efficiency_charge: float = 0.95
    efficiency_discharge: float = 0.95

    def __post_init__(self) -> None:
        self._number("efficiency_charge", 0.0, 1.0, above=True)
        Store.__post_init__(self)
