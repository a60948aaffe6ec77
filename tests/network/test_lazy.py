"""Modules that are imported when they are first used."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = {
    "__init__.py": "print('imported heavy'); from .part import NUMBER; here = __path__ is not None",
    "part.py": "NUMBER = 7",
}
USES = {
    "nothing": ("import heavy", ""),
    "an attribute": ("import heavy; print(heavy.NUMBER)", "imported heavy 7"),
    "a name": ("from heavy import NUMBER; print(NUMBER)", "imported heavy 7"),
    "what lies below": ("import heavy.part; print(heavy.part.NUMBER)", "imported heavy 7"),
    "twice": ("import heavy; heavy.NUMBER; print(heavy.here)", "imported heavy True"),
    "what is not there": ("import heavy\ntry: heavy.nothing\nexcept AttributeError as e: print(e)", "imported heavy"),
}


@pytest.mark.parametrize("use", USES)
def test_a_module_is_imported_when_it_is_first_used(use: str, tmp_path: Path) -> None:
    for name, text in PACKAGE.items():
        file = tmp_path / "heavy" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    words, told = USES[use]
    code = f"from gridbazaar.network.lazy import import_later as later; later('heavy'); later('absent')\n{words}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert " ".join(done.stdout.split()).startswith(told)
    assert bool(done.stdout) == bool(told)


def test_mesa_is_whole_for_whoever_uses_it() -> None:
    code = """
import gridbazaar.agents.mesa_library, sys, mesa
assert not {"networkx", "scipy.spatial", "pandas._libs"} & set(sys.modules)
from mesa.space import MultiGrid
assert MultiGrid is mesa.space.MultiGrid
assert mesa.experimental.continuous_space.ContinuousSpace
import pandas.testing
model = mesa.Model()
collector = mesa.DataCollector({"one": lambda model: 1})
collector.collect(model)
assert list(collector.get_model_vars_dataframe()["one"]) == [1]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
