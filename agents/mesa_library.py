"""Mesa, imported so that it changes nothing of the user's process; by itself it makes all new processes spawn."""

import multiprocessing as mp

_before = mp.get_start_method(allow_none=True)

import mesa  # noqa: E402  # what it changes is what is put back below

mp.set_start_method(_before, force=True)

__all__ = ["mesa"]
