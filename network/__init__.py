"""What can the wires carry, and what is power worth where?"""

from typing import TYPE_CHECKING

from .lazy import offered

if TYPE_CHECKING:
    from .ac_replay import AcReplay, replay_ac
    from .clearing import Clearing
    from .dispatch import Dispatch, PriceComponents
    from .errors import GridbazaarError, InfeasibleError, InputError, NotSettledError, SolverError
    from .feeder import Bus, Feeder, FeederError, Generator, Line
    from .infeasibility.shortage import ShortageError

__all__ = [
    "AcReplay",
    "Bus",
    "Clearing",
    "Dispatch",
    "Feeder",
    "FeederError",
    "Generator",
    "GridbazaarError",
    "InfeasibleError",
    "InputError",
    "Line",
    "NotSettledError",
    "PriceComponents",
    "ShortageError",
    "SolverError",
    "replay_ac",
]

_HOMES = {
    "AcReplay": "ac_replay",
    "Bus": "feeder",
    "Clearing": "clearing",
    "Dispatch": "dispatch",
    "Feeder": "feeder",
    "FeederError": "feeder",
    "Generator": "feeder",
    "GridbazaarError": "errors",
    "InfeasibleError": "errors",
    "InputError": "errors",
    "Line": "feeder",
    "NotSettledError": "errors",
    "PriceComponents": "dispatch",
    "ShortageError": "infeasibility.shortage",
    "SolverError": "errors",
    "replay_ac": "ac_replay",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
