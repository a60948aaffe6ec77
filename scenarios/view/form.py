"""The form in which a person chooses a scenario and how its market is run; what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import run, ui
from nicegui.events import GenericEventArguments

from ...market.settings import Case, Method, Order
from ...network.errors import GridbazaarError
from ..errors import ScenarioError, told
from ..files.behaviours import registered_behaviours
from ..files.scenario import Scenario
from .offers import Offers
from .words import said

_NOTES = 3
Opens = Callable[[str, Scenario, dict[str, object]], None]

_CASES = {Case.NO_SHARING: "1 no sharing", Case.CENTRAL: "2 shared centrally", Case.SHARING: "3 Algorithm 1"}
_CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "market.case": ("case", {str(int(case)): label for case, label in _CASES.items()}),
    "market.order": ("order", {str(order): str(order) for order in Order}),
    "market.method": ("method", {str(method): str(method) for method in Method}),
}
_NUMBERS = {"market.penalty_usd_per_kw2h": "penalty, $/kW²h", "alpha_scale": "alpha scale"}


class ScenarioForm:
    """Choices that differ from the scenario's own are handed on as changes, by the keys of scenario files."""

    def __init__(self, offers: Offers, opens: Opens, opened: tuple[str, Mapping[str, object]] | None = None) -> None:
        """Build the form where one stands.

        Args:
            offers: What can be chosen.
            opens: Opens a market: name, scenario, changes.
            opened: What the market that is open already was made of: name, changes.
        """
        self._offers, self._opens, self._opened = offers, opens, opened
        self._scenario: Scenario | None = None
        self._own: dict[str, str] = {}
        self._behaviours: dict[str, str] = {}
        self._typed = ""  # what stands in the field of the behaviour until it is left
        with ui.element("div").classes("fields"):
            first = opened[0] if opened else offers.names[0]
            self._name = ui.select(offers.names, value=first, label="scenario", on_change=self._choose)
            self._name.props("data-testid=scenario")
            self._fields: dict[str, Any] = {
                key: ui.select(choices, label=label).props(f"data-testid={key}")
                for key, (label, choices) in _CHOICES.items()
            }
            self._fields |= {key: ui.input(label).props(f"data-testid={key}") for key, label in _NUMBERS.items()}
            self._whose = ui.select([], label="behaviour of", with_input=True).props("data-testid=behaviour-of")
            names = list(registered_behaviours())
            self._behaviour = ui.select(names, label="behaviour", with_input=True, new_value_mode="add-unique")
            self._behaviour.props("data-testid=behaviour").on_value_change(self._behave)
            self._behaviour.on("input-value", self._type).on("blur", self._take_typed)
            self._whose.on_value_change(self._show_behaviour)
            ui.button("Open", on_click=self._open).props("no-caps data-testid=open")
        self._changed = ui.label().classes("note")
        self._problem = ui.label().classes("problem").props("role=alert data-testid=problem-open")

    async def choose_first(self) -> None:
        """Fill in what the open market was made of, or what the first scenario says, and open that if it was given."""
        await self._choose()
        if self._scenario is None:
            return
        if self._opened:
            self._fill_in(self._scenario, self._opened[1])
        elif self._offers.given:
            self._open()

    def _fill_in(self, scenario: Scenario, changes: Mapping[str, object]) -> None:
        """Fill in changes of a scenario as they were chosen."""
        for key, value in changes.items():
            if key in self._fields:
                self._fields[key].value = value
        for who in scenario.prosumers:
            if f"prosumers.{who}.behaviour" in changes:
                self._behaviours[who] = str(changes[f"prosumers.{who}.behaviour"])
        self._show_behaviour()
        if self._behaviours:
            self._tell_behaviours(scenario)

    def _tell_behaviours(self, scenario: Scenario) -> None:
        """Say whose behaviours are other ones than the scenario has."""
        rows = scenario.prosumers
        chosen = [f"{who}: {name}" for who, name in self._behaviours.items() if rows[who].behaviour != name]
        self._changed.text = f"behaviours: {', '.join(chosen)}" if chosen else ""

    def show_failure(self, error: Exception | None) -> None:
        """Put each problem beside the field that it is about; None takes all away."""
        self._clear()
        problems = error.problems if isinstance(error, ScenarioError) else ()
        rest = [] if problems or error is None else [said(error)]
        for problem in problems:
            field = self._fields.get(problem.key)
            if field is None and problem.key.endswith(".behaviour"):
                field = self._behaviour
            if field is not None:
                field.error = problem.sentence
            else:
                rest.append(f"{problem.key}: {problem.sentence}" if problem.key else str(problem))
        self._problem.text = "; ".join(rest)

    async def _choose(self) -> None:
        self._clear()
        self._behaviours = {}
        try:
            scenario = await run.io_bound(self._offers.scenario, self._name.value)
        except GridbazaarError as error:
            self._scenario = None
            self.show_failure(error)
            return
        if scenario is None:  # the server ends
            return
        self._scenario, settings = scenario, scenario.settings
        self._own = {key: str(getattr(settings, key.partition(".")[2])) for key in ("market.order", "market.method")}
        self._own |= {"market.case": str(int(settings.case)), "alpha_scale": f"{scenario.alpha_scale:g}"}
        self._own |= {"market.penalty_usd_per_kw2h": f"{settings.penalty_usd_per_kw2h:g}"}
        for key, value in self._own.items():
            self._fields[key].value = value
        people = list(scenario.prosumers)
        self._whose.set_options(people, value=people[0])
        self._show_behaviour()
        self._changed.text = noted(told(scenario.doubts()))

    def _show_behaviour(self) -> None:
        """The behaviour of the prosumer that is chosen, as it is or as it was changed."""
        if self._scenario is None or self._whose.value is None:
            return
        own = self._scenario.prosumers[self._whose.value].behaviour
        shown = self._behaviours.get(self._whose.value, own)
        if shown not in self._behaviour.options:
            self._behaviour.set_options([*self._behaviour.options, shown])
        self._behaviour.value = shown

    def _type(self, event: GenericEventArguments) -> None:
        """Note what is typed for a behaviour; the field empties itself when it is left, after it has told of that."""
        self._typed = str(event.args or "")

    def _take_typed(self) -> None:
        """Take what was typed, as if Enter had been pressed."""
        if not self._typed:
            return
        if self._typed not in self._behaviour.options:
            self._behaviour.set_options([*self._behaviour.options, self._typed])
        self._behaviour.value = self._typed

    def _behave(self) -> None:
        """Note the behaviour that was chosen for a prosumer; what was typed to look for it is of no use any more."""
        self._typed = ""
        if self._scenario is None or self._whose.value is None or not self._behaviour.value:
            return
        self._behaviours[self._whose.value] = self._behaviour.value
        self._tell_behaviours(self._scenario)

    def _open(self) -> None:
        self._take_typed()  # the click may be heard of before the field has been left
        self._clear()
        if self._scenario is None:
            return
        changes: dict[str, object] = {
            key: self._fields[key].value for key, own in self._own.items() if self._fields[key].value != own
        }
        rows = self._scenario.prosumers
        for who, name in self._behaviours.items():
            if rows[who].behaviour != name:
                changes[f"prosumers.{who}.behaviour"] = name
        self._opens(self._name.value, self._scenario, changes)

    def _clear(self) -> None:
        for field in (*self._fields.values(), self._behaviour):
            field.error = None
        self._problem.text = ""


def noted(notes: list[str]) -> str:
    """The first notes, and how many more there are."""
    shown = [f"note: {note}" for note in notes[:_NOTES]]
    if len(notes) > _NOTES:
        shown.append(f"and {len(notes) - _NOTES:,} more, told by gridbazaar validate")
    return "; ".join(shown)
