"""Branches: begin another one with something changed, go from one to the other, and compare two."""

from __future__ import annotations

from nicegui import ui

from .desk import Desk, Seen
from .scene import Scene
from .words import said


class Branches:
    """The branches of a desk's session, and the dialog that begins another one."""

    def __init__(self, desk: Desk) -> None:
        """Build them where one stands."""
        self._desk = desk
        self._forking = self._showing = False
        self._build_dialog()
        with ui.element("div").classes("fields"):
            self._branch = ui.select([], label="branch", on_change=self._switch).props("data-testid=branch")
            self._other = ui.select({}, label="compare with", on_change=self._compare).props("data-testid=compare")
            self._fork = ui.button("Fork", on_click=self._ask).props("no-caps data-testid=fork")
            self._fork.tooltip("another branch from here, with something changed")
        self._told = ui.label().classes("lines").props("data-testid=branches")

    def _build_dialog(self) -> None:
        with ui.dialog() as self._dialog, ui.card().classes("dialog"):
            ui.label("Go on from this round with something changed").classes("heading")
            self._changes = ui.textarea("changes, one key=value a line", placeholder="alpha_scale=2")
            self._changes.props("data-testid=fork-changes outlined rows=5").classes("wide")
            ui.label("such as prosumers.p2.elastic_max_kw=500 or market.method=damped").classes("note")
            self._name = ui.input("name of the branch (numbered if empty)").props("data-testid=fork-name")
            with ui.element("div").classes("buttons"):
                ui.button("Fork", on_click=self._begin).props("no-caps data-testid=fork-begin")
                ui.button("Cancel", on_click=self._dialog.close).props("no-caps flat")

    def _ask(self) -> None:
        self._changes.error = None
        self._dialog.open()

    def _begin(self) -> None:
        self._changes.error = None
        self._forking = True
        self._desk.fork(self._changes.value or "", self._name.value or "")

    def _switch(self) -> None:
        if not self._showing and self._branch.value:
            self._desk.switch(self._branch.value)

    def _compare(self) -> None:
        if not self._showing:
            self._desk.look(other=self._other.value or "")

    def show(self, seen: Seen) -> None:
        """Show the branches, and how a fork went."""
        scene, free = seen.scene, seen.is_free
        self._fork.set_enabled(free and scene is not None)
        if self._forking and free:
            self._forking = False
            if seen.failed is None:
                self._dialog.close()
                self._name.value = ""
            else:
                self._changes.error = said(seen.failed)
        if scene is not None and free:
            self._showing = True  # what is set here nobody has chosen
            self._show_names(scene)
            self._showing = False

    def _show_names(self, scene: Scene) -> None:
        self._branch.set_options(list(scene.branches), value=scene.branch)
        others = {"": "nothing", **{name: name for name in scene.branches if name != scene.branch}}
        other = self._desk.wanted.other
        self._other.set_options(others, value=other if other in others else "")
        self._told.text = "\n".join(scene.branches.values()) if len(scene.branches) > 1 else ""
