"""Values by period brought to another step, their unit kept: powers as means or held, energies as sums or shares."""

from __future__ import annotations

from math import gcd

import numpy as np

from ...network.arrays import BoolArray, FloatArray, IntArray

ENERGY_SUFFIX = "_kwh"
"""Profiles whose names end so are energies of a period; all others are powers, or factors of such."""


def resampled(
    values: FloatArray, step_min: int, first_min: int, wanted_min: int, count: int, *, energy: bool
) -> FloatArray:
    """Values of `count` periods of another step, from `first_min` minutes after the beginning of the data on.

    Both steps are cut into pieces that fill either: a power holds in every piece of its period and is averaged over the
    pieces of the other's, an energy is shared out evenly and summed up.

    Args:
        values: By period of the data, (row,).
        step_min, wanted_min: Length of a period of the data, and of one that is wanted, minutes.
        first_min: Where the first wanted period begins; the data must reach as far as the last.
        count: How many periods are wanted.
        energy: Whether the values are energies of a period.
    """
    piece_min = gcd(step_min, wanted_min, first_min)
    pieces, parts = step_min // piece_min, wanted_min // piece_min
    rows = (first_min // piece_min + np.arange(count * parts)) // pieces
    grouped = values[rows].reshape(count, parts)
    if energy:
        return np.asarray(grouped.sum(axis=1) / pieces)
    return np.asarray(grouped[:, 0].copy() if parts == 1 else grouped.mean(axis=1))


def filled(values: FloatArray, how: str) -> FloatArray:
    """The values, nan replaced by the one before ("previous") or on a line between both neighbours ("interpolate").

    Where there is no such neighbour, nan stays.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return values
    at = np.arange(values.size)
    if how == "interpolate":
        return np.asarray(np.interp(at, known, values[known], left=np.nan, right=np.nan))
    return np.where(at < known[0], np.nan, values[last_known(~np.isnan(values))])


def last_known(known: BoolArray) -> IntArray:
    """The index of the last row up to each that is known; the first one where there is none before, (row,)."""
    return np.asarray(np.maximum.accumulate(np.where(known, np.arange(known.size), 0)), dtype=np.intp)
