"""How a market is to be run: case, order, penalty, tolerances and limits."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ..network.errors import InputError


class Case(IntEnum):
    """The three cases of the paper's Table 2."""

    NO_SHARING = 1
    CENTRAL = 2
    SHARING = 3


class Order(StrEnum):
    """In which order the prosumers answer in a round of Algorithm 1.

    - `proximal`: all at once, with the proximal term: two-block consensus ADMM with penalty 2 rho, which converges for
      every rho > 0 and any number of prosumers (Deng, Lai, Peng, Yin, J. Sci. Comput. 2017).
    - `sequential`: one after the other with the newest partner powers, the literal reading of the paper's loop.
    - `simultaneous`: all at once and no proximal term; diverges when bids are interior. A demonstration.
    """

    PROXIMAL = "proximal"
    SEQUENTIAL = "sequential"
    SIMULTANEOUS = "simultaneous"

    @property
    def proven(self) -> bool:
        """Whether the order converges for every penalty and any number of prosumers."""
        return self is Order.PROXIMAL

    def turns(self, prosumers: int) -> list[tuple[int, ...]]:
        """Who answers together, as groups of prosumer indices in their order."""
        everybody = tuple(range(prosumers))
        return [(i,) for i in everybody] if self is Order.SEQUENTIAL else [everybody]


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """How a market is to be run.

    Attributes:
        case: 1 no sharing, 2 lower layer solved centrally, 3 Algorithm 1.
        order: In which order the prosumers answer in a round of Algorithm 1.
        penalty_usd_per_kw2h: rho of (20) and (21).
        primal_tolerance_kw: Algorithm 1 has converged when no pair disagrees by more ...
        dual_tolerance_usd_per_kwh: ... and rho times the change of the trades is no more than this.
        max_rounds: Limit of Algorithm 1's rounds in one outer step.
        regret_tolerance: The market is settled when what all prosumers together could gain by deviating is at most
            this fraction of the DSO's cost.
        max_iterations: Limit of Algorithm 2's outer steps.

    Raises:
        InputError: A value is out of its range.
    """

    case: Case = Case.SHARING
    order: Order = Order.PROXIMAL
    penalty_usd_per_kw2h: float = 2e-4
    primal_tolerance_kw: float = 0.1
    dual_tolerance_usd_per_kwh: float = 1e-5
    max_rounds: int = 1000
    regret_tolerance: float = 1e-6
    max_iterations: int = 40

    def __post_init__(self) -> None:
        for key, kind in (("case", Case), ("order", Order)):
            object.__setattr__(self, key, _member(kind, getattr(self, key), key))
        for key in ("penalty_usd_per_kw2h", "primal_tolerance_kw", "dual_tolerance_usd_per_kwh", "regret_tolerance"):
            if not getattr(self, key) > 0:
                raise InputError(f"{key} {getattr(self, key)} must be above 0")
        for key in ("max_rounds", "max_iterations"):
            if getattr(self, key) < 1:
                raise InputError(f"{key} {getattr(self, key)} must be at least 1")


def _member(kind: type[Case] | type[Order], value: object, key: str) -> Case | Order:
    try:
        return kind(value)
    except ValueError:
        raise InputError(f"{key} {value} is none of {', '.join(str(m.value) for m in kind)}") from None
