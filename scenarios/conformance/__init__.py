"""Does a behaviour, or a device, that somebody brings keep what a market may count on?"""

from typing import TYPE_CHECKING

from ...network.lazy import offered

if TYPE_CHECKING:
    from .check import Check, ConformanceError
    from .checks import CHECKS
    from .device_checks import DEVICE_CHECKS

__all__ = ["CHECKS", "DEVICE_CHECKS", "Check", "ConformanceError"]

_HOMES = {"CHECKS": "checks", "DEVICE_CHECKS": "device_checks", "Check": "check", "ConformanceError": "check"}

__getattr__, __dir__ = offered(__name__, _HOMES)
