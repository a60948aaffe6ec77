"""What can the wires carry, and what is power worth where?"""

from .ac_replay import AcReplay, replay_ac
from .clearing import Clearing
from .components import PriceComponents
from .dispatch import Dispatch
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
