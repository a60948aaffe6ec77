"""The array types of all numbers, and arrays that nobody may change."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
ComplexArray = NDArray[np.complex128]


def frozen(values: FloatArray) -> FloatArray:
    """Read-only view of an array: what travels in a message is nobody's to change."""
    view = values.view()
    view.flags.writeable = False
    return view
