"""A market's state in a file that holds nothing but numbers and text, so that reading it is safe whoever wrote it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..agents.bid_exchange import BidExchange
from ..agents.messages import Deliveries, Offers, Quotes
from ..agents.operator_state import ElasticClearing, OperatorState
from ..agents.pair_exchange import PairExchange
from ..agents.penalty import AdaptivePenalty
from ..agents.platform import PlatformState
from ..agents.price_curve import PriceCurve
from ..agents.update_gate import UpdateGate
from ..network.calendars import Calendar
from ..network.dispatch import Dispatch, PriceComponents
from ..network.errors import InputError
from ..network.near_limits import NearLimits
from ..network.tangent import Tangent
from .hosting.checkpoint import CommunitiesState
from .hosting.lossy_channel import ChannelState
from .hosting.misbehaviour import Misbehaviour
from .methods.memory import CurveState, NewtonSlopes
from .outcome import Ending, Outcome
from .proof.certificate import PhysicalProof
from .proof.diagnosis import Diagnosis
from .proof.outer_history import OuterStep
from .proof.pace import Pace
from .proof.residual_history import ResidualHistory
from .proof.stopping_rule import ProofState
from .rounds import Phase, Round
from .state import MarketState

_RECORDS: list[type] = [
    AdaptivePenalty,
    BidExchange,
    Calendar,
    ChannelState,
    CommunitiesState,
    CurveState,
    Deliveries,
    Diagnosis,
    Dispatch,
]
_RECORDS += [
    ElasticClearing,
    Ending,
    MarketState,
    Misbehaviour,
    NearLimits,
    NewtonSlopes,
    Offers,
    OperatorState,
    OuterStep,
    Pace,
    PairExchange,
]
_RECORDS += [PhysicalProof, PlatformState, PriceComponents, PriceCurve, ProofState, Quotes, ResidualHistory, Round]
_RECORDS += [Tangent, UpdateGate]
_Arrays = dict[tuple[Any, ...], tuple[str, np.ndarray]]
_KINDS: Mapping[str, Any] = {kind.__name__: kind for kind in (*_RECORDS, Outcome, Phase)}


def packed(state: MarketState) -> bytes:
    """A state as a NumPy archive: its arrays, each once, and how they belong together as JSON.

    The conic solutions of the last clearing are left out: who restores it clears once more, to the same bits.
    """
    arrays: _Arrays = {}
    lean = replace(state, operator=replace(state.operator, periods=(), sold=()))
    tree = json.dumps(_plain(lean, arrays))
    archive = io.BytesIO()
    np.savez(archive, tree=np.array(tree), **dict(arrays.values()))  # type: ignore[arg-type]
    return archive.getvalue()


def unpacked(content: bytes) -> MarketState:
    """The state that was packed.

    Raises:
        InputError: This is no state of a market, or one of another version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            root = json.loads(str(archive["tree"]))
            state: MarketState = _built({MarketState.__name__: root[MarketState.__name__]}, archive)
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError) as error:
        raise InputError(f"this is no state of a market, or one of another version of gridbazaar ({error})") from error
    return state


def _plain(value: Any, arrays: _Arrays) -> Any:
    """The value as JSON has it, arrays by their name in the archive."""
    match value:
        case Enum():
            return {"enum": [type(value).__name__, value.name]}
        case np.generic():
            plain = value.item()
        case None | bool() | int() | float() | str():
            plain = value
        case np.ndarray():
            where = value.__array_interface__["data"][0], value.shape, value.strides, value.dtype.str
            plain = {"array": arrays.setdefault(where, (f"a{len(arrays)}", value))[0]}
        case bytes():
            plain = {"bytes": _plain(np.frombuffer(value, dtype=np.uint8), arrays)["array"]}
        case tuple() | list():
            plain = {"tuple": [_plain(part, arrays) for part in value]}
        case Mapping():
            plain = {"dict": [[_plain(key, arrays), _plain(part, arrays)] for key, part in value.items()]}
        case _:
            kind = type(value).__name__
            assert kind in _KINDS, f"{kind} is no part of a state"
            plain = {kind: {cell.name: _plain(getattr(value, cell.name), arrays) for cell in fields(value)}}
    return plain


def _built(plain: Any, archive: Mapping[str, np.ndarray]) -> Any:
    """The value that was made plain."""
    if not isinstance(plain, dict):
        return plain
    [(kind, content)] = plain.items()
    match kind:
        case "enum":
            value = _KINDS[content[0]][content[1]]
        case "array":
            value = archive[content]
        case "bytes":
            value = archive[content].tobytes()
        case "tuple":
            value = tuple(_built(part, archive) for part in content)
        case "dict":
            value = {_built(key, archive): _built(part, archive) for key, part in content}
        case _:
            value = _KINDS[kind](**{name: _built(part, archive) for name, part in content.items()})
    return value
