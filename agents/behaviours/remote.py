"""Remote: to act as a program in any language says, over JSON lines; the protocol is in README.md here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, MinLen

from ...network.arrays import FloatArray
from ..behaviour import Behaviour
from ..behaviour_errors import AnswerError
from ..household import Household
from ..json_program import JsonProgram
from ..messages import Delivery, Offer, Quote
from ..plan import Plan
from ..subproblem import Subproblem

PROTOCOL = 1
"""The version of the protocol that is spoken here."""
HOOKS = ("declare", "spread_usd_per_kwh", "believe", "answer", "offer", "bid")
"""What a program can be asked about its market."""
_MEMORY = ("save", "restore")
_KNOWN = (*HOOKS, *_MEMORY)

_KEPT = {"devices", "_fleet", "device", "calendar"}
"""What of a household and of a plan a program is not told."""


class Remote(Behaviour):
    """Answers with what a program answers, for the hooks that it wants; for the others as a price taker.

    One program serves one prosumer. It is started in the process that the prosumer lives in, with the working directory
    of who made this object, and begins anew after each failure. It has to end when its stdin ends.
    """

    def __init__(self, command: Annotated[str, MinLen(1)], timeout_s: Annotated[float, Gt(0)] = 10.0) -> None:
        """Be answered for by this command, which may take so many seconds for one answer.

        Args:
            command: The program and its arguments, such as "node mine.js"; no shell runs it.
            timeout_s: How long it may take for one answer; one that takes longer is ended.
        """
        self.command, self.timeout_s, self.folder = command, timeout_s, str(Path.cwd())
        self.wants: tuple[str, ...] | None = None
        self._program: JsonProgram | None = None
        self._home: dict[str, Any] | None = None
        self._seed: int | None = None

    def overrides(self, hook: str) -> bool:
        """Whether the program wants this hook: it is started for that question once, and ended.

        Who wants any is asked for its declaration, too, which is where it learns of its household.
        """
        if self.wants is None:
            program = None
            try:
                program = self._started()
            except AnswerError:
                self.wants = HOOKS  # each of them will say what is wrong, where that can be told
            finally:
                if program is not None:
                    program.close()
        wants = self.wants or ()
        return hook in wants or (hook == "declare" and bool(wants))

    def declare(self, household: Household) -> Household:
        """The household with what the program changes of it."""
        self._home = _plain(household)
        if "declare" not in (self.wants or ()):
            return household
        changes = self._ask("declare").get("household", {})
        known = {cell.name for cell in fields(Household)} - _KEPT
        unknown = sorted(set(changes) - known)
        if unknown:
            raise AnswerError(f"{self.command!r} changes {unknown[0]}, which no household has")
        return replace(household, **{key: _value(part) for key, part in changes.items()})

    def spread_usd_per_kwh(self, household: Household) -> float:
        """The spread that the program asks."""
        del household  # of which it knows
        spread: float = _part(self._ask("spread_usd_per_kwh"), "spread_usd_per_kwh", self.command)
        return spread

    def believe(self, lmp_usd_per_kwh: FloatArray) -> FloatArray:
        """The prices that the program believes in."""
        told = self._ask("believe", lmp_usd_per_kwh=lmp_usd_per_kwh.tolist())
        lmp: FloatArray = _part(told, "lmp_usd_per_kwh", self.command)
        return lmp

    def answer(self, quote: Quote, problem: Subproblem) -> Plan:
        """The program's plan; it is told the price taker's."""
        best = problem.share(quote)
        told = self._ask("answer", quote=_plain(quote), plan=_plain(best))
        plan = _part(told, "plan", self.command)
        parts = (cell.name for cell in fields(Plan) if cell.name not in _KEPT)
        return replace(best, **{name: _part(plan, name, self.command) for name in parts})

    def offer(self, quote: Quote, plan: Plan) -> Offer:
        """The program's offer."""
        told = self._ask("offer", quote=_plain(quote), plan=_plain(plan))
        return Offer(*(_part(told, cell.name, self.command) for cell in fields(Offer)))

    def bid(self, delivery: Delivery, plan: Plan) -> FloatArray:
        """The program's bid."""
        told = self._ask("bid", delivery=_plain(delivery), plan=_plain(plan))
        bid: FloatArray = _part(told, "bid_kw", self.command)
        return bid

    def saved_state(self) -> dict[str, object]:
        """What the program says that it must remember; nothing if it does not want to be asked."""
        state = self._ask("save").get("state") if "save" in (self.wants or ()) else None
        return {"seed": self._seed, "state": state}

    def restore_state(self, state: dict[str, object]) -> None:
        """Let another program go on from there."""
        self.close()
        vars(self).update(_seed=state["seed"])
        if "restore" in (self.wants or ()):
            self._ask("restore", state=state["state"])

    def close(self) -> None:
        """End the program."""
        program, self._program = self._program, None
        if program is not None:
            program.close()

    def __getstate__(self) -> dict[str, Any]:
        """What travels, or is copied: the program does not."""
        return {**vars(self), "_program": None}

    def _ask(self, hook: str, **told: Any) -> dict[str, Any]:
        if self._program is None or not self._program.running:
            self._program = self._started()
        return self._program.ask({"ask": hook, **told})

    def _started(self) -> JsonProgram:
        """A new program that has been greeted."""
        if self._seed is None and hasattr(self, "rng"):
            self._seed = int(self.rng.integers(2**53))
        program = JsonProgram(self.command, self.folder, self.timeout_s)
        told = program.ask({"ask": "hello", "protocol": PROTOCOL, "household": self._home, "seed": self._seed})
        wants, speaks = told.get("wants", []), told.get("protocol")
        wrong = ""
        if speaks != PROTOCOL:
            wrong = f"speaks protocol {speaks!r}; {PROTOCOL} is spoken here"
        elif not isinstance(wants, list) or not set(map(str, wants)) <= set(_KNOWN):
            wrong = f"wants {wants!r}; a list of {', '.join(_KNOWN)} is known"
        if wrong:
            program.close()
            raise AnswerError(f"{self.command!r} {wrong}")
        self.wants, self.best_response = tuple(map(str, wants)), told.get("best_response") is True
        return program


def _part(told: Mapping[str, Any], key: str, command: str) -> Any:
    """A part of an answer, as it stands in JSON; whether it fits is checked as for any behaviour."""
    if not isinstance(told, dict) or key not in told:
        raise AnswerError(f"{command!r} answered without {key}")
    return told[key]


def _plain(record: Any) -> dict[str, Any]:
    """A record of arrays as JSON has it, without devices and the calendar, which no program needs or changes."""
    parts = {cell.name: getattr(record, cell.name) for cell in fields(record) if cell.name not in _KEPT}
    return {key: part.tolist() if isinstance(part, np.ndarray) else part for key, part in parts.items()}


def _value(part: Any) -> Any:
    return np.array(part, dtype=float) if isinstance(part, list) else part
