"""What is done about a behaviour that fails: what a scenario says of it."""

from dataclasses import dataclass
from enum import StrEnum


class OnMisbehaviour(StrEnum):
    """What is done when a behaviour raises, answers what no prosumer can do, is late, or floods.

    - `stop`: the run ends with a `BehaviourError`.
    - `last`: its last valid answer to that question stands in for this one; before any, what a price taker would say.
    - `exclude`: from then on its prosumer is a price taker of its real household.
    """

    STOP = "stop"
    LAST = "last"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class ContainmentRules:
    """How behaviours are contained.

    Attributes:
        on_misbehaviour: What is done about one that fails.
        answer_timeout_s: How long it may take for one answer; None for as long as it likes.
    """

    on_misbehaviour: OnMisbehaviour = OnMisbehaviour.STOP
    answer_timeout_s: float | None = None


THE_RUN_ENDS = ContainmentRules()
