"""Frames that carry no message: what sets up a community, saves it, or lets it go on from there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from ...agents.behaviour_errors import BehaviourError
from ...agents.devices.device import DeviceError
from ...agents.misdeed import Misdeed
from .calls import VERB_BYTES, joined, opened, parted
from .spec import CommunitySpec

SET_UP, SAVE, RECALL, DONE, REFUSED, FAILED = "set up", "save", "recall", "done", "refused", "failed"
"""Frames that carry no message: set up a community, save it, let it go on from there; done; a refusal, and any other
error."""
REPORTED = "reported"
"""An answer, and beside it what behaviours have failed in meanwhile."""


def plain_frame(verb: str, body: bytes = b"") -> bytes:
    """A frame that carries no message."""
    return verb.encode().ljust(VERB_BYTES, b"\0") + body


def reported_frame(answer: bytes, misdeeds: Sequence[Misdeed]) -> bytes:
    """An answer with what behaviours have failed in meanwhile; without that just the answer."""
    if not misdeeds:
        return answer
    told = json.dumps([asdict(misdeed) for misdeed in misdeeds]).encode()
    return plain_frame(REPORTED, joined([answer, told]))


def unreported(data: bytes) -> tuple[bytes, tuple[Misdeed, ...]]:
    """The answer, and what behaviours have failed in."""
    verb, body = opened(data)
    if verb != REPORTED:
        return data, ()
    answer, told = parted(body)
    return answer, tuple(Misdeed(**cells) for cells in json.loads(told))


def set_up_frame(spec: CommunitySpec, saved: list[bytes | Path], scratch: Path | None = None) -> bytes:
    """What sets up a community; it may go on from saved ones, given as files of this machine or as what they hold.

    In a `scratch` folder is nothing that anybody needs when the market is gone.

    Behaviours and devices that the other process could not import (those of a script, a notebook or a file) travel as
    code.
    """
    devices = [device for household in spec.households for device in household.devices]
    strangers = [module for made in (*spec.behaviours, *devices) for module in _not_importable(made)]
    for module in strangers:
        cloudpickle.register_pickle_by_value(module)
    try:
        return plain_frame(SET_UP, cloudpickle.dumps((spec, saved, scratch)))
    except Exception:  # a behaviour may hold anything: say whose it is
        for name, behaviour in zip(spec.membership.names, spec.behaviours, strict=True):
            if stays := _why_it_stays(behaviour):
                raise BehaviourError(name, type(behaviour).__name__, "__init__", stays) from None
        for device in devices:
            if stays := _why_it_stays(device):
                raise DeviceError(device.name, "kind", stays) from None
        raise
    finally:
        for module in set(strangers):
            cloudpickle.unregister_pickle_by_value(module)


def _why_it_stays(made: object) -> str:
    """Why a behaviour or device cannot be brought into another process; empty if it can."""
    try:
        cloudpickle.dumps(made)
    except Exception as error:  # what it holds may raise anything when it is packed
        return f"it cannot be brought into another process: {error}"
    return ""


def _not_importable(made: object) -> Iterator[ModuleType]:
    """The modules of the classes of a behaviour or device that only this process knows."""
    for cls in type(made).__mro__:
        top = cls.__module__.partition(".")[0]
        if top not in {"builtins", "__main__"} and not any(_finds(finder, top) for finder in sys.meta_path):
            yield sys.modules[cls.__module__]


def _finds(finder: Any, name: str) -> bool:
    return hasattr(finder, "find_spec") and finder.find_spec(name, None) is not None
