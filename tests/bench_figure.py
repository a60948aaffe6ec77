"""The figure of the benchmark of sizes: seconds against prosumers, both axes logarithmic, a line for each rival."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt  # after the backend is chosen

# told apart by everybody (Okabe and Ito), and by their markers
_STYLES = {
    "gridbazaar": ("#0072b2", "o"),
    "script": ("#999999", "s"),
    "joint": ("#d55e00", "^"),
    "by_period": ("#009e73", "D"),
}
_LINES = {1e-4: ":", 1e-6: "-", 1e-8: "-"}


def draw(told: Mapping[str, Any], labels: Mapping[str, str], file: Path) -> None:
    """Draw what was measured; a rival that took too long ends in a cross at the limit.

    Args:
        told: What bench_scale.py writes.
        labels: What each rival is called.
        file: Where the figure goes; its name says in which format.
    """
    with mpl.rc_context({"svg.hashsalt": "gridbazaar", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
        for rival, tolerance in dict.fromkeys((each["rival"], each["tolerance"]) for each in told["measured"]):
            rows = [each for each in told["measured"] if (each["rival"], each["tolerance"]) == (rival, tolerance)]
            colour, marker = _STYLES[rival]
            points = [
                (each["prosumers"], each["found"]["setup_s"] + each["found"]["solve_s"])
                for each in rows
                if not each["ended"]
            ]
            if points:
                style = {"color": colour, "marker": marker, "linestyle": _LINES[tolerance], "markersize": 4}
                axes.plot(*zip(*points, strict=True), label=f"{labels[rival]}, to {tolerance:.0e}", **style)
            late = [each["prosumers"] for each in rows if each["ended"]]
            axes.plot(late, [told["limit_s"]] * len(late), color=colour, marker="x", linestyle="none")
        axes.set(xscale="log", yscale="log", xlabel="prosumers", ylabel="seconds, set-up and solution")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(fontsize=8)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
        plt.close(figure)
