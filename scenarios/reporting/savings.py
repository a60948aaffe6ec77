"""What each prosumer saves by sharing: a run beside one of the same scenario without."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...network.errors import InputError
from ..runs.amounts import bound, dollars, last_place
from ..runs.kpis import jain_index
from .accuracy import cost_within_by_prosumer_usd, together
from .scenario_differences import scenario_differences
from .stored_run import StoredRun

_NO_SHARING = 1
_HOW = {"title", "seed", "market", "messages"}


@dataclass(frozen=True, slots=True)
class Savings:
    """What sharing saves.

    Attributes:
        usd: By prosumer, $: what it all comes to without sharing less what it does with it.
        within_usd: What each saving is known to; empty where nothing is known.
    """

    usd: dict[str, float]
    within_usd: dict[str, float]

    @classmethod
    def of(cls, run: StoredRun, alone: StoredRun) -> Savings:
        """The savings of a run against one without sharing.

        Raises:
            InputError: That one has sharing, is of another scenario, or has delivered nothing.
        """
        if _has_sharing(alone):
            raise InputError(f"the run in {alone.folder} has sharing in it; name one that was run with --case 1")
        other = scenario_differences([_but_sharing(one) for one in (run, alone)])
        if other:
            sentence = f"differs in more than sharing ({other[0].key}); name one of the same scenario"
            raise InputError(f"the run in {alone.folder} {sentence}")
        for one in (run, alone):
            if not one.delivered or "total_usd_by_prosumer" not in one.kpis:
                sentence = f"the run in {one.folder} ({one.outcome}) has no costs to compare; name one that has settled"
                raise InputError(sentence)
        ours, theirs = (one.kpis["total_usd_by_prosumer"] for one in (run, alone))
        known, known_alone = (cost_within_by_prosumer_usd(one) for one in (run, alone))
        bounds = {name: together(known.get(name), known_alone.get(name)) for name in ours}
        return cls(
            {name: theirs[name] - ours[name] for name in ours},
            {name: bound for name, bound in bounds.items() if bound is not None},
        )

    @classmethod
    def between(cls, one: StoredRun, other: StoredRun) -> Savings | None:
        """The savings of whichever has sharing against the one that has not; None where they do not fit."""
        for run, alone in ((one, other), (other, one)):
            if _has_sharing(run) and not _has_sharing(alone):
                with suppress(InputError):
                    return cls.of(run, alone)
        return None

    @property
    def total_usd(self) -> float:
        """What all save together, $."""
        return sum(self.usd.values())

    @property
    def total_within_usd(self) -> float | None:
        """What that is known to."""
        return together(*(self.within_usd.get(name) for name in self.usd))

    @property
    def said(self) -> str:
        """What sharing saves, in words: "sharing saves $70, known to $34; Jain's index of the savings is 0.91"."""
        within = self.total_within_usd
        if within is None:
            return f"sharing saves {dollars(self.total_usd)}, proven by nothing"
        if abs(self.total_usd) <= within:
            return f"sharing saves nothing that is known (within {bound(within)})"
        does = "saves" if self.total_usd > 0 else "costs"
        saved = f"sharing {does} {dollars(abs(self.total_usd), last_place(within))}, known to {bound(within)}"
        return f"{saved}; Jain's index of the savings is {self.fairness_said}"

    @property
    def fairness_said(self) -> str:
        """Jain's index in words."""
        return "not known" if self.fairness is None else f"{self.fairness:.2f}"

    @property
    def fairness(self) -> float | None:
        """Jain's index of the savings; None unless each is above 0 by more than it is known to."""
        known = all(usd > self.within_usd.get(name, np.inf) for name, usd in self.usd.items())
        return jain_index(np.array([*self.usd.values()])) if known else None


def _but_sharing(run: StoredRun) -> dict[str, Any]:
    """What is asked for, apart from how the market comes to rest."""
    scenario = run.manifest["scenario"]
    asked = {key: value for key, value in scenario.items() if key not in _HOW}
    return {**asked, "market": {key: scenario["market"][key] for key in ("network_use", "physics")}}


def _has_sharing(run: StoredRun) -> bool:
    return bool(run.manifest["scenario"]["market"]["case"] != _NO_SHARING)
