"""Numbers as JSON has them: what is nan or infinite is null."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...network.arrays import FloatArray


def number(value: float) -> float | None:
    """A number; None for one that is nan or infinite."""
    return float(value) if np.isfinite(value) else None


def by_name(names: Sequence[str], values: FloatArray) -> dict[str, Any]:
    """Numbers by name, of (name,), or lists of them, of (name, period)."""
    return {name: _listed(row) for name, row in zip(names, values, strict=True)}


def _listed(row: Any) -> Any:
    return [number(value) for value in row] if np.ndim(row) else number(row)
