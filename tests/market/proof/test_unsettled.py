"""The verdict on a run that does not settle: who goes round, when, who could still gain, and what to change."""

import numpy as np
import pytest

from gridbazaar.market import MarketSettings
from gridbazaar.market.proof.conduct import Conduct
from gridbazaar.market.proof.outer_history import OuterHistory

BASE = np.full((3, 24), 10.0)
MOVED = BASE.copy()
MOVED[:2, 1:7] += 5.0
OTHER = BASE.copy()
OTHER[2, 20] -= 3.0


def course(bids, totals=None, behaving=(), shares=(0.7, 0.2, 0.1), dso=0.0, **settings):
    watched = OuterHistory(["p1", "p2", "p3"], 1.0, MarketSettings(**settings), Conduct(tuple(behaving)))
    for k, bid in enumerate(bids):
        total = totals[k] if totals else 5.0
        watched.add(bid, np.array(shares) * total, total + dso, 1000.0, 10)
    return watched


def test_bids_that_swap_are_named_with_their_hours():
    watched = course([BASE, MOVED] * 4, method="plain")
    assert watched.cycle() == "bids of p1 and p2 swap at 01:00-07:00, period 2"
    assert watched.why("").startswith(f"{watched.cycle()}: LMPs turn more than demand does (28)")


def test_longer_cycles_are_found():
    assert course([BASE, MOVED, OTHER] * 3).cycle() == (
        "bids of p1, p2 and p3 go round at 01:00-07:00 and 20:00-21:00, period 3"
    )


@pytest.mark.parametrize("bids", [[BASE] * 8, [BASE + k for k in range(8)], [BASE, MOVED]])
def test_what_rests_or_wanders_is_no_cycle(bids):
    assert course(bids).cycle() == ""


CAUSES = {
    "still falling": ({"totals": [2.0**-k for k in range(8)]}, "the regret may still fall: raise the limit"),
    "stuck": ({}, "which may be all that the solvers give: raise market.regret_tolerance"),
    "stuck with plain": ({"method": "plain"}, "the regret no longer falls: use market.method newton"),
    "cut short": ({"max_rounds": 10}, "Algorithm 1 was cut short in the last step: raise market.max_rounds 10"),
    "behaviours": ({"behaving": ["p2"]}, "p2 acts on a behaviour of its own, which may never rest: look there first"),
    "who gains": ({}, "; p1 could still gain most ($3.5)"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause(name):
    settings, sentence = CAUSES[name]
    assert sentence in course([BASE + k**0.5 for k in range(8)], **settings).why("")


def test_a_shortage_is_told_last():
    assert course([BASE] * 3).why("bus 18 is short").endswith("; the last clearing is short: bus 18 is short")


ALONE = (0.95, 0.05, 0.0)
MINE = {"p1": ["mine", "heat"]}


def test_who_alone_is_in_the_way_is_named_with_its_devices():
    watched = course([BASE] * 5, [9.0, 5.0, 5.01, 5.0, 5.02], shares=ALONE)
    assert watched.blocked_by == ""  # it has just fallen
    watched = course([MOVED] + [BASE] * 5, [9.0, 5.0, 5.01, 5.0, 5.02, 5.0], shares=ALONE)
    assert watched.blocked_by == "p1"
    assert watched.who_stays(MINE, "") == (
        "p1 could still gain $4.8, as it does not do what is best for it: look at mended() of mine and heat, which "
        "`gridbazaar check` tries"
    )
    assert watched.who_stays({}, "bus 18").endswith("what is best for it; the last clearing is short: bus 18")
    behaving = course([BASE] * 5, shares=ALONE, behaving=["p1"])
    assert behaving.who_stays({}, "").endswith("what is best for it: look at its behaviour")


@pytest.mark.parametrize(
    ("changed", "bids"),
    [
        ({}, [BASE] * 5),  # p1 has 0.7 of it
        ({"shares": ALONE}, [BASE] * 4),  # too few steps
        ({"shares": ALONE}, [BASE] * 4 + [MOVED]),
        ({"shares": ALONE, "totals": [5.0, 4.8, 4.6, 4.4, 4.2]}, [BASE] * 5),  # it falls
        ({"shares": ALONE, "totals": [5e-3] * 5}, [BASE] * 5),  # solvers may leave that
        ({"shares": (1.0, 1e-9, 1e-9), "totals": [np.inf] * 5}, [BASE] * 5),
        ({"shares": ALONE, "totals": [5e-3] * 5, "dso": 5.0}, [BASE] * 5),  # it is the DSO's
        ({"shares": ALONE, "order": "jacobi"}, [BASE] * 5),  # that never agrees
    ],
    ids=["others too", "early", "moves", "falls", "small", "endless", "the DSO's", "jacobi"],
)
def test_nobody_is_blamed_too_soon(changed, bids):
    assert course(bids, **changed).blocked_by == ""
