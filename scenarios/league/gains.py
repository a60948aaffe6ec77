"""What somebody gains who is no price taker: the same market with everybody truthful is the reference.

found = gains(load("ieee33", {"prosumers.p2.behaviour": "Shading(percent=5)"}))
found.gain_usd
"""

from __future__ import annotations

from dataclasses import dataclass

from ...market.proof.conduct import Conduct, listed
from ...network.arrays import FloatArray
from ..files.scenario import Scenario
from ..files.schema import ProsumerRow
from ..runs.amounts import bound, dollars
from ..runs.json_values import by_name
from ..runs.run import Finding
from .day import Day, play

_PRICE_TAKER = ProsumerRow.model_fields["behaviour"].default
_NAMED = 3  # whose gains are told one by one


@dataclass(frozen=True, slots=True)
class Gains:
    """What everybody gains because some are no price takers, in $; a loss is below 0.

    Each is a difference of two runs, and `known` to the sum of what their certificates leave open.

    Attributes:
        names: The prosumers.
        behaving: Who of them is no price taker.
        gain_usd, known_to_usd: Own cost when everybody takes prices less own cost now, payments included, each valued
            by its real household, (prosumer,).
        welfare_loss_usd: The welfare (true utility less the DSO's cost) when everybody takes prices, less that now.
        dso_cost_change_usd: What the DSO's cost rises by.
        together_known_to_usd: What these two are known to.
    """

    names: tuple[str, ...]
    behaving: tuple[str, ...]
    gain_usd: FloatArray
    known_to_usd: FloatArray
    welfare_loss_usd: float
    dso_cost_change_usd: float
    together_known_to_usd: float

    @classmethod
    def between(cls, truth: Day, now: Day) -> Gains:
        """The gains of a day, against the same day with everybody truthful."""
        return cls(
            now.result.names,
            Conduct.of(now.behaviours).behaving,
            truth.cost_usd - now.cost_usd,
            truth.known_to_usd + now.known_to_usd,
            truth.result.welfare_usd - now.result.welfare_usd,
            now.result.dso_cost_usd - truth.result.dso_cost_usd,
            truth.dso_known_to_usd + now.dso_known_to_usd,
        )

    @property
    def others_lost_usd(self) -> float:
        """What the price takers have lost together, in $."""
        return -float(self.gain_usd[self._others].sum())

    @property
    def others_known_to_usd(self) -> float:
        """What that is known to."""
        return float(self.known_to_usd[self._others].sum())

    @property
    def _others(self) -> list[int]:
        return [i for i, name in enumerate(self.names) if name not in self.behaving]

    def __str__(self) -> str:
        """The gains in a sentence, with no digit that is not known."""
        parts = [f"{name} {self._gained(self.names.index(name))}" for name in self.behaving[:_NAMED]]
        more = [f"{len(self.behaving) - _NAMED} more in kpis.json"] if len(self.behaving) > _NAMED else []
        said = [f"against price takers only, {listed([*parts, *more])}"]
        if self._others:
            others = _amount(self.others_lost_usd, self.others_known_to_usd, "lost", "gained")
            said.append(f"the others together {others}")
        said.append(f"welfare {_amount(self.welfare_loss_usd, self.together_known_to_usd, 'fell by', 'rose by')}")
        cost = _amount(self.dso_cost_change_usd, self.together_known_to_usd, "rose by", "fell by")
        return "; ".join([*said, f"the DSO's cost {cost}"])

    def _gained(self, i: int) -> str:
        return _amount(float(self.gain_usd[i]), float(self.known_to_usd[i]), "gained", "lost")

    def finding(self) -> Finding:
        """The same as key figures of a run and a line of its summary."""
        figures = {
            "gain_usd": by_name(self.names, self.gain_usd),
            "gain_known_to_usd": by_name(self.names, self.known_to_usd),
            "others_lost_usd": self.others_lost_usd,
            "welfare_loss_usd": self.welfare_loss_usd,
            "dso_cost_change_usd": self.dso_cost_change_usd,
            "welfare_loss_known_to_usd": self.together_known_to_usd,
        }
        return Finding(figures, str(self))


def gains(scenario: Scenario) -> Gains | None:
    """What everybody gains because some are no price takers; None where one of the two markets does not settle.

    Both markets are settled more closely than the scenario asks for (`day.play`), as gains are small.

    Raises:
        GridbazaarError: The scenario is wrong.
    """
    now = play(scenario)
    if not now.settled:
        return None
    truth = play(truthful(scenario))
    return Gains.between(truth, now) if truth.settled else None


def truthful(scenario: Scenario) -> Scenario:
    """The same scenario with price takers only."""
    rows = {name: row.model_copy(update={"behaviour": _PRICE_TAKER}) for name, row in scenario.prosumers.items()}
    return scenario.model_copy(update={"prosumers": rows})


def _amount(usd: float, within: float, positive: str, negative: str) -> str:
    """An amount in words, with its bound: "gained $2.99 (known to $0.01)"; where its sign is open, none is told."""
    if abs(usd) <= within:
        return f"{positive} nothing above {bound(within)}, to which that is known"
    return f"{positive if usd > 0 else negative} {dollars(abs(usd), within)} (known to {bound(within)})"
