"""The figure of an experiment as a file."""

from __future__ import annotations

from pathlib import Path

from ..study.drawing import file_of
from .experiment import Privacy
from .figures import privacy_figure


def write_figure(privacy: Privacy) -> Path | None:
    """Write `privacy.svg` into the folder of an experiment.

    Returns:
        The file; None if nobody was heard.

    Raises:
        OSError: It cannot be written.
    """
    figure = privacy_figure(privacy.frame)
    if figure is None:
        return None
    file = privacy.folder / "privacy.svg"
    file.write_bytes(file_of(figure, "svg"))
    return file
