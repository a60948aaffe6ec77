"""What the paper says of its case study (section 6), as checks with a number each: holds, fails, or does not apply."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from ...market.result import Result
from ...market.settings import Case
from ...network.arrays import BoolArray, IntArray
from ..files.scenario_rows import ScenarioRows
from ..runs.amounts import dollars
from .findings import ALPHA_SCALES, Study, Traced

_TRADE_KW = 1.0  # what counts as buying or selling
_NEAR, _NEAR_BY, _LIMIT, _ROUNDS = 1e-2, 10, 20, 36  # "near 0" is ours, the counts are the paper's
_TENTH = 0.05, 0.15  # "about a tenth"
_REST = 1e-3  # the outer error at which iterations are compared, as in Figure 9


class Verdict(StrEnum):
    """What became of a statement."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "does not apply"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the paper beside what this study found.

    Attributes:
        paper: What the paper says.
        ours: What was found, with its number.
        verdict: Whether it holds here.
    """

    paper: str
    ours: str
    verdict: Verdict


def statements(study: Study) -> list[Statement]:
    """All statements, in the order of the paper."""
    checks: tuple[tuple[str, Callable[[Study], tuple[str, bool | None]]], ...] = (
        ("Algorithm 2 converges: the outer error is near 0 by iteration 10 (limit 20).", _outer),
        ("Algorithm 1 converges in 36 rounds in the last outer step.", _rounds),
        ("The DN operating cost settles ($15,582.9 with the paper's parameters).", _cost),
        ("Prosumers with PV sell in daylight.", _pv),
        ("The prosumer with wind sells at night.", _wind),
        ("A prosumer buys from one partner and sells to another in the same hour (arbitrage).", _arbitrage),
        ("The prosumer that buys most from the DN is the one whose LMP is lowest.", _buyer),
        ("Cases 2 and 3 have the same total cost.", _central),
        ("Without sharing the prosumers' total cost is about a tenth higher (+9.8 % in the paper).", _alone),
        ("The payments of the prosumers to each other sum to zero.", _payments),
        ("A larger alpha converges faster.", _alpha),
    )
    return [Statement(paper, *_judged(check(study))) for paper, check in checks]


def cost_accuracy_usd(scenario: ScenarioRows, result: Result) -> float:
    """By how much the costs of a run can differ from those of the optimum, in $; its certificate bounds the welfare.

    Utilities (12) are curved: a schedule whose elastic loads are e instead of e* misses at least the sum of
    alpha (e - e*)² of the welfare. So welfare that is known to R leaves these differences, and, at the LMPs, what they
    cost up to sqrt(R sum of LMP² / alpha), far more than R: welfare changes in second order there, costs in first.
    """
    alpha = np.array([scenario.prosumers[name].alpha_usd_per_kw2h for name in result.names]) * scenario.alpha_scale
    steep = result.dt_h * float((result.lmp_usd_per_kwh**2 / alpha[:, None]).sum())
    missing = max(result.certificate.total_usd, 0.0)
    return float(np.sqrt(missing * steep)) + missing


def _judged(found: tuple[str, bool | None]) -> tuple[str, Verdict]:
    ours, holds = found
    return ours, Verdict.OPEN if holds is None else Verdict.HOLDS if holds else Verdict.FAILS


def _outer(study: Study) -> tuple[str, bool | None]:
    errors, result = study.base.outer_error, study.result
    at = f"; {errors[_NEAR_BY - 1]:.1e} in iteration {_NEAR_BY}" if errors.size >= _NEAR_BY else ""
    said = f"{result.outer_iterations} iterations, last outer error {errors[-1]:.1e}{at}; {result.certificate}"
    near = errors.size < _NEAR_BY or errors[_NEAR_BY - 1] < _NEAR
    return said, bool(result.settled and result.outer_iterations <= _LIMIT and near)


def _rounds(study: Study) -> tuple[str, bool | None]:
    if not study.result.graph.links:
        return "nobody is linked to anybody", None
    settings, rounds = study.scenario.settings, study.cold.primal_kw.size
    warm = study.result.sharing_rounds[-1]
    said = (
        f"{rounds} rounds from a cold start at the settled LMPs, {warm} from the last step's prices, "
        f"to {settings.primal_tolerance_kw:g} kW and {settings.dual_tolerance_usd_per_kwh:g} $/kWh"
    )
    return said, rounds <= _ROUNDS


def _cost(study: Study) -> tuple[str, bool | None]:
    costs = study.base.dso_cost_usd
    change = abs(costs[-1] - costs[-2]) / abs(costs[-1]) if costs.size > 1 else 0.0
    return f"${costs[-1]:,.1f}, changed by {change:.1e} in the last iteration", bool(change < _REST)


def _pv(study: Study) -> tuple[str, bool | None]:
    sun = _sunny(study.result)
    if sun is None:
        return "nobody here has PV (renewables that vanish in some hours) and a link", None
    return _sellers(study.result, *sun, "daylight")


def _wind(study: Study) -> tuple[str, bool | None]:
    result, sun = study.result, _sunny(study.result)
    wind = np.flatnonzero((result.renewable_kw > 0).all(axis=1) & _linked(result))
    if not wind.size or sun is None:
        return "nobody here has wind (renewables in every hour) and a link, beside others with PV", None
    return _sellers(result, wind, ~sun[1], "the night")


def _sunny(result: Result) -> tuple[IntArray, BoolArray] | None:
    """Who has PV (renewables, but not in every hour), and in which hours it shines; None without any."""
    has, every = result.renewable_kw.max(axis=1) > 0, (result.renewable_kw > 0).all(axis=1)
    who = np.flatnonzero(has & ~every & _linked(result))
    return (who, np.asarray((result.renewable_kw[who] > 0).any(axis=0))) if who.size else None


def _linked(result: Result) -> BoolArray:
    """Who has a partner, (prosumer,)."""
    return np.asarray(np.bincount(result.graph.owner, minlength=len(result.names)) > 0)


def _sellers(result: Result, who: IntArray, when: BoolArray, called: str) -> tuple[str, bool | None]:
    sold = result.dt_h * np.maximum(-result.net_trade_kw[who], 0.0)
    parts = [
        f"{result.names[i]} sells {row[when].sum():,.0f} kWh net in {called}, {row[~when].sum():,.0f} kWh otherwise"
        for i, row in zip(who, sold, strict=True)
    ]
    return "; ".join(parts[:4]), bool((sold[:, when].sum(axis=1) > 0).all())


def _arbitrage(study: Study) -> tuple[str, bool | None]:
    result = study.result
    if max(np.bincount(result.graph.owner, minlength=1)) < 2:
        return "nobody here has two partners", None
    passing = np.minimum(result.bought_kw, result.sold_kw)
    hours = (passing > _TRADE_KW).sum(axis=1)
    order = [i for i in np.argsort(-passing.sum(axis=1)) if hours[i]][:4]
    parts = [f"{result.names[i]} {result.dt_h * passing[i].sum():,.0f} kWh in {hours[i]} hours" for i in order]
    return f"passed on by {', '.join(parts)}" if parts else "nobody passes energy on", bool(parts)


def _buyer(study: Study) -> tuple[str, bool | None]:
    result = study.result
    if len(result.names) < 2:
        return "there is one prosumer only", None
    energy, price = result.dt_h * result.bid_kw.sum(axis=1), result.lmp_usd_per_kwh.mean(axis=1)
    most, cheapest = int(np.argmax(energy)), int(np.argmin(price))
    parts, feeder = result.dispatch.components, result.feeder
    at, dear = feeder.index(result.prosumer_buses[most]), feeder.index(result.prosumer_buses[int(np.argmax(price))])
    why = ", ".join(
        f"{name} {getattr(parts, name)[at].mean():.4f} (dearest prosumer: {getattr(parts, name)[dear].mean():.4f})"
        for name in ("energy", "loss", "voltage", "congestion")
    )
    said = f"{result.names[most]} buys {energy[most]:,.0f} kWh at a mean LMP of {price[most]:.4f} $/kWh: {why}"
    return said, most == cheapest


def _central(study: Study) -> tuple[str, bool | None]:
    if Case.CENTRAL not in study.cases:
        return study.left_out["Case 2"], None
    two, three = (study.cases[case].result for case in (Case.CENTRAL, Case.SHARING))
    if not (two.settled and three.settled):
        return "one of the two did not settle", None
    gap, bound = abs(two.welfare_usd - three.welfare_usd), two.certificate.total_usd + three.certificate.total_usd
    said = (
        f"DSO cost less utility ${-two.welfare_usd:,.3f} and ${-three.welfare_usd:,.3f}: they differ by ${gap:.1e}, "
        f"and the certificates allow ${bound:.1e}; prosumers ${two.own_cost_usd.sum():,.2f} and "
        f"${three.own_cost_usd.sum():,.2f}"
    )
    return said, gap <= bound + 1e-3


def _alone(study: Study) -> tuple[str, bool | None]:
    if Case.NO_SHARING not in study.cases:
        return study.left_out["Case 1"], None
    one, three = (study.cases[case].result for case in (Case.NO_SHARING, Case.SHARING))
    if not (one.settled and three.settled):
        return "one of the two did not settle", None
    if not three.graph.links:
        return "nobody is linked to anybody", None
    more = one.own_cost_usd.sum() - three.own_cost_usd.sum()
    within = cost_accuracy_usd(study.scenario, one) + cost_accuracy_usd(study.scenario, three)
    share, at_most = (usd / abs(three.own_cost_usd.sum()) for usd in (more, abs(more) + within))
    if abs(more) <= within:
        said = f"no difference: ${abs(more):.1e}, and the certificates tell costs to ${within:.1e} only"
        return said, None if at_most >= _TENTH[0] else False
    return f"{dollars(more, within)} or {share:+.1%} of the total of Case 3", bool(_TENTH[0] <= share <= _TENTH[1])


def _payments(study: Study) -> tuple[str, bool | None]:
    total = study.result.payment_usd.sum()
    return f"they sum to ${abs(total):.1e}", bool(abs(total) < 0.005)


def _alpha(study: Study) -> tuple[str, bool | None]:
    if len(study.alphas) < len(ALPHA_SCALES):
        return "; ".join(study.left_out.values()), None
    needed = {scale: _iterations(traced) for scale, traced in study.alphas.items()}
    said = ", ".join(f"{scale:g} alpha: {count or 'never'}" for scale, count in needed.items())
    counts = [count or np.inf for count in needed.values()]
    falling = all(later <= earlier for earlier, later in pairwise(counts))
    return f"iterations to an outer error of {_REST:g}: {said}", bool(falling and counts[-1] < np.inf)


def _iterations(traced: Traced) -> int | None:
    """Iterations until the outer error stays below `_REST`, or the run has settled; None if neither."""
    errors = traced.outer_error
    above = np.flatnonzero(errors >= _REST)
    rests = int(above[-1]) + 2 if above.size else 1
    if rests <= errors.size:
        return rests
    return traced.result.outer_iterations if traced.result.settled else None
