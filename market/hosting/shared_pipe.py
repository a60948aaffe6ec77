"""A pipe between two processes of one machine whose long frames lie in memory that both share.

A pipe copies a frame through the kernel in small pieces. From some hundred kilobytes on it is quicker, and for
megabytes several times quicker, to lay it in a file that is only in memory, which both ends map, and to send word of
it. Where there is no such place, or it is full, frames go through the pipe.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from contextlib import suppress
from itertools import count
from mmap import mmap
from multiprocessing.connection import Connection
from pathlib import Path

LONG = 150_000
"""Bytes: from there on frames are shared."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # where Linux keeps files in memory alone; folders there are made by `mkdtemp`
_WORD = struct.Struct("<QQ")  # the number of the room that a frame lies in, and its length; room 0 is the pipe itself
_SPARE = 1.25  # a room is so much larger than what it is made for: frames grow a little


def shared_folder() -> str:
    """A new folder that is only in memory, for one pipe; "" where there is none."""
    if not hasattr(os, "posix_fallocate"):
        return ""
    try:
        return tempfile.mkdtemp(prefix="gridbazaar-", dir=_IN_MEMORY)
    except OSError:
        return ""


class SharedPipe:
    """One end of the pipe; frames are sent and received in turn, one at a time.

    A room has no name any more once the other end has it, so that nothing is left behind of it.
    """

    def __init__(self, pipe: Connection[bytes, bytes], folder: str, end: str) -> None:
        """Take one end.

        Args:
            pipe: The end of a pipe.
            folder: The `shared_folder` of both ends.
            end: What this end is called, other than the other one.
        """
        self.pipe, self._folder, self._end, self._numbers = pipe, folder, end, count(1)
        self._full = not folder
        self._own: tuple[int, mmap] | None = None  # its number, and the room
        self._theirs: tuple[int, mmap] | None = None

    def send(self, frame: bytes) -> None:
        """Send a frame.

        Raises:
            OSError: The other end is closed.
        """
        if len(frame) < LONG or (own := self._room(len(frame))) is None:
            self.pipe.send_bytes(_WORD.pack(0, len(frame)) + frame)
            return
        number, room = own
        room[: len(frame)] = frame
        self.pipe.send_bytes(_WORD.pack(number, len(frame)))

    def receive(self) -> bytes:
        """The next frame.

        Raises:
            EOFError, OSError: The other end is closed.
        """
        word = self.pipe.recv_bytes()
        number, size = _WORD.unpack_from(word)
        if not number:
            return word[_WORD.size :]
        if self._theirs is None or self._theirs[0] != number:
            path = self._path("market" if self._end == "worker" else "worker", number)
            self._theirs = number, _mapped(path)
            path.unlink()
        return self._theirs[1][:size]

    def _room(self, size: int) -> tuple[int, mmap] | None:
        """A room of its own for so many bytes; None if there is none to be had."""
        if self._own is not None and len(self._own[1]) >= size:
            return self._own
        self._own = None
        if self._full:
            return None
        number = next(self._numbers)
        path = self._path(self._end, number)
        try:
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, int(size * _SPARE))  # else writing ends a process when it is full
            self._own = number, _mapped(path)
        except OSError:
            path.unlink(missing_ok=True)
            self._full = True
        return self._own

    def _path(self, end: str, number: int) -> Path:
        return Path(self._folder, f"{end}-{number}")


def _mapped(path: Path) -> mmap:
    with path.open("r+b") as file:
        return mmap(file.fileno(), 0)


def clear(folder: str) -> None:
    """Remove a `shared_folder`, and what nobody has fetched there."""
    if folder:
        with suppress(OSError):
            shutil.rmtree(folder)
