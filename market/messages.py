"""What is told of prosumers to the person at the screen; no agent of the market ever reads it."""

from dataclasses import dataclass

from ..agents.messages import axes
from ..network.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class PrivateSchedules:
    """What the prosumers' private books say, for the person at the screen; no agent of the market ever reads them.

    Attributes:
        bid_kw, curtailed_kw, elastic_kw: The schedules, (prosumer, period).
        fixed_kw, renewable_kw: Loads and forecasts, (prosumer, period).
        trade_kw: (arc, period).
        cost_usd: F_i of (11) at the LMPs asked for, fees included, (prosumer,).
        grid_fee_usd, feed_in_fee_usd: The fees in it, (prosumer,).
        payment_usd: What each pays for its trades at the prices asked for, fees left out, (prosumer,).
        utility_usd: (12), (prosumer,).
        violation_kw: By how much an elastic load leaves its limits, (prosumer,).
    """

    bid_kw: FloatArray = axes("prosumer", "period")
    curtailed_kw: FloatArray = axes("prosumer", "period")
    elastic_kw: FloatArray = axes("prosumer", "period")
    fixed_kw: FloatArray = axes("prosumer", "period")
    renewable_kw: FloatArray = axes("prosumer", "period")
    trade_kw: FloatArray = axes("arc", "period")
    cost_usd: FloatArray = axes("prosumer")
    grid_fee_usd: FloatArray = axes("prosumer")
    feed_in_fee_usd: FloatArray = axes("prosumer")
    payment_usd: FloatArray = axes("prosumer")
    utility_usd: FloatArray = axes("prosumer")
    violation_kw: FloatArray = axes("prosumer")


@dataclass(frozen=True, slots=True)
class Needs:
    """What members must have and what they have without trading, for the person at the screen, in kW.

    Attributes:
        need_kw: Fixed load and elastic_min_kw, (prosumer, period).
        have_kw: Renewables and bid_max_kw, (prosumer, period).
    """

    need_kw: FloatArray = axes("prosumer", "period")
    have_kw: FloatArray = axes("prosumer", "period")


@dataclass(frozen=True, slots=True)
class Question:
    """What asks for something that needs no telling."""
