"""Devices written down once more in cvxpy, from what their parameters mean and not from their blocks."""

from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from gridbazaar.agents import Household
from gridbazaar.agents.devices.battery import Battery
from gridbazaar.agents.devices.deferrable import Deferrable, Job
from gridbazaar.agents.devices.ev import Ev, Trip
from gridbazaar.agents.devices.heat_pump import HeatPump


@dataclass
class Model:
    """What devices of one household inject, (period,), what they cost in $ per hour of period, and their rules."""

    injection: Any
    cost: Any
    rules: list[Any]
    levels: list[Any]


def model_of(home: Household) -> Model:
    """All devices of a household."""
    total = Model(np.zeros(home.periods), 0.0, [], [])
    for device in home.devices:
        one = _MODELS[type(device)](device, home.periods, home.dt_h)
        total = Model(
            total.injection + one.injection, total.cost + one.cost, total.rules + one.rules, total.levels + one.levels
        )
    return total


def _battery(b: Battery, periods: int, dt_h: float) -> Model:
    c, d, level = cp.Variable(periods), cp.Variable(periods), cp.Variable(periods + 1)
    kept = np.exp(-b.loss_per_h * dt_h)
    hours = (1 - kept) / b.loss_per_h if b.loss_per_h else dt_h
    rules = [
        level[1:] == kept * level[:-1] + hours * (b.efficiency_charge * c - d / b.efficiency_discharge),
        c >= 0, d >= 0, c <= b.p_charge_max_kw, d <= b.p_discharge_max_kw,
        level[1:] >= b.soc_min * b.capacity_kwh, level[1:] <= b.soc_max * b.capacity_kwh,
    ]  # fmt: skip
    if b.cyclic:
        rules.append(level[0] == level[-1])
    else:
        start = 0.5 if b.soc_start is None else b.soc_start
        end = start if b.soc_end is None else b.soc_end
        rules += [level[0] == start * b.capacity_kwh, level[-1] >= end * b.capacity_kwh]
    return Model(d - c, b.throughput_cost_usd_per_kwh * cp.sum(c + d), rules, [level[1:]])


def _ev(e: Ev, periods: int, dt_h: float) -> Model:
    c, d, level = cp.Variable(periods), cp.Variable(periods), cp.Variable(periods + 1)
    start = (0.5 if e.soc_start is None else e.soc_start) * e.capacity_kwh
    rules = [level[0] == start, level[-1] >= start, c >= 0, d >= 0]
    rules += [level[1:] >= e.soc_min * e.capacity_kwh, level[1:] <= e.soc_max * e.capacity_kwh]
    for t in range(periods):
        begin, end = t * dt_h, (t + 1) * dt_h
        trip = next((trip for trip in e.trips if trip.leaves_h < end - 1e-9 and trip.returns_h > begin + 1e-9), None)
        used = trip.energy_kwh * dt_h / (trip.returns_h - trip.leaves_h) if trip else 0.0  # trips of whole periods
        rules += [c[t] <= (0 if trip else e.p_charge_max_kw), d[t] <= (0 if trip else e.p_discharge_max_kw)]
        stored = dt_h * (e.efficiency_charge * c[t] - d[t] / e.efficiency_discharge)
        rules.append(level[t + 1] == level[t] + stored - used)
        leaving = next((trip for trip in e.trips if abs(trip.leaves_h - end) < 1e-9), None)
        if leaving:
            rules.append(level[t + 1] >= leaving.soc_needed * e.capacity_kwh)
    return Model(d - c, e.throughput_cost_usd_per_kwh * cp.sum(c + d), rules, [level[1:]])


def _heat_pump(h: HeatPump, periods: int, dt_h: float) -> Model:
    p, level = cp.Variable(periods), cp.Variable(periods + 1)
    kept = np.exp(-h.loss_per_h * dt_h)
    hours = (1 - kept) / h.loss_per_h if h.loss_per_h else dt_h
    start = (0.5 if h.soc_start is None else h.soc_start) * h.capacity_kwh
    rules = [
        level[0] == start, level[-1] >= start, p >= 0, p <= h.p_max_kw, level >= 0, level <= h.capacity_kwh,
        level[1:] == kept * level[:-1] + hours * (cp.multiply(h.cop, p) - h.heat_demand_kw),
    ]  # fmt: skip
    low, high = h.comfort_soc_min * h.capacity_kwh, h.comfort_soc_max * h.capacity_kwh
    out = cp.pos(low - level[1:]) + cp.pos(level[1:] - high)
    if h.discomfort_usd_per_kwh_h is None:
        return Model(-p, 0.0, [*rules, out <= 0], [level[1:]])
    return Model(-p, h.discomfort_usd_per_kwh_h * cp.sum(out), rules, [level[1:]])


def _deferrable(w: Deferrable, periods: int, dt_h: float) -> Model:
    """Each job has a power of its own, which is where that job may run, and brings its energy."""
    end = periods * dt_h if w.latest_h is None else w.latest_h
    jobs = [(w.earliest_h, end)] if w.jobs is None else [(job.earliest_h, job.latest_h) for job in w.jobs]
    own = cp.Variable((len(jobs), periods))
    rules: list[Any] = [own >= 0, dt_h * cp.sum(own, axis=1) == w.energy_kwh]
    for k, (earliest, latest) in enumerate(jobs):
        for t in range(periods):
            inside = min((t + 1) * dt_h, latest) - max(t * dt_h, earliest)
            rules.append(own[k, t] <= w.p_max_kw * max(0.0, inside / dt_h))
    return Model(-cp.sum(own, axis=0), 0.0, rules, [])


_MODELS: dict[type, Any] = {Battery: _battery, Ev: _ev, HeatPump: _heat_pump, Deferrable: _deferrable}


def random_devices(seed: int, size_kw: float, periods: int, dt_h: float) -> tuple[Any, ...]:
    """A battery, and a vehicle, a heat pump and a load to defer as the seed has it; about `size_kw` big."""
    rng = np.random.default_rng([seed, 17])
    end_h = periods * dt_h
    power = size_kw * rng.uniform(0.1, 0.6, 4)
    battery = Battery(
        name="battery",
        capacity_kwh=power[0] * end_h * rng.uniform(0.1, 0.6),
        p_charge_max_kw=power[0],
        p_discharge_max_kw=power[0] * rng.uniform(0.5, 1.0),
        efficiency_charge=rng.uniform(0.85, 1.0),
        efficiency_discharge=rng.uniform(0.85, 1.0),
        loss_per_h=float(rng.choice([0.0, 0.01])),
        cyclic=bool(rng.integers(2)),
    )
    leaves = max(1, periods // 3)
    trip = Trip(
        leaves_h=leaves * dt_h,
        returns_h=max(leaves + 1, 2 * periods // 3) * dt_h,
        energy_kwh=0.2 * power[1] * dt_h,
        soc_needed=0.5,
    )
    vehicle = Ev(
        name="ev",
        capacity_kwh=power[1] * end_h,
        p_charge_max_kw=power[1],
        p_discharge_max_kw=float(rng.choice([0.0, 0.5])) * power[1],
        trips=(trip,),
    )
    heat = HeatPump(
        name="heat_pump",
        capacity_kwh=power[2] * end_h,
        p_max_kw=power[2],
        cop=rng.uniform(2.0, 4.0, periods),
        heat_demand_kw=power[2] * rng.uniform(0.2, 1.2, periods),
        loss_per_h=0.02 / end_h,
        comfort_soc_min=0.3,
        comfort_soc_max=0.8,
        discomfort_usd_per_kwh_h=0.02,
    )
    load = Deferrable(name="load", energy_kwh=0.4 * power[3] * end_h, p_max_kw=power[3], earliest_h=0.2 * end_h)
    if seed % 2 and periods > 1:
        middle_h = round(0.6 * periods) * dt_h
        first, second = Job(earliest_h=0.2 * end_h, latest_h=middle_h), Job(earliest_h=middle_h, latest_h=end_h)
        load = Deferrable(name="load", energy_kwh=0.15 * power[3] * end_h, p_max_kw=power[3], jobs=(second, first))
    return (battery, *(device for device in (vehicle, heat, load) if rng.random() < 0.8))
