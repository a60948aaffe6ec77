"""Where the prosumers of a market are to live."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...network.errors import InputError
from .backend import Backend
from .message_log import Entries


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the prosumers of a market live, and who is told of what they say.

    Attributes:
        backend: Where communities live; None for this process.
        together: A label by prosumer: those with the same one live in one community. Nobody has to have one.
        log: Told of every message, who sent it to whom; None if nobody wants to know.

    Raises:
        InputError: The backend is none.
    """

    backend: Backend | None = None
    together: Mapping[str, str] = field(default_factory=dict)
    log: Callable[[Entries], None] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.backend, type) or (self.backend is not None and not hasattr(self.backend, "communities")):
            raise InputError(f"the backend is {self.backend!r}; give Workers(2), RayCluster() or the like")
