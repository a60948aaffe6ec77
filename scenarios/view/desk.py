"""What one tab of the browser works at: its own session, in a thread of its own, and what is to be drawn of it.

Everything that computes is done in that thread, one thing after the other, so that the page answers meanwhile; the page
looks at `seen` now and then. Nothing is shared between desks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event, RLock
from time import monotonic
from typing import TYPE_CHECKING

from ...market.rounds import Round
from ..files.changes import changes_of
from ..files.scenario import Scenario
from ..stepping.errors import SessionError
from ..stepping.session import Session
from .scene import Scene, scene_of
from .wanted import Wanted

if TYPE_CHECKING:
    from ...market.hosting.backend import Backend

PLAYING, _COMPUTING, _LOOK = "playing", "computing", "look"
_PACE_S = 0.4
"""How long a round stands while the market plays."""
_NEWS_S = 0.3
"""How often a long computation shows how far it is."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page draws.

    Attributes:
        version: Counts what is new.
        opened: What the market that is open was made of: the scenario's name, and changes; None before there is one.
        scene: What is known of the market; None before one is opened.
        busy: What is being computed, in words; empty if nothing is.
        asked: What was asked for last: "open", "fork", or another word.
        failed: Why it could not be done; None if it could.
    """

    version: int = 0
    opened: tuple[str, Mapping[str, object]] | None = None
    scene: Scene | None = None
    busy: str = ""
    asked: str = ""
    failed: Exception | None = None

    @property
    def is_free(self) -> bool:
        """Whether the desk hears what it is asked for: it also does while it only draws."""
        return not self.busy or self.asked == _LOOK


class Desk:
    """A session and the thread that it lives in.

    Attributes:
        seen: What the page draws; another object whenever something is new.
    """

    def __init__(self, backend: Callable[[], Backend | None] = lambda: None, seed: int | None = None) -> None:
        """A desk without a market.

        Args:
            backend: Makes where prosumers live; None is this process.
            seed: Seed of all randomness; that of the scenario by default.
        """
        self.seen = Seen()
        self._backend, self._seed = backend, seed
        self._wanted = Wanted()
        self._session: Session | None = None
        self._thread = ThreadPoolExecutor(1, "gridbazaar-desk")
        self._stop, self._changing = Event(), RLock()
        self._begun, self._closed = 0, False

    # --- what a person asks for --------------------------------------------------------------------------------------

    def open(self, name: str, scenario: Scenario, changes: Mapping[str, object]) -> None:
        """Open the market of a scenario at round 0; the one before is closed."""

        def act() -> None:
            opened = Session(scenario, changes, seed=self._seed, backend=self._backend, name=name)
            before, self._session = self._session, opened
            self._see(opened=(name, changes))
            self._want(period=0, prosumer="", link="", other="")
            if before is not None:
                before.close()

        self._begin("open", "opening the market", act)

    def step(self) -> None:
        """One round."""
        self._move("step", "one round", lambda session: session.step())

    def play(self) -> None:
        """Round after round, at a pace that one can follow."""

        def act(session: Session) -> None:
            while not (session.ended or self._stop.is_set()):
                session.step()
                self._draw(session, compared=False)
                self._stop.wait(_PACE_S)

        self._move("play", PLAYING, act)

    def run_to(self, goal: str) -> None:
        """On to the next clearing ("clearing") or to the end ("settled")."""
        self._move("run", _COMPUTING, lambda session: session.run_to(goal, self._watch(session)))

    def run_until(self, condition: str) -> None:
        """On until a condition holds, such as "voltage_min_pu < 0.95"."""

        def act(session: Session) -> None:
            if not session.run_until(condition, self._watch(session)) and session.ended:
                raise SessionError(f"the run ended, and {condition} never held")

        self._move("until", _COMPUTING, act)

    def back(self) -> None:
        """One round back."""
        self._move("back", "going back", lambda session: session.back())

    def goto(self, round_: int) -> None:
        """To a round that is known."""
        self._move("goto", f"going to round {round_}", lambda session: session.goto(round_))

    def switch(self, branch: str) -> None:
        """To the last known round of another branch."""
        self._move("switch", f"going to branch {branch}", lambda session: session.switch(branch))

    def fork(self, text: str, name: str = "") -> None:
        """Begin another branch here, with what `key=value` lines change, and go there."""

        def act(session: Session) -> None:
            here = session.branch.name
            changes = changes_of([line for line in map(str.strip, text.splitlines()) if line], "fork")
            session.fork({change.key: change.value for change in changes}, name.strip())
            self._want(other=here)

        self._move("fork", "forking", act)

    def look(self, **wanted: object) -> None:
        """Look at something else: fields of `Wanted`; while something is done it is drawn by the next `refresh`."""
        self._want(**wanted)
        self.refresh()

    def _want(self, **wanted: object) -> None:
        with self._changing:
            self._wanted = replace(self._wanted, **wanted)  # type: ignore[arg-type]  # selects know the fields

    def refresh(self) -> None:
        """Draw anew if something else is looked at now than was drawn."""
        scene = self.seen.scene
        if scene is not None and scene.wanted != self._wanted and self.seen.failed is None:
            self._begin(_LOOK, "drawing", lambda: None)

    @property
    def wanted(self) -> Wanted:
        """What is looked at."""
        return self._wanted

    def stop(self) -> None:
        """Stop playing or computing after the round under way."""
        self._stop.set()

    def close(self) -> None:
        """Let go of the session and its workers, once the round under way is finished."""
        if self._closed:
            return
        self._closed = True
        self._stop.set()
        self._thread.submit(self._let_go)
        self._thread.shutdown(wait=False)

    def wait(self) -> None:
        """Wait until all that was asked for is done."""
        self._thread.shutdown(wait=True)

    # --- in the desk's own thread ------------------------------------------------------------------------------------

    def _begin(self, asked: str, doing: str, act: Callable[[], object]) -> None:
        """Do something in the desk's thread, unless it is at something already; if it only draws, do it then."""
        with self._changing:
            if self._closed or not self.seen.is_free or (self.seen.busy and asked == _LOOK):
                return
            self._stop.clear()
            self._begun += 1
            self._see(busy=doing, asked=asked, failed=None)
            self._thread.submit(self._do, act, self._begun)

    def _see(self, **new: object) -> None:
        """Let something else be seen: fields of `Seen`."""
        with self._changing:
            self.seen = replace(self.seen, version=self.seen.version + 1, **new)  # type: ignore[arg-type]  # its fields

    def _move(self, asked: str, doing: str, act: Callable[[Session], object]) -> None:
        """Do something with the session."""

        def with_session() -> None:
            if self._session is None:
                raise SessionError("no market is open; open one first")
            act(self._session)

        self._begin(asked, doing, with_session)

    def _do(self, act: Callable[[], object], number: int) -> None:
        """Do something, and draw what came of it; free is the desk again unless more has been asked for meanwhile."""
        failed: Exception | None = None
        for each in (act, self._draw_all):
            try:
                each()
            except Exception as error:  # whatever a behaviour raises is told of, and the page lives on
                failed = failed or error
        with self._changing:
            if number == self._begun:
                self._see(busy="", failed=failed)

    def _watch(self, session: Session) -> Callable[[Round], bool]:
        """Shows now and then how far a computation is, and stops it when somebody asks for that."""
        last = monotonic()

        def watch(_: Round) -> bool:
            nonlocal last
            if monotonic() - last > _NEWS_S:
                self._draw(session, compared=False)
                last = monotonic()
            return not self._stop.is_set()

        return watch

    def _draw_all(self) -> None:
        if self._session is not None:
            self._draw(self._session)

    def _draw(self, session: Session, *, compared: bool = True) -> None:
        """Put what there is to see where the page finds it."""
        wanted = self._wanted if compared else replace(self._wanted, other="")
        self._see(scene=scene_of(session, wanted))

    def _let_go(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
