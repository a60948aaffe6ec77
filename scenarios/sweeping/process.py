"""What a process for many runs is prepared by."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from multiprocessing import parent_process

from ...market.settings import RenamedWarning


def begin() -> None:
    """Prepare a process for points: Ctrl-C is the first process's to tell, and nobody works on when that is gone."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", RenamedWarning)  # the first process has told of old names
    threading.Thread(target=_end_with_parent, name="gridbazaar parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
