"""What is made plain comes back as it was, to the last bit; what cannot be is named."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gridbazaar.market.hosting.plain import NotPlainError, from_plain, to_plain

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.text() | st.integers() | st.tuples(st.integers(), st.text())
plain = st.recursive(
    leaves,
    lambda part: st.lists(part) | st.tuples(part, part) | st.dictionaries(keys, part),
    max_leaves=10,
)


@given(plain)
def test_data_survive_json(value):
    again = from_plain(json.loads(json.dumps(to_plain(value, "x"))))
    assert again == value
    assert repr(again) == repr(value)  # 1 is not True, -0.0 is not 0.0


@given(hnp.arrays(st.sampled_from([np.float64, np.float32, np.int64, bool]), hnp.array_shapes(min_dims=0, min_side=0)))
def test_arrays_survive_json(array):
    again = from_plain(json.loads(json.dumps(to_plain({"a": array}, "x"))))["a"]
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert again.tobytes() == array.tobytes() or np.isnan(array).any()


def test_numpy_scalars_and_generators_survive():
    rng = np.random.default_rng(3)
    rng.random(5)
    again = np.random.default_rng()
    again.bit_generator.state = from_plain(json.loads(json.dumps(to_plain(rng.bit_generator.state, "x"))))
    assert again.random() == rng.random()
    kept = from_plain(json.loads(json.dumps(to_plain(np.float64(0.1), "x"))))
    assert (type(kept), kept) == (np.float64, 0.1)


ODD = {"object": object(), "set": {1, 2}, "function": len, "complex": 1j, "objects": np.array([object()])}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
def test_what_cannot_be_kept_is_named(value):
    with pytest.raises(NotPlainError, match=rf"behaviour B of p2 remembers a {type(value).__name__}, which cannot"):
        to_plain({"deep": [value]}, "behaviour B of p2")
