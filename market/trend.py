"""Whether Algorithm 1 gets anywhere: a verdict on its residuals, in words."""

_WINDOW = 50


class Trend:
    """Watches the larger of the two residuals, each divided by its tolerance, over the rounds of one outer step."""

    def __init__(self) -> None:
        self._merits: list[float] = []

    def add(self, merit: float) -> None:
        """Write down one round's residual over its tolerance; at most 1 means converged."""
        self._merits.append(merit)

    @property
    def stuck(self) -> bool:
        """Far from converged, and the last rounds were no better than the same number of rounds before them.

        An order that converges lowers its best residual in every stretch of this length; one that diverges runs into
        the caps of the links and swings there for ever.
        """
        if len(self._merits) < 2 * _WINDOW:
            return False
        before, lately = self._merits[-2 * _WINDOW : -_WINDOW], self._merits[-_WINDOW:]
        return min(lately) > 10 and min(lately) >= 0.99 * min(before)
