"""Why power costs what it does somewhere: the marginal source and the limits that bind, in words with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...network.dispatch import Dispatch
from ...network.feeder import Feeder
from ...network.flows import Flows
from .errors import SessionError
from .views import cleared, hour, household

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket

_SEEN = 5e-5
"""$/kWh: a part of a price below this is not spoken of."""
_AT = 1e-4
"""A limit binds within this part of it; voltages within a tenth of this, pu."""
_SHOWN = 3
_NO_LIMIT = "no limit binds, but a kWh more lowers voltages, and lower voltages cost losses"


def why(market: EnergyMarket, place: str, period: int) -> str:
    """Why power costs what it does at a prosumer, a link, or a bus, see `Session.why`."""
    graph = market.graph
    links = {link.name: k for k, link in enumerate(graph.links)}
    when = hour(market, period)
    dispatch, feeder, t = cleared(market), market.operator.clearing.feeder, period - 1
    if place in links:
        return _of_link(market, links[place], t, when)
    name = place.removeprefix("bus ")
    if place in graph.names:
        n = int(market.operator.connection[graph.names.index(place)])
        return f"{place} is at bus {feeder.names[n]}. {_of_bus(feeder, dispatch, n, t, when)}"
    if name in feeder.names:
        return _of_bus(feeder, dispatch, feeder.index(name), t, when)
    raise SessionError(f"there is no {place}; name a prosumer, a link (p1-p2), or a bus")


def _of_bus(feeder: Feeder, dispatch: Dispatch, n: int, t: int, when: str) -> str:
    """The LMP of a bus by its parts, with what makes each."""
    parts = dispatch.components
    lmp = dispatch.lmp_usd_per_kwh[n, t]
    sentences = [f"The LMP at bus {feeder.names[n]} in {when} is {_price(lmp)}."]
    sentences.append(f"Energy {_price(parts.energy[n, t])}: {_marginal(feeder, dispatch, t)}.")
    if abs(parts.loss[n, t]) > _SEEN:
        more = "more" if parts.loss[n, t] * parts.energy[n, t] > 0 else "less"
        share = abs(parts.loss[n, t] / parts.energy[n, t]) if parts.energy[n, t] else np.nan
        sentences.append(
            f"Losses {_price(parts.loss[n, t])}: a kWh more there makes the lines lose {share:.1%} of a kWh {more}."
            if np.isfinite(share)
            else f"Losses {_price(parts.loss[n, t])}."
        )
    if abs(parts.voltage[n, t]) > _SEEN:
        at = _voltages_at_limits(feeder, dispatch, t)
        sentences.append(f"Voltage {_price(parts.voltage[n, t])}: {at or _NO_LIMIT}.")
    if abs(parts.congestion[n, t]) > _SEEN:
        at = _full_lines(feeder, dispatch, t)
        sentences.append(f"Congestion {_price(parts.congestion[n, t])}: {at or 'a line is nearly full'}.")
    if t in dispatch.short_periods:
        sentences.append(
            f"The feeder is short in this period; a kWh that is missing counts as "
            f"{_price(dispatch.value_of_lost_load_usd_per_kwh)}."
        )
    if len(sentences) == 2:
        sentences.append("No limit of the feeder binds on the way, and losses are next to nothing.")
    return " ".join(sentences)


def _marginal(feeder: Feeder, dispatch: Dispatch, t: int) -> str:
    """Which generators would give the next kWh."""
    said = []
    bounds = dispatch.p_gen_kw[:, t], dispatch.p_gen_min_kw[:, t], dispatch.p_gen_max_kw[:, t]
    for g, power, least, most in zip(feeder.generators, *bounds, strict=True):
        room = _AT * max(most - least, dispatch.negligible_kw)
        if least + room < power < most - room:
            cost = 2 * g.a_usd_per_kw2h * power + g.b_usd_per_kwh
            said.append(f"{g.name} (at {power:,.1f} of {most:,.0f} kW a kWh more costs {_price(cost)})")
    if not said:
        return "all generators are at a limit, so that load or bids decide"
    rest = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return f"the next kWh comes from {', '.join(said[:_SHOWN])}{rest}"


def _voltages_at_limits(feeder: Feeder, dispatch: Dispatch, t: int) -> str:
    said = []
    for bus, v in zip(feeder.buses, dispatch.v_pu[:, t], strict=True):
        for limit, word in ((bus.v_min_pu, "lower"), (bus.v_max_pu, "upper")):
            if abs(v - limit) < _AT / 10:
                said.append(f"bus {bus.name} is at its {word} limit of {limit:g} pu")
    return "; ".join(said[:_SHOWN])


def _full_lines(feeder: Feeder, dispatch: Dispatch, t: int) -> str:
    loading = Flows.of(feeder, dispatch).loading[:, t]
    full = [int(n) for n in np.argsort(-np.nan_to_num(loading)) if loading[n] > 1 - 100 * _AT]
    return "; ".join(
        f"line {feeder.lines[n - 1].name} is {loading[n]:.1%} loaded, with {abs(dispatch.p_flow_kw[n, t]):,.1f} kW"
        for n in full[:_SHOWN]
    )


def _of_link(market: EnergyMarket, k: int, t: int, when: str) -> str:
    """The price of a link: what a kWh is worth at both ends, and whether the cap stands between."""
    graph, link = market.graph, market.graph.links[k]
    result = market.result()
    price, trade = result.price_usd_per_kwh[k, t], result.trade_kw[k, t]
    buyer, seller = (link.a, link.b) if trade >= 0 else (link.b, link.a)
    kw = abs(trade)
    traded = f"{buyer} buys {kw:,.2f} kW of {seller}" if kw > 1e-3 else f"{link.a} and {link.b} trade nothing"
    sentences = [f"The price of {link.name} in {when} is {_price(price)}: {traded}."]
    if kw > (1 - _AT) * link.cap_kw:
        sentences.append(
            f"The link is full ({link.cap_kw:g} kW), so that a kWh may be worth more to {buyer} than to {seller}."
        )
    charge = abs(result.network_charge_usd_per_kwh[k, t])
    if charge > _SEEN:
        sentences.append(
            f"The network charges {_price(charge)} for it, half from each end: the difference of their LMPs."
        )
    sentences += [_worth(market, graph.names.index(end), t) for end in (buyer, seller)]
    return " ".join(sentences)


def _worth(market: EnergyMarket, n: int, t: int) -> str:
    """What a kWh more is worth to a prosumer, and by what."""
    result, home = market.result(), household(market, market.graph.names[n])
    if home.name in market.proof.conduct.behaving:
        return f"{home.name} acts on a behaviour of its own: a kWh is worth to it what it declares and believes."
    bid, elastic, curtailed = result.bid_kw[n, t], result.elastic_kw[n, t], result.curtailed_kw[n, t]
    lmp = result.lmp_usd_per_kwh[n, t]
    if curtailed > 1e-3:
        return f"{home.name} curtails {curtailed:,.1f} kW, so that a kWh more is worth nothing to it."
    if bid > 1e-3 and bid < home.bid_max_kw[t] * (1 - _AT):
        fee = home.grid_fee_usd_per_kwh
        beside = f" and a fee of {_price(fee)}" if fee else ""
        return (
            f"{home.name} orders {bid:,.1f} kW from the DSO at its LMP of {_price(lmp)}{beside}, which a kWh saves it."
        )
    if bid < -1e-3:
        return (
            f"{home.name} sells {-bid:,.1f} kW to the DSO at its LMP of {_price(lmp)}, which is what a kWh brings it."
        )
    low, high = home.elastic_min_kw[t], home.elastic_max_kw[t]
    worth = home.beta_usd_per_kwh - 2 * home.alpha_usd_per_kw2h * elastic
    room = _AT * max(high - low, 1e-3)
    if low + room < elastic < high - room:
        return f"{home.name} consumes {elastic:,.1f} kW of elastic load, to which a kWh more is worth {_price(worth)}."
    end = "least" if elastic <= low + room else "most"
    return (
        f"{home.name} consumes its {end} elastic load ({elastic:,.1f} kW, where a kWh is worth {_price(worth)}) and "
        f"orders nothing from the DSO at {_price(lmp)}, so that its partners decide."
    )


def _price(usd_per_kwh: float) -> str:
    sign = "-" if usd_per_kwh < 0 else ""
    return f"{sign}${abs(usd_per_kwh):.4f}/kWh"
