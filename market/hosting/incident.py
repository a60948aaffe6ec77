"""What happened to those who serve communities, and the error when it happens again and again."""

from __future__ import annotations

from dataclasses import dataclass

from ...network.errors import GridbazaarError

_NAMED = 3


class WorkerLostError(GridbazaarError):
    """The server of a community was lost again and again, at the same question.

    Attributes:
        incident: What happened the last time.
        times: How often in a row.
    """

    exit_code = 5

    def __init__(self, incident: Incident, times: int) -> None:
        super().__init__(incident, times)
        self.incident, self.times = incident, times

    def __str__(self) -> str:
        return (
            f"{self.incident.who}: lost {self.times} times in a row at the same question ('{self.incident.verb}'); the "
            f"last one {self.incident.how}. Look for a behaviour that never returns or takes too much memory, or let "
            "prosumers live in one process; finished rounds of a run are on disk, and `run --resume` goes on from there"
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """A server was lost, and another one has taken over its community.

    Attributes:
        noun: What it was: "worker process", "Ray actor".
        community: Which community, from 1.
        members: The prosumers there.
        call: Number of the market's call that was under way; 0 for the set-up.
        verb: What was asked.
        how: How it was lost: "was killed by SIGKILL".
    """

    noun: str
    community: int
    members: tuple[str, ...]
    call: int
    verb: str
    how: str

    @property
    def who(self) -> str:
        """Which server, and of whom."""
        named = ", ".join(self.members[:_NAMED])
        more = f" and {len(self.members) - _NAMED} more" if len(self.members) > _NAMED else ""
        return f"{self.noun} {self.community} ({named}{more})"

    def __str__(self) -> str:
        return f"{self.who} {self.how} in call {self.call} ({self.verb}); another one has taken over"
