"""The rules that the sharing platform runs Algorithm 1 by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharingRules:
    """The rules that the platform runs Algorithm 1 by.

    Attributes:
        penalty_usd_per_kw2h: rho of (20) and (21) that every pair and period starts with.
        adapt_penalty: Whether the platform balances the residuals by adapting rho per pair and period.
        proximal: Whether quotes carry the proximal term of the order `proximal_jacobi`.
        primal_tolerance_kw: Algorithm 1 has converged when no pair disagrees by more ...
        dual_tolerance_usd_per_kwh: ... and rho times the change of every trade is no more than this.
        marks_up: Whether a sharing price is a mark-up on the LMPs of its ends, which include the network's charge for
            the trade, and not the whole price of it, which follows LMPs.
        least_worth_usd_per_kwh: What a kWh counts for at the least where penalties look for their size; where power is
            next to free, LMPs say nothing of it.
        resolution_kw: Powers are told no finer than this, so partners cannot agree more closely.
    """

    penalty_usd_per_kw2h: float
    adapt_penalty: bool
    proximal: bool
    primal_tolerance_kw: float
    dual_tolerance_usd_per_kwh: float
    marks_up: bool = False
    least_worth_usd_per_kwh: float = 1e-9
    resolution_kw: float = 0.0
