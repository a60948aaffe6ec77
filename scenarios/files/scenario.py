"""A scenario: everything a market needs, checked, and frozen.

scenario = load("ieee33", {"market.case": 1})
market = scenario.market()
"""

import re
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ...agents.arrays import FloatArray
from ...agents.household import Household, HouseholdError, HouseholdShortageError
from ...agents.trade_graph import Link, LinkError, TradeGraph
from ...market.hosting.lossy_channel import Absence, MessageFaults, check_faults
from ...market.settings import Case, MarketSettings, SettingsError
from ...network.elements import Bus, FeederError, Generator, Line
from ...network.feeder import Feeder
from ..errors import InfeasibleScenarioError, Problem, ScenarioError, refuse
from .behaviours import make_behaviour
from .schema import NUMBER, Count, FeederRow, LinkRow, MarketRow, MessagesRow, Number, Profile, ProsumerRow, Row
from .source import Change, Tree, did_you_mean, find, read
from .yaml_file import Path_

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend
    from ...market.hosting.diary import Diary
    from ...market.hosting.message_log import Entries
    from ...network.clearing import Clearing


class Scenario(Row):
    """Everything a market needs. Built by `load` from files, or from the same keys in Python; checked in either case.

    Raises:
        ScenarioError: A key or value is wrong (pydantic's ValidationError when built from Python).
    """

    title: str = ""
    dt_h: Number = Field(1.0, gt=0, le=24, description="length of a period, hours")
    seed: Count = Field(0, ge=0)
    alpha_scale: Number = Field(1.0, gt=0, description="multiplies every prosumer's alpha")
    profiles: dict[str, Profile] = Field({})
    feeder: FeederRow
    prosumers: dict[str, ProsumerRow]
    links: dict[str, LinkRow] = Field({})
    settings: MarketRow = Field(MarketRow(), alias="market")
    messages: MessagesRow = MessagesRow()
    _tree: Tree = PrivateAttr(default_factory=Tree)

    @field_validator("profiles")
    @classmethod
    def _complete(cls, profiles: dict[str, Profile]) -> dict[str, Profile]:
        lengths = {name: max(map(_period, values), default=0) for name, values in profiles.items()}
        counts = Counter(lengths.values())
        usual = max(counts, key=lambda length: (counts[length], length), default=1)
        for name, values in profiles.items():
            missing = [t for t in range(1, usual + 1) if str(t) not in values]
            if lengths[name] > usual:
                sentence = f"there are {lengths[name]} values where other profiles have {usual}; take out what is over"
            elif missing:
                more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
                sentence = f"there is no value for hour (period) {missing[0]} of {usual}; add it{more}"
            else:
                continue
            raise PydanticCustomError("value_error", "{error}", {"error": sentence, "row": name})
        return profiles

    @model_validator(mode="after")
    def _has_prosumers(self) -> Self:
        if not self.prosumers:
            raise ValueError("a market needs at least one prosumer; add one to the table prosumers")
        return self

    @property
    def periods(self) -> int:
        """Number of periods, that of the profiles; 1 without any."""
        return max((len(values) for values in self.profiles.values()), default=1)

    def changed(self, *, alpha_scale: float = 1.0, **market: object) -> Self:
        """The same scenario with every alpha scaled once more, and other settings of the market.

        Raises:
            ScenarioError: A setting is out of its range.
        """
        settings = MarketRow(**{**self.settings.model_dump(), **market})
        changed = self.model_copy(update={"alpha_scale": self.alpha_scale * alpha_scale, "settings": settings})
        changed.build_settings()
        return changed

    def build_feeder(self) -> Feeder:
        """The feeder, checked.

        Raises:
            ScenarioError: The tables are not a radial feeder.
        """
        row = self.feeder
        with self._placed():
            return Feeder(
                buses=tuple(
                    Bus(
                        name,
                        row.v_min_pu if bus.v_min_pu is None else bus.v_min_pu,
                        row.v_max_pu if bus.v_max_pu is None else bus.v_max_pu,
                        bus.p_kw,
                        bus.q_kvar,
                    )
                    for name, bus in row.buses.items()
                ),
                lines=tuple(Line(**line.model_dump()) for line in row.lines.values()),
                generators=tuple(Generator(name, **machine.model_dump()) for name, machine in row.generators.items()),
                root=row.root,
                base_kv=row.base_kv,
                root_voltage_pu=row.root_voltage_pu,
            )

    def build_clearing(self) -> "Clearing":
        """The DSO's clearing, with the loads of all buses.

        Raises:
            ScenarioError: The tables are not a radial feeder, or a bus names an unknown profile.
        """
        from ...network.clearing import Clearing

        feeder = self.build_feeder()
        factor = np.array([self._load_factor(name) for name in feeder.names])
        load_kw, load_kvar = feeder.p_kw[:, None] * factor, feeder.q_kvar[:, None] * factor
        if self.feeder.prosumer_bus_load == "replaced":
            replaced = [feeder.index(prosumer.bus) for prosumer in self.prosumers.values()]
            load_kw[replaced] = load_kvar[replaced] = 0.0
        return Clearing(feeder, load_kw, load_kvar, self.dt_h, self.feeder.value_of_lost_load_usd_per_kwh)

    def build_households(self) -> list[Household]:
        """The prosumers' private data, in the order of the table.

        Raises:
            ScenarioError: Data contradict each other, or a prosumer names an unknown profile.
        """
        with self._placed():
            return [self._household(name, row) for name, row in self.prosumers.items()]

    def build_links(self) -> list[Link]:
        """Who may trade with whom.

        Raises:
            ScenarioError: A link does not fit the prosumers.
        """
        with self._placed():
            links = [Link(row.a, row.b, row.cap_kw) for row in self.links.values()]
            TradeGraph(list(self.prosumers), links)
            return links

    def build_settings(self) -> MarketSettings:
        """How the market is to be run.

        Raises:
            ScenarioError: A setting is out of its range.
        """
        with self._placed():
            return MarketSettings(**self.settings.model_dump())

    def build_messages(self) -> MessageFaults:
        """What happens to quotes and offers.

        Raises:
            ScenarioError: A prosumer that does not exist is away, or messages cannot fail in this case or order.
        """
        for name in self.messages.away:
            if name not in self.prosumers:
                path = ("messages", "away", name)
                sentence = f"there is no prosumer {name}{did_you_mean(name, self.prosumers)}"
                raise refuse(self._tree.place(path), ".".join(path), sentence)
        away = {name: Absence(row.from_round, row.rounds) for name, row in self.messages.away.items()}
        faults = MessageFaults(**{**dict(self.messages), "away": away})
        with self._placed():
            check_faults(faults, self.build_settings())
        return faults

    def check(self) -> None:
        """Check everything that can be checked without running the market.

        Raises:
            ScenarioError: Something is wrong.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        settings, links, households = self.build_settings(), self.build_links(), self.build_households()
        self.build_messages()
        feeder = self.build_feeder()
        for name, row in self.prosumers.items():
            with self._placed():
                self._check_bus(feeder, name, row.bus)
                self._behaviour(name, row)
        for bus in feeder.names:
            self._load_factor(bus)
        for household in households:
            caps = sum(link.cap_kw for link in links if household.name in (link.a, link.b))
            with self._placed():
                household.check_balance(0.0 if settings.case is Case.NO_SHARING else caps)

    def market(
        self,
        rng: int | None = None,
        place: "Backend | None" = None,
        diary: "Diary | None" = None,
        ledger: "Callable[[Entries], None] | None" = None,
    ) -> "EnergyMarket":
        """The market, ready to step.

        Args:
            rng: Seed of all randomness; the scenario's own by default.
            place: Where the prosumers live, such as `Workers(2)`; in this process by default.
            diary: Where their answers are noted, so that the run can be continued.
            ledger: Told of every message, who sent it to whom.

        Raises:
            ScenarioError: Something is wrong with the scenario.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        from ...market.energy_market import EnergyMarket
        from ...market.hosting.options import Hosting

        self.check()
        together = {name: row.community for name, row in self.prosumers.items() if row.community}
        return EnergyMarket(
            self.build_clearing(),
            self.build_households(),
            self.build_links(),
            settings=self.build_settings(),
            behaviours={name: self._behaviour(name, row) for name, row in self.prosumers.items()},
            rng=np.random.SeedSequence(self.seed if rng is None else rng),
            hosting=Hosting(place, together, diary, ledger),
            messages=self.build_messages(),
        )

    def _household(self, name: str, row: ProsumerRow) -> Household:
        fixed = self._power(name, "fixed_profile", row.fixed_profile, row.fixed_peak_kw)
        renewable = self._power(name, "renewable", row.renewable, row.renewable_peak_kw)
        return Household(
            name=name,
            bus=row.bus,
            fixed_kw=fixed,
            renewable_kw=renewable,
            alpha_usd_per_kw2h=row.alpha_usd_per_kw2h * self.alpha_scale,
            beta_usd_per_kwh=row.beta_usd_per_kwh,
            elastic_min_kw=np.array(row.elastic_min_kw),
            elastic_max_kw=np.array(row.elastic_max_kw),
            bid_max_kw=np.array(row.bid_max_kw),
            dt_h=self.dt_h,
        )

    def _power(self, name: str, key: str, profile: str, peak_kw: float) -> FloatArray:
        """A prosumer's load or forecast by period; neither can be below 0."""
        factor = self._factor(("prosumers", name, key), profile)
        if peak_kw > 0 and (factor < 0).any():
            sentence = f"is below 0, and {key} of prosumer {name} cannot be; 0 instead?"
            raise ScenarioError(
                [
                    self._tree.problem(("profiles", profile, str(t + 1)), f"{factor[t]:g} {sentence}", "negative")
                    for t in np.flatnonzero(factor < 0)
                ]
            )
        return peak_kw * factor

    def _behaviour(self, name: str, row: ProsumerRow) -> Any:
        path = ("prosumers", name, "behaviour")
        return make_behaviour(row.behaviour, self._tree.place(path), ".".join(path))

    def _load_factor(self, bus: str) -> FloatArray:
        own = self.feeder.buses[bus].profile
        path = ("feeder", "buses", bus, "profile") if own else ("feeder", "load_profile")
        return self._factor(path, own or self.feeder.load_profile)

    def _factor(self, path: Path_, profile: str) -> FloatArray:
        """A profile as an array, (period,); constant 1 where none is named."""
        if not profile:
            return np.ones(self.periods)
        if profile not in self.profiles:
            sentence = f"there is no profile {profile}{did_you_mean(profile, self.profiles)}"
            raise refuse(self._tree.place(path), ".".join(path), sentence)
        values = self.profiles[profile]
        return np.array([values[str(t)] for t in range(1, self.periods + 1)])

    def _check_bus(self, feeder: Feeder, name: str, bus: str) -> None:
        if bus not in feeder.names:
            path = ("prosumers", name, "bus")
            sentence = f"there is no bus {bus}{did_you_mean(bus, feeder.names)}"
            raise refuse(self._tree.place(path), ".".join(path), sentence)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """Say of what the other rooms refuse where it is written."""
        try:
            yield
        except FeederError as error:
            table = "" if error.table == "feeder" else error.table
            row = self._row_of(("feeder", "lines"), error.row) if table == "lines" else error.row
            if ("feeder", table, row, error.key) not in self._tree.places and error.key in FeederRow.model_fields:
                table = row = ""  # what no bus states for itself is stated once
            raise self._refusal(
                tuple(part for part in ("feeder", table, row, error.key) if part), error.sentence
            ) from None
        except HouseholdError as error:
            raise self._refusal(("prosumers", error.prosumer, error.key), error.problem) from None
        except LinkError as error:
            link = self._row_of(("links",), error.link)
            cure = f"{error.problem}, or take the link out (links: {{{link}: null}})"
            raise self._refusal(("links", link, error.key), cure) from None
        except SettingsError as error:
            path = ("messages",) if error.key == "messages" else ("market", error.key)
            raise self._refusal(path, error.problem) from None
        except HouseholdShortageError as error:
            path = ("prosumers", error.prosumer)
            raise InfeasibleScenarioError(Problem(self._tree.place(path), ".".join(path), str(error))) from None

    def _row_of(self, table: Path_, ends: str) -> str:
        """The row of a line or link that is called by its ends, which may have been changed."""
        rows: dict[str, Any] = self.links if table == ("links",) else self.feeder.lines
        return next((key for key, row in rows.items() if "-".join(list(vars(row).values())[:2]) == ends), ends)

    def _refusal(self, path: Path_, sentence: str) -> ScenarioError:
        return refuse(self._tree.place(path), ".".join(path), sentence)


def load(name: str, changes: Mapping[str, object] | Sequence[Change] = ()) -> Scenario:
    """A scenario by name or file, with some of its values changed.

    Args:
        name: One that comes with gridbazaar ("ieee33"), or the path of a YAML file.
        changes: Values by dotted key, such as {"prosumers.p2.elastic_max_kw": 500}; None takes a row out.

    Raises:
        ScenarioError: A file, key or value is wrong.
    """
    if isinstance(changes, Mapping):
        changes = [Change(key, value, f"changes {key}={_brief(value)}") for key, value in changes.items()]
    tree = read(find(name))
    for change in changes:
        tree.change(change)
    _apply_defaults(tree)
    try:
        scenario = Scenario.model_validate(tree.values)
    except ValidationError as error:
        raise ScenarioError(_problems(tree, error.errors())) from None
    scenario._tree = tree
    return scenario


def _brief(value: object) -> str:
    """A changed value as messages name it: of an array the first few numbers."""
    many = value.tolist() if hasattr(value, "tolist") else value
    return reprlib.repr(list(many)) if isinstance(many, list | tuple) else str(value)


def _apply_defaults(tree: Tree) -> None:
    """Give every prosumer the `prosumer_defaults` that it does not state itself."""
    defaults = tree.values.pop("prosumer_defaults", None)
    rows = tree.values.get("prosumers")
    if not isinstance(defaults, dict) or not isinstance(rows, dict):
        return
    for name, row in rows.items():
        for key, value in defaults.items():
            if isinstance(row, dict) and key not in row:
                tree.put(("prosumers", name, key), value, tree.place(("prosumer_defaults", key)))


_SAME = {"float_parsing": "number", "float_type": "number", "int_type": "number", "bool_type": "bool_parsing"}
"""What pydantic tells apart and a person does not."""
_SENTENCES = {
    "missing": "this value is missing; add it",
    "dict_type": "{input} is one value where a table is needed; write rows (name: values), or name a CSV file",
    "model_type": "{input} is one value where keys and values are needed; write `key: value` lines below it",
    "finite_number": "{input} is not a finite number; write one",
    "string_type": "{input} is not text; put it in quotes",
    "number": "{input} is not a number; write a plain number, in the unit that the key names",
    "decimal_comma": "{input} is not a number; write it with a decimal point",
    "int_parsing": "{input} is not a whole number; write one",
    "int_from_float": "{input} is not a whole number; write one",
    "bool_parsing": "{input} is neither true nor false; write one of them",
    "enum": "{input} is not known; write one of {expected}",
    "string_pattern_mismatch": "{input} is not known; it must match {pattern}",
    "greater_than": "{input} is not above {gt:g}; give a value above it",
    "greater_than_equal": "{input} is below {ge:g}; give at least that",
    "less_than": "{input} is not below {lt:g}; is it in the unit that the key names?",
    "less_than_equal": "{input} is above {le:g}; is it in the unit that the key names?",
    "value_error": "{error}",
}


def _problems(tree: Tree, details: Sequence[Any]) -> list[Problem]:
    """Pydantic's findings as problems; what one wrong column does to every row of a file is said once."""
    misspelt = {detail["loc"][:-1] for detail in details if detail["type"] == "extra_forbidden"}
    told: dict[tuple[str, str, str], Problem] = {}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"][:-1] not in misspelt:
            problem = _problem(tree, detail)
            place, key = problem.place, problem.key if "profiles" in detail["loc"] else str(detail["loc"][-1:])
            if detail["type"] in ("missing", "extra_forbidden"):
                place = place.rpartition(":")[0] or place
            told.setdefault((place, key, problem.sentence), problem)
    return list(told.values())


def _problem(tree: Tree, detail: Any) -> Problem:
    """One of pydantic's findings, told like all other problems."""
    context = detail.get("ctx", {})
    kind = _SAME.get(detail["type"], detail["type"])
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    path = (*path, context["row"]) if "row" in context else path
    value = detail["input"]
    if kind == "extra_forbidden":
        sentence = f"unknown key{did_you_mean(path[-1], _known_keys(path[:-1]))}"
    elif value is None:
        sentence = "nothing stands here; write a value, or take the key out"
    elif kind in _SENTENCES:
        kind = "decimal_comma" if kind == "number" and re.fullmatch(r"[-+]?\d*,\d+", str(value)) else kind
        sentence = _SENTENCES[kind].format(input=_shown(value), **context)
    else:
        sentence = f"{detail['msg']}; it is {_shown(value)}"
    return tree.problem(path, sentence, kind)


_LONG = 60


def _shown(value: object) -> str:
    """A wrong value as it was written, cut where it is long."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return repr(value if len(value) <= _LONG else f"{value[:_LONG]}...")
    return str(value) if isinstance(value, str | int | float) else reprlib.repr(value)


def _known_keys(path: Path_) -> Sequence[str]:
    """The keys that the schema knows at a place."""
    model: Any = Scenario
    for part in path:
        if isinstance(model, type) and issubclass(model, Row):
            model = next(f.annotation for name, f in model.model_fields.items() if part in (name, f.alias))
        else:
            model = model.__args__[1]  # a table: dict[name, row]
    keys = [f.alias or name for name, f in model.model_fields.items()]
    return [*keys, "base", "prosumer_defaults"] if model is Scenario else keys


def _period(key: str) -> int:
    if not (key.isdigit() and key[0] != "0"):
        raise ValueError(f"{key!r} is not the number of an hour (period); they count from 1")
    return int(key)
