"""A session: a tree of runs of one scenario, in which a person steps, looks, goes back, and tries otherwise."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ...market.outcome import Outcome
from ...market.rounds import Phase, Round
from ...market.warm_start import is_variation, warm_start
from ..files.loading import load, vary
from ..files.scenario import Scenario
from ..files.source import did_you_mean
from . import views
from .branch import MAIN, Branch, Mark
from .conditions import Condition
from .difference import Difference, here
from .errors import SessionError
from .keyframes import Keyframes
from .views import View
from .why import why

if TYPE_CHECKING:
    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend
    from ...market.result import Result

_MEMORY_MIB = 200
_OPEN = 2
"""Markets that stay open, each with its workers: that of the branch one is on, and the one before it."""
GOALS = ("clearing", "agreed", "settled")
"""Where `run_to` can go: the DSO has cleared, partners have agreed, the run has ended."""


@dataclass(slots=True)
class _Track:
    """What is known of a branch: the marks of its rounds from where it left its parent on, and saved states."""

    branch: Branch
    keyframes: Keyframes
    marks: list[Mark] = field(default_factory=list)


class Session:
    """Steps through a market, forwards and backwards, on as many branches as one likes.

    with Session("ieee33") as session:
        session.run_to("clearing")
        session.back(3)
        session.fork({"prosumers.p2.elastic_max_kw": 50})
        session.run_to("settled")
        print(session.diff("main", session.branch.name))

    Going back restores the last saved state before that round and computes what is between once more, to the same
    bits, which is checked. A fork never rewrites: it is another branch. What nothing was changed for goes on as if
    nothing had happened; else the DSO clears first, for the bids as they are, and sharing starts from the trades and
    prices as they are; nothing that was proven before counts. What cannot be changed on the way (who there is, who may
    trade with whom, how many periods, the case, what the network carries) begins a branch at round 0, and its `note`
    says so.

    Attributes:
        name: What the scenario is called.
        branch: The branch one is on.
    """

    def __init__(
        self,
        scenario: Scenario | str,
        changes: Mapping[str, object] | None = None,
        *,
        seed: int | None = None,
        backend: Callable[[], Backend] | None = None,
        memory_mib: float = _MEMORY_MIB,
    ) -> None:
        """Open the market of a scenario at round 0.

        Args:
            scenario: A scenario, or its name or file.
            changes: Values by dotted key, as `load` takes them, if it is named.
            seed: Seed of all randomness; the scenario's own by default.
            backend: Makes where the prosumers live, such as `lambda: Workers(2)`; in this process by default.
            memory_mib: What saved states of all branches may take in memory; older ones go to disk.

        Raises:
            ScenarioError: Something is wrong with the scenario.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        extra = {} if seed is None else {"seed": seed}
        if isinstance(scenario, Scenario):
            first = vary(scenario, {**(changes or {}), **extra})
            self.name = scenario.title or "scenario"
        else:
            first = load(scenario, {**(changes or {}), **extra})
            self.name = scenario
        self._backend, self._memory = backend, int(memory_mib * 2**20)
        self._tracks: dict[str, _Track] = {}
        self._open: OrderedDict[str, EnergyMarket] = OrderedDict()
        self.branch = Branch(MAIN, first)
        market = self._opened(self.branch)
        self._add(self.branch, market)

    # --- where one is ------------------------------------------------------------------------------------------------

    @property
    def market(self) -> EnergyMarket:
        """The market of the branch one is on, after the round one is at; step it through the session alone."""
        return self._open[self.branch.name]

    @property
    def scenario(self) -> Scenario:
        """The scenario of the branch one is on."""
        return self.branch.scenario

    @property
    def branches(self) -> list[Branch]:
        """All branches, in the order in which they began."""
        return [track.branch for track in self._tracks.values()]

    @property
    def round(self) -> int:
        """Rounds so far."""
        return self.market.rounds

    @property
    def newest(self) -> int:
        """The last round that is known on this branch."""
        track = self._tracks[self.branch.name]
        return track.marks[-1].number if track.marks else track.branch.round

    @property
    def last(self) -> Round | None:
        """What the round one is at produced; None at round 0."""
        return self.market.last

    @property
    def ended(self) -> bool:
        """Whether the run has ended at this round."""
        return self.market.phase is Phase.ENDED

    def history(self, branch: str = "") -> list[Mark]:
        """What is known of all rounds of a branch (this one by default), those before it left its parent included."""
        track = self._track(branch or self.branch.name)
        above = track.branch.parent if track.branch.round else ""
        before = [mark for mark in self.history(above) if mark.number <= track.branch.round] if above else []
        return before + track.marks

    def result(self) -> Result:
        """What has been found by this round."""
        return self.market.result()

    def changes(self, branch: str = "") -> dict[str, object]:
        """All that was changed on the way to a branch (this one by default), by dotted key."""
        one = self._track(branch or self.branch.name).branch
        above = self.changes(one.parent) if one.parent else {}
        return {**above, **(one.changes or {})}

    # --- forwards ----------------------------------------------------------------------------------------------------

    def step(self, rounds: int = 1) -> Round | None:
        """Go on by so many rounds, or to the end of the run; what the last of them produced.

        Raises:
            SessionError: A round came out otherwise than the first time.
        """
        for _ in range(rounds):
            if self.ended:
                break
            self._step()
        return self.last

    def run_to(self, goal: str, watch: Callable[[Round], object] | None = None) -> bool:
        """Go on until the DSO has cleared ("clearing"), partners have agreed ("agreed"), or to the end ("settled").

        Args:
            goal: One of `GOALS`.
            watch: Told of every round; if it returns False, the session stops there.

        Returns:
            Whether it is reached: not if the run ended before; of "settled", whether it settled.

        Raises:
            SessionError: There is no such goal.
        """
        if goal not in GOALS:
            raise SessionError(f"there is no {goal!r} to run to; write {', '.join(GOALS[:-1])} or {GOALS[-1]}")
        reached: dict[str, Callable[[Round], bool]] = {
            "clearing": lambda last: last.phase is Phase.CLEARING,
            "agreed": lambda _: self.market.phase is Phase.DELIVERY,
            "settled": lambda _: False,
        }
        self._until(reached[goal], watch)
        last = self.last
        settled = self.market.ending.outcome is Outcome.SETTLED
        return settled if goal == "settled" else last is not None and reached[goal](last)

    def run_until(self, condition: str, watch: Callable[[Round], object] | None = None) -> bool:
        """Go on until a condition holds, see `Condition`; at least one round, at most to the end of the run.

        Returns:
            Whether it holds.

        Raises:
            SessionError: It is no condition, or names what is not known.
        """
        asked = Condition(condition)
        return self._until(lambda _: asked.holds(self.market), watch)

    def _until(self, reached: Callable[[Round], bool], watch: Callable[[Round], object] | None) -> bool:
        while not self.ended:
            self._step()
            assert self.last is not None
            if reached(self.last):
                return True
            if watch and watch(self.last) is False:
                return False
        return False

    # --- backwards, and elsewhere ------------------------------------------------------------------------------------

    def back(self, rounds: int = 1) -> Round | None:
        """Go back by so many rounds, at most to round 0."""
        return self.goto(max(0, self.round - rounds))

    def goto(self, round_: int, branch: str = "") -> Round | None:
        """Go to a round: of this branch, or of another one.

        One before the branch left its parent is on the parent, and that is where one is then. One that has not been
        computed yet is, at most to the end of the run.

        Raises:
            SessionError: There is no such branch, or a round came out otherwise than the first time.
        """
        if round_ < 0:
            raise SessionError(f"there is no round {round_}; rounds count from 1, and 0 is the beginning")
        track = self._track(branch or self.branch.name)
        while track.branch.parent and round_ < track.branch.round:
            track = self._track(track.branch.parent)
        self._stand_on(track, round_)
        while self.round < round_ and not self.ended:
            self._step()
        return self.last

    def switch(self, branch: str) -> Round | None:
        """Go to the last round of another branch that is known.

        Raises:
            SessionError: There is no such branch.
        """
        track = self._track(branch)
        return self.goto(track.marks[-1].number if track.marks else track.branch.round, branch)

    def fork(self, changes: Mapping[str, object] | None = None, name: str = "") -> Branch:
        """Begin another branch here with something changed, and go there.

        Args:
            changes: Values by dotted key, like those of `--set`: {"alpha_scale": 2}; None takes a row out.
            name: What to call it; numbered by default.

        Raises:
            ScenarioError: A key or value is wrong.
            SessionError: There is such a branch already.
        """
        name = name or next(str(n) for n in range(1, len(self._tracks) + 2) if str(n) not in self._tracks)
        if name in self._tracks:
            raise SessionError(f"there is a branch {name} already; give it another name")
        parent, here = self.market, self.round
        scenario = vary(self.scenario, changes or {})
        branch = Branch(name, scenario, self.branch.name, here, dict(changes or {}))
        market = self._opened(branch, keep=self.branch.name)
        try:
            note = self._begin(market, parent, scenario, changes or {})
        except BaseException:
            del self._open[name]
            market.close()
            raise
        branch = Branch(name, scenario, self.branch.name, market.rounds, dict(changes or {}), note)
        self._add(branch, market)
        self.branch = branch
        return branch

    def _begin(
        self, market: EnergyMarket, parent: EnergyMarket, scenario: Scenario, changes: Mapping[str, object]
    ) -> str:
        """Let the market of a new branch begin where its parent stands; what a person should know of it."""
        if parent.rounds == 0:
            return ""
        if not is_variation(market, parent):
            return (
                f"begins at round 0, not at {parent.rounds}: who there is, who trades with whom, how many periods, "
                "the case or what the network carries was changed, and none of that can be on the way"
            )
        state = parent.snapshot()
        if not changes:
            market.restore(state)
            return ""
        before, now = self.scenario, scenario
        reseeded = now.seed != before.seed
        anew = {
            name
            for name, row in now.prosumers.items()
            if row.behaviour != before.prosumers[name].behaviour or (reseeded and row.behaviour != "price_taker")
        }
        penalty = now.settings.penalty_usd_per_kw2h == before.settings.penalty_usd_per_kw2h
        warm_start(market, state, anew=anew, penalties=penalty)
        return "the DSO clears first, for the bids as they are; nothing that was proven before counts"

    def _stand_on(self, track: _Track, round_: int) -> None:
        """Let the market of a branch stand at its last known state up to a round."""
        branch = track.branch
        market = self._open.get(branch.name)
        saved = track.keyframes.at_most(round_)
        if market is not None:
            self._open.move_to_end(branch.name)
            if market.rounds <= round_ and (saved is None or saved <= market.rounds):
                self.branch = branch
                return
        if market is None or saved is None:
            market = self._reopened(track)
        if saved is not None:
            market.restore(track.keyframes.state(saved))
        self.branch = branch

    def _reopened(self, track: _Track) -> EnergyMarket:
        """The market of a branch at its beginning, once more."""
        branch = track.branch
        old = self._open.pop(branch.name, None)
        if old is not None:
            old.close()
        if branch.round and track.keyframes.at_most(branch.round) is None:
            raise SessionError(f"branch {branch.name} cannot be gone back to: {track.keyframes.unsaved_because}")
        return self._opened(branch)

    # --- what is asked (see the modules of the same names) ------------------------------------------------------------

    def why(self, place: str, period: int) -> str:
        """Why power costs what it does at a bus ("26"), for a prosumer ("p1") or on a link ("p1-p2"), in words.

        Args:
            place: A prosumer, a link or a bus; write "bus 26" where a prosumer has the same name.
            period: From 1.

        Raises:
            SessionError: There is no such place or period, or nothing has been cleared yet.
        """
        return why(self.market, place, period)

    def diff(self, one: str | int, other: str | int) -> Difference:
        """What differs between two rounds, "main", 12, or "main@12"; see `Difference`."""
        positions = [self._position(each) for each in (one, other)]
        came_from = self.branch.name, self.round
        seen = []
        for branch, round_ in positions:
            self.goto(round_, branch)
            seen.append(here(self.market, f"{self.branch.name}@{self.round}", self.changes()))
        self.goto(came_from[1], came_from[0])
        return Difference(*seen)

    def prosumer(self, name: str) -> View:
        """One prosumer's own view at this round, private data included; see `views.prosumer`."""
        return views.prosumer(self.market, name)

    def link(self, name: str) -> View:
        """A link as both ends and the platform see it at this round; see `views.link`."""
        return views.link(self.market, name)

    def bus(self, name: str) -> View:
        """A bus at the last clearing: voltage, LMP and its components; see `views.bus`."""
        return views.bus(self.market, name)

    def residuals(self) -> views.Standing:
        """How Algorithm 1 goes at this round, and who is slowest."""
        return views.residuals(self.market)

    def __str__(self) -> str:
        where = f"branch {self.branch.name}, " if len(self._tracks) > 1 else ""
        return f"{self.name}: {where}{self.market}"

    # --- what is behind ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of all markets, their workers, and of what is on disk."""
        for market in self._open.values():
            market.close()
        self._open.clear()
        for track in self._tracks.values():
            track.keyframes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self) -> None:
        """One round of the market; marked if it is new, held against its mark if it is not."""
        track, market = self._tracks[self.branch.name], self.market
        market.step()
        assert market.last is not None
        mark, place = Mark.of(market.last), market.rounds - track.branch.round - 1
        if place == len(track.marks):
            track.marks.append(mark)
            track.keyframes.follow(market)
        elif track.marks[place].digest != mark.digest:
            raise SessionError(
                f"round {mark.number} came out otherwise than the first time: a behaviour answers by what it does not "
                "save (see saved_state in gridbazaar.agents.Behaviour), or its file was changed; begin anew"
            )

    def _track(self, name: str) -> _Track:
        if name not in self._tracks:
            raise SessionError(f"there is no branch {name}{did_you_mean(name, self._tracks)}")
        return self._tracks[name]

    def _position(self, text: str | int) -> tuple[str, int]:
        """The branch and round of "main", 12, or "main@12"; of a branch alone its last known round."""
        if isinstance(text, int) or (text.isdigit() and text not in self._tracks):
            return self.branch.name, int(text)
        name, at, number = text.partition("@")
        track = self._track(name)
        if at and not number.isdigit():
            raise SessionError(f"{text!r} is no place; write a round, a branch, or branch@round")
        newest = track.marks[-1].number if track.marks else track.branch.round
        return name, int(number) if at else newest

    def _opened(self, branch: Branch, keep: str = "") -> EnergyMarket:
        """The market of a branch at round 0; of others but the last one, and the one to keep, it lets go."""
        self._open[branch.name] = market = branch.scenario.market(backend=self._backend() if self._backend else None)
        for other in list(self._open):
            if len(self._open) > _OPEN and other not in (branch.name, keep):
                self._open.pop(other).close()
        return market

    def _add(self, branch: Branch, market: EnergyMarket) -> None:
        """Begin to keep what is known of a branch."""
        track = self._tracks[branch.name] = _Track(branch, Keyframes(self._memory))
        for each in self._tracks.values():
            each.keyframes.budget_bytes = self._memory // len(self._tracks)
        track.keyframes.keep(market)
