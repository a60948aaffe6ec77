"""What the DSO announces: the price of every bid, and how it moves when bids move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..network.arrays import BoolArray, FloatArray, IntArray
from ..network.near_limits import NearLimits
from .places import living

NO_LIMITS = NearLimits.none()


@dataclass(frozen=True)
class PriceCurve:
    """LMPs as a function of the bids: `lmp + own (bid - reference) + R R' (bid - reference, summed by bus)`.

    While prosumers share, their LMPs move along it, so that one clearing is good for many rounds. Without slopes it is
    the paper's fixed LMP. In a period it has slopes of its own or of buses, not both. Those of buses are told by their
    factor R, so that nothing here is as large as all buses by all buses.

    Attributes:
        lmp_usd_per_kwh: LMP at the reference bids, (prosumer, period); the same for all at one bus if there are slopes.
        reference_kw: The bids it holds for, (prosumer, period).
        own_usd_per_kw2h: How the price of a bid follows that bid alone, (prosumer, period).
        slope_root: R, how LMPs follow the bids of buses, (period, bus, rank); R R' is in $/kW²h.
        elastic: In which periods there is no curve to follow and the DSO answers every round itself, (period,).
        place: Which of these buses each prosumer is at, (prosumer,).
        limits: Where the slopes end, between the same buses.
        dearest_usd_per_kwh: The value of lost load: at that LMP the DSO sells what it has not got, at its negative it
            takes what it cannot use, so that no LMP is beyond.
    """

    lmp_usd_per_kwh: FloatArray
    reference_kw: FloatArray
    own_usd_per_kw2h: FloatArray
    slope_root: FloatArray
    elastic: BoolArray
    place: IntArray
    limits: NearLimits = NO_LIMITS
    dearest_usd_per_kwh: float = np.inf

    @classmethod
    def flat(cls, lmp_usd_per_kwh: FloatArray) -> PriceCurve:
        """The same LMP, (prosumer, period), whatever is bid."""
        nothing = np.zeros_like(lmp_usd_per_kwh)
        return cls.own(lmp_usd_per_kwh, nothing, nothing)

    @classmethod
    def own(cls, lmp_usd_per_kwh: FloatArray, reference_kw: FloatArray, own_usd_per_kw2h: FloatArray) -> PriceCurve:
        """Every price follows its own bid alone; all (prosumer, period)."""
        prosumers, periods = reference_kw.shape
        nothing, one_place = np.zeros((periods, 1, 1)), np.zeros(prosumers, dtype=np.intp)
        return cls(lmp_usd_per_kwh, reference_kw, own_usd_per_kw2h, nothing, np.zeros(periods, dtype=bool), one_place)

    @cached_property
    def is_flat(self) -> bool:
        """Whether LMPs are fixed, whatever is bid."""
        return not (self.sloped.any() or self.elastic.any() or self.own_usd_per_kw2h.any())

    @cached_property
    def sloped(self) -> BoolArray:
        """In which periods LMPs follow the bids of buses, (period,)."""
        return np.asarray(self.slope_root.any(axis=(1, 2)))

    @cached_property
    def _living(self) -> csr_array:
        return living(self.place, self.slope_root.shape[1])

    def by_bus(self, values: FloatArray) -> FloatArray:
        """Sums over the prosumers of each bus, (bus, period), of (prosumer, period)."""
        return np.asarray(self._living @ values)

    @cached_property
    def lmp_by_bus(self) -> FloatArray:
        """LMP at the reference bids, (bus, period)."""
        lmp = np.zeros((self.slope_root.shape[1], self.lmp_usd_per_kwh.shape[1]))
        lmp[self.place] = self.lmp_usd_per_kwh
        return lmp

    @cached_property
    def steepness_usd_per_kw2h(self) -> FloatArray:
        """How the LMP of each bus follows what is bid there, (bus, period): the diagonals of R R'."""
        return np.asarray(np.einsum("tbr,tbr->bt", self.slope_root, self.slope_root))

    def at(self, bid_kw: FloatArray) -> FloatArray:
        """The LMPs when these bids are made and no limit is in the way, (prosumer, period)."""
        lmp = self.own_lmp(bid_kw)
        if self.sloped.any():
            move = self.by_bus(bid_kw - self.reference_kw)
            lmp += across(self.slope_root, along(self.slope_root, move))[self.place]
        return lmp

    def own_lmp(self, bid_kw: FloatArray) -> FloatArray:
        """The same as far as prices follow each bid alone, (prosumer, period)."""
        return np.asarray(self.lmp_usd_per_kwh + self.own_usd_per_kw2h * (bid_kw - self.reference_kw))

    def best_sale(self, asked_kw: FloatArray, price: FloatArray, weight: FloatArray) -> BestSale:
        """The LMPs of min curve(w) - price w + weight (w - asked)²/2 over w; all (prosumer, period).

        With G the sum of 1 / weight at a bus, the best sale is `asked + (price - lmp) / weight`, by bus `pull - G lmp`
        from the reference. Without limits LMPs are `lmp at the reference + R y` with `(1 + R'G R) y = R' (pull - G lmp
        at the reference)`, a system of the rank of the slopes, however many buses there are (Woodbury). A multiplier nu
        of a limit lifts them by `L = (1 - R (1 + R'G R)^-1 R'G) C` each, and what is sold falls by G L. So the slack is
        `s0 - C'(pull - G lmp) + (N + C'G L) (nu - z0)`: see `complementarity`.
        """
        root, (_, free, system) = self.slope_root, self._freedom(weight)
        pull = self.by_bus(asked_kw + price / weight - self.reference_kw)
        start = along(root, pull - free * self.lmp_by_bus).T[..., None]
        y = np.asarray(np.linalg.solve(system, start)[..., 0].T, dtype=np.float64)
        lmp = self.lmp_by_bus + across(root, y)
        nu = self._lift(lmp, pull, free, system)
        return BestSale(lmp.clip(-self.dearest_usd_per_kwh, self.dearest_usd_per_kwh)[self.place], nu)

    def _freedom(self, weight: FloatArray) -> _Freedom:
        """How bids of these weights, (prosumer, period), give way: worked out once for as long as it is one array."""
        if not self._freedoms or self._freedoms[0].weight is not weight:
            free, root = self.by_bus(1.0 / weight), self.slope_root
            system = np.eye(root.shape[2]) + root.transpose(0, 2, 1) @ (free.T[:, :, None] * root)
            self._freedoms[:] = [_Freedom(weight, free, system)]
        return self._freedoms[0]

    @cached_property
    def _freedoms(self) -> list[_Freedom]:
        """That of the last weights."""
        return []

    def _lift(self, lmp: FloatArray, pull: FloatArray, free: FloatArray, system: FloatArray) -> FloatArray:
        """Add to LMPs, (bus, period), what limits that bind do; their multipliers, (limited period, row)."""
        limits, nu = self.limits, np.zeros_like(self.limits.multiplier_usd_per_kwh)
        if not limits.periods.size:
            return nu
        slack = limits.slack_kw - along(limits.effect, (pull - free * lmp)[:, limits.periods]).T
        hit = limits.reached(slack)
        at, effect = limits.periods[hit], limits.effect[hit]
        if at.size:
            root, sold = self.slope_root[at], free.T[at][:, :, None] * effect
            lift = effect - root @ np.linalg.solve(system[at], root.transpose(0, 2, 1) @ sold)
            nu[hit] = limits.multipliers(hit, slack[hit], sold.transpose(0, 2, 1) @ lift)
            lmp[:, at] += across(lift, (nu - limits.multiplier_usd_per_kwh)[hit].T)
        return nu


class _Freedom(NamedTuple):
    """How bids give way to LMPs while they are held.

    Attributes:
        weight: What they are held with, (prosumer, period).
        free: G, the sums of 1 / weight by bus, (bus, period).
        system: 1 + R'G R, (period, rank, rank).
    """

    weight: FloatArray
    free: FloatArray
    system: FloatArray


class BestSale(NamedTuple):
    """What the DSO would best sell along its curve.

    Attributes:
        lmp_usd_per_kwh: The LMPs of that, (prosumer, period).
        multiplier_usd_per_kwh: Of the limits of the curve, (limited period, row).
    """

    lmp_usd_per_kwh: FloatArray
    multiplier_usd_per_kwh: FloatArray


def along(root: FloatArray, values: FloatArray) -> FloatArray:
    """R'v of all periods, (rank, period): R (period, bus, rank), v (bus, period)."""
    return np.asarray(np.matmul(values.T[:, None, :], root)[:, 0].T)


def across(root: FloatArray, values: FloatArray) -> FloatArray:
    """R y of all periods, (bus, period): R (period, bus, rank), y (rank, period)."""
    return np.asarray(np.matmul(root, values.T[:, :, None])[..., 0].T)


def curvature(root: FloatArray, move: FloatArray) -> FloatArray:
    """The second derivative d'R R'd along moves d, (period,): R (period, bus, rank), moves (bus, period)."""
    return np.asarray((along(root, move) ** 2).sum(axis=0))
