"""What the attack leaves out of a prosumer's problem, so that its line does not describe how the prosumer answers."""

from __future__ import annotations

import numpy as np

from ...agents.household import Household
from .readings import Readings

NOTHING, DEVICES, FEES = "nothing", "devices", "fees"
WORDS = {DEVICES: "devices tie its periods", FEES: "its orders, which alone are read, bear fees that nobody hears of"}


def left_out(home: Household, readings: Readings) -> str:
    """What of a prosumer's problem is not in the line of `attack`.

    Devices draw and give power by what all periods are worth, and the line has that for elastic load. Fees on orders
    move what is read from an order, up or down as it buys or sells; where a link is read they are in its worth already.
    """
    if home.devices:
        return DEVICES
    charged = np.any(home.grid_fee_usd_per_kwh) or np.any(home.feed_in_fee_usd_per_kwh)
    return FEES if charged and readings.orders_alone else NOTHING
