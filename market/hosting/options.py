"""Where the prosumers of a market are to live."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .backend import Backend
from .diary import Diary
from .message_log import Entries


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the prosumers of a market live, and what is kept of what they say.

    Attributes:
        place: Where communities live; None for this process.
        together: A label by prosumer: those with the same one live in one community. Nobody has to have one.
        diary: Where answers are noted so that the run can be continued; None if it is not to be.
        ledger: Told of every message, who sent it to whom; None if nobody wants to know.
    """

    place: Backend | None = None
    together: Mapping[str, str] = field(default_factory=dict)
    diary: Diary | None = None
    ledger: Callable[[Entries], None] | None = None
