"""The strongest central rival of the benchmark: one planner who knows everybody's private data, period by period.

Nothing couples the periods, so the joint problem of the DSO and all prosumers, (1)-(10) with (12)-(17), is one conic
program per period. Its matrices are laid out once, straight as sparse arrays; then each period changes numbers alone,
in Clarabel solvers that were set up once, one in every thread. This is what a user would write who wants the answer
and minds neither privacy nor agents.

Every prosumer's variables go from one end of their limits to the other as 0 to 1 (trades -1 to 1), so that all of them
have room in every period, and homes and plants are of one size.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from typing import Any

import clarabel
import numpy as np
import scipy.sparse as sp

from gridbazaar.agents.household import Household
from gridbazaar.agents.trade_graph import TradeGraph
from gridbazaar.network import Clearing
from gridbazaar.network.arrays import FloatArray, IntArray
from gridbazaar.network.branch_flow import CONE_ROWS, PowerLimits, build_program
from gridbazaar.network.cores import cores

_SERIES = ("fixed_kw", "renewable_kw", "elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw")


@dataclass(frozen=True)
class Planned:
    """What the planner finds: costs in $, (prosumer, period) in kW, LMPs as (bus, period)."""

    welfare_usd: float
    dso_cost_usd: float
    elastic_kw: FloatArray
    bid_kw: FloatArray
    lmp_usd_per_kwh: FloatArray


class CentralPlanner:
    """The joint problem of a market, laid out and set up; without fees, and without shortage."""

    def __init__(
        self,
        clearing: Clearing,
        homes: Sequence[Household],
        graph: TradeGraph,
        *,
        withdrawals: bool,
        tolerance: float,
        threads: int = 0,
    ) -> None:
        """Lay out the program and open the solvers.

        Args:
            clearing: The feeder with the load of every bus without prosumers.
            homes: The prosumers.
            graph: Who may trade with whom.
            withdrawals: Whether the network carries trades too, or bids alone.
            tolerance: By how much the welfare may be off, as a part of it.
            threads: How many periods are solved at a time; one on each core by default.
        """
        fees = [fee for h in homes for fee in (h.grid_fee_usd_per_kwh, h.feed_in_fee_usd_per_kwh)]
        if any(fees) or graph.fee_usd_per_kwh.any():
            raise ValueError("this rival knows no fees; compare on a market without")
        self.clearing, self.tolerance = clearing, tolerance
        self._of = {key: np.array([getattr(h, key) for h in homes]) for key in _SERIES}
        self._alpha = np.array([h.alpha_usd_per_kw2h for h in homes])
        self._beta = np.array([h.beta_usd_per_kwh for h in homes])
        self._range = self._of["elastic_max_kw"] - self._of["elastic_min_kw"]
        self._width = self._of["bid_max_kw"] + self._of["feed_in_max_kw"]
        self._bus = np.array([clearing.feeder.index(h.bus) for h in homes], dtype=np.intp)
        self._graph, self._withdrawals = graph, withdrawals
        self._size = np.maximum(self._width.max(axis=1), 1e-9)
        limits = [PowerLimits(*each) for each in zip(clearing.p_gen_min_kw.T, clearing.p_gen_max_kw.T, strict=True)]
        self._limits, self._program = limits, build_program(clearing.feeder, limits=limits[0])
        self._lay_out()
        self._threads = min(threads or cores(), clearing.periods)
        self._own = local()
        self._pool = ThreadPoolExecutor(self._threads, initializer=self._open)
        list(self._pool.map(lambda _: None, range(self._threads)))

    def solve(self) -> Planned:
        """The optimum of all periods."""
        found = list(self._pool.map(self._period, range(self.clearing.periods)))
        cost, elastic, bid, lmp = (np.array(part) for part in zip(*found, strict=True))
        utility = self._beta @ elastic.T - self._alpha @ elastic.T**2
        dt_h, dso = self.clearing.dt_h, float(self.clearing.dt_h * cost.sum())
        return Planned(dt_h * float(utility.sum()) - dso, dso, elastic.T, bid.T, lmp.T)

    # --- the program -------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """The pattern of the matrix, and where its entries, told one after the other, stand in its columns."""
        program, graph = self._program, self._graph
        people, links, start = self._beta.size, len(graph.links), program.columns.count
        self._bid, self._elastic, self._curtailed = (
            slice(start + k * people, start + (k + 1) * people) for k in range(3)
        )
        self._trade = slice(start + 3 * people, start + 3 * people + links)
        each, trades = np.arange(people), self._trade.start + np.arange(links)
        a, b = self._ends = graph.owner[graph.forward], graph.owner[graph.backward]
        bus, home = program.rows["active balance"].start + self._bus, program.rhs.size + each
        wires = self._wires = np.flatnonzero((self._bus[a] != self._bus[b]) & self._withdrawals)
        bounded = np.arange(start, self._trade.stop)
        self._bounds = np.repeat([1.0, -1.0], bounded.size)
        self._room = np.concatenate([np.ones(bounded.size), np.zeros(3 * people), np.ones(links)])
        network = sp.coo_array(program.matrix)
        self._network = network.data
        entries = [
            (network.row, network.col),
            (bus, self._bid.start + each),
            (bus[a[wires]], trades[wires]),
            (bus[b[wires]], trades[wires]),
            *((home, part.start + each) for part in (self._bid, self._elastic, self._curtailed)),
            (home[a], trades),
            (home[b], trades),
            (home.size + program.rhs.size + np.arange(2 * bounded.size), np.tile(bounded, 2)),
        ]
        rows, columns = (np.concatenate(part) for part in zip(*entries, strict=True))
        shape = program.rhs.size + people + 2 * bounded.size, self._trade.stop
        self._pattern = sp.csc_array((np.arange(1.0, rows.size + 1), (rows, columns)), shape=shape)
        self._order: IntArray = self._pattern.data.astype(np.intp) - 1

    def _matrix(self, t: int) -> sp.csc_array:
        """A of a period; the entries in the order of `_lay_out`."""
        a, b = self._ends
        cap, base = self._graph.cap_kw, self.clearing.feeder.base_kw
        width, size, carried = self._width[:, t], self._size, cap[self._wires] / base
        entries = [self._network, width / base, carried, -carried]
        entries += [width / size, -self._range[:, t] / size, -self._of["renewable_kw"][:, t] / size]
        entries += [cap / size[a], -cap / size[b], self._bounds]
        pattern = self._pattern
        return sp.csc_array((np.concatenate(entries)[self._order], pattern.indices, pattern.indptr), pattern.shape)

    def _data(self, t: int) -> dict[str, Any]:
        """The program of a period with its cost in $/h: P, q, A and b of Clarabel."""
        clearing, base, of = self.clearing, self.clearing.feeder.base_kw, {k: v[:, t] for k, v in self._of.items()}
        load_kw = clearing.load_kw[:, t].copy()
        np.subtract.at(load_kw, self._bus, of["feed_in_max_kw"])
        network = self._program.rhs_of(load_kw, clearing.load_kvar[:, t], self._limits[t])
        needed = of["fixed_kw"] - of["renewable_kw"] + of["elastic_min_kw"] + of["feed_in_max_kw"]
        quadratic, linear = (np.zeros(self._trade.stop) for _ in range(2))
        quadratic[: self._bid.start] = base * self._program.quadratic
        linear[: self._bid.start] = base * self._program.linear
        room = self._range[:, t]
        quadratic[self._elastic] = 2 * self._alpha * room**2
        linear[self._elastic] = (2 * self._alpha * of["elastic_min_kw"] - self._beta) * room
        return {
            "P": sp.csc_array(sp.diags_array(quadratic)),
            "q": linear,
            "A": self._matrix(t),
            "b": np.concatenate([network, needed / self._size, self._room]),
        }

    def _cones(self) -> list[Any]:
        cones: list[Any] = []
        kinds = {"zero": clarabel.ZeroConeT, "nonnegative": clarabel.NonnegativeConeT}
        for block in self._program.blocks:
            if block.cone in kinds:
                cones.append(kinds[block.cone](block.rhs.size))
            else:
                cones += [clarabel.SecondOrderConeT(CONE_ROWS) for _ in range(block.rhs.size // CONE_ROWS)]
        return [*cones, clarabel.ZeroConeT(self._size.size), clarabel.NonnegativeConeT(self._room.size)]

    # --- its solvers -------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """A solver of this thread, set up with the first period."""
        self._own.solver, self._own.careful = self._solver(refine=False), None

    def _solver(self, *, refine: bool) -> clarabel.DefaultSolver:
        """Iterative refinement takes a third of the time and changes next to nothing, but may be what it needs."""
        settings = clarabel.DefaultSettings()
        settings.verbose, settings.presolve_enable, settings.max_threads = False, False, 1
        settings.iterative_refinement_enable = refine
        settings.tol_gap_rel = settings.tol_gap_abs = self.tolerance
        settings.tol_feas = 1e-2 * self.tolerance
        data = self._data(0)
        return clarabel.DefaultSolver(data["P"], data["q"], data["A"], data["b"], self._cones(), settings)

    def _solved(self, t: int) -> Any:
        """Clarabel's solution of a period."""
        data, own = self._data(t), self._own
        own.solver.update(**data)
        solution = own.solver.solve()
        if str(solution.status) != "Solved":
            own.careful = own.careful or self._solver(refine=True)
            own.careful.update(**data)
            solution = own.careful.solve()
        if str(solution.status) not in ("Solved", "AlmostSolved"):
            raise RuntimeError(f"the joint problem of period {t + 1} ended {solution.status}")
        return solution

    def _period(self, t: int) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        """Cost of the DSO in $/h, elastic loads, bids and LMPs of a period."""
        solution, of, base = self._solved(t), self._of, self.clearing.feeder.base_kw
        x = np.array(solution.x)
        machines = zip(self.clearing.feeder.generators, x[self._program.columns.p_gen] * base, strict=True)
        cost = sum(g.a_usd_per_kw2h * p**2 + g.b_usd_per_kwh * p + g.c_usd_per_h for g, p in machines)
        elastic = of["elastic_min_kw"][:, t] + self._range[:, t] * x[self._elastic]
        bid = self._width[:, t] * x[self._bid] - of["feed_in_max_kw"][:, t]
        return float(cost), elastic, bid, np.array(solution.z)[self._program.rows["active balance"]] / base
