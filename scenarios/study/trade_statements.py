"""What the paper says of who buys from whom, and when: energies over hours, not single hours."""

import numpy as np

from ...market.result import Result
from ...network.arrays import BoolArray, FloatArray, IntArray
from ..runs.amounts import dollars, energy
from .findings import Study
from .verdicts import Verdict, at_most, more_than

Found = tuple[str, Verdict]

_SAME = 0.01
"""Energies that differ by less than this fraction of the larger are the same."""
_SAME_PRICE = 1e-3  # likewise mean LMPs, of the lowest
_PASSED = 0.01
"""It is arbitrage where more than this fraction of what a prosumer trades is bought and sold in the same hours."""
_EVEN = 1e-3
"""Payments sum to zero where what is left over is at most this fraction of what is paid."""
_COMPONENTS = ("energy", "loss", "voltage", "congestion")
_FEW = 4  # so many prosumers are named


def linked_to_nobody(study: Study) -> Found:
    """What there is to say where there are no links."""
    del study
    return "nobody is linked to anybody", Verdict.OPEN


def pv(study: Study) -> Found:
    """Whether those with PV sell more in daylight than at night, on the whole, net of what they buy."""
    sun = _sunny(study.result)
    if sun is None:
        return "nobody here has PV (renewables that vanish in some hours) and a link", Verdict.OPEN
    return _sales(study.result, sun[0], sun[1], ("by day", "by night"))


def wind(study: Study) -> Found:
    """Whether those with wind sell more at night than in daylight, on the whole, net of what they buy."""
    result, sun = study.result, _sunny(study.result)
    blown = np.flatnonzero((result.renewable_kw > 0).all(axis=1) & _linked(result))
    if not blown.size or sun is None:
        return "nobody here has wind (renewables in every hour) and a link, beside others with PV", Verdict.OPEN
    return _sales(result, blown, ~sun[1], ("by night", "by day"))


def _sunny(result: Result) -> tuple[IntArray, BoolArray] | None:
    """Who has PV (renewables, but not in every hour), and in which hours it shines; None without any."""
    has, every = result.renewable_kw.max(axis=1) > 0, (result.renewable_kw > 0).all(axis=1)
    who = np.flatnonzero(has & ~every & _linked(result))
    return (who, np.asarray((result.renewable_kw[who] > 0).any(axis=0))) if who.size else None


def _linked(result: Result) -> BoolArray:
    """Who has a partner, (prosumer,)."""
    return np.asarray(np.bincount(result.graph.owner, minlength=len(result.names)) > 0)


def _sales(result: Result, who: IntArray, then: BoolArray, words: tuple[str, str]) -> Found:
    """Whether these sell more energy, net of what they buy from partners, in some hours than in all others."""
    sold = -result.dt_h * result.net_trade_kw[who]
    at_work, otherwise = sold[:, then].sum(axis=1), sold[:, ~then].sum(axis=1)
    parts = [
        f"{result.names[i]} {energy(one)} kWh {words[0]} and {energy(other)} kWh {words[1]}"
        for i, one, other in zip(who[:_FEW], at_work, otherwise, strict=False)
    ]
    if np.abs(sold).sum() <= _noise_kwh(result):
        return "they trade nothing", Verdict.OPEN
    one, other = float(at_work.sum()), float(otherwise.sum())
    together = f"; together {energy(one)} and {energy(other)} kWh" if who.size > 1 else ""
    verdict = more_than(one, other, max(_SAME * max(abs(one), abs(other)), _noise_kwh(result)))
    if verdict is Verdict.HOLDS and one <= 0:
        verdict = Verdict.FAILS  # they buy less then, but sell nothing
    return f"sold to partners less bought from them: {', '.join(parts)}{together}", verdict


def _noise_kwh(result: Result) -> float:
    """Energy that counts as none: a millionth of what all use."""
    return 1e-6 * result.dt_h * float((result.fixed_kw + np.abs(result.elastic_kw)).sum())


def arbitrage(study: Study) -> Found:
    """Whether somebody buys and sells in the same hours."""
    result = study.result
    if max(np.bincount(result.graph.owner, minlength=1)) < 2:
        return "nobody here has two partners", Verdict.OPEN
    traded = result.dt_h * (result.bought_kw + result.sold_kw).sum(axis=1)
    if traded.sum() <= _noise_kwh(result):
        return "nobody trades", Verdict.OPEN
    passed = result.dt_h * np.minimum(result.bought_kw, result.sold_kw).sum(axis=1)
    share = 2 * passed / np.maximum(traded, _noise_kwh(result))
    order = np.argsort(-passed, kind="stable")[:_FEW]
    parts = [f"{result.names[i]} {energy(passed[i])} kWh ({share[i]:.0%} of its trade)" for i in order if passed[i] > 0]
    said = f"passed on by {', '.join(parts)}" if parts else "nobody passes energy on"
    return said, Verdict.HOLDS if share.max() > _PASSED else Verdict.FAILS


def largest_buyer(study: Study) -> Found:
    """Whether who buys most from the DN has the lowest LMP."""
    result = study.result
    if len(result.names) < 2:
        return "there is one prosumer only", Verdict.OPEN
    bought, price = result.dt_h * result.bid_kw.sum(axis=1), result.lmp_usd_per_kwh.mean(axis=1)
    most, second = (int(i) for i in np.argsort(-bought, kind="stable")[:2])
    if bought[most] <= _noise_kwh(result):
        return "nobody buys from the DN on the whole", Verdict.OPEN
    if bought[most] - bought[second] <= _SAME * bought[most]:
        said = f"{result.names[most]} and {result.names[second]} buy the same, {energy(bought[most])} kWh"
        return said, Verdict.SAME
    others = np.delete(price, most)
    said = (
        f"{result.names[most]} buys {energy(bought[most])} kWh at a mean LMP of {price[most]:.4f} $/kWh; the lowest "
        f"of all others is {others.min():.4f} $/kWh ({_parts(result, most, int(np.argmax(price)))})"
    )
    return said, more_than(float(others.min()), float(price[most]), _SAME_PRICE * abs(float(price.min())))


def _parts(result: Result, one: int, dear: int) -> str:
    """What the mean LMPs of a prosumer and of the dearest are made of."""
    components, feeder = result.dispatch.components, result.feeder
    at, other = (feeder.index(result.prosumer_buses[i]) for i in (one, dear))
    if one == dear:
        told = (f"{name} {getattr(components, name)[at].mean() + 0.0:.4f}" for name in _COMPONENTS)
        return f"it is the dearest: {', '.join(told)}"
    told = (
        f"{name} {getattr(components, name)[at].mean():.4f} and {getattr(components, name)[other].mean():.4f}"
        for name in _COMPONENTS
    )
    return f"{result.names[one]} and {result.names[dear]}, the dearest: {', '.join(told)}"


def payments(study: Study) -> Found:
    """Whether payments cancel as each prosumer plans them: its own last offers at the last prices of Algorithm 1.

    Delivered trades are evened out by the platform, so that their payments cancel whatever happened; what the agents
    themselves plan cancels only if Algorithm 1 has made them agree.
    """
    if not study.result.graph.links:
        return linked_to_nobody(study)
    planned: FloatArray = study.base.planned_payment_usd
    paid, left = float(np.abs(planned).sum()) / 2, abs(float(planned.sum()))
    if paid <= max(study.result.certificate.total_usd, 0.0):
        return f"next to nothing is paid ({dollars(paid)})", Verdict.OPEN
    said = (
        f"by the last offers of the prosumers themselves, {dollars(left)} of {dollars(paid)} is left over; what is "
        f"delivered sums to {dollars(abs(float(study.result.payment_usd.sum())))}"
    )
    return said, at_most(left, _EVEN * paid)
