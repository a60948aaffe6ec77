"""Where a run stands: residuals, who is slowest, who regrets most, and a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...agents.bid_exchange import BidExchange
from ...agents.pair_exchange import PairExchange
from ...agents.peaks import Peaks
from ...agents.platform import SharingPlatform
from ...agents.sharing_rules import SharingRules
from ...network.arrays import FloatArray
from ...network.periods import When, period_name


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
    def of(cls, platform: SharingPlatform, regret_usd: FloatArray, when: When, verdict: str) -> Diagnosis:
        """Where a platform stands, whose prosumers regret so much, (prosumer,), in words of a `ResidualHistory`."""
        rules, names, peaks = platform.rules, platform.graph.names, platform.peaks
        sides: tuple[PairExchange | BidExchange, ...] = platform.pairs, platform.bids
        worst_of = [_most_restless(side, its, rules) for side, its in zip(sides, peaks, strict=True)]
        at_pair = worst_of[0][0] >= worst_of[1][0]
        _, k, t = worst_of[0] if at_pair else worst_of[1]
        side = sides[0] if at_pair else sides[1]
        slowest = platform.graph.links[k].name if at_pair else f"{names[k]} and the DSO"
        place = f"{slowest} in {period_name(t, when)}"
        residuals = platform.primal_kw, platform.dual_usd_per_kwh
        regrets, worst = regret_usd, int(np.argmax(regret_usd))
        blocking = "" if np.isnan(regrets[worst]) else names[worst]
        return cls(
            *residuals,
            slowest,
            t,
            abs(float(side.mismatch_kw[k, t])),
            float(side.penalty.value[k, t]),
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


def _most_restless(side: PairExchange | BidExchange, peaks: Peaks, rules: SharingRules) -> tuple[float, int, int]:
    """The largest residual of a ledger, in its tolerance, and its row and period; below 0 for an empty ledger."""
    if not side.mismatch_kw.size:
        return -1.0, 0, 0
    tolerances = rules.primal_tolerance_kw, rules.dual_tolerance_usd_per_kwh
    measured = [
        (peak.value / tolerance, peak.row, peak.period) for peak, tolerance in zip(peaks, tolerances, strict=True)
    ]
    return max(measured, key=lambda one: one[0])
