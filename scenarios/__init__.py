"""What is run, and what does a person see of it?

import gridbazaar.scenarios as gb
market = gb.load("ieee33").market()
"""

from .errors import InfeasibleScenarioError, Problem, ScenarioError
from .files.scenario import Scenario, load
from .files.source import shipped_scenarios

__all__ = ["InfeasibleScenarioError", "Problem", "Scenario", "ScenarioError", "load", "shipped_scenarios"]
