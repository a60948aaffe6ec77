"""Who acts, and what may each of them know? Messages, households, behaviours and the three kinds of agent."""

from typing import TYPE_CHECKING

from ..network.lazy import offered

if TYPE_CHECKING:
    from .behaviour import Behaviour, BehaviourError, PriceTaker
    from .household import Household, HouseholdError, HouseholdShortageError
    from .messages import (
        Bid,
        Bids,
        Commitment,
        Deliveries,
        Delivery,
        Offer,
        Offers,
        Pledges,
        Quote,
        Quotes,
        Regret,
        Regrets,
    )
    from .operator import SystemOperator
    from .plan import Plan
    from .platform import SharingPlatform
    from .prosumer import Prosumer
    from .sharing_rules import SharingRules
    from .subproblem import Subproblem
    from .trade_graph import Link, LinkError, TradeGraph

__all__ = [
    "Behaviour",
    "BehaviourError",
    "Bid",
    "Bids",
    "Commitment",
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
    "Pledges",
    "PriceTaker",
    "Prosumer",
    "Quote",
    "Quotes",
    "Regret",
    "Regrets",
    "SharingPlatform",
    "SharingRules",
    "Subproblem",
    "SystemOperator",
    "TradeGraph",
]

_HOMES = {
    "Behaviour": "behaviour",
    "BehaviourError": "behaviour",
    "Bid": "messages",
    "Bids": "messages",
    "Commitment": "messages",
    "Deliveries": "messages",
    "Delivery": "messages",
    "Household": "household",
    "HouseholdError": "household",
    "HouseholdShortageError": "household",
    "Link": "trade_graph",
    "LinkError": "trade_graph",
    "Offer": "messages",
    "Offers": "messages",
    "Plan": "plan",
    "Pledges": "messages",
    "PriceTaker": "behaviour",
    "Prosumer": "prosumer",
    "Quote": "messages",
    "Quotes": "messages",
    "Regret": "messages",
    "Regrets": "messages",
    "SharingPlatform": "platform",
    "SharingRules": "sharing_rules",
    "Subproblem": "subproblem",
    "SystemOperator": "operator",
    "TradeGraph": "trade_graph",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
