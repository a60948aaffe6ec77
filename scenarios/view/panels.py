"""What is seen of the market: the feeder, the key figures, charts and tables."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from .charts import Options
from .desk import Desk
from .figures import LABELS
from .scene import Scene
from .tables import Row
from .wanted import SHADES

_ROWS = 10
"""Rows of a table that are seen at once."""


class FeederPanel:
    """The feeder at one period."""

    def __init__(self, desk: Desk) -> None:
        """Build it where one stands."""
        self._desk = desk
        with ui.element("div").classes("fields"):
            self._shade = ui.select(list(SHADES), value=desk.wanted.shade, label="buses by").props("data-testid=shade")
            self._shade.on_value_change(lambda event: desk.look(shade=event.value))
            lines = ui.switch("lines by loading", value=desk.wanted.loading)
            lines.on_value_change(lambda event: desk.look(loading=event.value))
            self._period = ui.label().props("data-testid=period")
        self._slider = ui.slider(min=1, max=2, value=1).props("data-testid=period-slider aria-label=period")
        self._slider.on_value_change(lambda event: desk.look(period=int(event.value) - 1))
        self._reason = ui.label().classes("note").props("data-testid=reason")
        self._drawing = ui.html("", sanitize=False).classes("drawing").props("data-testid=feeder")
        self._left_out = ui.label().classes("note").props("data-testid=left-out")

    def show(self, scene: Scene) -> None:
        """Show the feeder."""
        self._slider.props(f"max={len(scene.periods)}").set_visibility(len(scene.periods) > 1)
        if self._slider.value != self._desk.wanted.period + 1:
            self._slider.value = self._desk.wanted.period + 1
        self._period.text = scene.periods[scene.wanted.period]
        self._drawing.content = scene.feeder
        self._left_out.text, self._reason.text = scene.left_out, scene.reason


class FiguresPanel:
    """Where the market stands in words, and its key figures, of two branches if one asks for that."""

    def __init__(self) -> None:
        """Build it where one stands."""
        self._standing = ui.label().classes("standing").props("data-testid=standing")
        with ui.element("table").classes("figures"):
            with ui.element("tr") as self._head:
                ui.element("th")
                self._heads = [self._heading() for _ in range(2)]
            self._cells = {key: self._row(key, label) for key, label in LABELS.items()}
        self._certificate = ui.label().classes("note").props("data-testid=certificate")
        self._difference = ui.label().classes("lines").props("data-testid=difference")

    @staticmethod
    def _heading() -> ui.label:
        with ui.element("th"):
            return ui.label()

    def _row(self, key: str, label: str) -> tuple[ui.label, ui.label]:
        with ui.element("tr"):
            with ui.element("td"):
                ui.label(label)
            with ui.element("td").classes("number"):
                here = ui.label().props(f"data-testid={key}")
            with ui.element("td").classes("number"):
                there = ui.label().props(f"data-testid=other-{key}")
        return here, there

    def show(self, scene: Scene) -> None:
        """Show where the market stands."""
        self._standing.text = scene.standing
        for figure in scene.figures:
            here, there = self._cells[figure.key]
            here.text, there.text = figure.here, figure.there
        self._head.set_visibility(bool(scene.wanted.other))
        for head, name in zip(self._heads, (scene.branch, scene.wanted.other), strict=True):
            head.text = name
        self._certificate.text = scene.certificate
        self._difference.text = scene.difference


class DetailPanel:
    """Balances, prices, bills: of all prosumers together, or of one."""

    def __init__(self, desk: Desk) -> None:
        """Build it where one stands."""
        self._desk = desk
        with ui.element("div").classes("fields"):
            self._prosumer = ui.select({"": "all together"}, value="", label="prosumer", with_input=True)
            self._prosumer.props("data-testid=prosumer")
            self._prosumer.on_value_change(lambda event: desk.look(prosumer=event.value or ""))
            self._link = ui.select({"": "none"}, value="", label="also show link", with_input=True)
            self._link.on_value_change(lambda event: desk.look(link=event.value or ""))
            self._private = ui.switch("show private data", value=desk.wanted.private).props("data-testid=private")
            self._private.on_value_change(lambda event: desk.look(private=event.value))
        self._basis = ui.label().classes("note")
        with ui.element("div").classes("halves"):
            self._balance = _chart("power balance", "balance")
            self._prices = _chart("prices", "prices")
        with ui.element("div").classes("halves"):
            self._people = _table("prosumers", "people")
            self._bills = _table("bills", "bills")
        self._device_title = ui.label().classes("heading").props("data-testid=device-title")
        with ui.element("div").classes("halves") as self._devices_shown:
            self._devices = _chart("what devices give (below 0: take) and hold", "devices")
            self._device_rows = _table("devices", "device-rows")
        self._plans = ui.label().classes("lines plans").props("data-testid=plans")

    def show(self, scene: Scene) -> None:
        """Show balances, prices and bills."""
        _offer(self._prosumer, "all together", scene.prosumers, self._desk.wanted.prosumer)
        _offer(self._link, "none", scene.links, self._desk.wanted.link)
        self._basis.text = f"bids, trades and prices {scene.basis}"
        _show(self._balance, scene.balance)
        _show(self._prices, scene.prices)
        _fill(self._people, scene.people_columns, scene.people)
        _fill(self._bills, scene.bill_columns, scene.bills)
        self._device_title.text = scene.device_title
        self._devices_shown.set_visibility(bool(scene.device_rows))
        _show(self._devices, scene.devices)
        _fill(self._device_rows, scene.device_columns, scene.device_rows)
        self._plans.text = scene.plans


class ConvergencePanel:
    """How both algorithms converge."""

    def __init__(self) -> None:
        """Build it where one stands."""
        self._said = ui.label().classes("lines").props("data-testid=convergence")
        with ui.element("div").classes("halves"):
            self._residuals = _chart("Algorithm 1: residuals", "residuals")
            self._outer = _chart("Algorithm 2: cost and regret", "outer")

    def show(self, scene: Scene) -> None:
        """Show the residuals."""
        self._said.text = scene.convergence
        _show(self._residuals, scene.residuals)
        _show(self._outer, scene.outer)


def _chart(title: str, name: str) -> ui.echart:
    with ui.element("div").classes("half"):
        ui.label(title).classes("heading")
        return ui.echart({"series": []}, renderer="svg").classes("chart").props(f"data-testid={name}")


def _table(title: str, name: str) -> ui.table:
    with ui.element("div").classes("half"):
        ui.label(title).classes("heading")
        table = ui.table(rows=[], columns=[], pagination=_ROWS).props(f"dense flat data-testid={name}")
        return table.classes("table")


def _fill(table: ui.table, columns: list[Row], rows: list[Row]) -> None:
    table.columns, table.rows = columns, rows
    table.props("hide-bottom") if 0 < len(rows) <= _ROWS else table.props(remove="hide-bottom")


def _show(chart: ui.echart, options: Options) -> None:
    chart.options.clear()
    chart.options.update(options)
    chart.update()


def _offer(select: Any, nothing: str, names: Any, chosen: str) -> None:
    """Let a select offer these names, if it does not yet."""
    offered = {"": nothing, **{name: name for name in names}}
    if select.options != offered:
        select.set_options(offered, value=chosen if chosen in offered else "")
