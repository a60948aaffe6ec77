"""Saved communities: the memories of their prosumers as bytes that hold nothing but numbers and text."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...agents.arrays import FloatArray
from ...agents.behaviour import PriceTaker
from ...agents.prosumer import Prosumer
from .plain import from_plain, to_plain


def save_memories(prosumers: Sequence[Prosumer]) -> bytes:
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


def load_memories(prosumers: Sequence[Prosumer], saved: Sequence[bytes]) -> None:
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


def _remembers(prosumer: Prosumer) -> bool:
    return type(prosumer.behaviour) is not PriceTaker


def _behaviour(prosumer: Prosumer) -> dict[str, object]:
    behaviour = prosumer.behaviour
    where = f"behaviour {type(behaviour).__name__} of {prosumer.name}"
    return {
        "rng": to_plain(behaviour.rng.bit_generator.state, where),
        "state": to_plain(behaviour.saved_state(), where),
    }
