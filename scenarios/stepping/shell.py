"""The commands of a stepping session as a person types them, or as a file or pipe has them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from ...market.energy_market import EnergyMarket
from ...market.rounds import Round
from ...network.calendars import Calendar
from ..files.changes import changes_of
from ..files.tree import did_you_mean
from ..runs.accuracy import CostBounds
from ..runs.amounts import counted
from ..runs.interrupts import interrupts
from ..runs.summary import schedule_table
from .asked_periods import periods_of
from .conditions import names
from .errors import SessionError
from .session import GOALS, Session
from .tables import by_period, history, many
from .views import View

_HISTORY = 10
_WHOLE = ("until",)
"""Commands of which all that follows is one word, quotation marks and all."""


COMMANDS = {
    "step": ("step [ROUNDS]", "go on by one round, or by some"),
    "run": ("run [clearing|agreed|settled]", "go on to the next clearing, to agreement, or to the end"),
    "until": ("until CONDITION", 'go on until it holds, such as voltage_min_pu < 0.95 or lmp("p1", 19) > 0.2'),
    "back": ("back [ROUNDS]", "go back by one round, or by some"),
    "goto": ("goto ROUND|BRANCH|BRANCH@ROUND", "go to a round"),
    "fork": ("fork [KEY=VALUE ...] [as NAME]", "try otherwise, on another branch, with something changed as by --set"),
    "branches": ("branches", "what branches there are"),
    "switch": ("switch BRANCH", "go to the last known round of another branch"),
    "show": (
        "show [PROSUMER|LINK|bus BUS [PERIODS]|prices|trades|bids|residuals|history [ROUNDS]|result]",
        'look, by period, at all or some (12-20, "30 March 18:00"); alone: where one is',
    ),
    "why": (
        "why PROSUMER|LINK|BUS PERIOD",
        'why power costs there what it does, in a period (19) or when it begins ("30 March 18:00")',
    ),
    "diff": ("diff PLACE PLACE", "what differs between two rounds (12), branches, or branch@round"),
    "help": ("help [COMMAND]", "this list, or how one is written"),
    "quit": ("quit", "leave"),
}
"""What can be typed, by its first word: how it is written, and what it does."""


class Shell:
    """Does what is typed, on a session.

    Attributes:
        session: The session.
        left: Whether somebody has typed `quit`.
    """

    def __init__(self, session: Session, console: Console) -> None:
        """Begin; everything is printed on the console."""
        self.session, self._console, self.left = session, console, False
        self._interrupted: Callable[[], bool] = lambda: False
        self._status: Status | None = None

    @property
    def was_interrupted(self) -> bool:
        """Whether Ctrl-C came while the last line was done."""
        return self._interrupted()

    def do(self, line: str) -> None:
        """Do what a line says; nothing for an empty one, or one that begins with #.

        Raises:
            GridbazaarError: It cannot be done; the sentence says why, and what can be.
        """
        words = _words(line)
        if not words:
            return
        name, *rest = words
        if name not in COMMANDS:
            raise SessionError(f"there is no command {name}{did_you_mean(name, COMMANDS)}; `help` lists them all")
        with interrupts() as self._interrupted:
            getattr(self, f"do_{name}")([line.strip().removeprefix(name).strip()] if name in _WHOLE and rest else rest)

    # --- to go -------------------------------------------------------------------------------------------------------

    def do_step(self, words: list[str]) -> None:
        """Go on by one round, or by some."""
        self._go(lambda: self.session.step(_number(words, "step [ROUNDS]", 1), self._watch))

    def do_run(self, words: list[str]) -> None:
        """Go on to the next clearing, to agreement, or to the end."""
        goal = words[0] if words else "settled"
        self._go(lambda: self.session.run_to(goal, self._watch))

    def do_until(self, words: list[str]) -> None:
        """Go on until it holds, such as voltage_min_pu < 0.95."""
        if not words:
            raise SessionError("until what? write a condition, such as: until voltage_min_pu < 0.95")
        [condition] = words
        self._go(lambda: self._tell_whether(self.session.run_until(condition, self._watch), condition))

    def do_back(self, words: list[str]) -> None:
        """Go back by one round, or by some."""
        self._go(lambda: self.session.back(_number(words, "back [ROUNDS]", 1)))

    def do_goto(self, words: list[str]) -> None:
        """Go to a round."""
        if len(words) != 1:
            raise SessionError("goto where? write a round (goto 12), or branch@round")
        self._go(lambda: self.session.goto(words[0]))
        round_ = words[0].rpartition("@")[2]
        if round_.isdecimal() and int(round_) > self.session.round:
            self._print(f"the run has ended at round {self.session.round}; there is no round {round_}")

    def do_switch(self, words: list[str]) -> None:
        """Go to the last known round of another branch."""
        if len(words) != 1:
            raise SessionError("switch to which branch? `branches` lists them")
        self._go(lambda: self.session.switch(words[0]))

    def do_fork(self, words: list[str]) -> None:
        """Try otherwise, on another branch, with something changed as by --set."""
        name = ""
        if len(words) > 1 and words[-2] == "as":
            *words, _, name = words
        changes = {change.key: change.value for change in changes_of(words, "fork")}
        branch = self.session.fork(changes, name)
        self._print(str(branch) + (f"; {branch.note}" if branch.note else ""))

    def _go(self, act: Callable[[], object]) -> None:
        before = self.session.branch.name
        with self._console.status("going on") if self._console.is_terminal else nullcontext() as self._status:
            act()
        if self.session.branch.name != before:
            self._print(f"on branch {self.session.branch.name} now")
        self._print(str(self.session))

    def _watch(self, round_: Round) -> bool:
        if self._status is not None:
            self._status.update(Text(round_.sentence))
        return not self._interrupted()

    def _tell_whether(self, holds: bool, condition: str) -> None:
        if not holds and self.session.ended:
            self._print(f"the run has ended, and {condition} has not come true")

    # --- to look -----------------------------------------------------------------------------------------------------

    def do_show(self, words: list[str]) -> None:
        """Look, by period; alone: where one is."""
        session, graph = self.session, self.session.market.graph
        if not words:
            self._print(str(session))
            return
        what = words[0]
        tables: dict[str, Callable[[], RenderableType]] = {
            "prices": self._prices,
            "trades": self._trades,
            "bids": self._bids,
            "residuals": lambda: Text(str(session.residuals())),
            "history": lambda: self._history(_number(words[1:], "show history [ROUNDS]", _HISTORY)),
            "result": self._result,
        }
        links = [link.name for link in graph.links]
        if what == "bus" and len(words) > 1:
            self._view(session.bus(words[1]), words[2:])
        elif what in tables:
            self._console.print(tables[what](), crop=False)  # else a pipe, which has room, cuts it
        elif what in graph.names:
            self._view(session.prosumer(what), words[1:])
        elif what in links:
            self._view(session.link(what), words[1:])
        else:
            known = [*tables, *graph.names, *links]
            raise SessionError(f"there is no {what} to show{did_you_mean(what, known)}; or write: show bus NAME")

    def _view(self, view: View, asked: Sequence[str]) -> None:
        """A view, of all periods or of those that are asked for."""
        periods = self._periods(asked) if asked else None
        table = by_period(
            view.title, list(view.columns), list(view.columns.values()), calendar=view.calendar, periods=periods
        )
        self._console.print(table, crop=False)
        for sentence in view.sentences:
            self._print(sentence)

    def _periods(self, words: Sequence[str]) -> range:
        """The periods that are asked for, whose time may have been written without quotation marks."""
        clearing = self.session.market.operator.clearing
        return periods_of(" ".join(words), clearing.when, clearing.periods)

    def _prices(self) -> RenderableType:
        market = self.session.market
        names = [*(f"LMP {name}" for name in market.graph.names), *(link.name for link in market.graph.links)]
        values = np.vstack([market.platform.lmp_usd_per_kwh, market.platform.whole_price_usd_per_kwh])
        return many("LMPs and sharing prices, $/kWh", names, values, 4, _calendar(market))

    def _trades(self) -> RenderableType:
        market = self.session.market
        links, trade_kw = [link.name for link in market.graph.links], market.platform.pairs.trade_kw
        return many("trades, kW: above 0 the first buys of the second", links, trade_kw, 2, _calendar(market))

    def _bids(self) -> RenderableType:
        market = self.session.market
        bids = market.last.bid_kw if market.last else market.bid_kw
        return many("what each orders from the DSO, kW", list(market.graph.names), bids, 1, _calendar(market))

    def _result(self) -> RenderableType:
        session, result = self.session, self.session.result()
        within = CostBounds.of(session.scenario, result)
        return schedule_table(result, f"{session.name}, round {session.round}", within)

    def _history(self, rounds: int) -> RenderableType:
        known = [mark for mark in self.session.history() if mark.number <= self.session.round]
        return history(known[-rounds:])

    def do_branches(self, words: list[str]) -> None:
        """What branches there are."""
        del words
        for branch in self.session.branches:
            mark = "*" if branch.name == self.session.branch.name else " "
            rounds = self.session.history(branch.name)
            self._print(f"{mark} {branch} ({counted(rounds[-1].number if rounds else 0, 'round')} known)")

    def do_why(self, words: list[str]) -> None:
        """Why power costs there what it does."""
        if len(words) < 2:
            raise SessionError("why where and when? write a prosumer, a link or a bus, and a period: why p1 19")
        at = 2 if words[0] == "bus" and len(words) > 2 else 1
        periods = self._periods(words[at:])
        if len(periods) > 1:
            raise SessionError(f"{' '.join(words[at:])} are {len(periods)} periods; ask about one: why {words[0]} 19")
        self._print(self.session.why(" ".join(words[:at]), periods[0] + 1))

    def do_diff(self, words: list[str]) -> None:
        """What differs between two rounds (12), branches, or branch@round."""
        if len(words) != 2:
            raise SessionError("diff what? write two rounds, branches, or branch@round: diff main 1")
        self._print(str(self.session.diff(*words)))

    def do_help(self, words: list[str]) -> None:
        """This list, or how one is written."""
        if words and words[0] not in COMMANDS:
            raise SessionError(f"there is no command {words[0]}{did_you_mean(words[0], COMMANDS)}")
        for usage, what in [COMMANDS[words[0]]] if words else COMMANDS.values():
            self._print(f"{usage}: {what}")
        if words == ["until"]:
            self._print(f"names: {', '.join(names(self.session.market))}")

    def do_quit(self, words: list[str]) -> None:
        """Leave."""
        del words
        self.left = True

    def _print(self, sentence: str) -> None:
        self._console.print(Text(sentence))


def completions(shell: Shell) -> dict[str, set[str]]:
    """What may come after each command, as far as it is a name."""
    graph = shell.session.market.graph
    places = {*graph.names, *(link.name for link in graph.links)}
    branches = {branch.name for branch in shell.session.branches}
    prosumer_keys = ("elastic_max_kw", "behaviour", "alpha_usd_per_kw2h", "renewable_peak_kw")
    keys = {f"prosumers.{name}.{key}=" for name in graph.names for key in prosumer_keys}
    return {
        **{name: set() for name in COMMANDS},
        "run": set(GOALS),
        "show": places | {"bus", "prices", "trades", "bids", "residuals", "history", "result"},
        "why": places,
        "switch": branches,
        "diff": branches,
        "goto": {f"{name}@" for name in branches},
        "fork": keys | {"alpha_scale=", "market.method=", "market.order=", "market.penalty_usd_per_kw2h=", "as"},
        "help": set(COMMANDS),
    }


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise SessionError(f"{line!r} cannot be read: {error}; close the quotation marks") from None


def _calendar(market: EnergyMarket) -> Calendar | None:
    """When its periods are."""
    return market.operator.clearing.calendar


def _number(words: Sequence[str], usage: str, default: int) -> int:
    if not words:
        return default
    if len(words) > 1 or not words[0].isdecimal():
        raise SessionError(f"{' '.join(words)!r} is no number of rounds or periods; write: {usage}")
    return int(words[0])
