"""Mesa, imported so that it changes nothing of the user's process; by itself it makes all new processes spawn.

What a market does not use of it, and that is most of the time that its import takes, is imported by those who do.
"""

import multiprocessing as mp

from ..network.lazy import import_later

for _unused in ("mesa.space", "mesa.experimental", "pandas"):
    import_later(_unused)
_before = mp.get_start_method(allow_none=True)

import mesa  # noqa: E402  # what it changes is what is put back below

mp.set_start_method(_before, force=True)

__all__ = ["forget", "mesa"]


def forget(model: mesa.Model) -> None:
    """Let Mesa hold on to a model no longer, in which no more agents begin.

    Mesa numbers agents model by model, in a table of its class that keeps every model for as long as the process lives.
    """
    getattr(mesa.Agent, "_ids", {}).pop(model, None)
