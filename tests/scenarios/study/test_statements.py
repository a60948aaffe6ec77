"""Each statement of the paper with findings that are made up, so that it holds, fails, makes no difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridbazaar.market import Case, Outcome, Result
from gridbazaar.scenarios.runs.accuracy import cost_within_usd
from gridbazaar.scenarios.study.findings import Study, Traced
from gridbazaar.scenarios.study.statements import statements
from gridbazaar.scenarios.study.verdicts import Verdict

OUTER, ROUNDS, COST, PV, WIND, ARBITRAGE, BUYER, CENTRAL, ALONE, PAYMENTS, ALPHA = range(11)
SUN = np.where((np.arange(24) >= 6) & (np.arange(24) < 18), 1.0, 0.0)


def verdict(study: Study, which: int) -> Verdict:
    return statements(study)[which].verdict


def said(study: Study, which: int) -> str:
    return statements(study)[which].ours


def with_result(study: Study, **changes: Any) -> Study:
    """The study with other results of the base run."""
    return replace(study, base=replace(study.base, result=replace(study.result, **changes)))


def with_plain(study: Study, scale: float = 1.0, **changes: Any) -> Study:
    """The study with another run of the paper's fixed point."""
    return replace(study, plain={**study.plain, scale: replace(study.plain[scale], **changes)})


def trading(study: Study, by_link: dict[tuple[str, str], np.ndarray]) -> Study:
    """The study in which a buys from b so much."""
    links = [(link.a, link.b) for link in study.result.graph.links]
    trade = np.zeros_like(study.result.trade_kw)
    for pair, kw in by_link.items():
        trade[links.index(pair)] = kw
    return with_result(study, trade_kw=trade)


def unsettled(result: Result) -> Result:
    ending = replace(result.ending, outcome=Outcome.ITERATION_LIMIT)
    certificate = replace(result.certificate, dso_regret_usd=1e3)
    return replace(result, ending=ending, certificate=certificate)


def test_every_statement_of_the_paper_holds_on_ieee33(paper: Study) -> None:
    assert paper.left_out == {}
    assert {one.paper: one.verdict for one in statements(paper) if one.verdict is not Verdict.HOLDS} == {}


def test_the_numbers_are_those_of_the_independent_solution(paper: Study) -> None:
    # from the joint SOCP and the central lower layer, solved apart: scenarios/ieee33/README.md
    assert "plain: 1 alpha 11, 1.5 alpha 7, 2 alpha 6 (newton: 1 alpha 3, 1.5 alpha 3, 2 alpha 3)" in said(paper, ALPHA)
    assert said(paper, ALONE) == "$68 or 10.0 % of the total of Case 3"
    known = cost_within_usd(paper.scenario, paper.cases[Case.SHARING])
    assert known < 2.0
    assert paper.cases[Case.SHARING].dso_cost_usd == pytest.approx(15_614.36, abs=known)


def test_algorithm_2_converges_or_not(paper: Study) -> None:
    errors = np.full(12, 1e-3)
    regret, allowed = np.full(12, 1e-9), np.full(12, 1e-3)
    fine = with_plain(paper, outer_error=errors, regret_usd=regret, allowed_usd=allowed)
    assert verdict(fine, OUTER) is Verdict.HOLDS
    assert verdict(with_plain(fine, outer_error=errors * 100), OUTER) is Verdict.FAILS
    assert verdict(with_plain(fine, regret_usd=regret + 1), OUTER) is Verdict.FAILS
    assert "never certified within tolerance in 12 iterations" in said(with_plain(fine, regret_usd=regret + 1), OUTER)
    late = np.append(np.ones(20), 1e-9)  # within tolerance in iteration 21, the paper's limit is 20
    assert verdict(with_plain(fine, regret_usd=late, allowed_usd=np.full(21, 1e-3)), OUTER) is Verdict.FAILS
    assert verdict(with_plain(fine, outer_error=np.zeros(0)), OUTER) is Verdict.FAILS
    assert said(replace(fine, plain={}), OUTER).startswith("newton: ")


def test_algorithm_1_needs_36_rounds_or_more(paper: Study) -> None:
    assert paper.cold is not None

    def cold(rounds: int, last_kw: float) -> Study:
        primal = np.append(np.ones(rounds - 1), last_kw)
        agreed = {"agreed_kw": 0.1, "agreed_usd_per_kwh": 1.0}
        return replace(paper, cold=replace(paper.cold, primal_kw=primal, dual_usd_per_kwh=primal, **agreed))

    assert verdict(cold(36, 0.05), ROUNDS) is Verdict.HOLDS
    assert verdict(cold(37, 0.05), ROUNDS) is Verdict.FAILS
    assert verdict(cold(20, 0.5), ROUNDS) is Verdict.FAILS
    assert "without agreement" in said(cold(20, 0.5), ROUNDS)
    gone = replace(paper, cold=None, left_out={"Algorithm 1 from a cold start": "it rained"})
    assert statements(gone)[ROUNDS].ours == "it rained"
    assert verdict(gone, ROUNDS) is Verdict.OPEN


def test_the_cost_settles_or_not(paper: Study) -> None:
    costs = paper.plain[1.0].dso_cost_usd
    assert verdict(with_plain(paper, dso_cost_usd=np.append(costs, 1.01 * costs[-1])), COST) is Verdict.FAILS
    assert verdict(with_plain(paper, dso_cost_usd=np.append(costs, costs[-1])), COST) is Verdict.HOLDS
    assert verdict(with_plain(paper, dso_cost_usd=costs[:1]), COST) is Verdict.OPEN


@pytest.mark.parametrize(("which", "seller", "works"), [(PV, "p1", SUN), (WIND, "p2", 1 - SUN)])
def test_day_and_night_are_compared_by_energies(paper: Study, which: int, seller: str, works: np.ndarray) -> None:
    pair = next((link.a, link.b) for link in paper.result.graph.links if seller in (link.a, link.b) and "p3" in link.b)
    buys = 1.0 if pair[0] == seller else -1.0

    def selling(kw: np.ndarray) -> Study:
        made = trading(paper, {pair: -buys * kw})
        if which == PV:  # p3, the other end, has PV as well: let it have none
            renewable = made.result.renewable_kw.copy()
            renewable[2] = 0.0
            made = with_result(made, renewable_kw=renewable)
        return made

    def sells(at_work_kw: float, otherwise_kw: float) -> Study:
        return selling(at_work_kw * works + otherwise_kw * (1 - works))

    assert verdict(sells(10, 5), which) is Verdict.HOLDS
    assert verdict(sells(5, 10), which) is Verdict.FAILS
    assert verdict(sells(-5, -10), which) is Verdict.FAILS
    assert verdict(sells(10, 9.95), which) is Verdict.SAME
    assert verdict(sells(0, 0), which) is Verdict.OPEN
    one_hour = np.arange(24) == int(np.argmin(works))  # the largest power is sold at the wrong time, in one hour
    assert verdict(selling(10 * works + 110 * one_hour), which) is Verdict.HOLDS
    assert verdict(selling(10 * works + 130 * one_hour), which) is Verdict.FAILS
    assert f"{seller} 120 kWh" in said(sells(10, 5), which)


def test_without_pv_and_wind_nothing_is_said_of_them(paper: Study) -> None:
    still = with_result(paper, renewable_kw=np.zeros_like(paper.result.renewable_kw))
    assert (verdict(still, PV), verdict(still, WIND)) == (Verdict.OPEN, Verdict.OPEN)


def test_arbitrage_is_more_than_noise(paper: Study) -> None:
    links = [(link.a, link.b) for link in paper.result.graph.links]
    kw = np.full(24, 50.0)
    through = dict.fromkeys(links, kw)
    assert verdict(trading(paper, {links[0]: kw}), ARBITRAGE) is Verdict.FAILS
    assert verdict(trading(paper, {}), ARBITRAGE) is Verdict.OPEN
    passing = {pair: kw * (1 if k == 0 else -1e-3) for k, pair in enumerate(through)}
    assert verdict(trading(paper, passing), ARBITRAGE) is Verdict.FAILS
    assert verdict(paper, ARBITRAGE) is Verdict.HOLDS


def test_the_largest_buyer_has_the_lowest_price_or_not(paper: Study) -> None:
    bid, lmp = paper.result.bid_kw, paper.result.lmp_usd_per_kwh
    assert verdict(with_result(paper, bid_kw=bid[::-1]), BUYER) is Verdict.FAILS
    assert verdict(with_result(paper, lmp_usd_per_kwh=np.tile(lmp[:1], (3, 1))), BUYER) is Verdict.SAME
    assert verdict(with_result(paper, bid_kw=np.tile(bid[:1], (3, 1))), BUYER) is Verdict.SAME
    assert verdict(with_result(paper, bid_kw=0 * bid), BUYER) is Verdict.OPEN


def test_cases_2_and_3_cost_the_same_or_not(paper: Study) -> None:
    two = paper.cases[Case.CENTRAL]

    def other(result: Result) -> Study:
        return replace(paper, cases={**paper.cases, Case.CENTRAL: result})

    worse = replace(two, utility_usd=two.utility_usd - 1.0)
    assert verdict(other(worse), CENTRAL) is Verdict.FAILS
    vague = replace(two, certificate=replace(two.certificate, dso_regret_usd=0.01 * two.dso_cost_usd))
    assert verdict(other(vague), CENTRAL) is Verdict.OPEN
    assert "too much to tell" in said(other(vague), CENTRAL)
    assert verdict(other(unsettled(two)), CENTRAL) is Verdict.OPEN
    local = replace(two.certificate, physics=replace(two.certificate.physics, local="2 of 24 periods"))
    assert verdict(other(replace(two, certificate=local)), CENTRAL) is Verdict.OPEN
    missing = replace(paper, cases={Case.SHARING: paper.cases[Case.SHARING]}, left_out={"Case 2": "no planner"})
    assert (said(missing, CENTRAL), verdict(missing, CENTRAL)) == ("no planner", Verdict.OPEN)


def test_going_alone_costs_a_tenth_more_or_not(paper: Study) -> None:
    """A certificate bounds the welfare; costs, which change in first order, are known far less closely."""
    three = paper.cases[Case.SHARING]
    cost = three.prosumer_cost_usd
    within = cost_within_usd(paper.scenario, three)
    assert three.certificate.total_usd < within < 0.01 * abs(cost.sum())

    def alone(more_usd: float) -> Study:
        one = replace(three, prosumer_cost_usd=cost + more_usd / cost.size)
        return replace(paper, cases={**paper.cases, Case.NO_SHARING: one})

    total = abs(three.own_cost_usd.sum())
    assert verdict(alone(0.1 * total), ALONE) is Verdict.HOLDS
    assert verdict(alone(0.3 * total), ALONE) is Verdict.FAILS
    assert verdict(alone(-0.1 * total), ALONE) is Verdict.FAILS
    assert verdict(alone(1.5 * within), ALONE) is Verdict.SAME
    sentence = f"no difference: ${1.5 * within:.1e}, and the certificates tell costs to ${2 * within:.1e} only"
    assert said(alone(1.5 * within), ALONE) == sentence
    assert verdict(alone(0.05 * total + within), ALONE) is Verdict.OPEN  # 5 % more or less than within


def test_payments_cancel_only_if_the_prosumers_agree(paper: Study) -> None:
    def planned(*usd: float) -> Study:
        return replace(paper, base=replace(paper.base, planned_payment_usd=np.array(usd)))

    assert verdict(planned(-500.0, -500.0, 1000.5), PAYMENTS) is Verdict.HOLDS
    assert verdict(planned(-500.0, -500.0, 1010.0), PAYMENTS) is Verdict.FAILS
    assert verdict(planned(0.0, 0.0, 0.0), PAYMENTS) is Verdict.OPEN


def test_planned_payments_do_not_cancel_while_partners_disagree(paper: Study) -> None:
    """Held against the prices and offers of the one round that a market was given."""
    import gridbazaar.scenarios as gb
    from gridbazaar.scenarios.study.tracing import trace

    market = gb.load("ieee33").market()
    found = trace(market, market.settings, most_rounds=1)
    platform, graph, by_hand = market.platform, market.graph, np.zeros(3)
    for k, link in enumerate(graph.links):
        for name, arc in ((link.a, graph.forward[k]), (link.b, graph.backward[k])):
            by_hand[graph.names.index(name)] += float(platform.price_usd_per_kwh[k] @ platform.power_kw[arc])
    np.testing.assert_allclose(found.planned_payment_usd, by_hand)
    assert found.stopped == "not settled: stopped after 1 round of sharing"
    spoiled = replace(paper, base=replace(paper.base, planned_payment_usd=found.planned_payment_usd))
    assert verdict(spoiled, PAYMENTS) is Verdict.FAILS


def test_a_larger_alpha_is_faster_or_makes_no_difference(paper: Study) -> None:
    def needing(*counts: int) -> Study:
        runs: dict[float, Traced] = {}
        for (scale, run), count in zip(list(paper.alphas.items()), counts, strict=True):
            errors = np.append(np.ones(count), np.full(5, 1e-6))
            runs[scale] = replace(run, outer_error=errors)
        return replace(paper, plain={**paper.plain, **runs})

    assert verdict(needing(9, 6, 5), ALPHA) is Verdict.HOLDS
    assert verdict(needing(4, 4, 4), ALPHA) is Verdict.SAME
    assert verdict(needing(4, 5, 6), ALPHA) is Verdict.FAILS
    own = replace(paper, plain={})
    assert said(own, ALPHA).endswith("newton: 1 alpha 3, 1.5 alpha 3, 2 alpha 3")
    assert verdict(own, ALPHA) is Verdict.SAME
    stuck = replace(paper.plain[2.0], outer_error=np.ones(9), result=unsettled(paper.plain[2.0].result))
    never = replace(paper, plain={**paper.plain, 2.0: stuck})
    assert verdict(never, ALPHA) is Verdict.FAILS
    assert "2 alpha never" in said(never, ALPHA)
    gone = replace(own, alphas={1.0: paper.base}, left_out={"alpha x 2": "the feeder is too weak"})
    assert (verdict(gone, ALPHA), said(gone, ALPHA)) == (Verdict.OPEN, "a run is missing (the feeder is too weak)")
