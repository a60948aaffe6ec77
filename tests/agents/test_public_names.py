"""What a room offers by name is there, also what is imported only when it is asked for."""

import subprocess
import sys

import pytest

import gridbazaar.agents
import gridbazaar.market
import gridbazaar.network
import gridbazaar.scenarios


@pytest.mark.parametrize("room", [gridbazaar.agents, gridbazaar.market, gridbazaar.network, gridbazaar.scenarios])
def test_all_names_are_there(room):
    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    assert sorted(room.__all__) == list(room.__all__)
    assert set(room.__all__) <= set(dir(room))
    with pytest.raises(AttributeError, match="has no attribute Nonsense"):
        _ = room.Nonsense


@pytest.mark.parametrize("room", ["agents", "market", "network", "scenarios"])
def test_a_refusal_does_not_wait_for_mesa(room):
    """Naming a room imports none of mesa, cvxpy, pandas and numpy: they take up to a second."""
    program = f"import sys, gridbazaar.{room}; print(sorted({{'mesa', 'cvxpy', 'pandas', 'numpy'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
