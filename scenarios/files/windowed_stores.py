"""Which devices a window of a rolling horizon can be cut of: all that are a `Store` over the whole horizon."""

from __future__ import annotations

from ...agents.devices.device import Device, Preset
from ...agents.devices.store import Store

_OWN = ("block", "mended", "infeasibility", "chain")


def store_of(device: Device, periods: int, dt_h: float) -> Store | None:
    """What a device is as a store over all periods; None of one that is none, or a store with rules of its own."""
    made = device.device(periods, dt_h) if isinstance(device, Preset) else device
    if not isinstance(made, Store):
        return None
    return made if all(getattr(type(made), key) is getattr(Store, key) for key in _OWN) else None
