"""What serves a community where it lives: bytes in, bytes out. The same in a worker process and in a Ray actor."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ...network.errors import GridbazaarError
from .calls import call_of, flat, frame, opened, parted
from .community import Community
from .files import write_whole
from .frames import DONE, FAILED, RECALL, REFUSED, SAVE, SET_UP, plain_frame, reported_frame
from .spec import CommunitySpec


class RelayedError(GridbazaarError):
    """An error of a class that the market's process cannot be told, by its sentence.

    Attributes:
        exit_code: That of the error.
    """

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence, exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return str(self.args[0])


def _packed(error: GridbazaarError) -> bytes:
    try:
        packed = pickle.dumps(error)
        pickle.loads(packed)  # noqa: S301  # our own, made just now
    except Exception:  # a class of a user's own may do anything when it is packed
        packed = pickle.dumps(RelayedError(str(error), error.exit_code))
    return packed


class CommunityServer:
    """Serves one community.

    Attributes:
        community: None before it is set up.
        scratch: A folder that is of no use any more when the market is gone; None if there is none.
    """

    def __init__(self) -> None:
        self.community: Community | None = None
        self.scratch: Path | None = None

    def serve(self, data: bytes) -> bytes:
        """Do what a frame asks for, and answer; errors are answers, too."""
        try:
            answer = self._serve(data)
            return reported_frame(answer, self.community.misdeeds()) if self.community else answer
        except GridbazaarError as error:
            return plain_frame(REFUSED, _packed(error))
        except Exception as error:  # whatever it is: the market decides what to do about it
            traceback.print_exc()
            return plain_frame(FAILED, f"{type(error).__name__}: {error}".encode())

    def close(self) -> None:
        """Let behaviours let go of what they hold outside."""
        if self.community is not None:
            self.community.close()

    def _serve(self, data: bytes) -> bytes:
        start = perf_counter()
        verb, body = opened(data)
        if verb == SET_UP:
            spec, saved, self.scratch = pickle.loads(body)  # noqa: S301  # from the market that has started this server, for itself
            self._set_up(spec, saved)
            return plain_frame(DONE)
        assert self.community is not None, "there is no community yet"
        if verb == SAVE:
            return self._save(body.decode())
        if verb == RECALL:
            self.community.recall(parted(body))
            return plain_frame(DONE)
        call = call_of(verb, body, self.community.membership.extent)
        unpacked = perf_counter()
        message = getattr(self.community, verb)(call.message)
        solved = perf_counter()
        values = flat(message)
        handling_s = unpacked - start + perf_counter() - solved
        return frame(verb, np.array([call.number, solved - unpacked, handling_s]), values)

    def _set_up(self, spec: CommunitySpec, saved: list[Any]) -> None:
        self.community = Community(spec)
        if saved:
            self.community.recall([one.read_bytes() if isinstance(one, Path) else one for one in saved])

    def _save(self, path: str) -> bytes:
        """Save the community into a file, or into the answer where no file is named."""
        assert self.community is not None
        saved = self.community.save()
        if not path:
            return plain_frame(DONE, saved)
        write_whole(Path(path), saved)
        return plain_frame(DONE)
