"""(20) without a solver: one prosumer in one period is a quadratic knapsack, exact by the root of one scalar function.

Without devices nothing couples a prosumer's periods. In each, what it bids, uses and trades are clipped lines in the
worth m of a kWh from a partner, and (13) asks for the m where they balance:

    g(m) = bid(m) + sum_j trade_j(m) - net - used(m) = 0,        net = p_fix - p_res, used = elastic load + curtailment

g is continuous and rises, but for steps at known prices: a bid without a weight is all or nothing at its price, and so
is curtailment where power is worth nothing. A Newton step from segment to segment, kept in a bracket, ends at the root.

Where an order to the DSO is the bid, m is the multiplier s of (13). Where it is what is withdrawn (trades load the
wires), the LMP and the weight are on `net + used`, bids have the price 0, and s = m + LMP + weight (net + used - held).

All functions here are of plain numbers, for one cell, a prosumer's period. `rows.py` runs them for many, interpreted or
compiled, to the same bits: no operation is put in another order, and equal numbers are compared in one way only.
"""

from __future__ import annotations

from typing import Any

_TURNS = 200  # of the search; more than a few are seen only where lines are steep beyond what floats resolve
_NEWTON = 12  # after so many, every other turn halves the bracket
_KNOWN = 1e-6  # $/kWh: LMPs next to nothing are known no better
_EXACT = 4e-16, 1e-15  # relative: how exactly prices and powers are known as floats
_FAR = float("inf")

Line = tuple[float, float]
"""A power in kW, and its slope in kW per $/kWh, at one m."""
Terms = tuple[float, float, float]
"""price, held and weight in `price x + weight (x - held)²/2` for a power x."""
Numbers = Any
"""A list of floats, or an array of them when compiled."""
Links = tuple[Numbers, Numbers, Numbers, Numbers, Numbers]
"""anchor, price, rate, cap and fee in `price p + fee |p| + (p - anchor)² / (2 rate)` for the trade p on each link."""


def clipped(value: float, low: float, high: float) -> float:
    """The value within its limits."""
    if value < low:
        return low
    return high if value > high else value


def split(value: float, fee: float) -> float:
    """What is left of a line when buying costs a fee and selling brings less by it: nothing within."""
    if value > fee:
        return value - fee
    return value + fee if value < -fee else 0.0


def traded(m: float, anchor: float, price: float, rate: float, cap: float, fee: float) -> float:
    """The trade on one link: argmin of `price p + fee |p| + (p - anchor)² / (2 rate) - m p` within the cap (15)."""
    return clipped(split(anchor + (m - price) * rate, fee * rate), -cap, cap)


def trades(m: float, links: Links) -> Line:
    """The sum of the trades on all links."""
    anchor, price, rate, cap, fee = links
    total = slope = 0.0
    for j in range(len(cap)):
        power = traded(m, anchor[j], price[j], rate[j], cap[j], fee[j])
        total += power
        if -cap[j] < power < cap[j] and (power != 0.0 or fee[j] == 0.0):
            slope += rate[j]
    return total, slope


def bid_line(m: float, terms: Terms, home: Numbers) -> Line:
    """The bid with a weight: argmin of `price b + fees + weight (b - held)²/2 - m b` within (17)."""
    price, held, weight = terms
    if weight == 0.0:
        return 0.0, 0.0
    low, high, buy, sell = home[5], home[6], home[7], home[8]
    bought, sold = held + (m - price - buy) / weight, held + (m - price + sell) / weight
    bid = clipped(bought if bought > 0.0 else sold if sold < 0.0 else 0.0, low, high)
    moves = low < bid < high and (bid != 0.0 or buy + sell == 0.0)
    return bid, 1.0 / weight if moves else 0.0


def consumed(worth: float, bend: float, home: Numbers) -> float:
    """The elastic load (14) whose marginal utility (12) is `beta - worth` less, over `bend`."""
    return clipped(worth / bend, home[2], home[3])


def used(m: float, terms: Terms, home: Numbers) -> Line:
    """What is consumed and curtailed when an LMP and a weight are on what is withdrawn; it falls with m.

    With a weight, curtailment is a line as well: nothing while the multiplier s of (13) is above 0, all below, and in
    between what keeps it at 0. Without one it is a step and left out here.
    """
    lmp, held, weight = terms
    net, renewable, low, high, beta, bend = home[0], home[1], home[2], home[3], home[4], home[9]
    if weight == 0.0:
        elastic = consumed(beta - m - lmp, bend, home)
        return elastic, -1.0 / bend if low < elastic < high else 0.0
    stiff = bend + weight
    saved = consumed(beta - m - lmp + weight * (held - net), stiff, home)
    wasted = consumed(beta - m - lmp + weight * (held - net - renewable), stiff, home)
    between = held - (m + lmp) / weight - net
    if between <= saved:
        return saved, -1.0 / stiff if low < saved < high else 0.0
    if between >= wasted + renewable:
        return wasted + renewable, -1.0 / stiff if low < wasted < high else 0.0
    return between, -1.0 / weight


def nearer(m: float, way: float, at: float, nearest: float) -> float:
    """The nearer to m of two numbers that lie that way."""
    return at if way * m < way * at < way * nearest else nearest


def next_kink(m: float, way: float, bid: Terms, order: Terms, home: Numbers, links: Links) -> float:
    """The nearest m above (`way` 1) or below (-1) where a line may bend; infinite if there is none."""
    anchor, price, rate, cap, fee = links
    nearest = way * _FAR
    for j in range(len(cap)):
        for power in (-cap[j], 0.0, cap[j]):
            at = price[j] + (power - anchor[j]) / rate[j]
            nearest = nearer(m, way, at - fee[j], nearer(m, way, at + fee[j], nearest))
    for power in (home[5], 0.0, home[6]):
        at = bid[0] + bid[2] * (power - bid[1])
        nearest = nearer(m, way, at - home[8], nearer(m, way, at + home[7], nearest))
    for elastic in (home[2], home[3], consumed(home[4], home[9], home)):
        for drawn in (home[0] + elastic, home[0] + elastic + home[1]):
            at = -order[0] - order[2] * (drawn - order[1])
            nearest = nearer(m, way, at + home[4] - home[9] * elastic, nearer(m, way, at, nearest))
    return nearest


def stepped(m: float, aim: float, at: float, size: float) -> float:
    """The aim of a step from m, or the price `at` which something of this size jumps if that is on the way."""
    if size != 0.0 and (m < at < aim or aim < at < m):
        return at
    return aim


def share(
    start: float, terms: Terms, withdrawals: bool, home: Numbers, links: Links
) -> tuple[float, float, float, float]:
    """The root m, and with it bid, curtailment and elastic load; the trades are `traded` at m.

    Args:
        start: Where to begin to look for m; the last bits depend on it, nothing else.
        terms: Of the order to the DSO.
        withdrawals: Whether the order is what is withdrawn, or the bid.
        home: net, p_res, e_min, e_max, beta, least bid, largest bid, grid fee, feed-in fee, 2 alpha.
        links: Of all links.
    """
    none = (0.0, 0.0, 0.0)
    bid, order = (none, terms) if withdrawals else (terms, none)
    at_sale, at_purchase, at_waste = bid[0] - home[8], bid[0] + home[7], -order[0]
    sale = home[5] if bid[2] == 0.0 else 0.0
    purchase = home[6] if bid[2] == 0.0 else 0.0
    waste = -home[1] if order[2] == 0.0 else 0.0
    left, right, m = -_FAR, _FAR, start
    line = spent = rest = 0.0
    for turn in range(_TURNS):
        total, total_slope = trades(m, links)
        line, line_slope = bid_line(m, bid, home)
        spent, spent_slope = used(m, order, home)
        rest, slope = line + total - home[0] - spent, line_slope + total_slope - spent_slope
        least = rest + (sale if m <= at_sale else 0.0) + (purchase if m > at_purchase else 0.0)
        most = rest + (sale if m < at_sale else 0.0) + (purchase if m >= at_purchase else 0.0)
        least += waste if m <= at_waste else 0.0
        most += waste if m < at_waste else 0.0
        known = _EXACT[0] * abs(m) * slope + _EXACT[1] * (abs(line) + abs(total) + abs(home[0]) + abs(spent))
        if least > known:
            right, gap = m, least
        elif most < -known:
            left, gap = m, most
        else:
            break
        way = 1.0 if gap < 0.0 else -1.0
        aim = m - gap / slope if slope > 0.0 else next_kink(m, way, bid, order, home, links)
        aim = stepped(m, aim, at_sale, sale)
        aim = stepped(m, aim, at_purchase, purchase)
        aim = stepped(m, aim, at_waste, waste)
        bounded = left > -_FAR and right < _FAR
        if bounded and (not left < aim < right or (turn > _NEWTON and turn % 2 == 0)):
            aim = left + (right - left) / 2
        if not left < aim < right or abs(aim) == _FAR:
            break
        m = aim
    # what jumps at m is whatever the balance asks for: bids first, renewables are not curtailed without need
    wasted_most = waste if m < at_waste else 0.0
    wasted_least = waste if m <= at_waste else 0.0
    bid_least = (sale if m <= at_sale else 0.0) + (purchase if m > at_purchase else 0.0)
    bid_most = (sale if m < at_sale else 0.0) + (purchase if m >= at_purchase else 0.0)
    jumped = clipped(-rest - wasted_most, bid_least, bid_most)
    curtailed = -clipped(-rest - jumped, wasted_least, wasted_most)
    elastic = spent
    if order[2] > 0.0:
        s = m + order[0] + order[2] * (home[0] + spent - order[1])
        elastic = consumed(home[4] - (s if s > 0.0 else 0.0), home[9], home)
        elastic = clipped(elastic, spent - home[1], spent)
        curtailed = spent - elastic
    return m, line + jumped, curtailed, elastic


def least(at: Numbers, low: Numbers, high: Numbers, count: int, home: Numbers) -> float:
    """The least cost without weights and penalties, in $/h: the maximum of the Lagrange dual in m, s of (13).

    Each of so many items costs `at` per kW and has limits; the elastic load takes up what they leave. No m lifts the
    dual above the least cost, so that an error in m cannot make it too high.
    """
    left, right = -_FAR, _FAR
    while True:
        pivot = middle(at, count, left, right)
        if pivot == _FAR:
            return dual(between(at, low, high, count, home, left, right), at, low, high, count, home)
        below = above = -home[0] - consumed(home[4] - pivot, home[9], home)
        for k in range(count):
            below += high[k] if at[k] < pivot else low[k]
            above += high[k] if at[k] <= pivot else low[k]
        if below > 0.0:
            right = pivot
        elif above < 0.0:
            left = pivot
        else:
            return dual(pivot, at, low, high, count, home)


def middle(at: Numbers, count: int, left: float, right: float) -> float:
    """Of the prices between two others the one nearest to their mean; infinite if there is none."""
    total, inside = 0.0, 0
    for k in range(count):
        if left < at[k] < right:
            total += at[k]
            inside += 1
    nearest = _FAR
    for k in range(count):
        if left < at[k] < right and abs(at[k] - total / inside) < abs(nearest - total / inside):
            nearest = at[k]
    return nearest


def between(at: Numbers, low: Numbers, high: Numbers, count: int, home: Numbers, left: float, right: float) -> float:
    """The m between two neighbouring prices at which the elastic load takes up what the items leave."""
    rest = -home[0]
    for k in range(count):
        rest += high[k] if at[k] <= left else low[k]
    return clipped(home[4] - home[9] * rest, left, right)


def dual(m: float, at: Numbers, low: Numbers, high: Numbers, count: int, home: Numbers) -> float:
    """The Lagrange dual at m, in $/h."""
    elastic = consumed(home[4] - m, home[9], home)
    value: float = m * home[0] + (home[9] / 2 * elastic - (home[4] - m)) * elastic
    for k in range(count):
        cost = at[k] - m
        value += cost * (high[k] if cost < 0.0 else low[k])
    return value


# --- once trades are given -------------------------------------------------------------------------------------------


def kept(supply: float, terms: Terms, home: Numbers) -> tuple[float, float, float]:
    """Bid, curtailment and elastic load of the best plan with the trades given; it balances (13) exactly.

    Buy up to where the marginal utility is the LMP and the grid fee, or sell down to where it is the LMP less the fee
    on feed-in, and curtail what is worth nothing. The elastic load leaves its limits where there is no other way.
    Where power is worth nothing, as much may be sold as curtailed, and an LMP that is off by a hair would decide for
    all or nothing. There the bid is held where the last quote held it, at `held - price / weight`.

    `supply` is what trades bring, less net, and `terms` are LMP, held bid and its weight.
    """
    lmp, held, weight = terms
    buy, sell = lmp + home[7], lmp - home[8]
    bid = clipped(needed(buy, supply, home), 0.0, _FAR) + clipped(needed(sell, supply, home), -_FAR, 0.0)
    if weight > 0.0 and home[1] > 0.0:
        bought, sold = held - split(buy, _KNOWN) / weight, held - split(sell, _KNOWN) / weight
        at = clipped(clipped(bought, 0.0, _FAR) + clipped(sold, -_FAR, 0.0), home[5], home[6])
        low = consumed(home[4], home[9], home) - supply
        high = low + home[1]
        lowest = -_FAR if at < low else clipped(at, -_FAR, high)
        bid = clipped(bid, lowest, _FAR if at > high else clipped(at, low, _FAR))
    bid = clipped(bid, home[5], home[6])
    have = supply + bid
    curtailed = clipped(have - consumed(home[4], home[9], home), 0.0, home[1])
    return bid, curtailed, have - curtailed


def needed(price: float, supply: float, home: Numbers) -> float:
    """The bid that a price calls for: below 0, renewables are curtailed to make room."""
    return consumed(home[4] - price, home[9], home) + (home[1] if price < 0.0 else 0.0) - supply


# --- rows of prosumers -----------------------------------------------------------------------------------------------


def share_rows(
    asked: Numbers,
    cells: Numbers,
    arcs: tuple[Numbers, Numbers, Numbers],
    rules: tuple[bool, float],
    homes: tuple[Numbers, Numbers, Numbers, Numbers],
    links: tuple[Numbers, Numbers, Numbers, Numbers],
    results: tuple[Any, Any],
    scratch: Numbers,
) -> None:
    """`share` for the prosumers asked, in all periods.

    The quadratic of (20) and the proximal term are one square: rho (p + p_ji)² + sigma (p - p_ij)² has its minimum at
    `anchor = (sigma p_ij - rho p_ji) / (rho + sigma)` and the curvature `rho + sigma`.

    Args:
        asked: Which prosumers.
        cells: The numbers of each home, (prosumer, period, 10), as of `share`.
        arcs: Where the arcs of each prosumer begin, (prosumer + 1,); cap and fee of each arc, (arc,).
        rules: `withdrawals` as of `share`, and sigma over rho.
        homes: Where to start; LMP, held order and weight of leaving it; (prosumer, period) each.
        links: Price, own and partner's power, and rho; (arc, period) each.
        scratch: Room for 5 rows of as many numbers as anybody has links.
        results: Are given m, bid, curtailment and elastic load, (4, prosumer, period), and trades, (arc, period).
    """
    starts, cap, fee = arcs
    withdrawals, proximal = rules
    start, lmp, held, weight = homes
    price, own, partner, penalty = links
    found, trade = results
    anchor, quoted, rate, most, charge = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for i in asked:
        begin, count = starts[i], starts[i + 1] - starts[i]
        for j in range(count):
            most[j], charge[j] = cap[begin + j], fee[begin + j]
        for t in range(len(lmp[i])):
            for j in range(count):
                arc = begin + j
                rho = penalty[arc][t]
                quoted[j], rate[j] = price[arc][t], 1.0 / (rho + proximal * rho)
                anchor[j] = (proximal * rho * own[arc][t] - rho * partner[arc][t]) * rate[j]
            m, bid, curtailed, elastic = share(
                start[i][t],
                (lmp[i][t], held[i][t], weight[i][t]),
                withdrawals,
                cells[i][t],
                (anchor[:count], quoted[:count], rate[:count], most[:count], charge[:count]),
            )
            found[0, i, t], found[1, i, t], found[2, i, t], found[3, i, t] = m, bid, curtailed, elastic
            for j in range(count):
                trade[begin + j, t] = traded(m, anchor[j], quoted[j], rate[j], most[j], charge[j])


def kept_rows(
    asked: Numbers,
    cells: Numbers,
    starts: Numbers,
    told: tuple[Numbers, Numbers, Numbers, Numbers],
    results: tuple[Any],
    _: Numbers,
) -> None:
    """`kept` for the prosumers asked, in all periods, as `share_rows`.

    `told` are LMP, held bid and weight, (prosumer, period) each, and the trades, (arc, period); bid, curtailment and
    elastic load are filled in, (3, prosumer, period).
    """
    lmp, held, weight, trade = told
    found = results[0]
    for i in asked:
        for t in range(len(lmp[i])):
            total = 0.0
            for arc in range(starts[i], starts[i + 1]):
                total += trade[arc][t]
            terms = lmp[i][t], held[i][t], weight[i][t]
            found[0, i, t], found[1, i, t], found[2, i, t] = kept(total - cells[i][t][0], terms, cells[i][t])


def least_rows(
    asked: Numbers,
    cells: Numbers,
    arcs: tuple[Numbers, Numbers, Numbers],
    prices: tuple[Numbers, Numbers],
    results: tuple[Any],
    scratch: Numbers,
) -> None:
    """`least` for the prosumers asked, summed over the periods, as `share_rows`.

    Args:
        prices: What bids cost, (prosumer, period), and what trades cost, (arc, period).
        scratch: Room for 3 rows of twice as many numbers as anybody has links, and 3 more.
        results: Are given the costs, (prosumer,) in $/h.
    """
    starts, cap, fee = arcs
    lmp, price = prices
    at, low, high = scratch[0], scratch[1], scratch[2]
    for i in asked:
        total, begin, count = 0.0, starts[i], starts[i + 1] - starts[i]
        for t in range(len(lmp[i])):
            home = cells[i][t]
            at[0], low[0], high[0] = lmp[i][t] + home[7], 0.0, home[6]
            at[1], low[1], high[1] = lmp[i][t] - home[8], home[5], 0.0
            at[2], low[2], high[2] = 0.0, -home[1], 0.0
            for j in range(count):
                arc, buy, sell = begin + j, 3 + 2 * j, 4 + 2 * j
                at[buy], low[buy], high[buy] = price[arc][t] + fee[arc], 0.0, cap[arc]
                at[sell], low[sell], high[sell] = price[arc][t] - fee[arc], -cap[arc], 0.0
            total += least(at, low, high, 3 + 2 * count, home)
        results[0][i] = total
