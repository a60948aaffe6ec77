"""Logs made by hand, and a small market: three prosumers on a short feeder, four hours, prices that bids move."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from short_feeder import short_feeder

SMALL = short_feeder(
    [1.0, 0.6, 0.2, 0.0],
    [0.7, 0.8, 1.0, 0.9],
    fixed="load",
    more="market: {network_use: bids, max_iterations: 6, max_rounds: 60}",
)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario's file."""
    file = tmp_path_factory.mktemp("small") / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.fixture(scope="session")
def log_of() -> Callable[..., pd.DataFrame]:
    """What is heard of a prosumer with this alpha, beta and net load that is told random terms.

    Each answer is found by itself: by the root of its balance (13), without any code of the project.
    """

    def made(  # noqa: PLR0913  # what a log is made of
        alpha: float,
        beta: float,
        net_kw: list[float],
        *,
        limits: tuple[float, float] = (0.0, 1e6),
        prices: tuple[float, float] = (0.1, 0.4),
        answers: int = 12,
        cap_kw: float = 1e6,
        noise_kw: float = 0.0,
        withdrawals: bool = False,
        seed: int = 1,
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        rows: list[dict[str, Any]] = []
        for answer, (t, net) in product(range(1, answers + 1), enumerate(net_kw, start=1)):
            price, held, weight = rng.uniform(*prices, 3), rng.normal(0, 30, 3), rng.uniform(2e-4, 1e-3, 3)
            if withdrawals:
                price[:2] *= 0.1  # mark-ups
            linked = slice(0, 2)

            def trades(m: float, price=price, held=held, weight=weight, linked=linked) -> np.ndarray:
                return np.clip(held + (m - price) / weight, -cap_kw, cap_kw)[linked]

            def used(s: float) -> float:
                return float(np.clip((beta - s) / (2 * alpha), *limits))

            def order(s: float, net=net, price=price, held=held, weight=weight) -> float:
                return net + used(s) if withdrawals else held[2] + (s - price[2]) / weight[2]

            def m_of(s: float, price=price, held=held, weight=weight, order=order) -> float:
                return s - price[2] - weight[2] * (order(s) - held[2]) if withdrawals else s

            def gap(s: float, net=net, trades=trades, order=order, m_of=m_of) -> float:
                bid = 20.0 if withdrawals else order(s)  # where orders are withdrawals, bids are held here
                return bid + trades(m_of(s)).sum() - net - used(s)

            s = brentq(gap, -50, 50, xtol=1e-15, rtol=1e-14)
            powers = [*trades(m_of(s)), order(s)] + rng.normal(0, 1, 3) * noise_kw
            for k, partner in enumerate(("q", "r", "DSO")):
                numbers = {
                    "price_usd_per_kwh": price[k],
                    "held_kw": held[k],
                    "weight_usd_per_kw2h": weight[k],
                    "cap_kw": np.nan if k == 2 else cap_kw,
                    "fee_usd_per_kwh": np.nan if k == 2 else 0.0,
                    "power_kw": powers[k],
                }
                rows.append({"answer": answer, "prosumer": "p", "partner": partner, "period": t, **numbers})
        return pd.DataFrame(rows)

    return made
