"""One failure of a behaviour, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Misdeed:
    """A behaviour has failed to answer, and the market has gone on.

    Attributes:
        prosumer: Whose behaviour it is.
        hook: The method that failed, such as "offer".
        sentence: Behaviour, prosumer, method and what is wrong, as a `BehaviourError` says it.
        instead: What was done about it.
        excluded: Whether its prosumer takes prices from then on.
    """

    prosumer: str
    hook: str
    sentence: str
    instead: str
    excluded: bool = False

    def __str__(self) -> str:
        return f"{self.sentence}; {self.instead}"
