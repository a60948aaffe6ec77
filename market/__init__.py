"""In which order do the agents act, where do they live, and is the answer right?"""

from .certificate import Certificate
from .community import Community
from .energy_market import EnergyMarket
from .outcome import Outcome
from .result import Result
from .rounds import Phase, Round
from .settings import Case, MarketSettings, Order
from .settlement import Settlement

__all__ = [
    "Case",
    "Certificate",
    "Community",
    "EnergyMarket",
    "MarketSettings",
    "Order",
    "Outcome",
    "Phase",
    "Result",
    "Round",
    "Settlement",
]
