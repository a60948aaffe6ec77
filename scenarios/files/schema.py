"""What a scenario may say: keys, units, ranges and defaults (pydantic)."""

import re
from math import inf
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ...agents.containment_rules import OnMisbehaviour
from ...market.settings import Answers, Case, MarketSettings, Method, NetworkUse, Order
from ...network.elements import NOMINAL_HZ
from ...network.physics import Physics
from .behaviour_text import as_text
from .per_km import contradiction, missing

_DEFAULT = MarketSettings()
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
"""A number as files write it."""
WORD = re.compile(r"([-+]?)\.?(inf|infinity|nan)", re.IGNORECASE)
"""What else a file may write for a number, where that may be without end."""


def _number(value: Any) -> Any:
    """A number as files write it: text in plain decimals (`060` is 60), or `inf`; yes, 1:00 and 1_2 are none."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "not a number")
    if not isinstance(value, str) or NUMBER.fullmatch(value):
        return value
    word = WORD.fullmatch(value)
    if not word:
        raise PydanticCustomError("number", "not a number")
    return float("".join(word.groups()))


Number = Annotated[float, BeforeValidator(_number)]
Count = Annotated[int, BeforeValidator(_number)]
Kilowatt = Annotated[float, Field(ge=0, le=1e6), BeforeValidator(_number)]
Fee = Annotated[float, Field(ge=0, le=1e3), BeforeValidator(_number)]
Limit = Annotated[float, AllowInfNan(True), BeforeValidator(_number)]
Profile = dict[str, Annotated[float, Field(ge=-1e6, le=1e6), BeforeValidator(_number)]]


class Row(BaseModel):
    """Keys and values that a scenario may give in one place; a row of a table stands under its name."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False, ser_json_inf_nan="strings"
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, values: Any) -> Any:
        """A key without a value is as if it were not there; one that nobody knows is still told of."""
        if not isinstance(values, dict) or all(value is not None for value in values.values()):
            return values
        known = {name for field, info in cls.model_fields.items() for name in (field, info.alias)}
        return {key: value for key, value in values.items() if value is not None or key not in known}


class SparseRow(Row):
    """A row with keys that few use: what was run is recorded without them where they are as by default.

    Attributes:
        few_use: These keys.
    """

    few_use: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _sparse(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        values: dict[str, Any] = written(self)
        return {key: value for key, value in values.items() if key not in self.few_use or value != fields[key].default}


class BusRow(SparseRow):
    """A bus and its nominal load; voltage limits that it does not state are the feeder's."""

    few_use = frozenset({"in_service"})

    p_kw: Number = 0.0
    q_kvar: Number = 0.0
    v_min_pu: Number | None = None
    v_max_pu: Number | None = None
    profile: str = Field("", description="profile of its load; the feeder's load_profile by default")
    base_kv: Number = Field(0.0, ge=0, description="nominal voltage, kV; that of the feeder by default")
    curtailable: bool = Field(False, description="feed-in (p_kw times profile below 0) that the DSO may curtail")
    in_service: bool = Field(True, description="if not, it is left out, and so is what stands or ends there")


class LineRow(SparseRow):
    """A line or transformer between two buses, its impedance (of the lower voltage) and its ratings.

    Values are those of one line, if several are parallel.
    """

    few_use = frozenset(
        {"length_km", "r_ohm_per_km", "x_ohm_per_km", "b_us_per_km", "c_nf_per_km", "parallel", "in_service"}
    )

    from_bus: str
    to_bus: str
    r_ohm: Number | None = Field(None, description="series resistance; or length_km and r_ohm_per_km")
    x_ohm: Number | None = Field(None, description="series reactance; or length_km and x_ohm_per_km")
    p_max_kw: Limit = inf
    q_max_kvar: Limit = inf
    i_max_a: Limit = inf
    b_us: Number = Field(0.0, description="charging susceptance of the whole line, microsiemens")
    tap: Number = Field(1.0, description="ratio of a transformer at from_bus, relative to the nominal one")
    length_km: Number | None = Field(None, gt=0, description="what the values per km are multiplied with")
    r_ohm_per_km: Number | None = None
    x_ohm_per_km: Number | None = None
    b_us_per_km: Number | None = Field(None, description="charging susceptance, microsiemens per km")
    c_nf_per_km: Number | None = Field(None, description="the same as a capacitance at feeder.frequency_hz")
    parallel: Count = Field(1, ge=1, le=1000, description="how many of it there are side by side")
    in_service: bool = Field(True, description="if not, it is left out")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Each part of the impedance is given once, in one way."""
        wrong = contradiction(vars(self))
        if wrong:
            raise PydanticCustomError("value_error", "{error}", {"error": wrong[1], "row": wrong[0]})
        absent = missing(vars(self))
        if absent:
            raise PydanticCustomError("missing", "missing", {"row": absent})
        return self


class GeneratorRow(SparseRow):
    """A generator: cost a p^2 + b p + c in $/h with p in kW (1), and limits (8); the substation is one of them."""

    few_use = frozenset({"in_service"})

    bus: str
    a_usd_per_kw2h: Number
    b_usd_per_kwh: Number
    c_usd_per_h: Number = 0.0
    p_min_kw: Number
    p_max_kw: Number
    q_min_kvar: Limit
    q_max_kvar: Limit
    p_min_profile: str = Field("", description="profile that p_min_kw is multiplied with; none: constant")
    p_max_profile: str = Field("", description="the same for p_max_kw, such as the sun of a solar park")
    in_service: bool = Field(True, description="if not, it is left out")


class FeederRow(SparseRow):
    """The feeder: what is stated once, and its three tables."""

    few_use = frozenset({"frequency_hz"})

    base_kv: Number = Field(description="line-to-line voltage, kV")
    root: str = Field(description="bus of the substation")
    root_voltage_pu: Number = 1.0
    v_min_pu: Number = Field(0.95, description="for buses that state no limit of their own")
    v_max_pu: Number = 1.05
    load_profile: str = Field(
        "", description="profile of the load of buses that name none of their own; none: constant"
    )
    frequency_hz: Number = Field(
        NOMINAL_HZ, ge=1, le=400, description="what a capacitance (c_nf_per_km) charges at; of an export, too"
    )
    prosumer_bus_load: Annotated[str, Field(pattern="^(added|replaced)$")] = Field(
        "added", description="(10): the bid is added to the load of its bus, or that load is replaced by it"
    )
    value_of_lost_load_usd_per_kwh: Number = Field(10.0, gt=0)
    buses: dict[str, BusRow]
    lines: dict[str, LineRow] = Field({})
    generators: dict[str, GeneratorRow]


class DeviceRow(Row):
    """A device of a prosumer: its kind, and beside it the parameters of that kind, which `DeviceMaker` checks."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(description="battery, ev, heat_pump, deferrable, store, another registered name, or a class")

    @property
    def parameters(self) -> dict[str, Any]:
        """What stands beside the kind."""
        return dict(self.model_extra or {})


class ProsumerRow(Row):
    """A prosumer: where it is, what it needs, what it has, and how it acts."""

    bus: str
    alpha_usd_per_kw2h: Number = Field(gt=0, le=10, description="utility (12): U(e) = beta e - alpha e^2, $/h")
    beta_usd_per_kwh: Number = Field(gt=0, le=10)
    elastic_min_kw: Kilowatt = 0.0
    elastic_max_kw: Kilowatt
    bid_max_kw: Kilowatt
    feed_in_max_kw: Kilowatt = Field(0.0, description="what it may sell to the distribution market at most (17)")
    grid_fee_usd_per_kwh: Fee = Field(0.0, description="to the DSO beside the LMP, on what it buys there")
    feed_in_fee_usd_per_kwh: Fee = Field(0.0, description="to the DSO, on what it sells to the distribution market")
    fixed_peak_kw: Kilowatt = 0.0
    fixed_profile: str = Field("", description="profile of the fixed load; none: constant")
    renewable: str = Field("", description="profile of the renewable forecast; none: constant")
    renewable_peak_kw: Kilowatt = 0.0
    community: str = Field("", description="those with the same name live in one process, wherever processes run")
    behaviour: Annotated[str, BeforeValidator(as_text)] = Field(
        "price_taker",
        description="registered name, module:Class or path.py:Class, with parameters: Shading(percent=5)",
    )
    devices: dict[str, DeviceRow] = Field({}, description="what it owns that ties periods together, by name")


class LinkRow(Row):
    """Two prosumers that may trade, and how much (15)."""

    a: str
    b: str
    cap_kw: Kilowatt
    fee_usd_per_kwh: Fee = Field(0.0, description="on what is traded, to the platform; each end pays half of it")


class AbsenceRow(Row):
    """When a prosumer is away: it answers no quote in these rounds of Algorithm 1."""

    from_round: Count = Field(ge=1, description="counted over all rounds of sharing of a run, from 1")
    rounds: Count = Field(ge=0)


class MessagesRow(Row):
    """What happens to the quotes and offers of Algorithm 1, for research; nothing by default."""

    delay_rounds: Count = Field(default=0, ge=0, le=1000, description="an offer comes up to so many rounds late")
    loss: Number = Field(default=0.0, ge=0, lt=1, description="probability that a quote is lost, and likewise an offer")
    stale_rounds: Count = Field(default=0, ge=0, le=1000, description="a quote is up to so many rounds old")
    quantum_kw: Kilowatt = Field(default=0.0, description="offered powers are rounded to multiples of this")
    noise_kw: Kilowatt = Field(default=0.0, description="standard deviation of the noise on offered powers")
    away: dict[str, AbsenceRow] = Field(default={}, description="by prosumer")


class MarketRow(Row):
    """How the market is run: the fields of `MarketSettings`, which checks their ranges."""

    case: Case = _DEFAULT.case
    method: Method = _DEFAULT.method
    physics: Physics = Physics.AUTO
    order: Order = _DEFAULT.order
    network_use: NetworkUse = Field(
        default=_DEFAULT.network_use,
        description="what of prosumers the network carries: withdrawals (bids and trades) or bids (the paper)",
    )
    subproblem: Answers = Field(
        default=_DEFAULT.subproblem, description="how prosumers solve (20): exact, or osqp (slower, for comparison)"
    )
    penalty_usd_per_kw2h: Number = _DEFAULT.penalty_usd_per_kw2h
    adapt_penalty: bool = _DEFAULT.adapt_penalty
    primal_tolerance_kw: Number = _DEFAULT.primal_tolerance_kw
    dual_tolerance_usd_per_kwh: Number = _DEFAULT.dual_tolerance_usd_per_kwh
    max_rounds: Count = _DEFAULT.max_rounds
    regret_tolerance: Number = _DEFAULT.regret_tolerance
    regret_tolerance_usd: Number = Field(
        default=_DEFAULT.regret_tolerance_usd,
        description="per prosumer and day: settled below this, whatever the turnover",
    )
    max_iterations: Count = _DEFAULT.max_iterations
    on_misbehaviour: OnMisbehaviour = Field(
        default=_DEFAULT.on_misbehaviour,
        description="if a behaviour fails: stop the run, take its last valid answer, or exclude it for good",
    )
    answer_timeout_s: Number | None = Field(
        default=_DEFAULT.answer_timeout_s, gt=0, description="for one answer of a behaviour, seconds; none by default"
    )
