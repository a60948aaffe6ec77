"""Who acts, and what may each of them know? Messages, households, behaviours and the three kinds of agent."""

from typing import TYPE_CHECKING

from ..network.lazy import offered

if TYPE_CHECKING:
    from .behaviour import Behaviour, PriceTaker
    from .behaviour_errors import BehaviourError
    from .devices.battery import Battery
    from .devices.deferrable import Deferrable, Job
    from .devices.device import Device, DeviceError
    from .devices.device_block import DeviceBlock
    from .devices.ev import Ev, Trip
    from .devices.heat_pump import HeatPump
    from .devices.store import Store
    from .household import DeviceShortageError, Household, HouseholdError, HouseholdShortageError
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
    "Battery",
    "Behaviour",
    "BehaviourError",
    "Bid",
    "Bids",
    "Commitment",
    "Deferrable",
    "Deliveries",
    "Delivery",
    "Device",
    "DeviceBlock",
    "DeviceError",
    "DeviceShortageError",
    "Ev",
    "HeatPump",
    "Household",
    "HouseholdError",
    "HouseholdShortageError",
    "Job",
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
    "Store",
    "Subproblem",
    "SystemOperator",
    "TradeGraph",
    "Trip",
]

_HOMES = {
    "Battery": "devices.battery",
    "Behaviour": "behaviour",
    "BehaviourError": "behaviour_errors",
    "Bid": "messages",
    "Bids": "messages",
    "Commitment": "messages",
    "Deferrable": "devices.deferrable",
    "Deliveries": "messages",
    "Delivery": "messages",
    "Device": "devices.device",
    "DeviceBlock": "devices.device_block",
    "DeviceError": "devices.device",
    "DeviceShortageError": "household",
    "Ev": "devices.ev",
    "HeatPump": "devices.heat_pump",
    "Household": "household",
    "HouseholdError": "household",
    "HouseholdShortageError": "household",
    "Job": "devices.deferrable",
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
    "Store": "devices.store",
    "Subproblem": "subproblem",
    "SystemOperator": "operator",
    "TradeGraph": "trade_graph",
    "Trip": "devices.ev",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
