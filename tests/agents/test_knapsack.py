"""(20) for one prosumer in one period: the root of its balance is optimal, wherever the search starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbazaar.agents import knapsack
from gridbazaar.agents.machine_code import by_numba

NET, SUN, LOW, HIGH, BETA, SOLD, BOUGHT, BUY, SELL, BEND = range(10)


@st.composite
def cells(draw):
    """A household's numbers, its order's terms and links; limits, kinks and steps often coincide."""

    def number(low, high, *special):
        return draw(st.one_of(st.sampled_from(special), st.floats(low, high)) if special else st.floats(low, high))

    size = 10.0 ** draw(st.integers(-1, 4))
    sun, fixed, low = size * number(0, 2, 0.0), size * number(0, 1, 0.0), size * number(0, 0.5, 0.0)
    beta, high = number(0.05, 0.5), low + size * number(0, 1, 0.0)
    bend = beta / max(high, 0.01 * size) * number(0.1, 3)
    bought, sold = size * number(0, 3, 0.0), -size * number(0, 1, 0.0)
    home = [fixed - sun, sun, low, high, beta, sold, bought, number(0, 0.1, 0.0), number(0, 0.05, 0.0), bend]
    count = draw(st.integers(0, 4))
    rate = [size * 10.0 ** number(-1, 4) for _ in range(count)]
    cap = [size * number(0, 1, 0.0) for _ in range(count)]
    anchor, price = [size * number(-1, 1, 0.0) for _ in range(count)], [number(-0.1, 0.5, 0.0) for _ in range(count)]
    fee = [number(0, 0.05, 0.0) for _ in range(count)]
    weight = number(1e-9, 1e-1, 0.0) / size
    terms = number(-0.1, 0.6, 0.0), size * number(-1, 3, 0.0), weight
    if sum(cap) + bought + sun < fixed + low:  # (13) must have a solution
        home[BOUGHT] = fixed + low
    return home, terms, (anchor, price, rate, cap, fee)


def unoptimal(answer, withdrawals, home, terms, links):
    """By how much (13) and the optimality conditions of (20) are missed: in powers of the size, and in $/kWh."""
    m, bid, curtailed, elastic = answer
    lmp, held, weight = terms
    trade = [knapsack.traded(m, *link) for link in zip(*links, strict=True)]
    order = bid + sum(trade) if withdrawals else bid
    marginal = lmp + weight * (order - held)
    s = m + marginal if withdrawals else m  # what a kWh at home is worth
    flat = 0.0 if withdrawals else marginal
    gaps = [
        outside(flat - m, flat - m, bid, home[SOLD], home[BOUGHT], home[BUY], home[SELL]),
        outside(s, s, curtailed, 0.0, home[SUN]),
        outside(
            s - (home[BETA] - home[BEND] * elastic),
            s - (home[BETA] - home[BEND] * elastic),
            elastic,
            *home[LOW : HIGH + 1],
        ),
    ]
    for p, anchor, price, rate, cap, fee in zip(trade, *links, strict=True):
        slope = price + (p - anchor) / rate - m
        gaps.append(outside(slope, slope, p, -cap, cap, fee, fee))
    size = max(abs(home[NET]), home[SUN], home[HIGH], home[BOUGHT], 1e-3, *(links[3] or [0.0]))
    balance = bid + sum(trade) - curtailed - elastic - home[NET]
    known = 1e-15 * (sum(links[2]) + 1 / home[BEND] + (1 / weight if weight else 0))  # m is known to some 1e-16 $/kWh
    return max(abs(balance) - known, 0.0) / size, max(gaps)


def outside(up, down, power, low, high, buy=0.0, sell=0.0):
    """By how much a cost could fall per kW by moving a power within its limits; buying and selling cost fees."""
    near = 1e-9 * max(abs(low), abs(high), 1e-3)
    up, down = up + (buy if power >= 0 else -sell), down + (buy if power > 0 else -sell)
    gain = [-up] if power < high - near else []
    gain += [down] if power > low + near else []
    return max([0.0, *gain])


@pytest.mark.parametrize("withdrawals", [False, True], ids=["bids", "withdrawals"])
@given(cell=cells(), start=st.floats(-1, 1))
@settings(max_examples=200, deadline=None)
def test_the_answer_is_optimal_wherever_the_search_starts(withdrawals, cell, start):
    home, terms, links = cell
    answer = knapsack.share(start, terms, withdrawals, home, links)
    balance, gain = unoptimal(answer, withdrawals, *cell)
    assert balance < 1e-9
    steepest = max([terms[2], home[BEND], *(1 / rate for rate in links[2])])
    assert gain < 1e-8 + 1e-9 * steepest * max(home[BOUGHT], 1.0)


@pytest.mark.parametrize("withdrawals", [False, True], ids=["bids", "withdrawals"])
@given(cell=cells(), start=st.floats(-1, 1))
@settings(max_examples=60, deadline=None)
def test_compiled_it_has_the_same_bits(withdrawals, cell, start):
    home, terms, links = cell
    arrays = tuple(np.array(part) for part in links)
    found = by_numba(knapsack.share, cache=True)(start, terms, withdrawals, np.array(home), arrays)
    assert found == knapsack.share(start, terms, withdrawals, home, links)


@given(cell=cells(), lmp=st.floats(-0.1, 0.6))
@settings(max_examples=200, deadline=None)
def test_no_multiplier_gives_a_higher_bound(cell, lmp):
    home, _, (_, price, _, cap, fee) = cell
    at, low, high = [lmp + home[BUY], lmp - home[SELL], 0.0], [0.0, home[SOLD], -home[SUN]], [home[BOUGHT], 0.0, 0.0]
    for p, c, f in zip(price, cap, fee, strict=True):
        at, low, high = [*at, p + f, p - f], [*low, 0.0, -c], [*high, c, 0.0]
    best = knapsack.least(at, low, high, len(at), home)
    for m in (*at, *np.linspace(-0.3, 0.8, 50)):
        value = knapsack.dual(m, at, low, high, len(at), home)
        assert value <= best + 1e-12 * (1 + sum(map(abs, high)) + sum(map(abs, low)) + abs(home[NET]))
