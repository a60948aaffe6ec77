"""Settings refuse what makes no sense, by the name of the setting."""

import pickle

import numpy as np
import pytest

from gridbazaar.market import Case, MarketSettings, NetworkUse, Order, SettingsError

ABOVE_0 = ("penalty_usd_per_kw2h", "primal_tolerance_kw", "dual_tolerance_usd_per_kwh", "regret_tolerance")
REFUSED = [
    *(
        (key, value, f"{key} {value} must be a finite number above 0")
        for key in ABOVE_0
        for value in (0.0, -1.0, np.nan)
    ),
    *((key, np.inf, f"{key} inf must be a finite number above 0") for key in ABOVE_0),
    ("max_rounds", 0, "max_rounds 0 must be at least 1"),
    ("max_iterations", 1, "max_iterations 1 must be at least 2"),
    ("case", 4, "case 4 is none of 1, 2, 3; name one of them"),
    *(
        ("regret_tolerance_usd", value, f"regret_tolerance_usd {value} must be a finite number of at least 0")
        for value in (-1e-6, np.inf, np.nan)
    ),
    ("network_use", "wires", "network_use wires is none of bids, withdrawals; name one of them"),
    ("order", "random", "order random is none of proximal_jacobi, gauss_seidel, jacobi; name one of them"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), REFUSED)
def test_refusal(key, value, sentence):
    with pytest.raises(SettingsError) as refusal:
        MarketSettings(**{key: value})
    assert str(refusal.value) == sentence
    assert refusal.value.key == key
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.key) == (sentence, key)


def test_plain_values_become_members():
    settings = MarketSettings(case=2, order="gauss_seidel")
    assert settings.case is Case.CENTRAL
    assert settings.order is Order.GAUSS_SEIDEL
    assert MarketSettings().network_use is NetworkUse.WITHDRAWALS
    assert not MarketSettings(network_use="bids").withdrawals
    assert not MarketSettings(network_use="bids").sharing_rules.marks_up


@pytest.mark.parametrize(
    ("order", "proximal", "adapts", "turns"),
    [
        ("proximal_jacobi", True, True, [(0, 1, 2)]),
        ("gauss_seidel", False, True, [(0,), (1,), (2,)]),
        ("jacobi", False, False, [(0, 1, 2)]),
    ],
)
def test_what_an_order_means(order, proximal, adapts, turns):
    settings = MarketSettings(order=order)
    assert settings.sharing_rules.proximal is proximal
    assert settings.sharing_rules.adapt_penalty is adapts
    assert [tuple(turn) for turn in settings.order.turns(np.arange(3))] == turns
    assert (settings.order.doubt == "") is (order == "proximal_jacobi")
