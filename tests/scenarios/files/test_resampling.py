"""Other steps keep the energy, whatever the steps are; holes are filled as pandas does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridbazaar.scenarios.files.resampling import filled, resampled

STEPS = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60)
VALUES = st.lists(st.floats(-1e3, 1e3), min_size=120, max_size=120).map(np.array)


@given(VALUES, st.sampled_from(STEPS), st.sampled_from(STEPS), st.integers(0, 59))
def test_power_is_the_mean_of_its_minutes(values, step_min, wanted_min, first_min):
    """Minute by minute with pandas: each wanted value is the mean of the minutes that it covers."""
    first_min %= 60
    count = (values.size * step_min - first_min) // wanted_min
    found = resampled(values, step_min, first_min, wanted_min, count, energy=False)
    minutes = pd.Series(np.repeat(values, step_min))[first_min : first_min + count * wanted_min]
    wanted = minutes.groupby(np.arange(len(minutes)) // wanted_min).mean()
    assert found == pytest.approx(wanted.to_numpy(), rel=1e-12, abs=1e-9)


@given(VALUES, st.sampled_from(STEPS), st.sampled_from(STEPS))
def test_energy_is_kept(values, step_min, wanted_min):
    count = values.size * step_min // wanted_min
    covered = values[: count * wanted_min // step_min]
    assume(count * wanted_min % step_min == 0)
    power = resampled(values, step_min, 0, wanted_min, count, energy=False)
    energy = resampled(values, step_min, 0, wanted_min, count, energy=True)
    scale = np.abs(values).sum() + 1e-300
    assert abs(power.sum() * wanted_min - covered.sum() * step_min) <= 1e-12 * scale * step_min
    assert abs(energy.sum() - covered.sum()) <= 1e-12 * scale


def test_a_power_is_held_and_an_energy_is_shared():
    values = np.array([4.0, 8.0])
    assert resampled(values, 60, 0, 15, 8, energy=False).tolist() == [4.0] * 4 + [8.0] * 4
    assert resampled(values, 60, 0, 15, 8, energy=True).tolist() == [1.0] * 4 + [2.0] * 4
    assert resampled(values, 60, 30, 60, 1, energy=False).tolist() == [6.0]


@given(st.lists(st.one_of(st.just(np.nan), st.floats(-10, 10)), min_size=1, max_size=30).map(np.array))
def test_holes_are_filled_as_pandas_does(values):
    line = pd.Series(values).interpolate("linear", limit_area="inside").to_numpy()
    assert filled(values, "interpolate") == pytest.approx(line, nan_ok=True, abs=1e-12)
    assert filled(values, "previous") == pytest.approx(pd.Series(values).ffill().to_numpy(), nan_ok=True, abs=0)
