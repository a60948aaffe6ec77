"""What can the wires carry, and what is power worth where?"""

from .clearing import Clearing
from .components import PriceComponents
from .dispatch import Dispatch
from .feeder import Bus, Feeder, FeederError, Generator, Line

__all__ = ["Bus", "Clearing", "Dispatch", "Feeder", "FeederError", "Generator", "Line", "PriceComponents"]
