"""Radial feeders of any size: trunks from one substation, with laterals, and limits that hold."""

import numpy as np

from gridbazaar.network import Bus, Clearing, Feeder, Generator, Line

_BUSES_PER_TRUNK = 300
_TRUNK_OHM, _LATERAL_OHM = (0.1, 0.12), (0.2, 0.2)
_LOAD_KW = 2.0


def grid(buses: int, seed: int = 0) -> Feeder:
    """A feeder at 20 kV: a third of the buses stand along trunks, the others in laterals of some buses each."""
    rng = np.random.default_rng(seed)
    ends = [0] * max(1, round(buses / _BUSES_PER_TRUNK))
    along = [0]
    lines = []
    for n in range(1, buses):
        trunk = rng.integers(len(ends))
        on_trunk = n <= len(ends) or rng.random() < 1 / 3
        parent = ends[trunk] if on_trunk else int(rng.choice(along[-9:]))
        if on_trunk:
            ends[trunk] = n
        along.append(n)
        ohm = _TRUNK_OHM if on_trunk else _LATERAL_OHM
        lines.append(Line(str(parent), str(n), *(float(part * rng.uniform(0.5, 1.5)) for part in ohm)))
    p_kw = np.concatenate([[0.0], rng.uniform(0.2, 2.0, buses - 1) * _LOAD_KW])
    stands = [Bus(str(n), 0.9, 1.1, p_kw=float(p), q_kvar=float(0.3 * p)) for n, p in enumerate(p_kw)]
    most = 20.0 * _LOAD_KW * buses
    cost = 0.05 / (_LOAD_KW * buses)
    supply = Generator("substation", "0", cost, 0.12, 0.0, 0.0, most, -most, most)
    return Feeder(tuple(stands), tuple(lines), (supply,), "0", 20.0)


def grid_clearing(buses: int, periods: int = 24, seed: int = 0) -> Clearing:
    """The clearing of a day on it, loads following the hour."""
    feeder = grid(buses, seed)
    hours = np.arange(periods) + 0.5
    shape = 0.6 + 0.4 * np.sin((hours - 9) / 24 * 2 * np.pi)
    return Clearing(feeder, np.outer(feeder.p_kw, shape), np.outer(feeder.q_kvar, shape), 24.0 / periods)
