"""Saved communities: the memories of their prosumers as bytes that hold nothing but numbers and text."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...agents.behaviour import Behaviour, PriceTaker
from ...network.arrays import FloatArray
from .plain import from_plain, to_plain


@dataclass(frozen=True, slots=True, eq=False)
class CommunitiesState:
    """What all prosumers remember.

    Attributes:
        calls: How many calls have been made.
        saved: The communities as they saved themselves: numbers and text; in any division they are for all prosumers.
    """

    calls: int
    saved: tuple[bytes, ...]


class Remembering(Protocol):
    """What is asked of a `Prosumer` here."""

    behaviour: Behaviour

    @property
    def name(self) -> str:
        """Its name."""

    def memory(self) -> FloatArray:
        """All that its next answers depend on, but for its private data and its behaviour, (row, period)."""

    def recall(self, memory: FloatArray) -> None:
        """Go on from there."""


def save_memories(prosumers: Sequence[Remembering]) -> bytes:
    """The memories of these prosumers, as a NumPy archive.

    Raises:
        NotPlainError: A behaviour remembers what cannot be kept.
    """
    memories = [prosumer.memory() for prosumer in prosumers]
    archive = io.BytesIO()
    np.savez(
        archive,
        names=np.array([prosumer.name for prosumer in prosumers]),
        rows=np.array([memory.shape[0] for memory in memories]),
        memories=np.concatenate(memories),
        behaviours=np.array(json.dumps({p.name: _behaviour(p) for p in prosumers if _remembers(p)})),
    )
    return archive.getvalue()


def load_memories(prosumers: Sequence[Remembering], saved: Sequence[bytes]) -> None:
    """Let these prosumers go on from their memories, which stand somewhere among those saved."""
    memories: dict[str, FloatArray] = {}
    behaviours: dict[str, dict[str, Any]] = {}
    for one in saved:
        with np.load(io.BytesIO(one), allow_pickle=False) as archive:
            parts = np.split(archive["memories"], np.cumsum(archive["rows"])[:-1])
            memories.update(zip(archive["names"].tolist(), parts, strict=True))
            behaviours.update(json.loads(str(archive["behaviours"])))
    for prosumer in prosumers:
        prosumer.recall(memories[prosumer.name])
        if _remembers(prosumer):
            kept = behaviours[prosumer.name]
            prosumer.behaviour.rng.bit_generator.state = from_plain(kept["rng"])
            prosumer.behaviour.restore_state(from_plain(kept["state"]))


def _remembers(prosumer: Remembering) -> bool:
    return type(prosumer.behaviour) is not PriceTaker


def _behaviour(prosumer: Remembering) -> dict[str, object]:
    behaviour = prosumer.behaviour
    where = f"behaviour {type(behaviour).__name__} of {prosumer.name}"
    return {
        "rng": to_plain(behaviour.rng.bit_generator.state, where),
        "state": to_plain(behaviour.saved_state(), where),
    }
