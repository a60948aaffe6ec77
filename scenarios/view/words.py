"""What went wrong, in the words of the error."""

from __future__ import annotations

from ...network.errors import GridbazaarError
from ..errors import ScenarioError


def said(error: Exception) -> str:
    """An error in one line; of a scenario's problems the keys and sentences, without the place, which is the page."""
    if isinstance(error, ScenarioError):
        return "; ".join(
            f"{problem.key or problem.place}: {problem.sentence}" if problem.key or problem.place else problem.sentence
            for problem in error.problems
        )
    if isinstance(error, GridbazaarError):
        return str(error)
    return f"this is a fault of gridbazaar or of a behaviour: {type(error).__name__}: {error}"
