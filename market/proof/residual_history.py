"""Whether Algorithm 1 gets anywhere: a verdict on its primal residual."""

_WINDOW = 50
_LATELY = 10


class ResidualHistory:
    """Watches by how much partners disagree over the rounds of one outer step."""

    def __init__(self, tolerance_kw: float) -> None:
        """Start watching.

        Args:
            tolerance_kw: What partners may disagree by when Algorithm 1 has converged.
        """
        self._tolerance_kw = tolerance_kw
        self._primal_kw: list[float] = []

    def add(self, primal_kw: float) -> None:
        """Write down one round's primal residual."""
        self._primal_kw.append(primal_kw)

    @property
    def diverges(self) -> bool:
        """Far from agreement, and the last rounds came no nearer to it than the same number of rounds before them.

        A method that converges lowers its best residual in every stretch of this length; one that diverges runs into
        the caps of the links and swings there for ever.
        """
        if len(self._primal_kw) < 2 * _WINDOW:
            return False
        return min(self._primal_kw[-_WINDOW:]) > 10 * self._tolerance_kw and self._ratio(_WINDOW) >= 0.99

    @property
    def verdict(self) -> str:
        """How it goes, in words: "starting", "converging", "slow", "not converging"."""
        if len(self._primal_kw) < 2 * _LATELY:
            return "starting"
        ratio = self._ratio(_LATELY)
        return "converging" if ratio < 0.8 else "slow" if ratio < 1.0 else "not converging"

    def _ratio(self, window: int) -> float:
        """The best residual of the last rounds over that of as many rounds before them."""
        before, lately = (min(part) for part in (self._primal_kw[-2 * window : -window], self._primal_kw[-window:]))
        return lately / before if before > 0 else float(lately > 0)
