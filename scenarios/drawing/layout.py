"""Where the buses of a radial feeder stand in its one-line diagram: a tidy tree without crossings.

The longest path from a bus runs straight on; each other branch, taken as a whole, moves to the nearest side where it
touches nothing (the contours of Reingold and Tilford, IEEE Trans. Softw. Eng. 1981, with a trunk that stays straight).
"""

import numpy as np

from ...network.arrays import FloatArray
from ...network.feeder import Feeder

Contour = list[tuple[float, float]]
"""The lowest and highest lane of a branch at each step from its first bus, the farthest step first."""


def layout(feeder: Feeder) -> FloatArray:
    """Steps from the root and lane of every bus, (bus, 2); the trunk is lane 0."""
    count = len(feeder.buses)
    children: list[list[int]] = [[] for _ in range(count)]
    for n in range(1, count):
        children[feeder.parent_index[n]].append(n)
    offset = np.zeros(count)
    contours: list[Contour] = [[] for _ in range(count)]
    for n in reversed(range(count)):  # parents stand before their children, so branches are ready when needed
        onward = sorted(children[n], key=lambda child: -len(contours[child]))
        contour = contours[onward[0]] if onward else []
        for child in onward[1:]:
            offset[child] = _join(contour, contours[child])
        for child in onward:
            contours[child] = []
        contour.append((0.0, 0.0))
        contours[n] = contour
    place = np.zeros((count, 2))
    for n in range(1, count):
        place[n] = place[feeder.parent_index[n]] + (1.0, offset[n])
    return place


def _join(contour: Contour, branch: Contour) -> float:
    """Put a branch, no longer than what is there, beside that on the nearer side; how many lanes away that is."""
    first = len(contour) - len(branch)
    rows = range(len(branch))
    down = max(contour[first + k][1] - branch[k][0] for k in rows) + 1.0
    up = min(contour[first + k][0] - branch[k][1] for k in rows) - 1.0
    lane = down if down <= -up else up
    for k in rows:
        low, high = contour[first + k]
        contour[first + k] = min(low, branch[k][0] + lane), max(high, branch[k][1] + lane)
    return lane
