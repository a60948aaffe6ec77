"""When a market may stop: the regrets of the schedule that was cleared are small enough to prove it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...agents.messages import Deliveries
from ...agents.platform import SharingPlatform
from ...agents.trade_graph import TradeGraph
from ...network.arrays import FloatArray
from ...network.clearing import Clearing
from ...network.dispatch import Dispatch
from ..settings import MarketSettings, Method
from .certificate import LEAST_USD, Certificate, PhysicalProof, turnover_usd
from .conduct import Conduct
from .diagnosis import Diagnosis
from .outer_history import OuterHistory, OuterStep
from .pace import Pace
from .residual_history import ResidualHistory

WORTH = 1e-3
"""What the first outer step may leave to be regretted, as a fraction of the turnover."""
_RESTS = 1e-2
"""Bids rest if they ask to move by less than this, as a fraction, where somebody acts otherwise than is best for it."""
_PATIENCE = 8
"""Outer steps after which a market with somebody in it who does is given up if it gets no nearer to rest."""
_NEARER = 0.7
"""It gets nearer if the least that all regret falls to this part of what it was, over some outer steps."""
_PART = 20
"""What partners agree on is to leave so many times less to be regretted than the step before did."""
_PART_OF_NEWTON = 200
"""The same along the curves of `newton`, which are good for it: another clearing costs more than rounds do."""
_NEARLY = 10
"""Where that would be no more than so many times what is enough in the end, it is to be enough."""
_COUNTS = 1 / 30
"""Of what prosumers regret: less than that the DSO's regret does not count."""


@dataclass(frozen=True, slots=True, eq=False)
class ProofState:
    """What is known of the schedule in force; a value, never changed in place.

    Attributes:
        valued: The prices that it is valued at, and its trades.
        regret_usd: What each regrets of the schedule last certified, (prosumer,); nan before.
        dso_regret_usd: What the DSO regrets of it; nan before the first clearing.
        sharing_regret_usd: What is regretted of what was agreed last, by itself.
        turnover_usd: What regrets are measured against.
        physics: What holds of its dispatch in the AC equations.
        certified: Whether the schedule in force is the one last certified.
        proven: The regret at the last announcement, as a fraction of the turnover; inf at first.
        steps: The last outer steps.
        residuals: How Algorithm 1 goes in this outer step.
        pace: When the next attempt at delivery is due.
        outer_error: |bids - previous bids| / |bids| of the last delivery; nan before.
        asked_error: The same of the bids that were asked for, of which a method may go only a part of the way.
        diagnosis: Where Algorithm 1 stood after the last round; None before the first.
    """

    valued: Deliveries
    regret_usd: FloatArray
    dso_regret_usd: float
    sharing_regret_usd: float
    turnover_usd: float
    physics: PhysicalProof
    certified: bool
    proven: float
    steps: tuple[OuterStep, ...]
    residuals: ResidualHistory
    pace: Pace
    outer_error: float = np.nan
    asked_error: float = np.nan
    diagnosis: Diagnosis | None = None

    @property
    def left(self) -> float:
        """What was regretted at the last announcement, as a fraction of the turnover; 1 before anything is proven."""
        return float(np.fmin(self.proven, 1.0))


class StoppingRule:
    """Weighs what agents regret, and says whether that is little enough.

    The rule is the proof, not the change of the bids: bids may swing between buses with equal prices for ever at an
    optimum.
    """

    def __init__(
        self,
        graph: TradeGraph,
        clearing: Clearing,
        settings: MarketSettings,
        conduct: Conduct,
        deliveries: Deliveries,
        *,
        charged: bool = False,
    ) -> None:
        """Begin with nothing proven.

        Args:
            graph: Who may trade with whom.
            clearing: What the DSO clears: how long, and when, its periods are.
            settings: Tolerances and limits.
            conduct: Who is no price taker.
            deliveries: The prices and trades at the start.
            charged: Whether there are fees.
        """
        self._graph, self._when, self._settings, self.conduct = graph, clearing.when, settings, conduct
        self._counted = conduct.counted(graph.names)
        self._charged = charged
        # along curves of `newton` outer steps go far, if all answer to them
        self._goes_far = settings.method is Method.NEWTON and not conduct.otherwise
        days: float = deliveries.lmp_usd_per_kwh.shape[1] * clearing.dt_h / 24.0
        self._negligible_usd = settings.regret_tolerance_usd * len(graph.names) * days
        self.history = OuterHistory(graph.names, clearing.when, settings, conduct)
        unknown = np.full(len(graph.names), np.nan)
        residuals = ResidualHistory(settings.primal_tolerance_kw)
        self._known = ProofState(
            valued=deliveries,
            regret_usd=unknown,
            dso_regret_usd=np.nan,
            sharing_regret_usd=np.nan,
            turnover_usd=LEAST_USD,
            physics=PhysicalProof(),
            certified=False,
            proven=np.inf,
            steps=(),
            residuals=residuals,
            pace=Pace.of(1),
        )

    @property
    def state(self) -> ProofState:
        """All that is remembered."""
        return replace(self._known, steps=self.history.steps)

    @state.setter
    def state(self, state: ProofState) -> None:
        self._known, self.history.steps = state, state.steps

    def cleared(self, dispatch: Dispatch, dso_regret_usd: float, valued: Deliveries) -> None:
        """Take note of a clearing, what the DSO regrets of it, and what its schedule is valued at."""
        self._known = replace(
            self._known,
            valued=valued,
            dso_regret_usd=dso_regret_usd,
            turnover_usd=turnover_usd(dispatch, self._graph, valued, withdrawals=self._settings.withdrawals),
            physics=PhysicalProof.of(dispatch),
        )

    def revalue(self, valued: Deliveries) -> None:
        """Value the schedule in force at better prices from now on."""
        self._known = replace(self._known, valued=valued)

    def certify(self, regret_usd: FloatArray) -> None:
        """Take note of what each prosumer regrets of the schedule in force, (prosumer,)."""
        self._known = replace(self._known, regret_usd=regret_usd, certified=True)

    def committed(self, bid_kw: FloatArray, before_kw: FloatArray, asked_kw: FloatArray) -> None:
        """Another schedule is in force now, with these bids in the place of those before, (prosumer, period).

        `asked_kw` is what was asked for, of which a method may go only a part of the way.
        """
        moved, asked = _moved(bid_kw, before_kw), _moved(asked_kw, before_kw)
        self._known = replace(self._known, certified=False, outer_error=moved, asked_error=asked)

    @property
    def settles(self) -> bool:
        """Whether nobody regrets the schedule in force, within tolerance, and those rest whose regrets do not count."""
        certificate = self.certificate()
        small = certificate.relative <= self._settings.regret_tolerance
        return bool(self._rests and (small or certificate.total_usd <= self._negligible_usd))

    @property
    def _rests(self) -> bool:
        """Whether those whose regrets do not count go on asking for what they have."""
        return not self.conduct.otherwise or self._known.asked_error <= _RESTS

    @property
    def is_restless(self) -> bool:
        """Whether those who act otherwise than is best for them keep the market from coming to rest.

        They do if nobody else has regretted anything for long and they still move, or if regrets no longer fall.
        """
        steps = self.history.steps
        if not self.conduct.otherwise or len(steps) < _PATIENCE:
            return False
        half, everybody = len(steps) // 2, [float(np.maximum(step.regret_usd, 0.0).sum()) for step in steps]
        if min(everybody[half:]) < _NEARER * min(everybody[:half]):
            return False
        enough = max(self._settings.regret_tolerance * self._known.turnover_usd, self._negligible_usd)
        totals = [step.total_usd for step in steps]
        if max(totals[-_PATIENCE:]) <= enough:
            return not self._rests
        return len(totals) > _PATIENCE + 2 and min(totals[half:]) >= min(totals[:half])

    def announced(self, iteration: int) -> bool:
        """Sharing begins anew in this outer step; whether the certificate has failed to halve since it did last."""
        before = self._known.proven
        residuals = ResidualHistory(self._settings.primal_tolerance_kw)
        self._known = replace(self._known, proven=self.certificate().relative, residuals=residuals)
        fall = self._known.left / self._allowed(paced=True) if self._goes_far else None
        self._known = replace(self._known, pace=Pace.of(iteration, fall, unrest=bool(self.conduct.otherwise)))
        return self._known.proven > before / 2

    def shared(self, primal_kw: float) -> None:
        """Take note of a round of Algorithm 1."""
        self._known = replace(self._known, residuals=self._known.residuals.with_round(primal_kw))

    def diagnose(self, platform: SharingPlatform) -> Diagnosis:
        """Say where Algorithm 1 stands after a round."""
        verdict = "agreed" if platform.converged else self._known.residuals.verdict
        diagnosis = Diagnosis.of(platform, self._known.regret_usd, self._when, verdict)
        self._known = replace(self._known, diagnosis=diagnosis)
        return diagnosis

    def agreed(self, regret_usd: FloatArray) -> None:
        """Take note of what each regrets of what was agreed, (prosumer,)."""
        self._known = replace(self._known, sharing_regret_usd=self._sum(regret_usd))

    def worth_delivering(self, platform: SharingPlatform) -> bool:
        """Whether it is time to deliver: along a curve when regrets may be small enough, else when partners agree."""
        return platform.rounds >= self._known.pace.due if self._paced(platform) else platform.converged

    def asks_for_closer_agreement(self, platform: SharingPlatform) -> bool:
        """Whether what was agreed leaves a regret that is not small against the step before and may still fall."""
        closest = self._known.pace.is_stuck if self._paced(platform) else platform.tightest
        return bool(self._known.sharing_regret_usd > self._allowed_usd(platform)) and not closest

    def go_on(self, platform: SharingPlatform) -> None:
        """What was agreed leaves too much regret: partners are to share on, for closer agreement."""
        if not self._paced(platform):
            platform.tighten()
            return
        pace = self._known.pace.after(platform.rounds, self._known.sharing_regret_usd, self._allowed_usd(platform))
        self._known = replace(self._known, pace=pace)

    def _allowed_usd(self, platform: SharingPlatform) -> float:
        """What sharing may leave to be regretted; less if bids overshot."""
        paced = self._paced(platform)
        allowed_usd = self._allowed(paced=paced) * self._known.turnover_usd
        return allowed_usd / platform.state.tightness if paced else allowed_usd

    def _allowed(self, *, paced: bool) -> float:
        """The same as a fraction of the turnover: a part of what was left before, but not less than is enough."""
        tolerance, negligible = self._settings.regret_tolerance, self._negligible_usd / self._known.turnover_usd
        if not (paced and self._goes_far):
            return max(float(np.clip(self._known.left / _PART, tolerance / 4, WORTH)), negligible / 4)
        allowed, enough = self._known.left / _PART_OF_NEWTON, max(tolerance, negligible) / 2
        return max(min(allowed if allowed > _NEARLY * enough else enough, WORTH), enough)

    @property
    def excess(self) -> float:
        """How many times more the DSO regrets than counts beside the tolerance and what prosumers regret."""
        others = self._sum(np.nan_to_num(self._known.regret_usd, posinf=0.0))
        allowed = max(self._settings.regret_tolerance * self._known.turnover_usd / 4, _COUNTS * others)
        return float(max(self._known.dso_regret_usd, 0.0) / allowed)

    def _paced(self, platform: SharingPlatform) -> bool:
        """Whether what agreement is worth decides, and not residuals.

        That is where LMPs follow a curve in all periods, in an order that is sure to get nearer.
        """
        curve = platform.bids.curve
        return not (curve.is_flat or curve.elastic.any() or self._settings.order.doubt)

    def unsettled(self, bid_kw: FloatArray, rounds: int) -> None:
        """Take note of an outer step with these bids, (prosumer, period), that has not settled the market."""
        self.history.add(bid_kw, self._known.regret_usd, self.total_regret_usd, self._known.turnover_usd, rounds)

    @property
    def total_regret_usd(self) -> float:
        """Sum of all regrets of the schedule last certified, the DSO's included; see `Certificate.total_usd`."""
        return self._sum(self._known.regret_usd) + max(self._known.dso_regret_usd, 0.0)

    @property
    def all_regrets_usd(self) -> float:
        """The same with those that do not count: what says how near bids are to where they are going."""
        return float(np.maximum(self._known.regret_usd, 0.0).sum()) + max(self._known.dso_regret_usd, 0.0)

    def _sum(self, regret_usd: FloatArray) -> float:
        """The sum of the regrets that count."""
        return float(np.maximum(regret_usd[self._counted], 0.0).sum())

    def certificate(self) -> Certificate:
        """What is proven of the schedule in force: nothing between its delivery and the end of the next sharing."""
        known = self._known
        regret = known.regret_usd if known.certified else np.full_like(known.regret_usd, np.nan)
        dso = max(known.dso_regret_usd, 0.0)
        return Certificate(
            self._graph.names, regret, dso, known.turnover_usd, known.physics, self.conduct, self._charged
        )


def _moved(bid_kw: FloatArray, before_kw: FloatArray) -> float:
    """|bids - those before| / |bids|."""
    return float(np.linalg.norm(bid_kw - before_kw) / max(float(np.linalg.norm(bid_kw)), 1e-9))
