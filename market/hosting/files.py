"""Files that are there as a whole or not at all."""

import os
from pathlib import Path

from .plain import UnsavedError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all.

    Raises:
        UnsavedError: It cannot be written.
    """
    partial = path.with_suffix(".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise UnsavedError(f"prosumers cannot be saved in {path}: {error.strerror}") from error
