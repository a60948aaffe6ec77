"""The feeder cannot carry the load: where, when, why, how much is missing, and what would relieve it, in one sentence.

    short = ShortageError.of(feeder, dispatch)
    if short:
        print(short)  # in period 18 (17:00-18:00) line 6-26 is full at 1090 kW: 171.9 kW less load at bus 33, or ...

The period is the worst of the dispatch and is counted from 1; each cure named is for that period and has been tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..dispatch import Dispatch
from ..errors import InfeasibleError
from ..feeder import Feeder
from ..periods import When, period_name
from ..solver import ConicSolution
from .diagnosis import ShortPeriod
from .remedies import Cure, LimitChange, LimitCure, amount

_LIMIT_SAYS = {
    "p_max_kw": "line {row} is full at {old:g} kW",
    "q_max_kvar": "line {row} is full at {old:g} kvar",
    "i_max_a": "line {row} is full at {old:g} A",
    "v_min_pu": "bus {row} would fall to {value:.4f} pu, {by:.4f} pu below its v_min_pu of {old:g}",
    "v_max_pu": "bus {row} would rise to {value:.4f} pu, {by:.4f} pu above its v_max_pu of {old:g}",
}
_GENERATION_SAYS = {
    "p_max_kw": "generation is short by {missing} kW with every generator at its p_max_kw",
    "p_min_kw": "generation exceeds the load by {spilled} kW with every generator at its p_min_kw",
    "q_max_kvar": "reactive power is short by {q_missing} kvar with every generator at its q_max_kvar",
    "q_min_kvar": "reactive power is in excess by {excess} kvar with every generator at its q_min_kvar",
}


@dataclass(frozen=True, slots=True)
class Shortage:
    """The facts of the worst period.

    Attributes:
        period: its index, from 0 (the sentence counts from 1).
        when: when the periods are.
        short_periods: how many periods are short, this one included.
        bus: the bus with the most shortage, or the bus whose voltage limit is the cause.
        line: the line whose rating is the cause; "" if something else is.
        generator: the generator whose limit would have to move first; "" if none.
        missing_kw: active power that could not be brought or taken away in the period, kW.
        missing_kvar: reactive power that could not be brought (positive) or taken away (negative), kvar.
        cause: why, in words; it names the bus, line or generator.
        cures: each relieves the period by itself and has been tried; empty where nothing was found.
    """

    period: int
    when: When
    short_periods: int
    bus: str
    line: str
    generator: str
    missing_kw: float
    missing_kvar: float
    cause: str
    cures: tuple[Cure, ...]


class ShortageError(InfeasibleError):
    """The feeder cannot carry the load of a period within its limits; its attributes are those of `Shortage`."""

    def __init__(self, shortage: Shortage) -> None:
        self.shortage = shortage
        self.period, self.when, self.short_periods = shortage.period, shortage.when, shortage.short_periods
        self.bus, self.line, self.generator = shortage.bus, shortage.line, shortage.generator
        self.missing_kw, self.missing_kvar = shortage.missing_kw, shortage.missing_kvar
        self.cause, self.cures = shortage.cause, shortage.cures
        super().__init__(shortage)

    @classmethod
    def of(cls, feeder: Feeder, dispatch: Dispatch) -> ShortageError | None:
        """The error of the worst period, or None where nothing is short (up to 1 W at every bus)."""
        periods = dispatch.short_periods
        if not periods:
            return None
        short = ShortPeriod(feeder, dispatch, periods[0])
        plain = short.plain_solution()
        cause, cures, place = _too_dear(short, plain) if plain else _not_carried(short)
        row = {place.table: place.row} if place else {}
        return cls(
            Shortage(
                period=short.period,
                when=dispatch.when,
                short_periods=len(periods),
                bus=row.get("buses", short.worst_bus),
                line=row.get("lines", ""),
                generator=row.get("generators", ""),
                missing_kw=short.unserved_kw + short.spilled_kw,
                missing_kvar=short.q_missing_kvar,
                cause=cause,
                cures=tuple(cure for cure in cures if cure is not None),
            )
        )

    def __str__(self) -> str:
        """When, why, how much, and what would do."""
        comma = "," if len(self.cures) > 1 else ""
        cures = ", or ".join(str(cure) for cure in self.cures)
        remedy = f"{cures}{comma} would do" if cures else "no change of load or of limits was found that would do"
        others = self.short_periods - 1
        more = f" ({others} other period{'s are' if others > 1 else ' is'} short, too)" if others else ""
        return f"in {period_name(self.period, self.when)} {self.cause}: {remedy}{more}"


Diagnosis = tuple[str, tuple[Cure | None, ...], LimitChange | None]


def _too_dear(short: ShortPeriod, plain: ConicSolution) -> Diagnosis:
    """The feeder could carry the period, but at a price above the value of lost load."""
    bus, price = short.dearest(plain)
    most = short.dispatch.value_of_lost_load_usd_per_kwh
    cause = f"bus {bus} could be served only at {price:.4g} $/kWh, above the value of lost load of {most:g} $/kWh"
    return cause, (short.load_cure(reactive=False), short.price_cure(price)), None


def _not_carried(short: ShortPeriod) -> Diagnosis:
    """A limit stands in the way."""
    exhausted = short.exhausted_generation()
    limits = short.limit_cure()
    place = _place(limits, in_generation=bool(exhausted)) if limits else None
    reactive = (exhausted or (place.key if place else "")).startswith("q_")
    return _cause(short, place, exhausted), (short.load_cure(reactive=reactive), limits), place


def _place(limits: LimitCure, *, in_generation: bool) -> LimitChange:
    """The change that stands for the cause: the first of a generator where generation is the cause, else the first."""
    alike = (change for change in limits.changes if in_generation and change.table == "generators")
    return next(alike, limits.changes[0])


def _cause(short: ShortPeriod, place: LimitChange | None, exhausted: str | None) -> str:
    if exhausted:
        return _GENERATION_SAYS[exhausted].format(
            missing=amount(short.unserved_kw),
            spilled=amount(short.spilled_kw),
            q_missing=amount(short.q_missing_kvar),
            excess=amount(-short.q_missing_kvar),
        )
    if place is None:
        return f"bus {short.worst_bus} cannot be served within the limits of wires and generators"
    if place.table == "generators":
        return f"generator {place.row} is at its {place.key} of {place.old:g}"
    return _LIMIT_SAYS[place.key].format(
        row=place.row, old=place.old, value=place.value, by=abs(place.value - place.old)
    )
