"""Importing gridbazaar changes nothing of the user's process."""

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing as mp
if {method!r}:
    mp.set_start_method({method!r})
import gridbazaar.scenarios as gb
gb.load("ieee33").market().step()
import sys
assert "mesa" in sys.modules
print(mp.get_start_method(allow_none=True))
"""


@pytest.mark.parametrize("method", ["", "fork", "spawn", "forkserver"])
def test_processes_start_as_before(method):
    script = SCRIPT.format(method=method)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (method or "None")
