"""What a scenario says of a rolling horizon: windows, forecasts, and what a difference from these costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isclose
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ...network.periods import length_said
from ..errors import ScenarioError, refuse
from .schema import Number, ProsumerRow, Row
from .tree import Tree

FORECAST_SUFFIX = "_forecast"
"""What the name of a profile that is expected has more than that of the one that then happens."""
FORECAST_KEYS = ("fixed_profile", "renewable")
"""The profiles of a prosumer that are not known before."""
DAY_H = 24.0
_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def _yes_or_no(value: object) -> object:
    return _WORDS.get(value.lower(), value) if isinstance(value, str) else value


class ImbalancePriceRow(Row):
    """What prosumers pay for a kWh that they lack against their plan, and are paid for one that they have over."""

    buy: Number = Field(ge=-1e3, le=1e3)
    sell: Number = Field(ge=-1e3, le=1e3)

    @model_validator(mode="after")
    def _no_gain(self) -> Self:
        if self.sell > self.buy:
            sentence = f"sell {self.sell:g} is above buy {self.buy:g}, and whoever leaves the plan would gain"
            raise PydanticCustomError("value_error", "{error}", {"error": f"{sentence}; swap or change them"})
        return self


class HorizonRow(Row):
    """A horizon that rolls: window after window is settled, and of each the first step is kept."""

    length_h: Number = Field(gt=0, description="length of a window, hours")
    step_h: Number | None = Field(None, gt=0, description="what is kept of each, hours; the whole window by default")
    forecast: Literal["perfect", "persistence", "table"] = Field(
        "perfect",
        description="what is known of prosumers' loads and renewables: all; those of the same time of the day before; "
        "or the profiles whose names end in _forecast",
    )
    imbalance_price_usd_per_kwh: ImbalancePriceRow | None = Field(
        None, description="for what differs from the forecast; needed unless that is perfect"
    )
    keep_windows: Annotated[bool, BeforeValidator(_yes_or_no)] = Field(
        False, description="whether each window leaves a results folder of its own, in windows/"
    )

    @property
    def kept_h(self) -> float:
        """What is kept of each window, hours."""
        return self.length_h if self.step_h is None else self.step_h

    @property
    def is_perfect(self) -> bool:
        """Whether what is planned is what happens."""
        return self.forecast == "perfect"


def forecast_name(profile: str) -> str:
    """The profile that is expected where this one happens: sun_forecast of sun, load_forecast_kwh of load_kwh."""
    from .resampling import ENERGY_SUFFIX  # with numpy, for which no wrong key should wait

    if profile.endswith(ENERGY_SUFFIX):
        return f"{profile.removesuffix(ENERGY_SUFFIX)}{FORECAST_SUFFIX}{ENERGY_SUFFIX}"
    return f"{profile}{FORECAST_SUFFIX}"


def expecting(row: ProsumerRow, profiles: Iterable[str]) -> ProsumerRow:
    """A prosumer that plans with the forecasts among these profiles, of those that it has."""
    known = set(profiles)
    names = {key: forecast_name(getattr(row, key)) for key in FORECAST_KEYS if getattr(row, key)}
    return row.model_copy(update={key: name for key, name in names.items() if name in known})


def check_horizon(
    row: HorizonRow, tree: Tree, dt_h: float, prosumers: Mapping[str, ProsumerRow], profiles: Iterable[str]
) -> None:
    """Refuse windows that are no whole periods, and forecasts that nobody can make or settle.

    Raises:
        ScenarioError: With the place.
    """
    for key, hours in (("length_h", row.length_h), ("step_h", row.kept_h)):
        if not _divides(dt_h, hours):
            raise _refusal(
                tree, key, f"{hours:g} h is no whole number of periods of {length_said(dt_h)}; use a multiple"
            )
    if row.kept_h > row.length_h:
        sentence = f"{row.kept_h:g} h is more than a window has ({row.length_h:g} h); lower it, or raise length_h"
        raise _refusal(tree, "step_h", sentence)
    if row.is_perfect:
        return
    if row.imbalance_price_usd_per_kwh is None:
        sentence = "what differs from a forecast has to be paid; write imbalance_price_usd_per_kwh: {buy: 0.5, sell: 0}"
        raise _refusal(tree, "forecast", sentence)
    if row.forecast == "persistence" and not _divides(dt_h, DAY_H):
        raise _refusal(
            tree, "forecast", f"periods of {length_said(dt_h)} do not fill a day, so none is at the same time of it"
        )
    if row.forecast == "table" and not _expects_anything(prosumers, profiles):
        sentence = f"no prosumer has a profile with a forecast; name one as its profile, with {FORECAST_SUFFIX} behind"
        raise _refusal(tree, "forecast", sentence)


def _expects_anything(prosumers: Mapping[str, ProsumerRow], profiles: Iterable[str]) -> bool:
    known = list(profiles)
    return any(expecting(row, known) != row for row in prosumers.values())


def _divides(dt_h: float, hours: float) -> bool:
    count = round(hours / dt_h)
    return count > 0 and isclose(count * dt_h, hours, rel_tol=1e-9)


def _refusal(tree: Tree, key: str, sentence: str) -> ScenarioError:
    path = ("horizon", key)
    return refuse(tree.place(path), ".".join(path), sentence)
