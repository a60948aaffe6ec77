"""How many cores this process may use: what is run side by side, here or in processes of its own, follows from it."""

from __future__ import annotations

import os


def cores() -> int:
    """Those the system lets this process have, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
