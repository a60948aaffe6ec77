"""Whether Algorithm 1 gets anywhere: a verdict on its primal residual."""

from __future__ import annotations

from dataclasses import dataclass

_WINDOW = 50
_LATELY = 10


@dataclass(frozen=True, slots=True)
class ResidualHistory:
    """By how much partners disagree over the rounds of one outer step; a value, never changed in place.

    Attributes:
        tolerance_kw: What partners may disagree by when Algorithm 1 has converged.
        primal_kw: The primal residuals of the last rounds, as many as a verdict needs.
    """

    tolerance_kw: float
    primal_kw: tuple[float, ...] = ()

    def with_round(self, primal_kw: float) -> ResidualHistory:
        """The history with one more round's primal residual."""
        return ResidualHistory(self.tolerance_kw, (*self.primal_kw[1 - 2 * _WINDOW :], primal_kw))

    @property
    def diverges(self) -> bool:
        """Far from agreement, and the last rounds came no nearer to it than the same number of rounds before them.

        A method that converges lowers its best residual in every stretch of this length; one that diverges runs into
        the caps of the links and swings there for ever.
        """
        if len(self.primal_kw) < 2 * _WINDOW:
            return False
        return min(self.primal_kw[-_WINDOW:]) > 10 * self.tolerance_kw and self._ratio(_WINDOW) >= 0.99

    def gets_nowhere(self, *, cut_short: bool) -> bool:
        """Whether it diverges, or has come to the last round that is allowed, apart still and no nearer than before."""
        apart = min(self.primal_kw[-_LATELY:]) > self.tolerance_kw
        return self.diverges or (cut_short and apart and self.verdict == "not converging")

    @property
    def verdict(self) -> str:
        """How it goes, in words: "starting", "converging", "slow", "not converging"."""
        if len(self.primal_kw) < 2 * _LATELY:
            return "starting"
        ratio = self._ratio(_LATELY)
        return "converging" if ratio < 0.8 else "slow" if ratio < 1.0 else "not converging"

    def _ratio(self, window: int) -> float:
        """The best residual of the last rounds over that of as many rounds before them."""
        before, lately = (min(part) for part in (self.primal_kw[-2 * window : -window], self.primal_kw[-window:]))
        return lately / before if before > 0 else float(lately > 0)
