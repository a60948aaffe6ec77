"""What stands at the buses of a saved run by period: loads, prosumers, generators, and what could not be served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...market.settings import NetworkUse
from ...network.arrays import FloatArray, IntArray
from ...network.feeder import Feeder
from ..reporting.stored_run import StoredRun

NOTHING_KW = 1e-6
"""Less than this is the solver's."""
_TABLES = {"buses", "generators", "prosumers"}
"""What a dispatch is read from."""


@dataclass(frozen=True, slots=True, eq=False)
class BusPowers:
    """Powers of the elements of a feeder; arrays are (element, period), loads above 0 draw, generators feed in.

    Attributes:
        load_kw, load_kvar: Ordinary loads, by bus.
        prosumer_kw: What the network carries for each prosumer: its bids, and its trades where the DSO clears them.
        p_gen_kw, q_gen_kvar: Generators as dispatched.
        p_gen_min_kw, p_gen_max_kw: What they could do.
        unserved_kw, unserved_kvar: What the feeder could not bring to each bus, below 0 what it could not take away.
        v_pu: Voltages of the dispatch, by bus; None where nothing was dispatched.
    """

    load_kw: FloatArray
    load_kvar: FloatArray
    prosumer_kw: FloatArray
    p_gen_kw: FloatArray
    q_gen_kvar: FloatArray
    p_gen_min_kw: FloatArray
    p_gen_max_kw: FloatArray
    unserved_kw: FloatArray
    unserved_kvar: FloatArray
    v_pu: FloatArray | None

    @classmethod
    def of(cls, run: StoredRun) -> BusPowers:
        """Those that a run has delivered; of one that left no schedule the ordinary loads alone."""
        return cls._dispatched(run) if set(run.tables) >= _TABLES else cls._loads_alone(run)

    @classmethod
    def _dispatched(cls, run: StoredRun) -> BusPowers:
        periods = run.scenario.periods

        def cells(table: str, column: str) -> FloatArray:
            return np.asarray(run.table(table)[column].to_numpy().reshape(-1, periods))

        cleared = run.scenario.settings.network_use is NetworkUse.WITHDRAWALS
        told = "unserved_kvar" in run.table("buses").columns  # which runs of earlier versions do not tell
        return cls(
            load_kw=cells("buses", "load_kw"),
            load_kvar=cells("buses", "load_kvar"),
            prosumer_kw=cells("prosumers", "withdrawal_kw" if cleared else "bid_kw"),
            p_gen_kw=cells("generators", "p_kw"),
            q_gen_kvar=cells("generators", "q_kvar"),
            p_gen_min_kw=cells("generators", "p_min_kw"),
            p_gen_max_kw=cells("generators", "p_max_kw"),
            unserved_kw=cells("buses", "unserved_kw") - cells("buses", "spilled_kw"),
            unserved_kvar=cells("buses", "unserved_kvar") if told else np.zeros_like(cells("buses", "load_kw")),
            v_pu=cells("buses", "v_pu"),
        )

    @classmethod
    def _loads_alone(cls, run: StoredRun) -> BusPowers:
        clearing = run.scenario.build_clearing()
        least, most = clearing.p_gen_min_kw, clearing.p_gen_max_kw
        nothing, idle = np.zeros_like(clearing.load_kw), np.zeros_like(least)
        people = np.zeros((len(run.names), clearing.periods))
        return cls(clearing.load_kw, clearing.load_kvar, people, idle, idle, least, most, nothing, nothing, v_pu=None)

    @property
    def periods(self) -> int:
        """How many periods there are."""
        return int(self.load_kw.shape[1])

    @property
    def short_buses(self) -> IntArray:
        """The buses that something could not be brought to, or taken from, in any period."""
        slack_kw = np.maximum(np.abs(self.unserved_kw), np.abs(self.unserved_kvar))
        return np.flatnonzero((slack_kw > NOTHING_KW).any(axis=1))

    @property
    def drawn_kw(self) -> FloatArray:
        """What loads and prosumers draw, (load or prosumer, period), kW."""
        return np.vstack([self.load_kw, self.prosumer_kw])

    def net_kw(self, feeder: Feeder, homes: list[str]) -> FloatArray:
        """What each bus draws less what generators but those of the root feed in there, (bus, period), kW.

        Args:
            feeder: The feeder.
            homes: The bus of each prosumer.
        """
        net = self.load_kw - self.unserved_kw
        np.add.at(net, [feeder.index(bus) for bus in homes], self.prosumer_kw)
        away = feeder.generator_bus > 0
        np.subtract.at(net, feeder.generator_bus[away], self.p_gen_kw[away])
        return net
