"""How a prosumer acts: the part of it that users replace."""

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .messages import Delivery, Offer, Quote
from .subproblem import Plan, Subproblem


class Behaviour:
    """How a prosumer acts. Override what you care about; what you leave is the paper's price taker.

    A behaviour sees what its prosumer sees: its own household and what it is told, nothing of the others. One object
    serves one prosumer. It may keep state; `rng` is its own random generator, seeded by the market.

    Attributes:
        rng: Set by the prosumer before the first call.
    """

    rng: np.random.Generator

    def believe(self, lmp_usd_per_kwh: FloatArray) -> FloatArray:
        """The prices of the distribution market it acts on, (period,), when it is told these; default: these.

        Everything it decides follows from what it believes: its offers, its bid, and the regret it reports.
        """
        return lmp_usd_per_kwh

    def answer(self, quote: Quote, problem: Subproblem) -> Plan:
        """How it answers a quote (whose LMPs are those it believes): by default with the optimum of (20)."""
        return problem.share(quote)

    def offer(self, quote: Quote, plan: Plan) -> Offer:
        """What it tells the platform: by default its planned trades, at the quoted prices.

        The platform starts (21) from the mean of the two ends' prices: marking a price up or down moves that pair's
        price in every round, until the two ends' powers pull it back.
        """
        return Offer(plan.trade_kw, quote.price_usd_per_kwh)

    def bid(self, delivery: Delivery, plan: Plan) -> FloatArray:
        """What it bids to the distribution market, (period,) in kW: by default what its plan needs."""
        del delivery  # for those who override
        return plan.bid_kw


@dataclass(frozen=True)
class PriceTaker(Behaviour):
    """The paper's prosumer: believes every price, wants nothing but the optimum of (20), and says so."""
