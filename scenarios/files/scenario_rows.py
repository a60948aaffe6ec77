"""The keys of a scenario as a whole, and what they must be together."""

from collections import Counter
from typing import Any, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from ...network.calendars import Calendar, step_min_of, zone_of
from ...network.errors import InputError
from ...network.feeder_checks import did_you_mean
from ...network.periods import When, length_said
from ..errors import refuse
from .horizon import HorizonRow
from .local_times import instant_of
from .schema import Count, FeederRow, LinkRow, MarketRow, MessagesRow, Number, Profile, ProsumerRow, Row


class ScenarioRows(Row):
    """All that a scenario says."""

    title: str = ""
    dt_h: Number = Field(1.0, gt=0, le=24, description="length of a period, hours")
    start: str = Field("", description="when the first period begins, ISO 8601: 2026-03-29T00:00; needs a timezone")
    timezone: str = Field("", description="IANA name of the zone that times and days are of, such as Europe/Berlin")
    horizon: HorizonRow | None = Field(None, description="settles window after window instead of all periods at once")
    seed: Count = Field(0, ge=0)
    alpha_scale: Number = Field(1.0, gt=0, description="multiplies every prosumer's alpha")
    profiles: dict[str, Profile] = Field({})
    feeder: FeederRow
    prosumers: dict[str, ProsumerRow]
    links: dict[str, LinkRow] = Field({})
    settings: MarketRow = Field(MarketRow(), alias="market")
    messages: MessagesRow = MessagesRow()

    @field_validator("profiles")
    @classmethod
    def _complete(cls, profiles: dict[str, Profile]) -> dict[str, Profile]:
        lengths = {name: max(map(_period, values), default=0) for name, values in profiles.items()}
        counts = Counter(lengths.values())
        usual = max(counts, key=lambda length: (counts[length], length), default=1)
        for name, values in profiles.items():
            missing = [t for t in range(1, usual + 1) if str(t) not in values]
            if lengths[name] > usual:
                sentence = f"there are {lengths[name]} values where other profiles have {usual}; take out what is over"
            elif missing:
                more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
                if len(missing) > usual / 2:  # a key that --set has made
                    complete = [other for other, length in lengths.items() if other != name and length == usual]
                    more += did_you_mean(name, complete)
                sentence = f"there is no value for hour (period) {missing[0]} of {usual}; add it{more}"
            else:
                continue
            raise PydanticCustomError("value_error", "{error}", {"error": sentence, "row": name})
        return profiles

    @model_validator(mode="after")
    def _has_prosumers(self) -> Self:
        if not self.prosumers:
            raise ValueError("a market needs at least one prosumer; add one to the table prosumers")
        return self

    @model_validator(mode="after")
    def _has_a_calendar(self) -> Self:
        if bool(self.start) != bool(self.timezone):
            raise ValueError("start and timezone belong together; write both, or none")
        try:
            _ = self.calendar
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    @model_serializer(mode="wrap")
    def _without_empty_times(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What a scenario says, as ever where it says nothing of time."""
        said: dict[str, Any] = serialized(self)
        silent = () if self.start else ("start", "timezone")
        return {key: value for key, value in said.items() if key not in silent and (key, value) != ("horizon", None)}

    @property
    def calendar(self) -> Calendar | None:
        """When the periods are; None for a scenario without a start.

        Raises:
            InputError: Start, zone and step do not make one.
        """
        if not self.start:
            return None
        zone = zone_of(self.timezone)
        start_s = instant_of(self.start, zone, lambda sentence: refuse("", "start", sentence))
        return Calendar(start_s, self.timezone, step_min_of(self.dt_h), self.periods)

    @property
    def when(self) -> When:
        """When the periods are, for their names."""
        return self.calendar or self.dt_h

    @property
    def periods_said(self) -> str:
        """How many periods of what length there are, and with a calendar from when to when."""
        said = f"{self.periods} of {length_said(self.dt_h)}"
        return f"{said}, {self.calendar}" if self.calendar else said

    @property
    def periods(self) -> int:
        """Number of periods, that of the profiles; 1 without any."""
        return max((len(values) for values in self.profiles.values()), default=1)


def _period(key: str) -> int:
    if not (key.isdigit() and key[0] != "0"):
        raise ValueError(f"{key!r} is not the number of an hour (period); they count from 1")
    return int(key)
