"""Where a run stands: residuals, who is slowest, who regrets most, and a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...agents.platform import SharingPlatform
from ...network.arrays import FloatArray
from ...network.periods import period_name


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Where Algorithm 1 stands after a round.

    Attributes:
        primal_kw, dual_usd_per_kwh: Its residuals.
        slowest: The pair that is furthest from rest, in its tolerances: a link's name, or a prosumer and the DSO.
        slowest_period: In which period, by index.
        slowest_kw: By how much, now.
        penalty_usd_per_kw2h: The penalty of that pair and period.
        blocking: Who could gain most by leaving the schedule last certified; empty before.
        blocking_usd: How much that is.
        verdict: How it goes, in words.
        place: Pair and period in words.
    """

    primal_kw: float
    dual_usd_per_kwh: float
    slowest: str
    slowest_period: int
    slowest_kw: float
    penalty_usd_per_kw2h: float
    blocking: str
    blocking_usd: float
    verdict: str
    place: str

    @classmethod
    def of(cls, platform: SharingPlatform, regret_usd: FloatArray, dt_h: float, verdict: str) -> Diagnosis:
        """Where a platform stands, whose prosumers regret so much, (prosumer,), in words of a `ResidualHistory`."""
        sides, rules, names = (platform.pairs, platform.bids), platform.rules, platform.graph.names
        pairs = [link.name for link in platform.graph.links] + [f"{name} and the DSO" for name in names]
        apart = np.abs(np.vstack([side.mismatch_kw for side in sides]))
        penalty = np.vstack([side.penalty.value for side in sides])
        moved = np.vstack([side.moved_usd_per_kwh for side in sides])
        unrest = np.maximum(apart / rules.primal_tolerance_kw, moved / rules.dual_tolerance_usd_per_kwh)
        k, t = np.unravel_index(int(np.argmax(unrest)), unrest.shape)
        place = f"{pairs[k]} in {period_name(int(t), dt_h)}"
        residuals = platform.primal_kw, platform.dual_usd_per_kwh
        regrets, worst = regret_usd, int(np.argmax(regret_usd))
        blocking = "" if np.isnan(regrets[worst]) else names[worst]
        return cls(
            *residuals,
            pairs[k],
            int(t),
            float(apart[k, t]),
            float(penalty[k, t]),
            blocking,
            float(regrets[worst]),
            verdict,
            place,
        )

    def __str__(self) -> str:
        if np.isinf(self.slowest_kw):
            return f"no answer yet ({self.place})"
        if self.slowest_kw == 0:
            return "partners agree"
        return (
            f"partners disagree by {self.slowest_kw:.3g} kW ({self.place}, penalty "
            f"{self.penalty_usd_per_kw2h:.1e} $/kW²h): {self.verdict}"
        )
