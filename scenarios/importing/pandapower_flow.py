"""pandapower's power flow: the library, if it is installed, and a solved network."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from ..errors import refuse

TOLERANCES_MVA = (1e-10, 1e-8, 1e-6)
"""How closely powers must balance at every bus, tried one after the other: by rounding not every network comes so
close."""


def pandapower(title: str) -> Any:
    """The library.

    Raises:
        ScenarioError: It is not installed.
    """
    try:
        return import_module("pandapower")  # an extra, and two seconds to import
    except ImportError:
        cure = "pip install 'gridbazaar[grid]'"
        raise refuse(title, "", f"networks of other tools are read with pandapower, which is missing: {cure}") from None


def solve(net: Any, title: str) -> None:
    """Solve the power flow; results stand in the network.

    Raises:
        ScenarioError: There is no solution.
    """
    power = pandapower(title)
    reason: Exception | None = None
    for tolerance_mva in TOLERANCES_MVA:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numpy, where it diverges, and of fields that are out of date
                power.runpp(net, numba=False, tolerance_mva=tolerance_mva, calculate_voltage_angles=False, init="flat")
        except power.LoadflowNotConverged as error:
            reason = error
        except (ArithmeticError, ValueError, KeyError, IndexError, UserWarning, NotImplementedError) as error:
            raise refuse(title, "", f"pandapower cannot compute its power flow: {_line(error)}; correct that") from None
        else:
            return
    raise refuse(title, "", f"its power flow has no solution in pandapower ({_line(reason)}); lessen its loads")


def _line(error: Exception | None) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
