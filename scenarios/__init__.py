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
    from .league.gains import Gains, gains
    from .league.league import League, play_league
    from .privacy.experiment import Privacy, measure_privacy
    from .reporting.comparison import Comparison, compare
    from .reporting.stored_run import StoredRun, load_run
    from .stepping.errors import SessionError
    from .stepping.session import Session
    from .sweeping.sweep import Sweep, sweep

__all__ = [
    "Comparison",
    "Gains",
    "InfeasibleScenarioError",
    "League",
    "Privacy",
    "Problem",
    "Scenario",
    "ScenarioError",
    "Session",
    "SessionError",
    "StoredRun",
    "Sweep",
    "compare",
    "gains",
    "load",
    "load_run",
    "measure_privacy",
    "play_league",
    "shipped_scenarios",
    "sweep",
]

_HOMES = {
    "Comparison": "reporting.comparison",
    "Gains": "league.gains",
    "InfeasibleScenarioError": "errors",
    "League": "league.league",
    "Privacy": "privacy.experiment",
    "Problem": "errors",
    "Scenario": "files.scenario",
    "ScenarioError": "errors",
    "Session": "stepping.session",
    "SessionError": "stepping.errors",
    "StoredRun": "reporting.stored_run",
    "Sweep": "sweeping.sweep",
    "compare": "reporting.comparison",
    "gains": "league.gains",
    "load": "files.loading",
    "load_run": "reporting.stored_run",
    "measure_privacy": "privacy.experiment",
    "play_league": "league.league",
    "shipped_scenarios": "files.source",
    "sweep": "sweeping.sweep",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
