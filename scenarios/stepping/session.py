"""A session: a tree of runs of one scenario, in which a person steps, looks, goes back, and tries otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

from ...market.outcome import Outcome
from ...market.rounds import Phase, Round
from ..files.loading import load, vary
from ..files.scenario import Scenario
from . import views
from .asked_periods import periods_of
from .branch import MAIN, Branch, Mark
from .conditions import Condition
from .difference import Difference, here
from .errors import SessionError
from .forking import begin
from .notebook import convergence, html
from .runs import Runs
from .views import View
from .why import why

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...market.energy_market import EnergyMarket
    from ...market.hosting.backend import Backend
    from ...market.result import Result

_MEMORY_MIB = 100
GOALS = ("clearing", "agreed", "settled")
"""Where `run_to` can go: the DSO has cleared, partners have agreed, the run has ended."""


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
        backend: Callable[[], Backend | None] = lambda: None,
        memory_mib: float = _MEMORY_MIB,
        name: str = "",
    ) -> None:
        """Open the market of a scenario at round 0.

        Args:
            scenario: A scenario, or its name or file.
            changes: Values by dotted key, as `load` takes them, if it is named.
            seed: Seed of all randomness; the scenario's own by default.
            backend: Makes where the prosumers live, such as `lambda: Workers(2)`; None is this process.
            name: What the session is called; by default the scenario's title, or the name it was asked for by.
            memory_mib: What saved states of all branches may take in memory; older ones go to disk.

        Raises:
            ScenarioError: Something is wrong with the scenario.
            InfeasibleScenarioError: A prosumer cannot balance some period, whatever the others do.
        """
        if not isinstance(scenario, Scenario | str):
            raise SessionError(f"a session is of a scenario, its name or its file, and not of {scenario!r}")
        extra = {} if seed is None else {"seed": seed}
        values = {**(changes or {}), **extra}
        first = load(scenario, values) if isinstance(scenario, str) else vary(scenario, values)
        self.name = name or (scenario if isinstance(scenario, str) else first.title) or "market"
        self._runs = Runs(backend, int(memory_mib * 2**20))
        self.branch = Branch(MAIN, first)
        self._runs.add(self.branch, self._runs.opened(self.branch))

    # --- where one is ------------------------------------------------------------------------------------------------

    @property
    def market(self) -> EnergyMarket:
        """The market of the branch one is on, after the round one is at; step it through the session alone."""
        return self._runs.market(self.branch.name)

    @property
    def scenario(self) -> Scenario:
        """The scenario of the branch one is on."""
        return self.branch.scenario

    @property
    def branches(self) -> list[Branch]:
        """All branches, in the order in which they began."""
        return [track.branch for track in self._runs]

    @property
    def round(self) -> int:
        """Rounds so far."""
        return self.market.rounds

    @property
    def newest(self) -> int:
        """The last round that is known on this branch."""
        return self._runs[self.branch.name].newest

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
        return self._runs.history(branch or self.branch.name)

    def result(self) -> Result:
        """What has been found by this round."""
        return self.market.result()

    def changes(self, branch: str = "") -> dict[str, object]:
        """All that was changed on the way to a branch (this one by default), by dotted key."""
        one = self._runs[branch or self.branch.name].branch
        above = self.changes(one.parent) if one.parent else {}
        return {**above, **(one.changes or {})}

    # --- forwards ----------------------------------------------------------------------------------------------------

    def step(self, rounds: int = 1, watch: Callable[[Round], object] | None = None) -> Round | None:
        """Go on by so many rounds, or to the end of the run; what the last of them produced.

        Args:
            rounds: How many.
            watch: Told of every round; if it returns False, the session stops there.

        Raises:
            SessionError: A round came out otherwise than the first time.
        """
        end = self.round + rounds
        if rounds > 0:
            self._until(lambda last: last.number >= end, watch)
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
        asked.holds(self.market)  # so that a wrong one is told of wherever one is
        return self._until(lambda _: asked.holds(self.market), watch)

    def _until(self, reached: Callable[[Round], bool], watch: Callable[[Round], object] | None) -> bool:
        while not self.ended:
            self._runs.step(self.branch.name)
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

    def goto(self, place: int | str, branch: str = "") -> Round | None:
        """Go to a round, 12, of this branch or of another one; or to "main@12", or the last known round of "main".

        One before the branch left its parent is on the parent, and that is where one is then. One that has not been
        computed yet is, at most to the end of the run.

        Raises:
            SessionError: There is no such place, or a round came out otherwise than the first time.
        """
        branch, round_ = self._runs.position(place, branch or self.branch.name)
        track = self._runs.owner(branch, round_)
        self._runs.stand_on(track, round_)
        self.branch = track.branch
        while self.round < round_ and not self.ended:
            self._runs.step(self.branch.name)
        return self.last

    def switch(self, branch: str) -> Round | None:
        """Go to the last round of another branch that is known.

        Raises:
            SessionError: There is no such branch.
        """
        return self.goto(self._runs[branch].newest, branch)

    def fork(self, changes: Mapping[str, object] | None = None, name: str = "") -> Branch:
        """Begin another branch here with something changed, and go there.

        Args:
            changes: Values by dotted key, like those of `--set`: {"alpha_scale": 2}; None takes a row out.
            name: What to call it; fork1, fork2, ... by default.

        Raises:
            ScenarioError: A key or value is wrong.
            SessionError: There is such a branch already.
        """
        name = name or next(f"fork{n}" for n in range(1, len(self.branches) + 1) if f"fork{n}" not in self._runs)
        if name in self._runs:
            raise SessionError(f"there is a branch {name} already; give it another name")
        parent, here = self.market, self.round
        scenario = vary(self.scenario, changes or {})
        branch = Branch(name, scenario, self.branch.name, here, dict(changes or {}))
        market = self._runs.opened(branch, keep=self.branch.name)
        try:
            note = begin(market, parent, self.scenario, scenario)
        except BaseException:
            self._runs.forget(name)
            raise
        branch = Branch(name, scenario, self.branch.name, market.rounds, dict(changes or {}), note)
        self._runs.add(branch, market)
        self.branch = branch
        return branch

    # --- what is asked (see the modules of the same names) ------------------------------------------------------------

    def why(self, place: str, period: int | str) -> str:
        """Why power costs what it does at a bus ("26"), for a prosumer ("p1") or on a link ("p1-p2"), in words.

        Args:
            place: A prosumer, a link or a bus; write "bus 26" where a prosumer has the same name.
            period: From 1, or when it begins, as it is shown: "30 March 18:00".

        Raises:
            SessionError: There is no such place or period, or nothing has been cleared yet.
        """
        if isinstance(period, str):
            clearing = self.market.operator.clearing
            period = periods_of(period, clearing.when, clearing.periods)[0] + 1
        return why(self.market, place, period)

    def diff(self, one: str | int, other: str | int) -> Difference:
        """What differs between two rounds, "main", 12, or "main@12"; see `Difference`."""
        positions = [self._runs.position(each, self.branch.name) for each in (one, other)]
        came_from = self.branch.name, self.round
        seen = []
        for branch, round_ in positions:
            self.goto(round_, branch)
            seen.append(here(self.market, self.scenario, f"{self.branch.name}@{self.round}", self.changes()))
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

    def __repr__(self) -> str:
        return f"<Session {self}>"

    def __str__(self) -> str:
        where = f"branch {self.branch.name}, " if len(self.branches) > 1 else ""
        return f"{self.name}: {where}{self.market}"

    def plot(self) -> Figure:
        """Residuals and regret of all rounds up to this one, on log axes."""
        return convergence(self)

    def _repr_html_(self) -> str:
        """Where it stands, and the last rounds, in a notebook."""
        return html(self)

    # --- what is behind ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of all markets, their workers, and of what is on disk."""
        self._runs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
