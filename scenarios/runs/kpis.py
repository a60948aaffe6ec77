"""Key performance indicators of a run: what each means, and how it is computed from its result.

Self-consumption and self-sufficiency are those of Luthander, Widén, Nilsson, Palm, "Photovoltaic self-consumption in
buildings: a review", Applied Energy 142, 2015, pp. 80-94: of what renewables could give, and of what is consumed, the
part that meets the other, period by period. The boundary is drawn around the prosumers: what one of them sells to
another is used inside, and what is curtailed counts as unused. Devices are inside, too. A device that takes
more than it gives over the run has consumed the difference: a load all that it takes, a store its losses and what it
holds more at the end. What is bought to be stored counts as bought: energy of the grid does not become one's own in a
store. A device that gives more than it takes, as an engine does, has generated the difference: that is one's own, and
makes no load smaller. Fairness is the index of Jain, Chiu, Hawe, "A quantitative measure of fairness and discrimination
for resource allocation", DEC-TR-301, 1984.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...market.result import Result
from ...network.arrays import FloatArray
from ...network.flows import Flows
from .device_kpis import injection_kw
from .json_values import by_name, number

_ROUNDING = 1e-6


def indicators(result: Result) -> dict[str, Any]:
    """All that a run alone can tell, ready for JSON; None where it does not apply, such as a share of nothing."""
    cleared, with_trades = Flows.of(result.feeder, result.dispatch), result.with_trades
    return {
        "self_consumption": self_consumption(result),
        "self_sufficiency": self_sufficiency(result),
        "self_consumption_by_prosumer": by_name(result.names, self_consumption_by_prosumer(result)),
        "self_sufficiency_by_prosumer": by_name(result.names, self_sufficiency_by_prosumer(result)),
        "total_usd_by_prosumer": by_name(result.names, total_usd(result)),
        "rounds": int(sum(result.sharing_rounds)),
        "traded_kwh": number(result.dt_h * float(np.abs(result.trade_kw).sum())),
        "peak_withdrawal_kw": number(peak_withdrawal_kw(result)),
        "peak_root_kw": number(peak_root_kw(result)),
        "curtailed_by_prosumers_kwh": number(curtailed_by_prosumers_kwh(result)),
        "curtailed_by_dso_kwh": number(curtailed_by_dso_kwh(result)),
        "line_loading_max_percent": _highest_percent(cleared.loading),
        "line_loading_max_with_trades_percent": _highest_percent(with_trades.loading),
    }


def self_consumption(result: Result) -> float | None:
    """The part of what their renewables could give that prosumers use among themselves, 0 to 1; None without any.

    1 - (curtailed + fed into the network by all together) / available, in kWh over the run.
    """
    fed_in = np.maximum(-result.bid_kw.sum(axis=0), 0.0).sum()
    return _share(result.renewable_kw.sum() - result.curtailed_kw.sum() - fed_in, result.renewable_kw.sum())


def self_sufficiency(result: Result) -> float | None:
    """The part of what prosumers consume that all of them together do without the DSO, 0 to 1; None without a load.

    1 - bought from the DSO by all together / (fixed and elastic loads, and what each device takes more than it gives),
    in kWh over the run.
    """
    consumed = _consumed_kw(result).sum()
    return _share(consumed - np.maximum(result.bid_kw.sum(axis=0), 0.0).sum(), consumed)


def self_consumption_by_prosumer(result: Result) -> FloatArray:
    """The part of what its own renewables could give that each uses or sells to partners, (prosumer,); nan without any.

    1 - (curtailed + fed in of its own) / available. What it feeds in beyond its own power and that of its devices it
    has bought from partners: that is no renewable energy of its own, and is left out.
    """
    own = result.renewable_kw - result.curtailed_kw
    fed_in = np.clip(-result.bid_kw, 0.0, np.maximum(own + injection_kw(result), 0.0))
    return _shares((own - fed_in).sum(axis=1), result.renewable_kw.sum(axis=1))


def self_sufficiency_by_prosumer(result: Result) -> FloatArray:
    """The part of what each consumes that it does not buy from the DSO, (prosumer,); nan without a load.

    What it buys from the DSO beyond what its loads and devices need in a period goes to partners and is left out.
    """
    needed_kw = result.fixed_kw + result.elastic_kw - injection_kw(result)
    bought, consumed = np.clip(result.bid_kw, 0.0, np.maximum(needed_kw, 0.0)).sum(axis=1), _consumed_kw(result)
    return _shares(consumed - bought, consumed)


def total_usd(result: Result) -> FloatArray:
    """What it all comes to for each: its cost (11), what its trades are charged and cost it, (prosumer,) in $.

    The utility of its elastic load counts against what it pays, so that this is below 0 for most.
    """
    return result.own_cost_usd + result.payment_usd


def peak_withdrawal_kw(result: Result) -> float:
    """The most that all prosumers together take from the network in a period, kW; below 0 if they always feed in."""
    return float(result.withdrawal_kw.sum(axis=0).max())


def peak_root_kw(result: Result) -> float:
    """The most that the feeder takes at its root in a period, kW."""
    at_root = result.feeder.generator_bus == 0
    return float(result.dispatch.p_gen_kw[at_root].sum(axis=0).max())


def curtailed_by_prosumers_kwh(result: Result) -> float:
    """What prosumers leave of their renewables, kWh; less than a millionth of what there is, is rounding."""
    available, curtailed = float(result.renewable_kw.sum()), float(result.curtailed_kw.sum())
    return result.dt_h * curtailed if curtailed > _ROUNDING * available else 0.0


def curtailed_by_dso_kwh(result: Result) -> float:
    """What generators that cost nothing, or are paid for, could have fed in beside, kWh."""
    return result.dt_h * float(np.sum(np.asarray(result.columns("generators")["curtailed_kw"])))


def jain_index(savings_usd: FloatArray) -> float | None:
    """Jain's index of what each saves, (prosumer,) in $: 1 if all save the same, 1/n if one saves everything.

    (sum of x)² / (n sum of x²) of shares that are not below 0. None where somebody loses, or nobody saves anything:
    the index says nothing then.
    """
    squares = float((savings_usd**2).sum())
    if not savings_usd.size or not squares > 0 or savings_usd.min() < 0:
        return None
    return float(savings_usd.sum()) ** 2 / (savings_usd.size * squares)


def _consumed_kw(result: Result) -> FloatArray:
    """Loads, and what each device takes more than it gives, summed over the run, (prosumer,) in kW times periods."""
    consumed: FloatArray = (result.fixed_kw + result.elastic_kw).sum(axis=1)
    schedules = result.device_schedules
    kept = np.maximum((schedules.charge_kw - schedules.discharge_kw).sum(axis=1), 0.0)
    place = {name: i for i, name in enumerate(result.names)}
    for (owner, _), kw in zip(schedules.names, kept, strict=True):
        consumed[place[owner]] += kw
    return consumed


def _share(part: float, whole: float) -> float | None:
    return number(float(_shares(np.array(float(part)), np.array(float(whole)))))


def _shares(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Parts of wholes, 0 to 1 (beyond is the solver's error); nan where there is no whole."""
    return np.asarray(np.clip(np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0), 0.0, 1.0))


def _highest_percent(loading: FloatArray) -> float | None:
    """The highest loading of any rated line, in percent; None without a rating."""
    rated = loading[np.isfinite(loading)]
    return number(100 * float(rated.max())) if rated.size else None
