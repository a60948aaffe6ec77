"""Mehrotra's predictor-corrector for `min x'Px/2 + q'x, G x = b, low <= x <= high`, P diagonal, where GG' is banded.

With s and t what is left below and above, and z and v their multipliers, each turn is a Newton step, from within the
bounds, towards

    P x + q - G'y - z + v = 0,      G x = b,      s z = target,      t v = target

once with the target 0, to see how far that leads and what to aim at, and once more with what steps add to products
(Mehrotra, SIAM Journal on Optimization 2, 1992; Wright, Primal-Dual Interior-Point Methods, SIAM 1997, chapter 10).
With the steps of x, z and v eliminated, that of y is left:

    (G W G' + next to nothing) dy = b - G x - G W h,      W = 1 / (P + z / s + v / t + next to nothing)

with a banded matrix, so that LDL' has no fill; then the step of x is `W (h + G'dy)`. What is next to nothing keeps the
matrix definite and bends no solution, since each turn starts from what is really left over. A pivot that is nothing but
rounding says that its row follows from others, or nearly so; it is replaced by one that is large beside rounding, so
that its multiplier hardly moves and no error grows (cf. Wright, SIAM Journal on Optimization 9, 1999).

`machine_code.through_numba` compiles these functions; no sum is put in another order, so that the bits are the same
everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FAR = 1e100
"""A bound that is none: what holds for bounds holds for it as well, to no effect."""
_ROOM = 1e-11  # beside P
_GIVE = 1e-8  # beside G W G'
_ROUNDING, _KNOWN = 1e-15, 1e-12  # of the diagonal: a pivot below the first is none, and becomes the second
_PART = 0.995  # of the way to the nearest bound
_GAP = 0.01  # of what may be left over: what may be left of the gap
_CLOSER = 0.1  # of a gap that will do: no aim is closer

Numbers = Any
"""An array of floats."""
Arrays = Any
"""A tuple of arrays."""


def minimised(
    program: Arrays, entries: Arrays, pairs: Arrays, lanes: tuple[float, ...], exact: float, turns: int
) -> tuple[Numbers, Numbers, int]:
    """The minimum x, the multipliers y of `G x = b`, and how many turns it took: -1 if it was not found.

    Args:
        program: P, q, b, low, high; what is no bound is `FAR` away.
        entries: Row, column and value of each entry of G.
        pairs: Place, column and product of each pair of entries of a column, see `factored`.
        lanes: As long as the band is wide, which compiled code so knows.
        exact: What may be left over, relative to q and b; of the gap a part of that, relative to what x costs.
        turns: How many at most.
    """
    _, price, rhs, _, _ = program
    x, pull = np.zeros(price.size), np.zeros(price.size)
    y, short = np.zeros(rhs.size + len(lanes)), np.zeros(rhs.size)
    sides = begun(program, x)
    scratch = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    banded = np.zeros(y.size * len(lanes)), np.zeros(y.size), lanes
    for turn in range(turns):
        gap, fine, settled = compared(program, entries, (x, pull), sides, (short, scratch[0]), exact)
        if settled:
            return x, y[: rhs.size], turn
        weighed(program[0], sides, scratch[1])
        factored(pairs, scratch[1], banded)
        directed(entries, scratch, short, banded)
        left = predicted(gap, scratch[2], sides)
        corrected(sides, scratch, max(left * left * left * gap, _CLOSER * fine) / (2 * x.size))
        directed(entries, scratch, short, banded)
        moved((x, y, pull), sides, scratch, banded[1])
    return x, y[: rhs.size], -1


# --- a turn ----------------------------------------------------------------------------------------------------------
# `sides` are below and above, each of what is left, its inverse, the multiplier, and the multiplier's step; `scratch`
# is h, W, the step of x and what that of y pulls, G'dy; `banded` is the band, the step of y, and the lanes.


def begun(program: Arrays, x: Numbers) -> tuple[Arrays, Arrays]:
    """Sides with products of 1; x is put in the middle, or next to its only bound, the nearer the dearer."""
    _, price, _, low, high = program
    below = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    above = np.zeros(x.size), np.zeros(x.size), np.zeros(x.size), np.zeros(x.size)
    for j in range(x.size):
        near = 1.0 / (1.0 + abs(price[j]))
        if low[j] > -FAR:
            x[j] = low[j] + ((high[j] - low[j]) / 2 if high[j] < FAR else near)
        elif high[j] < FAR:
            x[j] = high[j] - near
        below[0][j], above[0][j] = min(x[j] - low[j], FAR), min(high[j] - x[j], FAR)
        below[2][j], above[2][j] = 1.0 / below[0][j], 1.0 / above[0][j]
    return below, above


def compared(
    program: Arrays, entries: Arrays, point: Arrays, sides: Arrays, left: Arrays, exact: float
) -> tuple[float, float, bool]:
    """The gap, the gap that will do, and whether all will do; with `b - G x` and h, `left` over, filled in."""
    bend, price, rhs, _, _ = program
    x, pull = point
    below, above = sides
    short, force = left
    short[:] = rhs
    lessened(entries, x, short)
    forced(pull, price, bend, x, force)
    gap = inner(below[0], below[2]) + inner(above[0], above[2])
    fine = _GAP * exact * (1.0 + abs(cost(price, bend, x)))
    if gap <= fine and largest(short) <= exact * (1.0 + largest(rhs)):  # neither is so if anything is nan
        return gap, fine, unbalanced(force, below[2], above[2]) <= exact * (1.0 + largest(price))
    return gap, fine, False


def weighed(bend: Numbers, sides: Arrays, weight: Numbers) -> None:
    """W, and the inverses of what is left."""
    below, above = sides
    inverted(below[0], below[1])
    inverted(above[0], above[1])
    summed(bend, below[1], below[2], above[1], above[2], weight)


def factored(pairs: Arrays, weight: Numbers, banded: Arrays) -> None:
    """`G W G'` as LDL', row by row: one over D in the first lane, in lane k what is k rows below the diagonal of L.

    As many rows as lanes follow the last one, for what reaches beyond it, which is nothing.
    """
    place, column, product = pairs
    band, spare, lanes = banded
    width = len(lanes)
    rows = spare.size - width
    band[:] = 0.0
    for j in range(rows):
        band[j * width] = _GIVE
    for k in range(place.size):
        band[place[k]] += product[k] * weight[column[k]]
    for j in range(rows):
        spare[j] = band[j * width]
    for j in range(rows):
        at = j * width
        inverse = 1.0 / (band[at] if band[at] > _ROUNDING * spare[j] else _KNOWN * spare[j])
        for k in range(1, width):
            part = band[at + k] * inverse
            for i in range(k, width):
                band[at + k * width + i - k] -= part * band[at + i]
        for k in range(1, width):
            band[at + k] *= inverse
        band[at] = inverse


def directed(entries: Arrays, scratch: Arrays, short: Numbers, banded: Arrays) -> None:
    """The steps of y and x."""
    force, weight, step, turned = scratch
    band, rise, lanes = banded
    width = len(lanes)
    multiplied(weight, force, step)
    rise[: short.size] = short
    lessened(entries, step, rise)
    for j in range(short.size):
        for k in range(1, width):
            rise[j + k] -= band[j * width + k] * rise[j]
    for j in range(short.size - 1, -1, -1):
        value = rise[j] * band[j * width]
        for k in range(width - 1, 0, -1):
            value -= band[j * width + k] * rise[j + k]
        rise[j] = value
    pulled(entries, rise, turned)
    increased(weight, turned, step)


def predicted(gap: float, step: Numbers, sides: Arrays) -> float:
    """Which part of the gap is left after the step with the target 0, as far as bounds let it go."""
    below, above = sides
    along = 1.0 / max(1.0, reach(step, below[1], above[1]))
    across = 1.0 / (1.0 + reach(step, above[1], below[1]))
    first = second = 0.0
    for j in range(step.size):
        first += step[j] * (below[2][j] - above[2][j])
        second += step[j] * step[j] * (below[2][j] * below[1][j] + above[2][j] * above[1][j])
    return max(0.0, gap + along * first - across * (gap + first) - along * across * (first + second)) / gap


def corrected(sides: Arrays, scratch: Arrays, target: float) -> None:
    """What the target and the products of the predicted steps add to multipliers, and so to h."""
    below, above = sides
    force, _, step, _ = scratch
    aimed(step, below[1], below[2], target, 1.0, below[3])
    aimed(step, above[1], above[2], target, -1.0, above[3])
    added(below[3], 1.0, force)
    added(above[3], -1.0, force)


def moved(point: Arrays, sides: Arrays, scratch: Arrays, rise: Numbers) -> None:
    """Go the way, of x and of multipliers each almost as far as the nearest bound."""
    x, y, pull = point
    below, above = sides
    _, _, step, turned = scratch
    followed(step, below[1], below[2], 1.0, below[3])
    followed(step, above[1], above[2], -1.0, above[3])
    along = _PART / max(_PART, reach(step, below[1], above[1]))
    across = min(1.0, _PART * min(room(below[2], below[3]), room(above[2], above[3])))
    added(step, along, x)
    added(step, along, below[0])
    added(step, -along, above[0])
    added(below[3], across, below[2])
    added(above[3], across, above[2])
    added(turned, across, pull)
    added(rise, across, y)


# --- sums and largest numbers ----------------------------------------------------------------------------------------


def inner(a: Numbers, b: Numbers) -> float:
    """The sum of products."""
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


def cost(price: Numbers, bend: Numbers, x: Numbers) -> float:
    """What is minimised."""
    total = 0.0
    for j in range(x.size):
        total += (price[j] + bend[j] * x[j] / 2) * x[j]
    return total


def largest(a: Numbers) -> float:
    """The largest size."""
    most = 0.0
    for j in range(a.size):
        most = max(most, abs(a[j]))
    return most


def unbalanced(force: Numbers, z: Numbers, v: Numbers) -> float:
    """By how much the first equation fails at most."""
    most = 0.0
    for j in range(z.size):
        most = max(most, abs(force[j] + z[j] - v[j]))
    return most


def reach(step: Numbers, down: Numbers, up: Numbers) -> float:
    """How many times a step leads to the first bound."""
    most = 0.0
    for j in range(step.size):
        most = max(most, -step[j] * down[j], step[j] * up[j])
    return most


def room(z: Numbers, change: Numbers) -> float:
    """Which part of a change leads to the first 0; at most 2."""
    most = 2.0
    for j in range(z.size):
        if -change[j] * most > z[j]:
            most = -z[j] / change[j]
    return most


# --- entry by entry --------------------------------------------------------------------------------------------------


def lessened(entries: Arrays, x: Numbers, out: Numbers) -> None:
    """Less by G x."""
    row, column, value = entries
    for k in range(row.size):
        out[row[k]] -= value[k] * x[column[k]]


def pulled(entries: Arrays, y: Numbers, out: Numbers) -> None:
    """`G'y`."""
    row, column, value = entries
    out[:] = 0.0
    for k in range(row.size):
        out[column[k]] += value[k] * y[row[k]]


def multiplied(a: Numbers, b: Numbers, out: Numbers) -> None:
    """The products."""
    for j in range(a.size):
        out[j] = a[j] * b[j]


def increased(a: Numbers, b: Numbers, out: Numbers) -> None:
    """More by the products."""
    for j in range(a.size):
        out[j] += a[j] * b[j]


def added(a: Numbers, part: float, out: Numbers) -> None:
    """More by a part of a."""
    for j in range(a.size):
        out[j] += part * a[j]


def inverted(a: Numbers, out: Numbers) -> None:
    """One over each."""
    for j in range(a.size):
        out[j] = 1.0 / a[j]


def forced(pull: Numbers, price: Numbers, bend: Numbers, x: Numbers, out: Numbers) -> None:
    """The h of a step with the target 0: `G'y - q - P x`."""
    for j in range(x.size):
        out[j] = pull[j] - price[j] - bend[j] * x[j]


def summed(bend: Numbers, down: Numbers, z: Numbers, up: Numbers, v: Numbers, out: Numbers) -> None:
    """W."""
    for j in range(z.size):
        out[j] = 1.0 / (bend[j] + z[j] * down[j] + v[j] * up[j] + _ROOM)


def aimed(step: Numbers, inverse: Numbers, z: Numbers, target: float, way: float, out: Numbers) -> None:
    """What a multiplier is to be, but for the step of x; `way` is 1 below and -1 above."""
    for j in range(z.size):
        part = way * step[j] * inverse[j]
        out[j] = target * inverse[j] + z[j] * part * (1.0 + part)


def followed(step: Numbers, inverse: Numbers, z: Numbers, way: float, out: Numbers) -> None:
    """From what a multiplier is to be, its step."""
    for j in range(z.size):
        out[j] -= z[j] * (1.0 + way * step[j] * inverse[j])
