"""Where results go: a folder that holds none yet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ...network.errors import InputError


def new_folder(scenario: str, parent: Path | None = None) -> Path:
    """A new folder `results/<scenario>/<time>`, or `parent` itself if one is given.

    Raises:
        InputError: It cannot be made, or already holds results.
    """
    folder = parent or Path("results") / scenario / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty; name a new folder with -o, so that no results are lost")
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}; name another folder with -o") from None
    return folder
