"""Saved communities: the memories of their prosumers as bytes that hold nothing but numbers and text."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...agents.behaviour import Behaviour, PriceTaker
from ...agents.behaviour_errors import AnswerError, BehaviourError
from ...agents.containment import Containment
from ...agents.crowd import Crowd, Standing
from ...network.arrays import FloatArray
from .plain import UnsavedError, from_plain, to_plain

_ELSEWHERE = -1
MOST_BYTES = 16 * 2**20
"""What one behaviour may remember, as JSON; communities are saved every second."""


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
    containment: Containment

    @property
    def name(self) -> str:
        """Its name."""

    def memory(self) -> FloatArray:
        """All that its next answers depend on, but for its private data and its behaviour, (row, period)."""

    def recall(self, memory: FloatArray) -> None:
        """Go on from there."""

    def resume(self, kept: dict[str, Any]) -> None:
        """Go on from what its containment kept, before `recall`."""


def save_memories(crowd: Crowd, names: Sequence[str], others: Sequence[Remembering]) -> bytes:
    """The memories of a community, as a NumPy archive.

    Args:
        crowd: Those who answer as one.
        names: Everybody's name, in the order of the crowd's rows.
        others: Those who answer alone.

    Raises:
        UnsavedError: A behaviour remembers what cannot be kept, or too much, or is still at work.
    """
    memories = [prosumer.memory() for prosumer in others]
    archive, members = io.BytesIO(), crowd.members
    np.savez(
        archive,
        members=np.array([names[i] for i in members]),
        links=np.diff(crowd.homes.starts)[members],
        by_home=crowd.standing.by_home[:, members],
        by_arc=crowd.standing.by_arc[:, crowd.homes.arcs_of(members)],
        names=np.array([prosumer.name for prosumer in others]),
        rows=np.array([memory.shape[0] for memory in memories], dtype=int),
        memories=np.concatenate([*memories, np.zeros((0, crowd.homes.periods))]),
        behaviours=np.array(f"{{{', '.join(_behaviour(p) for p in others if _remembers(p))}}}"),
    )
    return archive.getvalue()


def load_memories(crowd: Crowd, names: Sequence[str], others: Sequence[Remembering], saved: Sequence[bytes]) -> None:
    """Let a community, as of `save_memories`, go on from memories that stand somewhere among those saved."""
    row = {names[i]: int(i) for i in crowd.members}
    by_home, by_arc = crowd.standing.by_home, crowd.standing.by_arc
    memories: dict[str, FloatArray] = {}
    behaviours: dict[str, dict[str, Any]] = {}
    for one in saved:
        with np.load(io.BytesIO(one), allow_pickle=False) as archive:
            parts = np.split(archive["memories"], np.cumsum(archive["rows"])[:-1])
            memories.update(zip(archive["names"].tolist(), parts, strict=False))
            behaviours.update(json.loads(str(archive["behaviours"])))
            rows = np.array([row.get(name, _ELSEWHERE) for name in archive["members"].tolist()], dtype=int)
            here, links = rows != _ELSEWHERE, archive["links"]
            by_home[:, rows[here]] = archive["by_home"][:, here]
            by_arc[:, crowd.homes.arcs_of(rows[here])] = archive["by_arc"][:, np.repeat(here, links)]
    crowd.standing = Standing.of(by_home, by_arc)
    for prosumer in others:
        if prosumer.name not in memories:  # it begins anew
            continue
        kept = behaviours.get(prosumer.name)
        if kept:
            prosumer.resume(from_plain(kept["contained"]))
        prosumer.recall(memories[prosumer.name])
        if kept and "state" in kept:
            prosumer.behaviour.rng.bit_generator.state = from_plain(kept["rng"])
            _restore(prosumer, from_plain(kept["state"]))


def behaviours_in(saved: Sequence[bytes]) -> dict[str, tuple[dict[str, object], dict[str, Any]]]:
    """What behaviours remembered when communities were saved, and where their random numbers stood, by prosumer.

    Price takers, who remember nothing, and those that were excluded are left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in saved:
        with np.load(io.BytesIO(one), allow_pickle=False) as archive:
            found.update(json.loads(str(archive["behaviours"])))
    acting = {name: kept for name, kept in found.items() if "state" in kept}
    return {name: (from_plain(kept["state"]), from_plain(kept["rng"])) for name, kept in acting.items()}


def _restore(prosumer: Remembering, state: dict[str, object]) -> None:
    """Let a behaviour go on from there.

    Raises:
        BehaviourError: It cannot.
    """
    try:
        prosumer.behaviour.restore_state(state)
    except Exception as error:  # a user's code may raise anything; it is told with its place
        name = type(prosumer.behaviour).__name__
        problem = str(error) if isinstance(error, AnswerError) else BehaviourError.told(error)
        raise BehaviourError(prosumer.name, name, "restore_state", problem) from error


def without(saved: Sequence[bytes], names: Collection[str]) -> tuple[bytes, ...]:
    """The same memories but for those of some prosumers, which go on from them as if they had just moved in."""
    return tuple(_without(one, names) for one in saved)


def _without(saved: bytes, names: Collection[str]) -> bytes:
    with np.load(io.BytesIO(saved), allow_pickle=False) as archive:
        kept = dict(archive)
    stays = ~np.isin(kept["members"], list(names))
    kept["by_arc"] = kept["by_arc"][:, np.repeat(stays, kept["links"])]
    kept["by_home"] = kept["by_home"][:, stays]
    kept["members"], kept["links"] = kept["members"][stays], kept["links"][stays]
    alone = ~np.isin(kept["names"], list(names))
    kept["memories"] = kept["memories"][np.repeat(alone, kept["rows"])]
    kept["names"], kept["rows"] = kept["names"][alone], kept["rows"][alone]
    behaviours = json.loads(str(kept["behaviours"]))
    kept["behaviours"] = np.array(json.dumps({name: behaviours[name] for name in behaviours if name not in names}))
    archive_ = io.BytesIO()
    np.savez(archive_, **kept)
    return archive_.getvalue()


def _remembers(prosumer: Remembering) -> bool:
    return type(prosumer.behaviour) is not PriceTaker


def _behaviour(prosumer: Remembering) -> str:
    """What a behaviour remembers, as a part of a JSON object; one that is excluded needs nothing any more."""
    behaviour = prosumer.behaviour
    where = f"behaviour {type(behaviour).__name__} of {prosumer.name}"
    kept = {"contained": to_plain(prosumer.containment.kept(), where)}
    if not prosumer.containment.excluded:
        if prosumer.containment.busy:
            raise UnsavedError(f"{where} is still busy with what it was asked before, and cannot be saved meanwhile")
        kept["rng"] = to_plain(behaviour.rng.bit_generator.state, where)
        kept["state"] = to_plain(behaviour.saved_state(), where)
    text = json.dumps(kept)
    if len(text) > MOST_BYTES:
        size, most = len(text) / 2**20, MOST_BYTES / 2**20
        raise UnsavedError(f"{where} remembers {size:.0f} MiB; more than {most:.0f} MiB are not kept: remember less")
    return f"{json.dumps(prosumer.name)}: {text}"
