"""`result.plot(...)`: the pictures of a run's page, one by one, of any result or saved run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...network.errors import InputError
from ..files.tree import did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .pictured import Pictured

KINDS = ("balance", "prices", "network", "feeder", "devices", "convergence")
"""What can be drawn."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture in SVG, which notebooks show and `save` writes into a file.

    Attributes:
        svg: The picture.
    """

    svg: str

    def save(self, file: Path | str) -> Path:
        """Write it into a file, which is SVG whatever its name; where that is.

        Raises:
            OSError: The file cannot be written.
        """
        Path(file).write_text(self.svg, encoding="utf-8")
        return Path(file)

    def _repr_svg_(self) -> str:
        return self.svg


def draw(run: Any, what: str, *, prosumer: str = "") -> Figure | Drawing:
    """A picture of a result or of a saved run.

    All are figures of matplotlib, which `figure.savefig("prices.pdf")` saves; but "feeder" is a `Drawing`, which
    `drawing.save("feeder.svg")` saves.

    Args:
        run: The result or the saved run.
        what: "balance" (who generates, buys, sells and consumes, with prices), "prices", "network" (voltages, loading),
            "feeder" (the one-line diagram), "devices" (their power and levels), "convergence" (of a saved run with its
            rounds).
        prosumer: Whose balance; all together by default.

    Raises:
        InputError: There is no such picture, no such prosumer, or nothing that it could be drawn from.
    """
    if what not in KINDS:
        raise InputError(f"there is no picture {what!r}{did_you_mean(what, KINDS)}")
    from ...market.result import Result
    from ..study.drawing import style
    from . import run_figures
    from .pictured import PicturedResult

    run = PicturedResult(run) if isinstance(run, Result) else run
    if what == "convergence" and "rounds" not in run.tables:
        raise InputError("a result has no rounds; plot a saved run (gb.load_run), or session.plot()")

    if what == "devices" and "devices" not in run.tables:
        raise InputError("no prosumer has a device; plot balance, prices or network")
    if what == "feeder":
        return _feeder(run)
    with style():
        if what == "balance":
            return _balance(run, prosumer)
        if what == "devices":
            from .device_figures import device_figure

            return device_figure(run)
        kinds = {"prices": run_figures.price_figure, "network": run_figures.network_figure}
        return kinds.get(what, run_figures.convergence_figure)(run)


def _feeder(run: Pictured) -> Drawing:
    from .feeder_picture import feeder_picture

    return Drawing(str(feeder_picture(run).markup))


def _balance(run: Pictured, prosumer: str) -> Figure:
    from .stored_schedule import StoredSchedule, balance_of

    names = list(run.homes)
    if prosumer and prosumer not in names:
        raise InputError(f"there is no prosumer {prosumer}{did_you_mean(prosumer, names)}")
    schedule = StoredSchedule.of(run)
    return balance_of(schedule, names.index(prosumer)) if prosumer else balance_of(schedule.together("all"), 0)
