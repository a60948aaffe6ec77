"""In which order do the agents act, where do they live, and is the answer right?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .hosting.lossy_channel import Absence, MessageFaults
from .outcome import Outcome
from .proof.certificate import Certificate
from .rounds import Phase, Round
from .settings import Case, MarketSettings, Method, Order, SettingsError

if TYPE_CHECKING:
    from .energy_market import EnergyMarket
    from .hosting.community import Community
    from .hosting.incident import Incident, WorkerLostError
    from .hosting.on_ray import RayCluster
    from .hosting.options import Hosting
    from .hosting.workers import Workers
    from .proof.settlement import Settlement
    from .result import Result

__all__ = [
    "Absence",
    "Case",
    "Certificate",
    "Community",
    "EnergyMarket",
    "Hosting",
    "Incident",
    "MarketSettings",
    "MessageFaults",
    "Method",
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

_HEAVY = {
    "Community": "hosting.community",
    "EnergyMarket": "energy_market",
    "Hosting": "hosting.options",
    "Incident": "hosting.incident",
    "WorkerLostError": "hosting.incident",
    "Workers": "hosting.workers",
    "RayCluster": "hosting.on_ray",
    "Result": "result",
    "Settlement": "proof.settlement",
}


def __getattr__(name: str) -> Any:
    """What needs mesa or pandas, imported when it is asked for: no refusal should wait for them."""
    if name in _HEAVY:
        return getattr(import_module(f".{_HEAVY[name]}", __name__), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
