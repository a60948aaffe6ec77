"""What moves the market: step, play, run, go back, stop, and the timeline."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import events, ui

from .desk import PLAYING, Desk, Seen
from .scene import Scene
from .words import said


class Controls:
    """Buttons and timeline of a desk; while it computes only Stop can be pressed."""

    def __init__(self, desk: Desk) -> None:
        """Build them where one stands."""
        self._desk = desk
        with ui.element("div").classes("buttons"):
            step = self._button("Step", "step", desk.step, "one agent round")
            self._play = self._button("Play", "play", self._play_or_pause, "round after round")
            self._forwards = [
                step,
                self._button(
                    "To clearing", "to-clearing", lambda: desk.run_to("clearing"), "until the DSO has cleared"
                ),
                self._button("To the end", "to-end", lambda: desk.run_to("settled"), "until the market has ended"),
            ]
            self._back = self._button("Back", "back", desk.back, "one round back")
            self._stop = self._button("Stop", "stop", desk.stop, "after the round under way")
            self._stop.props("color=negative outline")
            with ui.element("div").classes("until"):
                self._until = ui.input("until", placeholder="voltage_min_pu < 0.95").props("dense data-testid=until")
                self._until.on("keydown.enter", self._run_until)
                self._forwards.append(self._button("Run until", "run-until", self._run_until, "until that holds"))
        with ui.element("div").classes("timeline"):
            self._where = ui.label().props("data-testid=round")
            self._slider = ui.slider(min=0, max=1, value=0).props("label data-testid=timeline aria-label=round")
            self._slider.on("change", self._jump)
        self._doing = ui.label().classes("note").props("data-testid=busy")
        self._progress = ui.linear_progress(show_value=False).props("indeterminate")

    @staticmethod
    def _button(label: str, name: str, act: Callable[[], object], says: str) -> ui.button:
        button = ui.button(label, on_click=act)
        return button.props(f"no-caps data-testid={name}").tooltip(says)

    def _play_or_pause(self) -> None:
        if self._desk.seen.busy == PLAYING:
            self._desk.stop()
        else:
            self._desk.play()

    def _run_until(self) -> None:
        self._until.error = None
        if self._until.value:
            self._desk.run_until(self._until.value)

    def _jump(self, event: events.GenericEventArguments) -> None:
        self._desk.goto(int(event.args))

    def show(self, seen: Seen) -> None:
        """Show what can be done now."""
        scene, free = seen.scene, seen.is_free
        for button in self._forwards:
            button.set_enabled(free and scene is not None and not scene.ended)
        playing = seen.busy == PLAYING
        self._play.text = "Pause" if playing else "Play"
        self._play.set_enabled(playing or (free and scene is not None and not scene.ended))
        self._back.set_enabled(free and scene is not None and scene.round > 0)
        self._stop.set_enabled(bool(seen.busy))
        self._slider.set_enabled(free and scene is not None)
        self._until.error = said(seen.failed) if seen.asked == "until" and seen.failed else None
        self._doing.text = f"{seen.busy} …" if seen.busy else ""
        self._progress.set_visibility(bool(seen.busy))
        if scene is not None:
            self._show_place(scene)

    def _show_place(self, scene: Scene) -> None:
        self._slider.props(f"max={max(scene.newest, 1)}")
        self._slider.value = scene.round
        self._where.text = f"round {scene.round} of {scene.newest}"
