"""What the paper's case study found on a scenario: all that its figures, tables and statements are made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ...market.result import Result
from ...market.settings import Case, NetworkUse
from ...network.arrays import BoolArray, FloatArray
from ..files.scenario_rows import ScenarioRows

ALPHA_SCALES = (1.0, 1.5, 2.0)
FLAT_SCALE = 0.3
"""The scale of alpha at which the study looks for a cycle of the fixed point."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """What (28) and its matrix version predict at the equilibrium without sharing, and what happens.

    Attributes:
        alpha_scale: The scale of alpha that this is for.
        lmp_per_bid: d LMP_i / d p_b,j, (period, prosumer, prosumer), $/kWh per kW.
        ratio: d LMP_i / d p_b,i over 2 alpha_i, (prosumer, period); (28) asks for less than 1. 0 where a bid or an
            elastic load stands at a limit and does not answer to prices.
        radius: Spectral radius of diag(1 / 2 alpha) d LMP / d p_b over the bids that answer, (period,).
        alone_converges: Whether each bid comes to rest while all others rest, (prosumer, period).
        all_converge: Whether all bids of an hour come to rest together, (period,).
    """

    alpha_scale: float
    lmp_per_bid: FloatArray
    ratio: FloatArray
    radius: FloatArray
    alone_converges: BoolArray
    all_converge: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Cobweb:
    """Demand and price curve of one prosumer and hour, and the steps of Algorithm 2 between them; all others rest.

    Attributes:
        prosumer, period: Whose and when (index from 0).
        alpha_scale: The scale of alpha that this is for.
        ratio: The slope criterion (28) there.
        bid_kw, lmp_usd_per_kwh: The price curve: what the DSO announces for each bid, (point,).
        demand_lmp_usd_per_kwh, demand_kw: The demand curve: what the prosumer bids at each LMP, (point,).
        steps_kw, steps_usd_per_kwh: Bid and LMP of each clearing, (step,).
    """

    prosumer: int
    period: int
    alpha_scale: float
    ratio: float
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
        outer_error: |bids - previous bids| / |bids| of each outer step, (step,).
        dso_cost_usd: Cost (1) of each clearing, (clearing,).
        bid_kw: The bids of each clearing, (clearing, prosumer, period).
        primal_kw, dual_usd_per_kwh: Residuals after each round of the last outer step, (round,).
        cost_usd: F_i of (11) of the plans in each round of the last outer step, (round, prosumer).
    """

    result: Result
    outer_error: FloatArray
    dso_cost_usd: FloatArray
    bid_kw: FloatArray
    primal_kw: FloatArray
    dual_usd_per_kwh: FloatArray
    cost_usd: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Everything that the report shows.

    Attributes:
        name, scenario: What was studied (in Case 3 and the order `proximal_jacobi`).
        cases: The runs of Cases 1, 2 and 3; those that are possible, Case 3 always.
        alphas: Runs with alpha scaled by `ALPHA_SCALES`, as far as possible.
        cold: Algorithm 1 from a cold start at the settled LMPs of Case 3.
        slopes: What criterion (28) makes of the price sensitivities: as it is, and with alpha scaled by `FLAT_SCALE`;
            both or none.
        steady, cycling: The cobweb of a prosumer and hour that converges as it is, and of one that cycles with alpha
            scaled by `FLAT_SCALE`; None where there is none.
        flat: A run with alpha scaled by `FLAT_SCALE`.
        simultaneous: A run in the order `jacobi`.
        sequential: A run in the order `gauss_seidel`: the same equilibrium, perhaps by other bids.
        wires: Case 3 when the network carries bids alone, and when it carries withdrawals, by `newton`; what is
            possible of the two.
        seconds: How long each part took.
        left_out: Why a part is missing, by its name.
        messages: Who told whom what in Case 3, see `who_saw_what.matrix`.
    """

    name: str
    scenario: ScenarioRows
    cases: Mapping[Case, Traced]
    alphas: Mapping[float, Traced]
    cold: Traced
    slopes: tuple[Slopes, ...]
    steady: Cobweb | None
    cycling: Cobweb | None
    flat: Traced | None
    simultaneous: Traced | None
    sequential: Traced | None
    wires: Mapping[NetworkUse, Traced]
    seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    messages: pd.DataFrame

    @property
    def base(self) -> Traced:
        """The run of Case 3."""
        return self.cases[Case.SHARING]

    @property
    def result(self) -> Result:
        """What Case 3 found."""
        return self.base.result
