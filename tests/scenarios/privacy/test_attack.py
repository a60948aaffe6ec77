"""The fit against logs made by hand: what can be known is found, what cannot is not, and nothing comes of nothing."""

from dataclasses import replace

import numpy as np
import pytest

from gridbazaar.agents import Household, Quote
from gridbazaar.agents.subproblem import Subproblem
from gridbazaar.scenarios.privacy.attack import attack
from gridbazaar.scenarios.privacy.readings import Readings, partner_reads, platform_reads

ALPHA, BETA, NET = 1.5e-3, 0.45, [40.0, -25.0, 90.0]


def reads(heard, **options):
    return attack(platform_reads(heard, withdrawals=options.get("withdrawals", False)))


@pytest.mark.parametrize("withdrawals", [False, True])
def test_inside_the_limits_alpha_is_found_and_of_beta_and_net_load_only_what_they_come_to(log_of, withdrawals):
    fit = reads(log_of(ALPHA, BETA, NET, withdrawals=withdrawals, prices=(0.1, 0.3)), withdrawals=withdrawals)
    assert fit.alpha_usd_per_kw2h == pytest.approx(ALPHA, rel=1e-6)
    assert fit.level_kw == pytest.approx(np.array(NET) + BETA / (2 * ALPHA), rel=1e-6)
    assert np.isinf([fit.low_usd_per_kwh, fit.high_usd_per_kwh]).all()
    assert fit.misfit < 1e-6
    for guess in (0.5, 0.6):  # beta is whatever is guessed, and net load follows
        assert fit.beta_usd_per_kwh(guess) == guess
        assert fit.net_kw(guess) == pytest.approx(np.array(NET) + (BETA - guess) / (2 * ALPHA), rel=1e-5)
    assert fit.beta_usd_per_kwh(0.0) == fit.highest_usd_per_kwh < BETA


@pytest.mark.parametrize("withdrawals", [False, True])
def test_where_the_load_falls_to_nothing_beta_and_the_net_load_are_found(log_of, withdrawals):
    heard = log_of(ALPHA, BETA, NET, prices=(0.2, 0.8), answers=25, withdrawals=withdrawals)
    fit = reads(heard, withdrawals=withdrawals)
    assert fit.alpha_usd_per_kw2h == pytest.approx(ALPHA, rel=1e-6)
    assert fit.beta_usd_per_kwh(9.0) == pytest.approx(BETA, rel=1e-6)
    assert fit.net_kw(BETA) == pytest.approx(NET, rel=1e-6)


def test_an_upper_limit_is_seen_and_tells_nothing_of_beta(log_of):
    fit = reads(log_of(ALPHA, BETA, NET, limits=(0.0, 70.0), answers=25, prices=(0.1, 0.35)))
    assert fit.alpha_usd_per_kw2h == pytest.approx(ALPHA, rel=1e-6)
    assert fit.low_usd_per_kwh == pytest.approx(BETA - 2 * ALPHA * 70.0, rel=1e-6)
    assert fit.high_usd_per_kwh == np.inf


def test_links_at_their_caps_are_left_out_of_what_is_read(log_of):
    heard = log_of(ALPHA, BETA, NET, cap_kw=60.0, answers=25, prices=(0.1, 0.3))
    assert (heard["power_kw"].abs() == heard["cap_kw"]).mean() > 0.2
    assert reads(heard).alpha_usd_per_kw2h == pytest.approx(ALPHA, rel=1e-6)


def test_without_links_orders_alone_are_read(log_of):
    heard = log_of(ALPHA, BETA, NET, cap_kw=1e-9, answers=25, prices=(0.1, 0.3))
    fit = reads(heard[heard["partner"] == "DSO"])
    assert fit.alpha_usd_per_kw2h == pytest.approx(ALPHA, rel=1e-6)


def test_noise_misleads_plain_least_squares_and_not_the_two_stages(log_of):
    """The plain slope is computed here, from the same readings."""
    plain, found = [], []
    for seed in range(10):
        heard = log_of(ALPHA, BETA, NET, noise_kw=12.0, answers=100, prices=(0.1, 0.3), seed=seed)
        readings = platform_reads(heard, withdrawals=False)
        s, y = (v - v.mean(axis=0) for v in (readings.worth_usd_per_kwh, readings.taken_kw))
        plain.append(-(s * y).sum() / (s**2).sum() * 2 * ALPHA)
        found.append(ALPHA / attack(readings).alpha_usd_per_kw2h)
    known = [np.std(slopes, ddof=1) / np.sqrt(len(slopes)) for slopes in (plain, found)]
    assert known[1] < 0.1
    assert abs(np.mean(found) - 1) < 2 * known[1]
    assert 1 - np.mean(plain) > 4 * known[0]


def test_who_hears_one_link_of_several_fits_something_else(log_of):
    """And nothing says so: its line may even fit, but what it takes for the whole is a part."""
    heard = log_of(ALPHA, BETA, NET, answers=40, prices=(0.1, 0.3))
    fit = attack(partner_reads(heard, "q"))
    assert fit is None or abs(fit.alpha_usd_per_kw2h / ALPHA - 1) > 0.3


# --- nothing comes of nothing


def test_one_round_tells_nothing(log_of):
    assert reads(log_of(ALPHA, BETA, NET, answers=1)) is None


def chance(low, high):
    return np.random.default_rng(3).uniform(low, high, (40, 4))


RISING = np.linspace(0.2, 0.3, 160).reshape(40, 4)
NOTHING = {
    "worth stands still": (np.full((40, 4), 0.3), chance(90, 110)),
    "power stands still": (chance(0.2, 0.3), np.full((40, 4), 100.0)),
    "nothing is read": (np.full((40, 4), np.nan), chance(90, 110)),
    "renewables are curtailed": (np.zeros((40, 4)), chance(90, 110)),
    "power rises with worth": (RISING, 1000 * RISING),
}


@pytest.mark.parametrize("what", NOTHING)
def test_of_what_tells_nothing_nothing_is_found(what):
    worth, taken = NOTHING[what]
    told = np.array([np.nan_to_num(worth), chance(-9, 9)])
    assert attack(Readings(worth, taken, told)) is None


def test_of_powers_that_have_nothing_to_do_with_prices_nothing_is_found():
    """Of 30 logs of chance, as few as three standard errors leave: one in 700, or some more as kinks are sought."""
    found = 0
    for seed in range(30):
        rng, shape = np.random.default_rng(seed), (30, 3)
        worth = rng.uniform(0.2, 0.3, shape)
        found += attack(Readings(worth, rng.normal(100, 20, shape), np.array([worth, -100 * worth]))) is not None
    assert found <= 1


def test_two_households_that_differ_in_beta_net_load_and_limits_answer_alike():
    """What the docstring says cannot be known: the project's own prosumers answer the same quotes with the same."""
    shift = 12.0
    one = Household("p", "b", np.array([40.0, 60.0]), np.zeros(2), ALPHA, BETA, 20.0, 120.0, 500.0)
    other = replace(
        one,
        fixed_kw=one.fixed_kw + shift,
        beta_usd_per_kwh=BETA - 2 * ALPHA * shift,
        elastic_min_kw=one.elastic_min_kw - shift,
        elastic_max_kw=one.elastic_max_kw - shift,
    )
    rng = np.random.default_rng(2)
    for _ in range(20):
        lmp, held, weight = rng.uniform(0.1, 0.4, 2), rng.uniform(0, 200, 2), rng.uniform(1e-4, 1e-3, 2)
        price, own, partner, rho = rng.uniform(0.1, 0.4, (2, 2)), *rng.normal(0, 40, (2, 2, 2)), np.full((2, 2), 5e-4)
        quote = Quote(lmp, held, weight, price, own, partner, rho, rho)
        plans = [Subproblem(home, np.array([80.0, 80.0])).share(quote) for home in (one, other)]
        assert plans[0].trade_kw == pytest.approx(plans[1].trade_kw, abs=1e-9)
        assert plans[0].bid_kw == pytest.approx(plans[1].bid_kw, abs=1e-9)
