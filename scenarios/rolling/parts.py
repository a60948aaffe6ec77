"""What is kept of a settled window: its arrays, and how it ended, in one file that holds numbers and text alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...market.hosting.files import write_whole
from ...market.outcome import Outcome
from ...market.result import Result
from ...network.arrays import FloatArray
from ...network.dispatch import Dispatch, PriceComponents
from ...network.errors import InputError
from ...network.feeder import Feeder
from .windows import Window

SCHEDULE = (
    *("lmp_usd_per_kwh", "price_usd_per_kwh", "trade_kw", "bid_kw"),
    *("elastic_kw", "curtailed_kw", "fixed_kw", "renewable_kw"),
)
"""What a result has of prosumers and links by period."""
DEVICES = ("charge_kw", "discharge_kw", "energy_kwh")
"""What it has of devices by period."""
_NAME = "window-{:06d}.npz"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a window ended, and what is proven of it.

    Attributes:
        outcome: The name of its `Outcome`.
        message, certificate: Sentences.
        regret_usd: What each prosumer could still gain in it, (prosumer,).
        dso_regret_usd, turnover_usd: As of its `Certificate`.
        physics: The fields of its `PhysicalProof`.
        behaving, otherwise: Who is no price taker, as of its `Conduct`.
        charged: Whether there are fees.
        sharing_rounds, clearings, elastic_clearings, seconds: As of its `Result`.
        reciprocity_kw, max_violation_kw: As of its `Result`.
        misbehaved: The fields of each `Misbehaviour`.
        negligible_kw: As of its `Dispatch`.
        dso_cost_usd: Cost (1) of the part that is kept, $.
    """

    outcome: str
    message: str
    certificate: str
    regret_usd: list[float]
    dso_regret_usd: float
    turnover_usd: float
    physics: dict[str, Any]
    behaving: list[str]
    otherwise: list[str]
    charged: bool
    sharing_rounds: list[int]
    clearings: int
    elastic_clearings: int
    seconds: dict[str, float]
    reciprocity_kw: float
    max_violation_kw: float
    misbehaved: list[dict[str, Any]]
    negligible_kw: float
    dso_cost_usd: float

    @classmethod
    def of(cls, result: Result, kept: int) -> Ended:
        """How the market of a window has ended, of which so many periods are kept."""
        proof = result.certificate
        return cls(
            outcome=result.outcome.name,
            message=result.message,
            certificate=str(proof),
            regret_usd=proof.regret_usd.tolist(),
            dso_regret_usd=proof.dso_regret_usd,
            turnover_usd=proof.turnover_usd,
            physics=asdict(proof.physics),
            behaving=list(proof.conduct.behaving),
            otherwise=list(proof.conduct.otherwise),
            charged=proof.charged,
            sharing_rounds=list(result.sharing_rounds),
            clearings=result.clearings,
            elastic_clearings=result.elastic_clearings,
            seconds=result.seconds,
            reciprocity_kw=result.reciprocity_kw,
            max_violation_kw=result.max_violation_kw,
            misbehaved=[asdict(one) for one in result.hosting.misbehaved],
            negligible_kw=result.dispatch.negligible_kw,
            dso_cost_usd=sum(generation_usd(result.feeder, result.dispatch.p_gen_kw[:, :kept], result.dt_h).values()),
        )

    @property
    def settled(self) -> bool:
        """Whether the window has settled."""
        return self.outcome == Outcome.SETTLED.name

    @property
    def regret_total_usd(self) -> float:
        """The sum of the regrets, the DSO's included."""
        return float(np.maximum(self.regret_usd, 0.0).sum()) + self.dso_regret_usd


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A window that has ended.

    Attributes:
        window: Which it is.
        ended: How it ended.
        arrays: What is kept of it, period by period, by name, (..., period).
        memories: What behaviours that learn take with them into the next window, by prosumer, as JSON has it.
    """

    window: Window
    ended: Ended
    arrays: Mapping[str, FloatArray]
    memories: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, window: Window, result: Result) -> Part:
        """What is kept of a result."""
        arrays = {key: getattr(result, key) for key in SCHEDULE}
        arrays |= {key: getattr(result.device_schedules, key) for key in DEVICES}
        arrays |= {f"dispatch.{key}": value for key, value in _by_period(result.dispatch).items()}
        arrays |= {f"components.{key}": value for key, value in _by_period(result.dispatch.components).items()}
        kept = {key: np.ascontiguousarray(value[..., : window.kept]) for key, value in arrays.items()}
        return cls(window, Ended.of(result, window.kept), kept)

    @property
    def levels_kwh(self) -> FloatArray:
        """What each device holds where the next window begins, (device,)."""
        return np.asarray(self.arrays["energy_kwh"][:, -1])


class Parts:
    """The windows that have ended, one file each; a file is there as a whole or not at all.

    Attributes:
        folder: Where they are; made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, part: Part) -> None:
        """Put a window on disk.

        Raises:
            UnsavedError: The disk is full, or the folder cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        said = json.dumps({"window": asdict(part.window), "ended": asdict(part.ended), "memories": part.memories})
        archive = io.BytesIO()
        np.savez(archive, said=np.array(said), **part.arrays)  # type: ignore[arg-type]
        write_whole(self._file(part.window.number), archive.getvalue())

    def read(self, number: int) -> Part | None:
        """A window by number; None if it has not ended.

        Raises:
            InputError: Its file is damaged, or of another version.
        """
        file = self._file(number)
        try:
            with np.load(file, allow_pickle=False) as archive:
                said = json.loads(str(archive["said"]))
                arrays = {key: archive[key] for key in archive.files if key != "said"}
            return Part(Window(**said["window"]), Ended(**said["ended"]), arrays, said.get("memories", {}))
        except FileNotFoundError:
            return None
        except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError) as error:
            sentence = (
                f"{file}: this is no window of a run ({error}); remove it and those after it, and the run goes on"
            )
            raise InputError(f"{sentence} before it") from error

    def all(self) -> Iterator[Part]:
        """The windows that have ended, in order, up to the first that has not."""
        number = 1
        while (part := self.read(number)) is not None:
            yield part
            number += 1

    def _file(self, number: int) -> Path:
        return self.folder / _NAME.format(number)


def generation_usd(feeder: Feeder, p_gen_kw: FloatArray, dt_h: float) -> dict[str, float]:
    """Cost (1) by generator, in $, of what each generates, (generator, period)."""
    return {
        g.name: dt_h * float((g.a_usd_per_kw2h * p**2 + g.b_usd_per_kwh * p + g.c_usd_per_h).sum())
        for g, p in zip(feeder.generators, p_gen_kw, strict=True)
    }


def _by_period(record: Dispatch | PriceComponents) -> dict[str, FloatArray]:
    values = {cell.name: getattr(record, cell.name) for cell in fields(record)}
    return {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
