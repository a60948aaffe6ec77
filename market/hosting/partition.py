"""How prosumers are divided into communities: trading partners together, and the work even."""

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import reverse_cuthill_mckee

from ...agents.trade_graph import TradeGraph
from ...network.arrays import IntArray


def partition(graph: TradeGraph, parts: int, together: Mapping[str, str] | None = None) -> list[IntArray]:
    """Divide the prosumers into communities of about the same work, with few links between them.

    Whoever is not put `together` with others is laid out along the trade graph so that neighbours are near to each
    other (Cuthill-McKee), and the line is cut into pieces.

    Args:
        graph: Who may trade with whom.
        parts: How many communities, at most; there are no more than prosumers.
        together: A label by prosumer: those with the same one live in one community. Nobody has to have one.

    Returns:
        The prosumers of each community, by index in ascending order, in the order of their first; none is empty.
    """
    if parts == 1:
        return [np.arange(len(graph.names))]
    labels = together or {}
    work = np.array([1.0 + graph.arcs(i).stop - graph.arcs(i).start for i in range(len(graph.names))])
    chosen: dict[str, list[int]] = {}
    for i, name in enumerate(graph.names):
        if labels.get(name):
            chosen.setdefault(labels[name], []).append(i)
    bins: list[list[int]] = [[] for _ in range(min(parts, len(graph.names)))]
    load = np.zeros(len(bins))
    for group in sorted(chosen.values(), key=lambda members: -work[members].sum()):
        emptiest = int(np.argmin(load))
        bins[emptiest] += group
        load[emptiest] += work[group].sum()
    rest = [i for i in _line(graph) if not labels.get(graph.names[i])]
    _fill(bins, load, rest, work)
    return [np.array(members, dtype=np.intp) for members in sorted(sorted(some) for some in bins if some)]


def links_between(graph: TradeGraph, communities: list[IntArray]) -> int:
    """How many links join prosumers of different communities."""
    home = np.empty(len(graph.names), dtype=np.intp)
    for k, members in enumerate(communities):
        home[members] = k
    return int((home[graph.owner[graph.forward]] != home[graph.partner[graph.forward]]).sum())


def _line(graph: TradeGraph) -> list[int]:
    """All prosumers in a line along which partners are near to each other."""
    people = len(graph.names)
    linked = sp.csr_array((np.ones(graph.owner.size), (graph.owner, graph.partner)), shape=(people, people))
    line: list[int] = reverse_cuthill_mckee(linked, symmetric_mode=True)[::-1].tolist()
    return line


def _fill(bins: list[list[int]], load: np.ndarray, line: list[int], work: np.ndarray) -> None:
    """Cut a line of prosumers into pieces and fill up the bins with them, the fullest first."""
    left = float(work[line].sum())
    order = np.argsort(-load, kind="stable")
    start = 0
    for k, b in enumerate(order):
        open_bins = order[k:]
        level = (float(load[open_bins].sum()) + left) / len(open_bins)  # what each would have if all were even
        stop, room = start, level - load[b]
        last = k == len(order) - 1
        while stop < len(line) and (last or (room >= work[line[stop]] / 2)):
            room -= work[line[stop]]
            left -= work[line[stop]]
            stop += 1
        bins[b] += line[start:stop]
        start = stop
