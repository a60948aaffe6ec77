"""The tables of the report: what stands in the CSV files and, number for number, in the page."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from ...market.result import Result
from ...market.settings import Case
from ...network.arrays import FloatArray
from ..runs.accuracy import cost_within_usd
from ..runs.who_saw_what import across
from .accuracy import known
from .findings import FLAT_SCALE, Study, Traced
from .statements import statements


def tables(study: Study) -> Mapping[str, pd.DataFrame]:
    """All tables by the name of their CSV file, rounded as they are shown."""
    return {
        "table1_prosumers": _prosumers(study),
        "table1_generators": _generators(study),
        "table1_market": _market(study),
        "table2_costs": _costs(study),
        "statements": _statements(study),
        "network_use": _network_use(study),
        **({"criterion": _criterion(study), "criterion_by_hour": _criterion_by_hour(study)} if study.slopes else {}),
        "who_saw_what": across(study.messages).reset_index(names="sender"),
        "messages": study.messages,
        "open_questions": _open_questions(study),
        "seconds": pd.DataFrame({"part": study.seconds.keys(), "seconds": study.seconds.values()}).round(2),
    }


def _prosumers(study: Study) -> pd.DataFrame:
    rows = [{"prosumer": name, **row.model_dump()} for name, row in study.scenario.prosumers.items()]
    return pd.DataFrame(rows)


def _generators(study: Study) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"generator": name, **row.model_dump(exclude={"in_service"})}
            for name, row in study.scenario.feeder.generators.items()
        ]
    )


def _market(study: Study) -> pd.DataFrame:
    scenario, feeder = study.scenario, study.result.feeder
    links = ", ".join(f"{row.a}-{row.b} {row.cap_kw:g} kW" for row in list(scenario.links.values())[:12])
    facts = {
        "buses, lines, generators": f"{len(feeder.buses)}, {len(feeder.lines)}, {len(feeder.generators)}",
        "base voltage, kV": f"{feeder.base_kv:g}",
        "root and its voltage, pu": f"{feeder.root}, {feeder.root_voltage_pu:g}",
        "voltage limits, pu": f"{feeder.v_min_pu.min():g} to {feeder.v_max_pu.max():g}",
        "periods": scenario.periods_said,
        "links": links + (" ..." if len(scenario.links) > 12 else ""),
        **{key: str(value) for key, value in scenario.settings.model_dump(mode="json").items()},
    }
    return pd.DataFrame({"what": facts.keys(), "value": facts.values()})


def _costs(study: Study) -> pd.DataFrame:
    """Table 2: costs (11) by prosumer and in total, payments apart, and by how much Cases 1 and 2 differ from Case 3.

    Differences are in $: costs of single prosumers are near zero or below, and a percentage of that says nothing. The
    total has both. No number has digits below what its certificates leave open (`cost_within_usd`).
    """
    missing = np.full(len(study.result.names) + 1, np.nan)
    costs = {case: _with_total(study.cases[case], "own_cost_usd") if case in study.cases else missing for case in Case}
    within = {case: cost_within_usd(study.scenario, found) for case, found in study.cases.items()}
    payments, own = _with_total(study.cases[Case.SHARING], "payment_usd"), within[Case.SHARING]
    paid = costs[Case.SHARING] + payments
    columns = {f"case {case.value} cost $": _known(costs[case], within.get(case, 0.0)) for case in Case}
    columns |= {"case 3 payments $": _known(payments, own), "case 3 cost and payments $": _known(paid, own)}
    shares: dict[str, list[str]] = {}
    for case, basis, words in (
        (Case.NO_SHARING, paid, "case 1 less case 3 with payments"),
        (Case.CENTRAL, costs[Case.SHARING], "case 2 less case 3 before payments"),
    ):
        less, apart = costs[case] - basis, within.get(case, 0.0) + own
        columns[f"{words} $"] = _known(less, apart)
        size = abs(basis[-1])
        share = known(100 * less[-1] / size, 100 * apart / size) if size > apart else ""
        shares[f"{words}, % of the total"] = [*[""] * len(study.result.names), share]
    return pd.DataFrame({"prosumer": [*study.result.names, "total"], **columns, **shares})


def _known(values: FloatArray, within: float) -> list[str]:
    return [known(float(value), within) for value in values]


def _with_total(result: Result, key: str) -> FloatArray:
    values = getattr(result, key)
    return np.append(values, values.sum())


def _statements(study: Study) -> pd.DataFrame:
    rows = [{"the paper": s.paper, "this study": s.ours, "verdict": s.verdict.value} for s in statements(study)]
    return pd.DataFrame(rows)


def _criterion(study: Study) -> pd.DataFrame:
    """What (28) and its matrix version predict, beside what happens."""
    rows = []
    for found in study.slopes:
        for label, value, happens in (
            ("(28), one bid moves", found.tried_ratio, found.alone_converges),
            ("spectral radius, all bids of an hour move", found.radius[found.tried], found.all_converge),
        ):
            predicted = value < 1
            rows.append(
                {
                    "alpha x": found.alpha_scale / study.scenario.alpha_scale,
                    "criterion": label,
                    "cases": predicted.size,
                    "predicted to converge": int(predicted.sum()),
                    "converge": int(happens.sum()),
                    "predicted right": int((predicted == happens).sum()),
                    "largest value": round(float(value.max()), 2),
                }
            )
    return pd.DataFrame(rows)


def _criterion_by_hour(study: Study) -> pd.DataFrame:
    """The same by prosumer and period, for all of which it was tried what happens."""
    frames, calendar = [], study.scenario.calendar
    for found in study.slopes:
        for k, i in enumerate(found.movers):
            columns = {
                "alpha x": found.alpha_scale / study.scenario.alpha_scale,
                "prosumer": study.result.names[i],
                "period": found.tried + 1,
                **({"time": [calendar.at(int(t)).isoformat() for t in found.tried]} if calendar else {}),
                "dLMP/dbid $/kWh/kW": found.lmp_per_bid[found.tried, i, i].round(8),
                "ratio (28)": found.tried_ratio[k].round(3),
                "converges alone": found.alone_converges[k],
                "spectral radius": found.radius[found.tried].round(3),
                "all converge": found.all_converge,
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _network_use(study: Study) -> pd.DataFrame:
    """The market when trades are contracts that load no wire, as in the paper, and when the DSO clears for them."""
    found = {use: run.result for use, run in study.wires.items()}
    within = partial(cost_within_usd, study.scenario)
    rows: list[tuple[str, Callable[[Result], str]]] = [
        ("outcome", lambda r: r.message),
        ("DSO cost $", lambda r: known(r.dso_cost_usd, within(r))),
        ("utility $", lambda r: known(float(r.utility_usd.sum()), within(r))),
        ("welfare $", lambda r: known(r.welfare_usd, within(r) if r.certificate.charged else r.certificate.total_usd)),
        ("traded kWh", lambda r: f"{r.dt_h * float(np.abs(r.trade_kw).sum()):.0f}"),
        ("network's charge for trades $", lambda r: known(float(r.network_charge_usd.sum()), within(r))),
        ("losses kWh, as cleared", lambda r: f"{r.dispatch.losses_kwh:.1f}"),
        ("losses kWh, with trades", lambda r: f"{r.dt_h * float(r.with_trades.loss_kw.sum()):.1f}"),
        ("lowest voltage pu, as cleared", lambda r: f"{r.dispatch.voltage_min_pu:.4f}"),
        ("lowest voltage pu, with trades", lambda r: f"{float(r.with_trades.v_pu.min()):.4f}"),
        ("limits broken with trades", lambda r: "; ".join(map(str, r.breaches[:3])) or "none"),
    ]
    cells = {f"the network carries {use}": [said(result) for _, said in rows] for use, result in found.items()}
    return pd.DataFrame({"what": [what for what, _ in rows], **cells})


def _open_questions(study: Study) -> pd.DataFrame:
    """What the paper leaves open, with the experiment that shows each."""
    gone = "could not be run: see what is left out"
    flat = study.plain.get(FLAT_SCALE)
    steep = study.plain.get(1.0)
    cycle = f"{_cycle(flat)}; {flat.message}" if flat else f"as it is: {steep.message}" if steep else gone
    rows = (
        (
            "Do all prosumers answering at once (plain Jacobi) converge?",
            study.simultaneous.message if study.simultaneous else gone,
        ),
        ("Does the fixed point of Algorithm 2 always converge?", cycle),
        ("Are bids and trades unique?", _unique(study.result, study.sequential.result) if study.sequential else gone),
    )
    return pd.DataFrame(rows, columns=["question", "what the experiment shows"])


def _unique(one: Result, other: Result) -> str:
    """How far apart two ways to the same equilibrium end."""
    if not (one.settled and other.settled):
        return "one of the two runs that are compared did not settle"
    differ = {
        key: float(np.abs(getattr(one, key) - getattr(other, key)).max(initial=0.0))
        for key in ("bid_kw", "trade_kw", "elastic_kw", "lmp_usd_per_kwh")
    }
    return (
        f"the orders proximal_jacobi and gauss_seidel settle on bids up to {differ['bid_kw']:.3g} kW and trades up to "
        f"{differ['trade_kw']:.3g} kW apart, elastic loads {differ['elastic_kw']:.2g} kW, LMPs "
        f"{differ['lmp_usd_per_kwh']:.1e} $/kWh and DSO costs ${abs(one.dso_cost_usd - other.dso_cost_usd):.2g}"
    )


def _cycle(flat: Traced) -> str:
    """How far the last bids of the flat run are from those one and two iterations before."""
    bids = flat.bid_kw
    if len(bids) < 3:
        return "with flat demand the run ended at once"
    size = max(float(np.linalg.norm(bids[-1])), 1e-9)
    one, two = (float(np.linalg.norm(bids[-1] - bids[-1 - k])) / size for k in (1, 2))
    return (
        f"with flat demand the last bids are {one:.1%} away from those before them and {two:.1%} from those two before"
    )
