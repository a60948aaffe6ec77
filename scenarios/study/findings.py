"""What the paper's case study found on a scenario: all that its figures, tables and statements are made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...market.result import Result
from ...market.settings import Case, NetworkUse
from ...network.arrays import BoolArray, FloatArray, IntArray
from ..files.scenario_rows import ScenarioRows

ALPHA_SCALES = (1.0, 1.5, 2.0)
FLAT_SCALE = 0.3
"""The scale of alpha at which the study looks for a cycle of the fixed point."""
PLAIN_TOLERANCE = 5e-8
"""The tolerance of the regret in runs of the paper's fixed point: far below the usual one, to see errors fall."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """What (28) and its matrix version predict at the equilibrium without sharing, and what happens.

    Attributes:
        alpha_scale: The scale of alpha that this is for.
        rest_kw: The bids of that equilibrium, (prosumer, period).
        lmp_per_bid: d LMP_i / d p_b,j, (period, prosumer, prosumer), $/kWh per kW.
        ratio: d LMP_i / d p_b,i over 2 alpha_i, (prosumer, period); (28) asks for less than 1. 0 where a bid or an
            elastic load stands at a limit and does not answer to prices.
        radius: Spectral radius of diag(1 / 2 alpha) d LMP / d p_b over the bids that answer, (period,).
        movers, tried: Prosumers and periods, by index, for which it was tried what happens: those with the largest
            ratios and radii where there are many.
        alone_converges: Whether each bid comes to rest while all others rest, (mover, tried).
        all_converge: Whether all bids of a period come to rest together, (tried,).
    """

    alpha_scale: float
    rest_kw: FloatArray
    lmp_per_bid: FloatArray
    ratio: FloatArray
    radius: FloatArray
    movers: IntArray
    tried: IntArray
    alone_converges: BoolArray
    all_converge: BoolArray

    @property
    def tried_ratio(self) -> FloatArray:
        """The ratios for which it was tried what happens, (mover, tried)."""
        return self.ratio[np.ix_(self.movers, self.tried)]


@dataclass(frozen=True, slots=True, eq=False)
class Cobweb:
    """Demand and price curve of one prosumer and hour, and the steps of Algorithm 2 between them; all others rest.

    Attributes:
        prosumer, period: Whose and when (index from 0).
        alpha_scale: The scale of alpha that this is for.
        ratio: The slope criterion (28) there.
        rest_kw: The bid of the equilibrium, where the curves cross.
        bid_kw, lmp_usd_per_kwh: The price curve: what the DSO announces for each bid, (point,).
        demand_lmp_usd_per_kwh, demand_kw: The demand curve: what the prosumer bids at each LMP, (point,).
        steps_kw, steps_usd_per_kwh: Bid and LMP of each clearing, (step,).
    """

    prosumer: int
    period: int
    alpha_scale: float
    ratio: float
    rest_kw: float
    bid_kw: FloatArray
    lmp_usd_per_kwh: FloatArray
    demand_lmp_usd_per_kwh: FloatArray
    demand_kw: FloatArray
    steps_kw: FloatArray
    steps_usd_per_kwh: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A run and how it came there.

    Attributes:
        result: What it found.
        stopped: Why the study has stopped it; empty if it has ended by itself.
        outer_error: |bids - previous bids| / |bids| of each outer step, (step,).
        regret_usd: The sum of all regrets of the schedule cleared in each outer step, as it was certified last in that
            step, (step,); nan where it was not.
        allowed_usd: At how much regret the market settles by the tolerances of the scenario, (step,).
        dso_cost_usd: Cost (1) of each clearing, (clearing,).
        bid_kw: The bids of each clearing, (clearing, prosumer, period).
        primal_kw, dual_usd_per_kwh: Residuals after each round of the last outer step that shared, (round,).
        agreed_kw, agreed_usd_per_kwh: How closely partners had to agree in the last round.
        cost_usd: F_i of (11) of the plans in each of these rounds, (round, prosumer); empty where nobody
            looked.
        planned_payment_usd: What each prosumer would pay its partners for the powers of its own last offers, before the
            platform evens out the two ends of a trade, (prosumer,).
    """

    result: Result
    stopped: str
    outer_error: FloatArray
    regret_usd: FloatArray
    allowed_usd: FloatArray
    dso_cost_usd: FloatArray
    bid_kw: FloatArray
    primal_kw: FloatArray
    dual_usd_per_kwh: FloatArray
    agreed_kw: float
    agreed_usd_per_kwh: float
    cost_usd: FloatArray
    planned_payment_usd: FloatArray

    @property
    def message(self) -> str:
        """How it ended, in words."""
        return self.stopped or self.result.message

    @property
    def excess(self) -> FloatArray:
        """The regret over what the scenario's tolerance allows, (step,): the market settles at 1; nan before."""
        return np.asarray(self.regret_usd / self.allowed_usd)

    @property
    def proven_in(self) -> int | None:
        """The first outer step, from 1, in which the certificate was within the scenario's tolerance; None if never."""
        below = np.flatnonzero(self.excess <= 1.0)
        return int(below[0]) + 1 if below.size else None


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything that the page shows. What an experiment could not find is missing, and `left_out` says why.

    Attributes:
        name, scenario: What was studied (in Case 3 and the order `proximal_jacobi`).
        base: The run of Case 3, which all other experiments change in something.
        cases: What Cases 1, 2 and 3 come to, to a hundredth of the tolerance where they settle there, for costs with
            more digits; Case 3 always.
        alphas: Runs by the scenario's own method with alpha scaled by `ALPHA_SCALES`; 1 always.
        plain: The same, and alpha scaled by `FLAT_SCALE`, by the paper's fixed point (`plain`).
        cold: Algorithm 1 from a cold start at the settled LMPs of Case 3.
        slopes: What criterion (28) makes of the price sensitivities: as it is, and with alpha scaled by `FLAT_SCALE`.
        steady, cycling: The cobweb of a prosumer and hour that converges as it is, and of one that cycles with alpha
            scaled by `FLAT_SCALE`; None where there is none.
        simultaneous: A run in the order `jacobi`.
        sequential: A run in the order `gauss_seidel`: the same equilibrium, perhaps by other bids.
        wires: Case 3 when the network carries bids alone, and when it carries withdrawals.
        seconds: How long each experiment took.
        left_out: Why an experiment is missing, by its name.
        interrupted: Whether Ctrl-C has left out the last experiments.
        messages: Who told whom what in Case 3, see `who_saw_what.matrix`.
    """

    name: str
    scenario: ScenarioRows
    base: Traced
    cases: Mapping[Case, Result]
    alphas: Mapping[float, Traced]
    plain: Mapping[float, Traced]
    cold: Traced | None
    slopes: tuple[Slopes, ...]
    steady: Cobweb | None
    cycling: Cobweb | None
    simultaneous: Traced | None
    sequential: Traced | None
    wires: Mapping[NetworkUse, Traced]
    seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    interrupted: bool
    messages: pd.DataFrame

    @property
    def result(self) -> Result:
        """What Case 3 found."""
        return self.base.result

    @property
    def method(self) -> str:
        """The scenario's own method."""
        return str(self.scenario.settings.method)

    @property
    def algorithm_2(self) -> tuple[str, Mapping[float, Traced]]:
        """Runs by which the paper's statements on Algorithm 2 are judged, by scale of alpha, and their method.

        The paper's fixed point; the scenario's own method where that could not be run at all.
        """
        return ("plain", self.plain) if 1.0 in self.plain else (self.method, self.alphas)
