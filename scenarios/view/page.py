"""The page of one tab: a form, controls, and what is seen of the market."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from .branches import Branches
from .controls import Controls
from .desk import Desk
from .form import ScenarioForm
from .offers import Offers
from .panels import ConvergencePanel, DetailPanel, FeederPanel, FiguresPanel
from .words import said

_LOOKS_S = 0.05
"""How often the page looks whether there is something new."""
_STYLE = Path(__file__).with_name("page.css")


class Page:
    """What a person sees of a desk."""

    def __init__(self, desk: Desk, offers: Offers) -> None:
        """Build the page.

        Args:
            desk: What the tab works at.
            offers: The scenarios that can be chosen.
        """
        self._desk, self._drawn = desk, -1
        ui.add_css(_STYLE.read_text(encoding="utf-8"))
        with ui.element("div").classes("box"):
            self._title = ui.label("gridbazaar").classes("title")
            self._form = ScenarioForm(offers, desk.open, desk.seen.opened)
        with ui.element("div").classes("box sticky"):
            self._controls = Controls(desk)
            self._problem = ui.label().classes("problem").props("role=alert data-testid=problem")
        with ui.element("div").classes("main"):
            with ui.element("div").classes("box"):
                self._feeder = FeederPanel(desk)
            with ui.element("div").classes("box"):
                self._figures = FiguresPanel()
        with ui.element("div").classes("box"):
            self._branches = Branches(desk)
        with ui.element("div").classes("box"):
            self._convergence = ConvergencePanel()
        with ui.element("div").classes("box"):
            self._details = DetailPanel(desk)
        ui.timer(0.0, self._form.choose_first, once=True)
        ui.timer(_LOOKS_S, self._look)

    def _look(self) -> None:
        """Draw what is new."""
        self._desk.refresh()
        seen = self._desk.seen
        if seen.version == self._drawn:
            return
        self._drawn = seen.version
        self._controls.show(seen)
        self._branches.show(seen)
        beside = seen.asked in ("open", "fork", "until")
        if seen.asked == "open":
            self._form.show_failure(seen.failed)
        self._problem.text = said(seen.failed) if seen.failed and not beside else ""
        scene = seen.scene
        if scene is None:
            return
        self._title.text = f"gridbazaar: {scene.name}"
        for panel in (self._feeder, self._figures, self._convergence, self._details):
            panel.show(scene)
