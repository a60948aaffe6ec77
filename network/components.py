"""What an LMP is made of: energy, losses, voltage support and congestion, from the multipliers of the clearing.

Stationarity of the Lagrangian in P_n, the flow of the line from m to n, gives the step of the price along the line:

    lambda_n = lambda_m + 2 gamma_n P_n + 2 r_n mu_n + (eta+ - eta-)_n

mu is the multiplier of (4), eta of (7). The cone (5) contributes the multiplier z1 of its row 2P, 2 gamma P = -2 z1,
a tangent (5') the multiplier z of its own row, 2 gamma P = -(2 P0/u0) z. Stationarity in l gives
gamma = (r lambda^p + x lambda^q - (r^2 + x^2) mu + sigma) / u, with sigma the multiplier of l <= l_max. The part with
sigma is the price of a current rating: it counts as congestion, the rest as loss.

A component at a bus is the sum of its steps on the path from the root; energy is the price at the root. A binding
reactive limit (q of a line or generator, the reactive balance) has no term of its own in lambda^p: it raises the
reactive price lambda^q and shows in the loss component through gamma; voltage limits show through mu.
"""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray
from .branch_flow import CONE_ROWS, ConicProgram
from .dispatch import PriceComponents
from .feeder import Feeder
from .per_unit import impedances_pu


def price_components(
    program: ConicProgram, x: FloatArray, z: FloatArray, slope: FloatArray | None = None
) -> PriceComponents:
    """The components of the LMP of every bus and period.

    Args:
        program: what was solved.
        x: its solution, (column, period), per unit.
        z: its multipliers, (row, period).
        slope: for a program with tangents (5') what they have for P, (curved line, period).
    """
    feeder, columns = program.feeder, program.columns
    resistance = impedances_pu(feeder)[0][1:, None]
    mu = z[program.rows["voltage drop"]]
    loss = np.zeros((len(feeder.lines), z.shape[1]))  # 2 gamma P
    if slope is None:
        loss[program.curved] = -2.0 * z[program.rows["cone"]].reshape(-1, CONE_ROWS, z.shape[1])[:, 1]
    else:
        loss[program.curved] = -slope * z[program.rows["tangent"]]
    sending_voltage = x[columns.voltage][feeder.parent[1:]] * feeder.tap[1:, None] ** -2
    rating = 2.0 * x[columns.p_flow] * program.bound_multipliers(z, "current") / sending_voltage
    root_price = z[program.rows["active balance"]][:1]
    return PriceComponents(
        energy=np.repeat(root_price, len(feeder.buses), axis=0),
        loss=from_root(feeder, loss - rating),
        voltage=from_root(feeder, 2.0 * resistance * mu),
        congestion=from_root(feeder, program.bound_multipliers(z, "p_flow") + rating),
    )


def from_root(feeder: Feeder, steps: FloatArray) -> FloatArray:
    """Sums along the path from the root, (bus, period), of one step per line, (line, period)."""
    total = np.zeros((len(feeder.buses), steps.shape[1]))
    for n in range(1, len(feeder.buses)):
        total[n] = total[feeder.parent[n]] + steps[n - 1]
    return total
