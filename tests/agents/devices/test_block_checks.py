"""What a user's device lays out is looked at before anything is proven of it: convex, finite, of the right shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp

from gridbazaar.agents import HouseholdError
from gridbazaar.agents.devices.device import Device, DeviceError, Preset
from gridbazaar.agents.devices.device_block import DeviceBlock
from gridbazaar.agents.devices.fleet import Fleet


@dataclass(frozen=True, eq=False)
class Chp(Device):
    """A generator with a pump of 0.2 kW, whose block is spoilt by one change."""

    kind, name = "chp", "chp"
    spoilt: dict[str, object]

    def block(self, periods, dt_h):
        low, high = np.outer([0.0, 0.2], np.ones(periods)), np.outer([3.0, 0.2], np.ones(periods))
        cost, into = np.outer([0.05, 0.0], np.ones(periods)), np.outer([1.0, -1.0], np.ones(periods))
        none = np.zeros(0)
        rows = sp.csr_array((0, 2 * periods))
        right = DeviceBlock(("gen_kw", "pump_kw"), low, high, cost, 0 * cost, into, rows, none, none)
        return replace(right, **self.spoilt)

    def mended(self, found, dt_h):
        return np.clip(found, [[0.0], [0.2]], [[3.0], [0.2]])

    def infeasibility(self, periods, when):
        return ""


ONES = np.ones((2, 3))
SPOILT = [
    ("quadratic_usd_per_h", ONES * [[0.0], [-0.002]], "quadratic_usd_per_h of pump_kw in period 1 is below 0, which"),
    ("linear_usd_per_h", ONES * [1.0, np.nan, 1.0], "linear_usd_per_h of gen_kw in period 2 is not finite; give a"),
    ("high", ONES * [[np.inf], [1.0]], "high of gen_kw in period 1 is not finite; bound it"),
    ("high", ONES * [[3.0], [0.1]], "low is above high of pump_kw in period 1; swap or widen them"),
    ("injection", np.ones((2, 1)), "injection has the shape (2, 1); it must be (column, period), (2, 3)"),
    ("columns", ("gen_kw", "gen_kw"), "two columns have one name; give each its own"),
    ("row_low", np.zeros(1), "rows (0, 6), row_low (1,), row_high (0,) do not fit: there are 6 columns times periods"),
    ("exclusive", ((0, 2),), "exclusive names column 2, which is not there"),
]


@pytest.mark.parametrize(("key", "value", "sentence"), SPOILT)
def test_a_wrong_block_is_refused_with_device_and_column(key, value, sentence):
    with pytest.raises(DeviceError) as refused:
        Fleet([Chp({key: value})], 3, 1.0)
    assert str(refused.value).startswith(f"device chp: block() is wrong: {sentence}")
    assert refused.value.key == "block"


@pytest.mark.parametrize(
    ("low", "high", "value", "sentence"),
    [
        (1.0, 0.0, 1.0, "row 1 has row_low above row_high; swap or widen them"),
        (np.inf, np.inf, 1.0, "row 1 has row_low above row_high; swap or widen them"),
        (0.0, np.nan, 1.0, "a row has a value that is no number; only its bounds may be infinite"),
        (0.0, 1.0, np.nan, "a row has a value that is no number; only its bounds may be infinite"),
    ],
)
def test_a_wrong_row_is_refused(low, high, value, sentence):
    rows = sp.csr_array(np.full((1, 6), value))
    with pytest.raises(DeviceError) as refused:
        Fleet([Chp({"rows": rows, "row_low": np.array([low]), "row_high": np.array([high])})], 3, 1.0)
    assert str(refused.value).startswith(f"device chp: block() is wrong: {sentence}")


def test_what_is_right_is_laid_out():
    assert Fleet([Chp({})], 3, 1.0).columns == 2


def test_its_owner_is_named(home):
    """What is not convex would get a certificate that does not hold."""
    periods = home().periods
    concave = Chp({"quadratic_usd_per_h": np.full((2, periods), -0.002)})
    with pytest.raises(HouseholdError) as refused:
        replace(home(), devices=(concave,))
    assert refused.value.key == "devices.chp.block"
    assert "device chp: block() is wrong: quadratic_usd_per_h of gen_kw in period 1 is below 0" in str(refused.value)


class Stumbles(Chp):
    def infeasibility(self, periods, when):
        raise RuntimeError("boom")


class Silent(Chp):
    def infeasibility(self, periods, when):
        return None


class Falls(Chp):
    def block(self, periods, dt_h):
        raise IndexError("no such period")


class Empty(Chp):
    def block(self, periods, dt_h):
        return None


class Nothing(Preset):
    kind, name = "nothing", "chp"

    def device(self, periods, dt_h):
        return 1 / 0


@pytest.mark.parametrize(
    ("made", "method", "sentence"),
    [
        (Stumbles({}), "infeasibility", "infeasibility() raised RuntimeError: boom (at "),
        (Silent({}), "infeasibility", "infeasibility() returned a NoneType; return a text, empty if all is well"),
        (Falls({}), "block", "block() raised IndexError: no such period (at "),
        (Empty({}), "block", "block() returned a NoneType; return a DeviceBlock"),
        (Nothing(), "device", "device() raised ZeroDivisionError: division by zero (at "),
    ],
)
def test_what_a_method_raises_is_told_with_owner_and_device(home, made, method, sentence):
    with pytest.raises(HouseholdError) as refused:
        replace(home(), devices=(made,)).check_balance(0.0)
    assert str(refused.value).startswith(f"prosumer {home().name}: device chp: {sentence}")
    assert refused.value.key == f"devices.chp.{method}"
