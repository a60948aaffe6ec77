"""All that a market remembers, as data: from it any market of the same scenario goes on with the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..agents.operator_state import OperatorState
from ..agents.platform import PlatformState
from ..network.arrays import FloatArray
from .hosting.checkpoint import CommunitiesState
from .hosting.lossy_channel import ChannelState
from .hosting.misbehaviour import Misbehaviour
from .outcome import Ending
from .proof.stopping_rule import ProofState
from .rounds import Phase, Round


@dataclass(frozen=True, slots=True, eq=False)
class MarketState:
    """All that a market remembers; a value, whose arrays nobody changes.

    Attributes:
        phase: What the next step does.
        rounds: Steps so far.
        bid_kw: The bids that the next clearing is for, (prosumer, period).
        sharing_rounds: Rounds of Algorithm 1 in each outer step so far.
        ending: How the run ended, or that it has not.
        last: What the last step produced.
        operator, platform, proof: What these remember.
        method: What the method of Algorithm 2 remembers.
        channel: What is under way between platform and prosumers.
        communities: What the prosumers remember; None where that is kept elsewhere.
        misbehaved: Whose behaviour has failed so far.
        chance: Where the random numbers of the model stand.
        collected: The rows of the model's data collector.
        seconds: Time spent by phase.
    """

    phase: Phase
    rounds: int
    bid_kw: FloatArray
    sharing_rounds: tuple[int, ...]
    ending: Ending
    last: Round | None
    operator: OperatorState
    platform: PlatformState
    proof: ProofState
    method: Any
    channel: ChannelState | None
    communities: CommunitiesState | None
    misbehaved: tuple[Misbehaviour, ...]
    chance: tuple[Any, Any]
    collected: Mapping[str, tuple[Any, ...]]
    seconds: Mapping[str, float]
