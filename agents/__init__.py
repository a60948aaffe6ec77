"""Who acts, and what may each of them know? Messages, households, behaviours and the three kinds of agent."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
from .sharing_rules import SharingRules
from .subproblem import Plan, Subproblem
from .trade_graph import Link, LinkError, TradeGraph

if TYPE_CHECKING:
    from .operator import SystemOperator
    from .platform import SharingPlatform
    from .prosumer import Prosumer

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

_AGENTS = {"Prosumer": "prosumer", "SharingPlatform": "platform", "SystemOperator": "operator"}


def __getattr__(name: str) -> Any:
    """The Mesa agents, imported when they are asked for: mesa takes half a second, which no refusal should wait for."""
    if name in _AGENTS:
        return getattr(import_module(f".{_AGENTS[name]}", __name__), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
