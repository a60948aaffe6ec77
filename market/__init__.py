"""In which order do the agents act, where do they live, and is the answer right?"""

from typing import TYPE_CHECKING

from ..network.lazy import offered

if TYPE_CHECKING:
    from .energy_market import EnergyMarket
    from .hosting.community import Community
    from .hosting.incident import Incident, WorkerLostError
    from .hosting.lossy_channel import Absence, MessageFaults
    from .hosting.on_ray import RayCluster
    from .hosting.options import Hosting
    from .hosting.workers import Workers
    from .outcome import Outcome
    from .proof.certificate import Certificate
    from .proof.settlement import Settlement
    from .result import Result
    from .rounds import Phase, Round
    from .settings import Case, MarketSettings, Method, NetworkUse, Order, SettingsError
    from .state import MarketState

__all__ = [
    "Absence",
    "Case",
    "Certificate",
    "Community",
    "EnergyMarket",
    "Hosting",
    "Incident",
    "MarketSettings",
    "MarketState",
    "MessageFaults",
    "Method",
    "NetworkUse",
    "Order",
    "Outcome",
    "Phase",
    "RayCluster",
    "Result",
    "Round",
    "SettingsError",
    "Settlement",
    "WorkerLostError",
    "Workers",
]

_HOMES = {
    "Absence": "hosting.lossy_channel",
    "Case": "settings",
    "Certificate": "proof.certificate",
    "Community": "hosting.community",
    "EnergyMarket": "energy_market",
    "Hosting": "hosting.options",
    "Incident": "hosting.incident",
    "MarketSettings": "settings",
    "MarketState": "state",
    "MessageFaults": "hosting.lossy_channel",
    "Method": "settings",
    "NetworkUse": "settings",
    "Order": "settings",
    "Outcome": "outcome",
    "Phase": "rounds",
    "RayCluster": "hosting.on_ray",
    "Result": "result",
    "Round": "rounds",
    "SettingsError": "settings",
    "Settlement": "proof.settlement",
    "WorkerLostError": "hosting.incident",
    "Workers": "hosting.workers",
}

__getattr__, __dir__ = offered(__name__, _HOMES)
