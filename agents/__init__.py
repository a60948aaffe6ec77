"""Who acts, and what may each of them know? Messages, households, behaviours and the three kinds of agent."""

from .behaviour import Behaviour, BehaviourError, PriceTaker
from .household import Household, HouseholdError, HouseholdShortageError
from .messages import Bid, Deliveries, Delivery, Offer, Offers, Quote, Quotes, Regret
from .operator import SystemOperator
from .platform import SharingPlatform
from .prosumer import Prosumer
from .subproblem import Plan, Subproblem
from .trade_graph import Link, LinkError, TradeGraph

__all__ = [
    "Behaviour",
    "BehaviourError",
    "Bid",
    "Deliveries",
    "Delivery",
    "Household",
    "HouseholdError",
    "HouseholdShortageError",
    "Link",
    "LinkError",
    "Offer",
    "Offers",
    "Plan",
    "PriceTaker",
    "Prosumer",
    "Quote",
    "Quotes",
    "Regret",
    "SharingPlatform",
    "Subproblem",
    "SystemOperator",
    "TradeGraph",
]
