"""The kinds of device that come with gridbazaar, by the name that scenario files have for them."""

from __future__ import annotations

from .battery import Battery
from .deferrable import Deferrable
from .device import Device
from .ev import Ev
from .heat_pump import HeatPump
from .store import Store

KINDS: dict[str, type[Device]] = {kind.kind: kind for kind in (Store, Battery, Ev, HeatPump, Deferrable)}
"""Each is a frozen dataclass, the fields of which are its parameters."""
