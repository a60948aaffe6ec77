"""Compiled rows: who waits for a compiler is told, once, and not again where the code is kept."""

import importlib
import sys

import numpy as np
import pytest

from gridbazaar.agents import rows

SOURCE = """
def doubled(asked, values, results, scratch):
    for i in asked:
        results[0][i] = twice(values[i])

def twice(value):
    return 2 * value
"""


@pytest.fixture
def function(tmp_path, monkeypatch):
    """A function of rows in a module of its own, of which nothing is kept yet."""
    (tmp_path / "fresh_rows.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("fresh_rows").doubled
    del sys.modules["fresh_rows"]


def test_a_first_compilation_is_told_once(function, caplog):
    def compiled():
        rows._say_that_it_compiles.cache_clear()
        found = np.zeros(3)
        rows.compiled.__wrapped__(function)(np.arange(3), np.array([1.0, 2.0, 4.0]), (found,), np.zeros((0, 0)))
        assert found.tolist() == [2, 4, 8]

    compiled()
    assert caplog.messages == ["compiling for this machine, some 10 s; it is kept for the next time"]  # not by helper
    caplog.clear()
    rows.compiled.cache_clear()
    compiled()
    assert caplog.messages == []
