"""The attack: the utility (12) and the net load of a prosumer, by two-stage least squares on what its answers imply.

Inside its limits a prosumer consumes up to where its marginal utility is s, the multiplier of the balance (13):
`beta - 2 alpha elastic = s`. With the balance, `taken = net + elastic`, what it takes falls along a line as s rises,

    taken = net + beta / (2 alpha) - s / (2 alpha),        net = fixed load - renewables,

and is flat where a limit (14) binds. All periods have one slope and one pair of kinks, and each a level of its own; so
over rounds and periods the fit is `taken = level - slope clip(s, low, high)`.

A power that is rounded, or has noise, is on both sides of this equation, as s is read from it; plain least squares then
takes noise for an answer. So the slope is that of two-stage least squares (Wooldridge, Econometric Analysis of Cross
Section and Panel Data, chapter 5): what the listener itself has told, which no noise of the answer is in, foresees s,
and the slope is how what is taken follows what was foreseen. Without noise that is the same slope.

What can be known of it, and what cannot:

- alpha = 1 / (2 slope), as soon as s has moved within a period; one round tells nothing.
- net from period to period: the differences of the levels. Of beta and net only `net + beta / (2 alpha)`: a prosumer
  with d kW more net load, beta lower by 2 alpha d and limits (14) lower by d answers alike, whatever it is told.
- beta itself only where the lower limit binds, and then by what is supposed of that limit: whoever supposes that the
  elastic load can be shed altogether takes the upper kink for beta (12). The same holds of one load that is known from
  elsewhere, in any period. The listener here supposes the first; where it sees no such kink, it has a guess for beta,
  which is at least the largest s that it has read, as nobody consumes less than nothing.

A slope that is not above three standard errors is none: who hears nothing, guesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...network.arrays import FloatArray
from .line import Cells, best_kinks
from .readings import Readings

_SURE = 3.0  # standard errors
_FREE = 3  # slope and two kinks
_CURTAILED = 1e-9  # $/kWh: at worth 0 renewables are curtailed, and what is taken says nothing


@dataclass(frozen=True, slots=True)
class Fit:
    """What a listener has found out of a prosumer.

    Attributes:
        alpha_usd_per_kw2h: alpha of (12).
        level_kw: `net + beta / (2 alpha)`, (period,); nan for a period of which it has read nothing.
        low_usd_per_kwh, high_usd_per_kwh: The kinks, where limits (14) bind; infinite where none was seen.
        highest_usd_per_kwh: The largest worth that was read.
        misfit: RMS of what the fit leaves, relative to the RMS of what it is to explain: near 1 it explains nothing.
    """

    alpha_usd_per_kw2h: float
    level_kw: FloatArray
    low_usd_per_kwh: float
    high_usd_per_kwh: float
    highest_usd_per_kwh: float
    misfit: float

    def beta_usd_per_kwh(self, guess_usd_per_kwh: float) -> float:
        """What is taken for beta of (12): the upper kink; where there is none the guess, if no larger s was read."""
        if np.isfinite(self.high_usd_per_kwh):
            return self.high_usd_per_kwh
        return max(guess_usd_per_kwh, self.highest_usd_per_kwh)

    def net_kw(self, beta_usd_per_kwh: float) -> FloatArray:
        """Fixed load less renewables with this beta, (period,)."""
        return np.asarray(self.level_kw - beta_usd_per_kwh / (2 * self.alpha_usd_per_kw2h))


def attack(readings: Readings) -> Fit | None:
    """Fit a prosumer to what was read of it; None where that tells no slope.

    Kinks are fitted where they are worth it (by Schwarz's criterion, BIC).
    """
    known = np.isfinite(readings.worth_usd_per_kwh) & (readings.worth_usd_per_kwh > _CURTAILED)
    if not known.any():
        return None
    cells = Cells.of(readings, known)
    if cells.count <= cells.periods_seen + _FREE or not cells.moves:
        return None
    kinks = best_kinks(cells)
    slope, error = cells.slope(kinks), cells.standard_error(kinks)
    if not slope > _SURE * error:
        return None
    return Fit(
        alpha_usd_per_kw2h=1 / (2 * slope),
        level_kw=cells.levels(kinks, slope),
        low_usd_per_kwh=kinks[0],
        high_usd_per_kwh=kinks[1],
        highest_usd_per_kwh=float(cells.worth.max()),
        misfit=cells.misfit(kinks),
    )
