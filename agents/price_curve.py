"""What the DSO announces: the price of every bid, and how it moves when bids move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..network.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class PriceCurve:
    """LMPs as a function of the bids: `lmp + own (bid - reference) + slope (bid - reference, summed by bus)`.

    While prosumers share, their LMPs move along it, so that one clearing is good for many rounds. Without slopes it is
    the paper's fixed LMP. In a period it has slopes of its own or of buses, not both.

    Attributes:
        lmp_usd_per_kwh: LMP at the reference bids, (prosumer, period); the same for all at one bus if there are slopes.
        reference_kw: The bids it holds for, (prosumer, period).
        own_usd_per_kw2h: How the price of a bid follows that bid alone, (prosumer, period).
        slope_usd_per_kw2h: How LMPs follow the bids of buses, (period, bus, bus), symmetric, positive semidefinite.
        elastic: In which periods there is no curve to follow and the DSO answers every round itself, (period,).
        place: Which of these buses each prosumer is at, (prosumer,).
    """

    lmp_usd_per_kwh: FloatArray
    reference_kw: FloatArray
    own_usd_per_kw2h: FloatArray
    slope_usd_per_kw2h: FloatArray
    elastic: BoolArray
    place: IntArray

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
        return np.asarray(self.slope_usd_per_kw2h.any(axis=(1, 2)))

    def by_bus(self, values: FloatArray) -> FloatArray:
        """Sums over the prosumers of each bus, (bus, period), of (prosumer, period)."""
        total = np.zeros((self.slope_usd_per_kw2h.shape[1], values.shape[1]))
        np.add.at(total, self.place, values)
        return total

    @cached_property
    def lmp_by_bus(self) -> FloatArray:
        """LMP at the reference bids, (bus, period)."""
        lmp = np.zeros((self.slope_usd_per_kw2h.shape[1], self.lmp_usd_per_kwh.shape[1]))
        lmp[self.place] = self.lmp_usd_per_kwh
        return lmp

    def at(self, bid_kw: FloatArray) -> FloatArray:
        """The LMPs when these bids are made, (prosumer, period)."""
        move = bid_kw - self.reference_kw
        by_bus = np.einsum("tbc,ct->bt", self.slope_usd_per_kw2h, self.by_bus(move))
        return np.asarray(self.lmp_usd_per_kwh + self.own_usd_per_kw2h * move + by_bus[self.place])


def curvature(slope: FloatArray, move: FloatArray) -> FloatArray:
    """The second derivative d'Dd along moves d, (period,): slopes (period, bus, bus), moves (bus, period)."""
    return np.asarray(np.einsum("bt,tbc,ct->t", move, slope, move))
