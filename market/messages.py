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
        devices_usd: What devices cost, such as wear, fuel and discomfort, part of the cost, (prosumer,).
        devices_kw: What devices put into the balance (13), (prosumer, period).
        charge_kw, discharge_kw, energy_kwh: What each device takes and gives, and what it holds at the end of a period,
            (device, period); nan where it holds nothing.
        both_kw: What each does both ways at once though no device could, (device, period).
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
    devices_usd: FloatArray = axes("prosumer")
    devices_kw: FloatArray = axes("prosumer", "period")
    charge_kw: FloatArray = axes("device", "period")
    discharge_kw: FloatArray = axes("device", "period")
    energy_kwh: FloatArray = axes("device", "period")
    both_kw: FloatArray = axes("device", "period")


@dataclass(frozen=True, slots=True)
class Needs:
    """What members must have and what they have without trading, for the person at the screen, in kW.

    Attributes:
        need_kw: Fixed load and elastic_min_kw, (prosumer, period).
        have_kw: Renewables, bid_max_kw and all that devices can give at once, (prosumer, period).
    """

    need_kw: FloatArray = axes("prosumer", "period")
    have_kw: FloatArray = axes("prosumer", "period")


@dataclass(frozen=True, slots=True)
class Question:
    """What asks for something that needs no telling."""
