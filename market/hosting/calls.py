"""What is carried to a community and back: a verb and one array each way.

A call is sixteen bytes with the verb and then one array of doubles: the number of the call and the fields of its
message. A reply has the same verb, the same number, two times in seconds and the fields of its message. Both ends know
the message types of every verb and the extent of the community, so nothing else has to travel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ...agents.messages import Bids, Commitment, Deliveries, Offers, Pledges, Quotes, Regrets, axes_of
from ...agents.misdeed import Misdeed
from ...network.arrays import FloatArray
from ..messages import Needs, PrivateSchedules, Question

VERBS: Mapping[str, tuple[type[Any], type[Any]]] = {
    "answer": (Quotes, Offers),
    "regrets": (Deliveries, Regrets),
    "deliver": (Deliveries, Pledges),
    "commit": (Commitment, Bids),
    "needs": (Question, Needs),
    "schedules": (Deliveries, PrivateSchedules),
}
"""What a community can be asked, as its methods are called: the message that asks, and the one that answers."""
VERB_BYTES = 16


@dataclass(frozen=True, slots=True)
class Call:
    """A question to a community.

    Attributes:
        number: Which of the market's calls it is, from 1.
        verb: What is asked, one of `VERBS`.
        message: The message that asks.
    """

    number: int
    verb: str
    message: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A community's answer.

    Attributes:
        number: The number of its call.
        message: The message that answers.
        solving_s: Time that the members took.
        handling_s: Time that their process took to unpack the question and to pack the answer.
        misdeeds: What behaviours failed in meanwhile.
    """

    number: int
    message: Any
    solving_s: float
    handling_s: float
    misdeeds: tuple[Misdeed, ...] = ()


def frame(verb: str, *parts: FloatArray) -> bytes:
    """The bytes of a verb and one array."""
    return verb.encode().ljust(VERB_BYTES, b"\0") + np.concatenate(parts).tobytes()


def opened(data: bytes) -> tuple[str, bytes]:
    """The verb of a frame, and what follows it."""
    return data[:VERB_BYTES].rstrip(b"\0").decode(), data[VERB_BYTES:]


def joined(parts: Sequence[bytes]) -> bytes:
    """Some contents as one: how many, how long each is, and they themselves."""
    lengths = np.array([len(parts), *map(len, parts)], dtype=np.int64)
    return lengths.tobytes() + b"".join(parts)


def parted(data: bytes) -> list[bytes]:
    """The contents that were joined."""
    count = int(np.frombuffer(data[:8], dtype=np.int64)[0])
    ends = np.cumsum(np.frombuffer(data[8 : 8 * (1 + count)], dtype=np.int64))
    body = data[8 * (1 + count) :]
    return [body[start:end] for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]


def flat(message: Any) -> FloatArray:
    """The fields of a message in one array; who is to answer is told as a count and indices."""
    parts = [np.asarray(getattr(message, name), dtype=float).ravel() for name in axes_of(type(message))]
    if any(f.name == "members" for f in fields(message)):
        parts.insert(0, np.concatenate([[len(message.members)], message.members]).astype(float))
    return np.concatenate(parts) if parts else np.zeros(0)


def lifted(kind: type[Any], values: FloatArray, extent: Mapping[str, int]) -> Any:
    """The message that `flat` made an array of.

    Args:
        kind: Its type.
        values: The array.
        extent: How long each axis is.

    Raises:
        ValueError: The array is too short or too long for such a message.
    """
    start = 0
    cells: dict[str, Any] = {}
    if any(f.name == "members" for f in fields(kind)):
        start = 1 + int(values[0])
        cells["members"] = values[1:start].astype(np.intp)
    for name, axes in axes_of(kind).items():
        shape = [extent[axis] for axis in axes]
        stop = start + int(np.prod(shape, dtype=int))
        cells[name] = values[start:stop].reshape(shape) if axes else float(values[start])
        start = stop
    if start != values.size:
        raise ValueError(f"a {kind.__name__} has {start} numbers here; these are {values.size}")
    return kind(**cells)


def call_frame(call: Call) -> bytes:
    """A call as it is carried."""
    return frame(call.verb, np.array([call.number], dtype=float), flat(call.message))


def call_of(verb: str, body: bytes, extent: Mapping[str, int]) -> Call:
    """The call that was carried."""
    values = np.frombuffer(body)
    return Call(int(values[0]), verb, lifted(VERBS[verb][0], values[1:], extent))


def reply_of(verb: str, body: bytes, extent: Mapping[str, int]) -> Reply:
    """The reply that was carried."""
    values = np.frombuffer(body)
    return Reply(int(values[0]), lifted(VERBS[verb][1], values[3:], extent), float(values[1]), float(values[2]))
