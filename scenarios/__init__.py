"""What is run, and what does a person see of it?

import gridbazaar.scenarios as gb
market = gb.load("ieee33").market()
"""

from typing import TYPE_CHECKING

from ..network.lazy import offered

if TYPE_CHECKING:
    from .errors import InfeasibleScenarioError, Problem, ScenarioError
    from .files.loading import load
    from .files.scenario import Scenario
    from .files.source import shipped_scenarios
    from .stepping.errors import SessionError
    from .stepping.session import Session

__all__ = [
    "InfeasibleScenarioError",
    "Problem",
    "Scenario",
    "ScenarioError",
    "Session",
    "SessionError",
    "load",
    "shipped_scenarios",
]

_HOMES = {
    "InfeasibleScenarioError": "errors",
    "Problem": "errors",
    "Scenario": "files.scenario",
    "ScenarioError": "errors",
    "Session": "stepping.session",
    "SessionError": "stepping.errors",
    "load": "files.loading",
    "shipped_scenarios": "files.source",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
