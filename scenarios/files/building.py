"""What a scenario becomes: feeder, households, links and the market; what is wrong is told by its place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ...agents.household import DeviceShortageError, Household, HouseholdError, HouseholdShortageError
from ...agents.trade_graph import Link, LinkError, TradeGraph
from ...market.hosting.lossy_channel import Absence, MessageFaults, check_faults
from ...market.settings import Case, MarketSettings, SettingsError
from ...network.arrays import FloatArray, frozen
from ...network.calendars import Calendar
from ...network.elements import Bus, FeederError, Generator
from ...network.feeder import Feeder
from ..errors import InfeasibleScenarioError, Problem, ScenarioError, refuse
from .behaviour_text import takes_prices
from .behaviours import make_behaviour
from .devices import DeviceMaker
from .horizon import check_horizon, expecting
from .in_service import in_service, left_out_notes
from .line_rows import line_of
from .plausibility import doubts
from .resampling import ENERGY_SUFFIX
from .scenario_rows import ScenarioRows
from .schema import FeederRow, ProsumerRow
from .tree import Tree, did_you_mean
from .yaml_file import Path_

if TYPE_CHECKING:
    from ...agents.behaviour import Behaviour
    from ...network.clearing import Clearing

_NOT_OF_A_GENERATOR = {"p_min_profile", "p_max_profile", "in_service"}


_PERIOD = re.compile(r"period (\d+) \([^()]*\)")
"""A period as sentences name it."""


class Building:
    """Makes a market of a scenario, whose methods say what each part is and what they refuse."""

    def __init__(self, scenario: ScenarioRows, tree: Tree) -> None:
        """Begin.

        Args:
            scenario: What is to be built.
            tree: Where each of its values is written.
        """
        self._stated, self._tree = scenario.feeder, tree
        self._scenario = scenario.model_copy(update={"feeder": in_service(scenario.feeder)})
        self._periods, self._calendar = scenario.periods, scenario.calendar
        self._factors: dict[str, FloatArray] = {}

    @cached_property
    def feeder(self) -> Feeder:
        """The feeder, checked."""
        row = self._scenario.feeder
        with self._placed():
            return Feeder(
                buses=tuple(
                    Bus(
                        name,
                        row.v_min_pu if bus.v_min_pu is None else bus.v_min_pu,
                        row.v_max_pu if bus.v_max_pu is None else bus.v_max_pu,
                        bus.p_kw,
                        bus.q_kvar,
                        bus.base_kv,
                    )
                    for name, bus in row.buses.items()
                ),
                lines=tuple(line_of(line, row.frequency_hz) for line in row.lines.values()),
                generators=(
                    *(
                        Generator(name, **machine.model_dump(exclude=_NOT_OF_A_GENERATOR))
                        for name, machine in row.generators.items()
                    ),
                    *(self._feed_in(name) for name in self._curtailable),
                ),
                root=row.root,
                base_kv=row.base_kv,
                root_voltage_pu=row.root_voltage_pu,
            )

    def clearing(self) -> "Clearing":
        """The DSO's clearing, with the loads of all buses."""
        from ...network.clearing import Clearing

        feeder = self.feeder
        factor = np.array([self._load_factor(name) for name in feeder.names])
        load_kw, load_kvar = feeder.p_kw[:, None] * factor, feeder.q_kvar[:, None] * factor
        p_min_kw, p_max_kw = self._generation(load_kw, feeder)
        for name in self._curtailable:
            load_kw[feeder.index(name)] = np.maximum(load_kw[feeder.index(name)], 0.0)
        if self._scenario.feeder.prosumer_bus_load == "replaced":
            replaced = [feeder.index(prosumer.bus) for prosumer in self._scenario.prosumers.values()]
            load_kw[replaced] = load_kvar[replaced] = 0.0
        return Clearing(
            feeder,
            load_kw,
            load_kvar,
            self._scenario.dt_h,
            self._scenario.feeder.value_of_lost_load_usd_per_kwh,
            physics=self._scenario.settings.physics,
            p_gen_min_kw=p_min_kw,
            p_gen_max_kw=p_max_kw,
            calendar=self._calendar,
        )

    @property
    def _curtailable(self) -> list[str]:
        """Buses whose feed-in the DSO may curtail."""
        return [name for name, bus in self._scenario.feeder.buses.items() if bus.curtailable]

    def _feed_in(self, bus: str) -> Generator:
        """What feeds in at a bus as a generator that costs nothing; its q stays with the load."""
        most = float(np.maximum(-self._scenario.feeder.buses[bus].p_kw * self._load_factor(bus), 0.0).max())
        return Generator(f"feed-in {bus}", bus, 0.0, 0.0, 0.0, 0.0, most, 0.0, 0.0)

    def _generation(self, load_kw: FloatArray, feeder: Feeder) -> tuple[FloatArray, FloatArray]:
        """What generators can do, (generator, period) each, kW, in the order of the feeder's generators."""
        bounds: list[FloatArray] = []
        for key in ("p_min", "p_max"):
            rows = [
                getattr(machine, f"{key}_kw")
                * self._factor(("feeder", "generators", name, f"{key}_profile"), getattr(machine, f"{key}_profile"))
                for name, machine in self._scenario.feeder.generators.items()
            ]
            most = [np.maximum(-load_kw[feeder.index(name)], 0.0) for name in self._curtailable]
            bounds.append(np.array([*rows, *(most if key == "p_max" else [np.zeros_like(row) for row in most])]))
        return bounds[0], bounds[1]

    @cached_property
    def households(self) -> list[Household]:
        """The prosumers' private data, in the order of the table."""
        with self._placed():
            return [self._household(name, row) for name, row in self._scenario.prosumers.items()]

    @cached_property
    def links(self) -> list[Link]:
        """Who may trade with whom."""
        with self._placed():
            links = [Link(row.a, row.b, row.cap_kw, row.fee_usd_per_kwh) for row in self._scenario.links.values()]
            TradeGraph(list(self._scenario.prosumers), links)
            return links

    @cached_property
    def settings(self) -> MarketSettings:
        """How the market is to be run."""
        with self._placed():
            return MarketSettings(**self._scenario.settings.model_dump(exclude={"physics"}))

    def messages(self) -> MessageFaults:
        """What happens to quotes and offers."""
        for name in self._scenario.messages.away:
            if name not in self._scenario.prosumers:
                path = ("messages", "away", name)
                sentence = f"there is no prosumer {name}{did_you_mean(name, self._scenario.prosumers)}"
                raise refuse(self._tree.place(path), ".".join(path), sentence)
        away = {name: Absence(row.from_round, row.rounds) for name, row in self._scenario.messages.away.items()}
        faults = MessageFaults(**{**dict(self._scenario.messages), "away": away})
        with self._placed():
            check_faults(faults, self.settings)
        return faults

    def check(self) -> None:
        """Check everything that can be checked without running the market."""
        settings, links, households = self.settings, self.links, self.households
        self.messages()
        buses = dict.fromkeys(self.feeder.names)
        for name, row in self._scenario.prosumers.items():
            if row.bus not in buses:
                gone = row.bus in self._stated.buses
                sentence = f"there is no bus {row.bus}{did_you_mean(row.bus, buses)}"
                if gone:
                    sentence = f"bus {row.bus} is out of service; put the prosumer elsewhere, or take it out"
                raise self._refusal(("prosumers", name, "bus"), sentence)
        if tried := self.behaviours():
            from ...agents.behaviour import close_all  # with numpy, which these need anyway

            close_all(tried.values())
        for bus in buses:
            self._load_factor(bus)
        self._check_generation()
        caps_kw = dict.fromkeys(self._scenario.prosumers, 0.0)
        for link in () if settings.case is Case.NO_SHARING else links:
            caps_kw[link.a] += link.cap_kw
            caps_kw[link.b] += link.cap_kw
        self._check_devices(households)
        self.check_horizon()
        with self._placed():
            for household in households:
                household.check_balance(caps_kw[household.name])

    def _check_devices(self, households: list[Household]) -> None:
        """Refuse a device that cannot do what it must, whatever its owner does."""
        for household in households:
            with self._placed():
                unable = household.device_unable()
            if unable:
                device, sentence = unable
                path = ("prosumers", household.name, "devices", device)
                raise self._infeasible(path, f"{device} of {household.name} {sentence}")

    def check_horizon(self) -> None:
        """Refuse a rolling horizon that cannot be run: its windows, its forecasts, or devices that cannot be cut."""
        scenario, horizon = self._scenario, self._scenario.horizon
        if horizon is None:
            return
        from .windowed_stores import store_of  # which needs scipy

        check_horizon(horizon, self._tree, scenario.dt_h, scenario.prosumers, scenario.profiles)
        for household in self.households:
            for device in household.devices:
                if store_of(device, self._periods, scenario.dt_h) is None:
                    path = ("prosumers", household.name, "devices", device.name, "kind")
                    sentence = "a rolling horizon can be cut of stores alone, and this is none; take it or horizon out"
                    raise self._refusal(path, sentence)
        if horizon.forecast == "table":
            for name, row in scenario.prosumers.items():
                with self._placed():
                    self._household(name, expecting(row, scenario.profiles).model_copy(update={"devices": {}}))

    def _check_generation(self) -> None:
        """Refuse profiles that put a generator's least power above its most."""
        for name, machine in self._scenario.feeder.generators.items():
            path = ("feeder", "generators", name)
            least, most = (
                getattr(machine, f"{key}_kw")
                * self._factor((*path, f"{key}_profile"), getattr(machine, f"{key}_profile"))
                for key in ("p_min", "p_max")
            )
            if (least > most).any():
                t = int(np.argmax(least > most))
                period = self._calendar.name(t) if self._calendar else f"period {t + 1}"
                sentence = f"is {least[t]:g} kW in {period}, above p_max_kw times its profile, {most[t]:g} kW"
                cure = "give it a p_min_profile that stays below, such as that of p_max_kw"
                raise self._refusal((*path, "p_min_kw"), f"{sentence}; {cure}")

    def doubts(self) -> list[Problem]:
        """What was read otherwise than it is written, what is left out, and values that may be in another unit."""
        found = [(doubt.path, doubt.sentence) for doubt in doubts(self._scenario, self.feeder)]
        found = [*left_out_notes(self._stated), *found]
        return [*self._tree.notes, *(self._doubt(path, sentence) for path, sentence in found)]

    def _doubt(self, path: Path_, sentence: str) -> Problem:
        """A note; those on rows of a table are of a kind with others of the same file and column."""
        place, table = self._tree.place(path), path[: 2 if path[:1] == ("feeder",) else 1]
        if len(path) <= 2:  # of no row
            return Problem(place, ".".join(path), sentence)
        column = ".".join(path[len(table) + 1 :] or table)
        kind = place.rpartition(":")[0] or place, column, ".".join(table)
        return Problem(place, ".".join(path), sentence, kind)

    def _household(self, name: str, row: ProsumerRow) -> Household:
        fixed = self._power(name, "fixed_profile", row.fixed_profile, row.fixed_peak_kw)
        renewable = self._power(name, "renewable", row.renewable, row.renewable_peak_kw)
        return Household(
            name=name,
            bus=row.bus,
            fixed_kw=fixed,
            renewable_kw=renewable,
            alpha_usd_per_kw2h=row.alpha_usd_per_kw2h * self._scenario.alpha_scale,
            beta_usd_per_kwh=row.beta_usd_per_kwh,
            elastic_min_kw=np.array(row.elastic_min_kw),
            elastic_max_kw=np.array(row.elastic_max_kw),
            bid_max_kw=np.array(row.bid_max_kw),
            dt_h=self._scenario.dt_h,
            feed_in_max_kw=np.array(row.feed_in_max_kw),
            grid_fee_usd_per_kwh=row.grid_fee_usd_per_kwh,
            feed_in_fee_usd_per_kwh=row.feed_in_fee_usd_per_kwh,
            devices=self._device_maker.devices(name, row.devices),
            calendar=self._calendar,
        )

    @cached_property
    def _device_maker(self) -> DeviceMaker:
        return DeviceMaker(self._tree, self._factor, self._periods, self._calendar or self._scenario.dt_h)

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

    def behaviours(self) -> "dict[str, Behaviour]":
        """How prosumers act that do not take prices, which is known to be right and costs an import."""
        made: dict[str, Behaviour] = {}
        for name, row in self._scenario.prosumers.items():
            if not takes_prices(row.behaviour):
                path = ("prosumers", name, "behaviour")
                with self._placed():
                    made[name] = make_behaviour(row.behaviour, self._tree.place(path), ".".join(path))
        return made

    def _load_factor(self, bus: str) -> FloatArray:
        own = self._scenario.feeder.buses[bus].profile
        path = ("feeder", "buses", bus, "profile") if own else ("feeder", "load_profile")
        return self._factor(path, own or self._scenario.feeder.load_profile)

    def _factor(self, path: Path_, profile: str) -> FloatArray:
        """A profile as an array, (period,); constant 1 where none is named."""
        if profile in self._factors:
            return self._factors[profile]
        if not profile:
            values = [1.0] * self._periods
        elif profile in self._scenario.profiles:
            values = [self._scenario.profiles[profile][str(t)] for t in range(1, self._periods + 1)]
            if self._calendar and profile.endswith(ENERGY_SUFFIX):
                values = [energy_kwh / self._calendar.dt_h for energy_kwh in values]
        else:
            sentence = f"there is no profile {profile}{did_you_mean(profile, self._scenario.profiles)}"
            raise refuse(self._tree.place(path), ".".join(path), sentence)
        self._factors[profile] = frozen(np.array(values))
        return self._factors[profile]

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """Say of what the other rooms refuse where it is written."""
        try:
            yield
        except FeederError as error:
            table = "" if error.table == "feeder" else error.table
            row = self._row_of(("feeder", "lines"), error.row) if table == "lines" else error.row
            if not self._tree.states(("feeder", table, row, error.key)) and error.key in FeederRow.model_fields:
                table = row = ""  # what no bus states for itself is stated once
            raise self._refusal(
                tuple(part for part in ("feeder", table, row, error.key) if part), error.sentence
            ) from None
        except HouseholdError as error:
            path, problem = _told_of_device(error)
            raise self._refusal(("prosumers", error.prosumer, *path), problem) from None
        except LinkError as error:
            link = self._row_of(("links",), error.link)
            cure = f"{error.problem}, or take the link out (links: {{{link}: null}})"
            raise self._refusal(("links", link, error.key), cure) from None
        except SettingsError as error:
            path = ("messages",) if error.key == "messages" else ("market", error.key)
            raise self._refusal(path, error.problem) from None
        except HouseholdShortageError as error:
            raise self._infeasible(("prosumers", error.prosumer), str(error)) from None
        except DeviceShortageError as error:
            raise self._infeasible(("prosumers", error.prosumer, "devices"), error.problem) from None

    def _row_of(self, table: Path_, ends: str) -> str:
        """The row of a line or link that is called by its ends, which may have been changed."""
        rows: dict[str, Any] = self._scenario.links if table == ("links",) else self._scenario.feeder.lines
        return next((key for key, row in rows.items() if "-".join(list(vars(row).values())[:2]) == ends), ends)

    def _infeasible(self, path: Path_, sentence: str) -> InfeasibleScenarioError:
        """Devices know no calendar: the periods that they name get their dates here."""
        if self._calendar:
            sentence = _PERIOD.sub(partial(_dated, self._calendar), sentence)
        return InfeasibleScenarioError(Problem(self._tree.place(path), ".".join(path), sentence))

    def _refusal(self, path: Path_, sentence: str) -> ScenarioError:
        return refuse(self._tree.place(path), ".".join(path), sentence)


def _dated(calendar: Calendar, period: re.Match[str]) -> str:
    return calendar.name(int(period[1]) - 1)


def _told_of_device(error: HouseholdError) -> tuple[Path_, str]:
    """Where a household's data contradict each other, below its name, and how: in a device, or in itself."""
    from ...agents.devices.device import DeviceError

    cause = error.__cause__
    if isinstance(cause, DeviceError):
        return ("devices", cause.device, cause.key), cause.problem
    return (error.key,), error.problem
