"""How a market is to be run: case, order, penalty, tolerances and limits."""

import warnings
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from math import isfinite
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

from ..agents.containment_rules import ContainmentRules, OnMisbehaviour
from ..agents.sharing_rules import SharingRules
from ..network.errors import InputError

if TYPE_CHECKING:
    from ..network.arrays import IntArray  # numpy, for which help does not wait


class SettingsError(InputError):
    """A setting of the market is out of its range.

    Attributes:
        key: Its name.
        problem: The sentence.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(key, problem)
        self.key, self.problem = key, problem

    def __str__(self) -> str:
        return f"{self.key} {self.problem}"


class Case(IntEnum):
    """The three cases of the paper's Table 2."""

    NO_SHARING = 1
    CENTRAL = 2
    SHARING = 3


class Order(StrEnum):
    """In which order the prosumers answer in a round of Algorithm 1.

    - `proximal_jacobi`: all at once, with the proximal term: two-block consensus ADMM with penalty 2 rho, which
      converges for every rho > 0 and any number of prosumers (Deng, Lai, Peng, Yin, J. Sci. Comput. 2017).
    - `gauss_seidel`: one after the other with the newest partner powers, the literal reading of the paper's loop; not
      proven for more than two prosumers (Chen, He, Ye, Yuan, Math. Program. 2016).
    - `jacobi`: all at once and no proximal term; diverges when bids are interior. A demonstration.
    """

    PROXIMAL_JACOBI = "proximal_jacobi"
    GAUSS_SEIDEL = "gauss_seidel"
    JACOBI = "jacobi"

    @classmethod
    def _missing_(cls, value: object) -> "Order | None":
        before = {"proximal": "proximal_jacobi", "sequential": "gauss_seidel", "simultaneous": "jacobi"}
        return _renamed(cls, value, "order", before)

    @property
    def doubt(self) -> str:
        """Why it may fail to converge; empty for `proximal_jacobi`, which cannot."""
        return {
            Order.PROXIMAL_JACOBI: "",
            Order.GAUSS_SEIDEL: "is not proven to converge for more than two prosumers",
            Order.JACOBI: "has no proximal term and diverges for every penalty once bids are interior",
        }[self]

    def turns(self, everybody: "IntArray") -> "list[IntArray]":
        """Who of all prosumers, by index, answers together, in their order."""
        return list(everybody[:, None]) if self is Order.GAUSS_SEIDEL else [everybody]


class Method(StrEnum):
    """How bids and LMPs come to rest (Algorithm 2); see `market.methods`."""

    PLAIN = "plain"
    DAMPED = "damped"
    PROXIMAL_GRADIENT = "proximal_gradient"
    ADMM = "admm"
    NEWTON = "newton"

    @classmethod
    def _missing_(cls, value: object) -> "Method | None":
        before = {"proximal": "proximal_gradient", "exchange": "admm", "price_curve": "newton"}
        return _renamed(cls, value, "method", before)


class NetworkUse(StrEnum):
    """What of prosumers the network carries.

    - `withdrawals`: all that a prosumer takes from it or puts into it, bids and trades. The DSO clears for these, and
      an LMP is paid on them: the buyer of a trade pays its LMP and the sharing price, the seller gets its own LMP and
      the sharing price; the difference of the two LMPs is the network's charge for the trade.
    - `bids`: the paper's (10). The DSO clears for bids alone; trades are contracts that no wire carries, and their
      price is the sharing price.
    """

    BIDS = "bids"
    WITHDRAWALS = "withdrawals"


class Answers(StrEnum):
    """How prosumers solve (20).

    - `exact`: by the root of one scalar function in each period; price takers of a community in one call.
    - `osqp`: each on a general QP solver (OSQP), for comparison.
    """

    EXACT = "exact"
    OSQP = "osqp"


class RenamedWarning(FutureWarning):
    """A name that is still understood has another one now."""


Named = TypeVar("Named", Order, Method)


def _renamed(kind: type[Named], value: object, key: str, before: dict[str, str]) -> Named | None:
    """The member that had this name before, with a note of the new one; None if none had."""
    new = before.get(str(value))
    if new is None:
        return None
    warnings.warn(f"market.{key}: {value} is called {new} now; write {new}", RenamedWarning, stacklevel=2)
    return kind(new)


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """How a market is to be run.

    Attributes:
        case: 1 no sharing, 2 lower layer solved centrally, 3 Algorithm 1.
        method: How bids and LMPs come to rest (Algorithm 2).
        order: In which order the prosumers answer in a round of Algorithm 1.
        network_use: What of prosumers the network carries: what they withdraw, trades included, or only bids.
        subproblem: How prosumers solve (20): `exact`, or on OSQP.
        penalty_usd_per_kw2h: rho of (20) and (21); with `adapt_penalty`, where it starts.
        adapt_penalty: Whether the platform balances the residuals by adapting rho per pair and period; not in the
            order `jacobi`, which stays as the paper's equations have it.
        primal_tolerance_kw: Algorithm 1 has converged when no pair disagrees by more ...
        dual_tolerance_usd_per_kwh: ... and rho times the change of the trades is no more than this. Where LMPs follow a
            curve in all periods (`newton`), what is regretted of an agreement decides instead: see `proof.pace`.
        max_rounds: Limit of Algorithm 1's rounds in one outer step; the trades are then delivered as they are.
        regret_tolerance: The market is settled when what all prosumers together could gain by deviating is at most
            this fraction of the turnover that the market sees (`Certificate.turnover_usd`) ...
        regret_tolerance_usd: ... or this much per prosumer and day: where power is next to free, fractions mean little.
        max_iterations: Limit of Algorithm 2's outer steps, at least 2: the first clears for no bids, so the second is
            the first whose schedule can be certified.
        on_misbehaviour: What is done about a behaviour that fails: `stop`, `last` or `exclude`.
        answer_timeout_s: How long a behaviour may take for one answer; None for as long as it likes.

    Raises:
        SettingsError: A value is out of its range.
    """

    case: Case = Case.SHARING
    method: Method = Method.NEWTON
    order: Order = Order.PROXIMAL_JACOBI
    network_use: NetworkUse = NetworkUse.WITHDRAWALS
    subproblem: Answers = Answers.EXACT
    penalty_usd_per_kw2h: float = 1e-4
    adapt_penalty: bool = True
    primal_tolerance_kw: float = 1.0
    dual_tolerance_usd_per_kwh: float = 1e-4
    max_rounds: int = 1000
    regret_tolerance: float = 1e-6
    regret_tolerance_usd: float = 1e-6
    max_iterations: int = 40
    on_misbehaviour: OnMisbehaviour = OnMisbehaviour.STOP
    answer_timeout_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "case", _member(Case, self.case, "case"))
        object.__setattr__(self, "order", _member(Order, self.order, "order"))
        object.__setattr__(self, "method", _member(Method, self.method, "method"))
        object.__setattr__(self, "network_use", _member(NetworkUse, self.network_use, "network_use"))
        object.__setattr__(self, "subproblem", _member(Answers, self.subproblem, "subproblem"))
        object.__setattr__(self, "on_misbehaviour", _member(OnMisbehaviour, self.on_misbehaviour, "on_misbehaviour"))
        if self.answer_timeout_s is not None and not self.answer_timeout_s > 0:
            raise SettingsError("answer_timeout_s", f"{self.answer_timeout_s:g} leaves no time to answer; give seconds")
        for key in ("penalty_usd_per_kw2h", "primal_tolerance_kw", "dual_tolerance_usd_per_kwh", "regret_tolerance"):
            if not (isfinite(getattr(self, key)) and getattr(self, key) > 0):
                raise SettingsError(key, f"{getattr(self, key)} must be a finite number above 0")
        if not (isfinite(self.regret_tolerance_usd) and self.regret_tolerance_usd >= 0):
            sentence = f"{self.regret_tolerance_usd} must be a finite number of at least 0"
            raise SettingsError("regret_tolerance_usd", sentence)
        for key, least in (("max_rounds", 1), ("max_iterations", 2)):
            value = getattr(self, key)
            if not isinstance(value, Integral):
                raise SettingsError(key, f"{value!r} is not a whole number; write one")
            if value < least:
                raise SettingsError(key, f"{value} must be at least {least}")

    @property
    def withdrawals(self) -> bool:
        """Whether the DSO clears for what prosumers withdraw, trades included."""
        return self.network_use is NetworkUse.WITHDRAWALS

    @property
    def containment(self) -> ContainmentRules:
        """What of it prosumers' behaviours are held to."""
        return ContainmentRules(self.on_misbehaviour, self.answer_timeout_s)

    @property
    def sharing_rules(self) -> SharingRules:
        """What of it the sharing platform is told."""
        return SharingRules(
            penalty_usd_per_kw2h=self.penalty_usd_per_kw2h,
            adapt_penalty=self.adapt_penalty and self.order is not Order.JACOBI,
            proximal=self.order is Order.PROXIMAL_JACOBI,
            primal_tolerance_kw=self.primal_tolerance_kw,
            dual_tolerance_usd_per_kwh=self.dual_tolerance_usd_per_kwh,
            marks_up=self.withdrawals,
        )


def _member(kind: type[Enum], value: Any, key: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(member.value) for member in kind)
        raise SettingsError(key, f"{value} is none of {known}; name one of them") from None
