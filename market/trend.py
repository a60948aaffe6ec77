"""Whether Algorithm 1 gets anywhere: a verdict on its primal residual."""

_WINDOW = 50


class Trend:
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
        before, lately = self._primal_kw[-2 * _WINDOW : -_WINDOW], self._primal_kw[-_WINDOW:]
        return min(lately) > 10 * self._tolerance_kw and min(lately) >= 0.99 * min(before)
