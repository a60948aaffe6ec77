"""What is run, and what does a person see of it?

import gridbazaar.scenarios as gb
market = gb.load("ieee33").market()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import InfeasibleScenarioError, Problem, ScenarioError
    from .files.loading import load
    from .files.scenario import Scenario
    from .files.source import shipped_scenarios

__all__ = ["InfeasibleScenarioError", "Problem", "Scenario", "ScenarioError", "load", "shipped_scenarios"]

_HOMES = {
    "InfeasibleScenarioError": "errors",
    "Problem": "errors",
    "Scenario": "files.scenario",
    "ScenarioError": "errors",
    "load": "files.loading",
    "shipped_scenarios": "files.source",
}


def __getattr__(name: str) -> Any:
    """What a room offers is imported when it is asked for: neither help nor a refusal should wait for numpy or mesa."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
