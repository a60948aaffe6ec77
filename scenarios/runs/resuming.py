"""A run that was stopped or killed, from its results folder: `gridbazaar run --resume`."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...network.errors import InputError
from ..files.scenario import Scenario
from .recorder import MANIFEST, OPEN


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
    if outcome not in OPEN:
        raise InputError(f"the run in {folder} has ended ({outcome}); there is nothing to resume, run it anew")
    try:
        return Scenario.model_validate(scenario)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise InputError(f"{file} scenario.{where}: {error.errors()[0]['msg']}; restore it, or run anew") from None
