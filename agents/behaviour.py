"""How a prosumer acts: the part of it that users replace."""

from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from ..network.arrays import FloatArray
from .household import Household
from .messages import Delivery, Offer, Quote
from .plan import Plan
from .subproblem import Subproblem


class Behaviour:
    """How a prosumer acts. Override what you care about; what you leave is the paper's price taker.

    A behaviour sees what its prosumer sees: its own household (`problem.household`) and what it is told, nothing of the
    others, and it can write into none of it. One object serves one prosumer. It may keep state; `rng` is its own random
    generator, seeded by the market.

    What it raises, and what it answers that no prosumer can do, ends the run, or is replaced, or excludes it, as the
    market's settings say (`on_misbehaviour`); so does an answer that is late (`answer_timeout_s`).

    Attributes:
        rng: Set by the prosumer before the first call.
        best_response: Whether what it answers, offers and bids is what is best for the household that it declares, by
            what it believes, although it does so in a way of its own: then what it regrets counts like anybody's.
    """

    rng: np.random.Generator
    best_response = False

    def declare(self, household: Household) -> Household:
        """The household that it acts as, told its own: by default that, the truth.

        Steeper or lower utility, less wind, smaller limits: the problem is one like any other, so that partners agree,
        and the certificate holds for what was declared. Nothing may be declared that the real household could not live
        up to: no more wind, no wider limits, no other bus, fees or fixed load. What is really consumed follows from the
        real household, with what was bid and traded. It is asked once, when its prosumer moves in.
        """
        return household

    def spread_usd_per_kwh(self, household: Household) -> float:
        """What it asks beside the price for each kWh that it trades, told its own household; 0 by default.

        It buys as if a kWh cost so much more, and sells as if one brought so much less. It is asked once.
        """
        del household  # for those who override
        return 0.0

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

        The platform starts (21) from the mean of the two ends' prices: marking a price up or down here moves that
        pair's price in every round, so that partners never agree while it lasts, and the run ends with that said. To
        ask for more than the price, ask a `spread_usd_per_kwh`.
        """
        return Offer(plan.trade_kw, quote.price_usd_per_kwh)

    def bid(self, delivery: Delivery, plan: Plan) -> FloatArray:
        """What it bids to the distribution market, (period,) in kW: by default what its plan needs.

        The bid is held within -feed_in_max_kw and bid_max_kw (17); what it adds to or lacks of the plan is consumed or
        saved. Where trades load the wires, the prosumer adds them to it: the DSO is told what is withdrawn.
        """
        del delivery  # for those who override
        return plan.bid_kw

    def learn(self, own_cost_usd: float) -> None:
        """Be told, once a day is over, what it has cost: by default nothing is made of it.

        A market is one day. Who plays several of them in a row, as a league and a rolling horizon do, tells each
        behaviour after each day, or what is kept of each window, what its prosumer paid on the whole, payments
        included, less the true utility of what it consumed. Behaviours that override this go on from what they
        remembered (`saved_state`) when the next one begins; in a rolling horizon all others begin each window anew.
        """
        del own_cost_usd  # for those who override

    def saved_state(self) -> dict[str, object]:
        """What it must remember when it moves into another process: by default all its attributes but `rng`.

        Numbers, texts, lists, tuples, dicts and numpy arrays of these can be kept. Override it, and `restore_state`, to
        leave out what can be worked out again. What cannot be kept costs time, not results: who moves then lives
        through everything once more.
        """
        return {name: value for name, value in vars(self).items() if name != "rng"}

    def restore_state(self, state: dict[str, object]) -> None:
        """Go on from a `saved_state`."""
        vars(self).update(state)

    def close(self) -> None:
        """Let go of what it holds outside, such as a process or a connection: its market is closed."""

    def overrides(self, hook: str) -> bool:
        """Whether it answers a hook itself; otherwise it is not asked, and what is written here stands."""
        return getattr(type(self), hook) is not getattr(Behaviour, hook)


def close_all(behaviours: Iterable[Behaviour]) -> None:
    """Let behaviours let go of what they hold outside; whatever one raises then there is nobody left to mind."""
    for behaviour in behaviours:
        with suppress(Exception):  # a user's code may raise anything
            behaviour.close()


def acts_otherwise(behaviour: Behaviour) -> bool:
    """Whether it may do otherwise than what is best for the household that it declares, by what it believes.

    Then what it regrets of a schedule is its own affair, and says nothing of the others.
    """
    own_way = any(behaviour.overrides(hook) for hook in ("answer", "offer", "bid"))
    return own_way and not behaviour.best_response


class PriceTaker(Behaviour):
    """The paper's prosumer: believes every price, wants nothing but the optimum of (20), and says so."""
