"""In which order do the agents act, where do they live, and is the answer right?"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    from .settings import Case, MarketSettings, Method, Order, SettingsError

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

_HOMES = {
    "Absence": "hosting.lossy_channel",
    "Case": "settings",
    "Certificate": "proof.certificate",
    "Community": "hosting.community",
    "EnergyMarket": "energy_market",
    "Hosting": "hosting.options",
    "Incident": "hosting.incident",
    "MarketSettings": "settings",
    "MessageFaults": "hosting.lossy_channel",
    "Method": "settings",
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


def __getattr__(name: str) -> Any:
    """What a room offers is imported when it is asked for: neither help nor a refusal should wait for numpy or mesa."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
