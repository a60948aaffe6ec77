"""Where a network comes from: a file, or a name that an installed library knows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import refuse
from .pandapower_flow import pandapower
from .pandapower_reading import Read, from_pandapower

LARGEST_MB = 200
"""A file from here on is not read."""
_SHORT = {"create_": "", "create_cigre_network_": "cigre_"}
"""How names of pandapower begin, and how they may be shortened."""


def read_network(what: str, price_usd_per_kwh: float) -> Read:
    """The network of a file, or of a name.

    Raises:
        ScenarioError: There is none, or it cannot be read.
    """
    path = Path(what)
    if path.is_file():
        return from_pandapower(_net_of_file(path), path.stem, price_usd_per_kwh)
    if path.suffix in {".json", ".m", ".xlsx", ".p", ".mat"} or len(path.parts) > 1:
        raise refuse(f"import {what}", "", "there is no such file; correct its name")
    return from_pandapower(_net_of_name(what), what, price_usd_per_kwh)


def _net_of_file(path: Path) -> Any:
    place = f"import {path}"
    size_mb = path.stat().st_size / 1e6
    if size_mb > LARGEST_MB:
        raise refuse(
            place, "", f"a file of {size_mb:,.0f} MB is no distribution network; give one below {LARGEST_MB} MB"
        )
    if path.suffix == ".json":
        return _quietly(lambda: _of_json(path), place)
    cure = "save it with pandapower.to_json, or give a MATPOWER case (.m)"
    raise refuse(place, "", f"a file that ends with {path.suffix or 'nothing'} cannot be imported; {cure}")


def _of_json(path: Path) -> Any:
    power = pandapower(f"import {path}")
    return power.from_json(str(path))


def _net_of_name(what: str) -> Any:
    place = f"import {what}"
    pandapower(place)
    from pandapower import networks

    makers = {name: make for name, make in vars(networks).items() if callable(make) and not name.startswith("_")}
    wanted = [
        what,
        *(f"{start}{what.removeprefix(short)}" for start, short in _SHORT.items() if what.startswith(short)),
    ]
    for name in wanted:
        if name in makers:
            return _quietly(makers[name], place)
    cure = "give a file, or a name of pandapower.networks, such as case33bw, cigre_lv or kerber_dorfnetz"
    raise refuse(place, "", f"there is no file and no network of this name; {cure}")


def _quietly(make: Callable[[], Any], place: str) -> Any:
    """What a library makes, without its warnings; whatever it fails with is one sentence.

    Raises:
        ScenarioError: It fails, or makes no network.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, UserWarning, ImportError, OSError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise refuse(
            place, "", f"it is no network that pandapower can read ({reason}); save it anew from there"
        ) from None
    if not all(hasattr(made, table) for table in ("bus", "line", "trafo", "ext_grid", "load", "switch")):
        raise refuse(place, "", f"pandapower reads a {type(made).__name__} there and no network; give one")
    return made
