"""The keys of a scenario as a whole, and what they must be together."""

from collections import Counter
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .schema import Count, FeederRow, LinkRow, MarketRow, MessagesRow, Number, Profile, ProsumerRow, Row


class ScenarioRows(Row):
    """All that a scenario says."""

    title: str = ""
    dt_h: Number = Field(1.0, gt=0, le=24, description="length of a period, hours")
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

    @property
    def periods(self) -> int:
        """Number of periods, that of the profiles; 1 without any."""
        return max((len(values) for values in self.profiles.values()), default=1)


def _period(key: str) -> int:
    if not (key.isdigit() and key[0] != "0"):
        raise ValueError(f"{key!r} is not the number of an hour (period); they count from 1")
    return int(key)
