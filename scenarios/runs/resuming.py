"""What a results folder says of its run: its manifest, its scenario, and whether it can go on (`run --resume`)."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...network.errors import InputError
from ..files.scenario import Scenario
from .kept import MANIFEST
from .recorder import OPEN


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a results folder, which says at least what was run and how it ended.

    Raises:
        InputError: There is none, or it is broken.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        _ = manifest["scenario"], manifest["outcome"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{folder} holds no run; name a results folder with its {MANIFEST}") from None
    return manifest


def scenario_in(folder: Path, manifest: dict[str, Any]) -> Scenario:
    """The scenario that a manifest has.

    Raises:
        InputError: It is no scenario; somebody has changed the file.
    """
    try:
        return Scenario.model_validate(manifest["scenario"])
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        place = f"{folder / MANIFEST} scenario.{where}"
        raise InputError(f"{place}: {error.errors()[0]['msg']}; restore it, or run anew") from None


def recorded_scenario(folder: Path) -> Scenario:
    """The scenario of a results folder whose run has not ended.

    Raises:
        InputError: There is no run there that could go on.
    """
    manifest = read_manifest(folder)
    outcome = manifest["outcome"]
    if outcome not in OPEN:
        raise InputError(f"the run in {folder} has ended ({outcome}); there is nothing to resume, run it anew")
    return scenario_in(folder, manifest)
