"""A run that was stopped or killed, from its results folder: `gridbazaar run --resume`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from ...market.hosting.diary import Diary, newest_saved
from ...network.errors import InputError
from ..files.scenario import Scenario
from .recorder import ANSWERS, COMMUNITIES, MANIFEST, Recorder, read_table

_OPEN = {"running", "interrupted", "failed"}
"""How a run stands that can go on."""


def recorded_scenario(folder: Path) -> Scenario:
    """The scenario of a results folder whose run has not ended.

    Raises:
        InputError: There is no run there that could go on.
    """
    file = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        scenario, outcome = manifest["scenario"], manifest["outcome"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder} holds no run; name a results folder with its {MANIFEST}") from None
    if outcome not in _OPEN:
        raise InputError(f"the run in {folder} has ended ({outcome}); there is nothing to resume, run it anew")
    try:
        return Scenario.model_validate(scenario)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(f"{file} scenario.{where}: {error.errors()[0]['msg']}; restore it, or run anew") from None


def diary_of(folder: Path, recorder: Recorder) -> Diary:
    """The diary of a run in its folder: empty for one that begins."""
    rows = read_table(folder, ANSWERS)
    calls, verbs = rows["call"].to_pylist(), rows["verb"].to_pylist()
    values = rows["values"].to_numpy(zero_copy_only=False)
    past = {call: (verb, np.array(row)) for call, verb, row in zip(calls, verbs, values, strict=True)}
    communities = (folder / COMMUNITIES).resolve()  # workers may have another working directory
    saved_at, saved = newest_saved(communities, at_most=max(past, default=0))
    return Diary(communities, recorder.note_answer, past, saved_at, saved)
