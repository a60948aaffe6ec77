"""Conditions on what is known after a round, "voltage_min_pu < 0.95", evaluated without giving anything away."""

from __future__ import annotations

import ast
import io
from collections.abc import Callable
from difflib import get_close_matches
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.tree import did_you_mean
from .errors import SessionError

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket

_OF_A_ROUND = (
    "number",
    "iteration",
    "primal_kw",
    "dual_usd_per_kwh",
    "dso_cost_usd",
    "outer_error",
    "regret_usd",
    "clearings",
    "elastic_clearings",
    "verdict",
)


_FUNCTIONS = {function.__name__: function for function in (abs, all, any, max, min, sum)}


class Condition:
    """A condition in Python's words on the names of a round.

    Names: those of a round (`round`, `iteration`, `primal_kw`, `dso_cost_usd`, `regret_usd`, ...), `phase`,
    `relative_regret`, `voltage_min_pu`, `voltage_max_pu`, `losses_kwh`, `loading_max`; and, with periods from 1,
    `lmp("p1", 19)`, `bid("p1", 19)`, `price("p1-p2", 19)` and `trade("p1-p2", 19)`.

    Attributes:
        text: The condition as it was written.
    """

    def __init__(self, text: str) -> None:
        """Read a condition.

        Raises:
            SessionError: It is none.
        """
        from asteval import Interpreter

        self.text = text
        self._interpreter = Interpreter(minimal=True, use_numpy=False, err_writer=io.StringIO(), writer=io.StringIO())
        no_condition = SessionError(f"{text!r} is no condition; write one like voltage_min_pu < 0.95")
        if not text.strip():
            raise no_condition
        try:
            self._tree = self._interpreter.parse(text)
        except Exception as error:
            raise no_condition from error

    def holds(self, market: EnergyMarket) -> bool:
        """Whether it holds after the last round.

        Raises:
            SessionError: It uses a name that is not known, or goes wrong.
        """
        known = names(market)
        for name in self._uncalled():
            if isinstance(known.get(name), _Cells):
                raise known[name].unasked
        self._interpreter.symtable.clear()  # of what it offers, files too, nothing is left
        self._interpreter.symtable.update(_FUNCTIONS | known)
        self._interpreter.error = []
        try:
            found = self._interpreter.run(self._tree, with_raise=True)
        except NameError as error:
            name = str(error).split("'")[1] if "'" in str(error) else str(error)
            near = (
                did_you_mean(name, known) if get_close_matches(name, known, n=1) else f"; known are {', '.join(known)}"
            )
            raise SessionError(f"{self.text!r}: there is no {name}{near}") from error
        except Exception as error:
            said = str(error).partition("and kwargs {}: ")[2] or str(error)  # without the evaluator's own words
            raise SessionError(f"{self.text!r} cannot be evaluated: {said}") from error
        if not isinstance(found, bool | np.bool_):
            raise SessionError(f"{self.text!r} is {found!r}, neither true nor false; compare it with something")
        return bool(found)

    def _uncalled(self) -> list[str]:
        """The names in it that are not called as functions."""
        nodes = list(ast.walk(self._tree))
        called = {node.func for node in nodes if isinstance(node, ast.Call)}
        return [node.id for node in nodes if isinstance(node, ast.Name) and node not in called]


def names(market: EnergyMarket) -> dict[str, Any]:
    """What a condition may ask of a market, by name."""
    last = market.last
    known: dict[str, Any] = {key: getattr(last, key, nan) for key in _OF_A_ROUND}
    known["round"], known["phase"] = market.rounds, str(last.phase) if last else ""
    known["relative_regret"] = market.proof.certificate().relative
    known |= dict.fromkeys(("voltage_min_pu", "voltage_max_pu", "losses_kwh", "loading_max"), nan)
    if market.operator.state.dispatch is not None:
        dispatch = market.operator.cleared
        known["voltage_min_pu"], known["voltage_max_pu"] = dispatch.voltage_min_pu, float(dispatch.v_pu.max())
        known["losses_kwh"] = dispatch.losses_kwh
        known["loading_max"] = float(np.max(line_loading(market), initial=0.0))
    people = {name: row for row, name in enumerate(market.graph.names)}
    links = {link.name: row for row, link in enumerate(market.graph.links)}
    platform = market.platform
    known["lmp"] = _Cells("lmp", people, lambda: platform.lmp_usd_per_kwh)
    known["bid"] = _Cells("bid", people, lambda: last.bid_kw if last else market.bid_kw)
    known["price"] = _Cells("price", links, lambda: platform.whole_price_usd_per_kwh)
    known["trade"] = _Cells("trade", links, lambda: platform.pairs.trade_kw)
    return known


def line_loading(market: EnergyMarket) -> Any:
    """Loading of the line that feeds each bus, as a part of its tightest rating, (bus, period); 0 without a rating."""
    from ...network.flows import Flows

    return np.nan_to_num(Flows.of(market.operator.clearing.feeder, market.operator.cleared).loading)


class _Cells:
    """A table that a condition asks by name and period, from 1: `lmp("p1", 19)`."""

    def __init__(self, word: str, rows: dict[str, int], table: Callable[[], Any]) -> None:
        self._word, self._rows, self._table = word, rows, table

    def __call__(self, *asked: Any) -> float:
        if len(asked) != 2 or not isinstance(asked[1], int):
            raise self.unasked
        name, period = asked
        values = self._table()
        if name not in self._rows:
            raise SessionError(f"there is no {name}{did_you_mean(name, self._rows)}")
        if not 1 <= period <= values.shape[1]:
            raise SessionError(f"there is no period {period}; they count from 1 to {values.shape[1]}")
        return float(values[self._rows[name], period - 1])

    @property
    def unasked(self) -> SessionError:
        """What is wrong where it is not asked for anything."""
        who = next(iter(self._rows), "p1")
        return SessionError(f'{self._word} needs a name and a period: write {self._word}("{who}", 1)')
