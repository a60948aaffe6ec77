"""Who may trade with whom: the undirected trade graph and its array layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from ..network.arrays import FloatArray, IntArray
from ..network.errors import InputError

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array


class LinkError(InputError):
    """A trade link does not fit the prosumers.

    Attributes:
        link: Name of the link, "p1-p2".
        key: The value that is wrong: "a", "b", "cap_kw" or "fee_usd_per_kwh".
    """

    def __init__(self, link: str, key: str, problem: str) -> None:
        super().__init__(link, key, problem)
        self.link, self.key, self.problem = link, key, problem

    def __str__(self) -> str:
        return f"link {self.link}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Link:
    """A pair of prosumers that may trade up to `cap_kw` either way (15).

    A trade of |p| kWh costs `fee_usd_per_kwh` |p|, half of which each end pays to the platform.

    Raises:
        LinkError: The two ends are the same, or the cap or the fee is not a number >= 0.
    """

    a: str
    b: str
    cap_kw: float
    fee_usd_per_kwh: float = 0.0

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise LinkError(self.name, "b", f"{self.a} cannot trade with itself; name another partner")
        for key in ("cap_kw", "fee_usd_per_kwh"):
            value = getattr(self, key)
            if not (isfinite(value) and value >= 0):
                raise LinkError(self.name, key, f"{key} {value} must be a finite number of at least 0")

    @property
    def name(self) -> str:
        """Name of the link, "p1-p2"."""
        return f"{self.a}-{self.b}"


class TradeGraph:
    """The links between prosumers, laid out for arrays.

    Each link has two ends, its arcs: on arc (i, j) the trade p_ij > 0 means that i buys from j. Arcs are sorted by
    owner, so that everything that concerns one prosumer is one slice of an `(arc, period)` array.

    Attributes:
        names: The prosumers; their order is that of every `(prosumer, period)` array.
        links: The links; their order is that of every `(link, period)` array.
        owner, partner: Prosumer index of each arc's own and other end, (arc,).
        link: Link index of each arc, (arc,).
        reverse: Arc index of each arc's other direction, (arc,).
        way: 1 on the a-to-b ends of links, -1 on the others, (arc,).
        forward, backward: Arc index of each link's a-to-b and b-to-a end, (link,).
        starts: Where the arcs of each prosumer begin, (prosumer + 1,).
        everybody: All prosumers, by index, (prosumer,).
        cap_kw: Largest power of each link (15), (link,).
        fee_usd_per_kwh: What a kWh that is traded costs both ends together beside its price, (link,).
    """

    def __init__(self, names: Sequence[str], links: Sequence[Link]) -> None:
        """Lay out the links among the named prosumers.

        Raises:
            LinkError: A link names an unknown prosumer, or two links join the same pair.
        """
        self.names = tuple(names)
        self.links = tuple(links)
        index = {name: i for i, name in enumerate(self.names)}
        self._refuse_unknown_ends(index)
        ends = np.array([(index[link.a], index[link.b]) for link in self.links], dtype=np.intp).reshape(-1, 2)
        self._refuse_double_links(ends)
        self._refuse_same_names()
        owner = np.concatenate([ends[:, 0], ends[:, 1]])
        partner = np.concatenate([ends[:, 1], ends[:, 0]])
        order = np.lexsort((partner, owner))
        position = np.empty_like(order)
        position[order] = np.arange(order.size)
        count = len(self.links)
        self.owner: IntArray = owner[order]
        self.partner: IntArray = partner[order]
        self.link: IntArray = np.tile(np.arange(count, dtype=np.intp), 2)[order]
        self.forward: IntArray = position[:count]
        self.backward: IntArray = position[count:]
        self.way: FloatArray = np.repeat([1.0, -1.0], count)[order]
        self.reverse: IntArray = np.concatenate([self.backward, self.forward])[order]
        self.cap_kw: FloatArray = np.array([link.cap_kw for link in self.links], dtype=float)
        self.fee_usd_per_kwh: FloatArray = np.array([link.fee_usd_per_kwh for link in self.links], dtype=float)
        self.starts: IntArray = np.searchsorted(self.owner, np.arange(len(self.names) + 1))
        self.everybody: IntArray = np.arange(len(self.names))

    def by_owner(self, values: FloatArray) -> FloatArray:
        """Sums over the arcs of each prosumer, (prosumer, ...), of (arc, ...)."""
        return np.asarray(self._sums @ values)

    @cached_property
    def _sums(self) -> "csr_array":
        from .places import sums_by_owner  # loads SciPy, which reading a scenario does not need

        return sums_by_owner(self.starts)

    def arcs(self, prosumer: int) -> slice:
        """The arcs that a prosumer owns."""
        return slice(int(self.starts[prosumer]), int(self.starts[prosumer + 1]))

    def arc_names(self) -> list[str]:
        """Names of the arcs, "p1<-p2": what p1 buys from p2."""
        return [f"{self.names[i]}<-{self.names[j]}" for i, j in zip(self.owner, self.partner, strict=True)]

    def graph(self) -> "nx.Graph[str]":
        """The trade graph for networkx: prosumers as nodes, links as edges with `cap_kw`."""
        import networkx as nx

        graph: nx.Graph[str] = nx.Graph()
        graph.add_nodes_from(self.names)
        graph.add_edges_from((link.a, link.b, {"cap_kw": link.cap_kw}) for link in self.links)
        return graph

    def _refuse_unknown_ends(self, index: dict[str, int]) -> None:
        for link in self.links:
            for key, end in (("a", link.a), ("b", link.b)):
                if end not in index:
                    close = get_close_matches(end, self.names, n=1)
                    cure = f"did you mean {close[0]}?" if close else f"the prosumers are {_first(self.names)}"
                    raise LinkError(link.name, key, f"there is no prosumer {end}; {cure}")

    def _refuse_double_links(self, ends: IntArray) -> None:
        """Refuse two links between one pair; `ends` are those of each link by index, (link, 2)."""
        pairs = ends.min(axis=1) * len(self.names) + ends.max(axis=1)
        _, which, count = np.unique(pairs, return_inverse=True, return_counts=True)
        double = np.flatnonzero(count[which] > 1)
        if double.size:
            link = self.links[int(double[0])]
            raise LinkError(link.name, "b", f"{link.a} and {link.b} are linked twice; add up the caps in one link")

    def _refuse_same_names(self) -> None:
        """Refuse two links that are called alike, such as a-b and c, a and b-c: nobody could tell them apart."""
        called: dict[str, Link] = {}
        for link in self.links:
            other = called.setdefault(link.name, link)
            if other is not link:
                sentence = f"the links of {other.a} and {other.b}, and of {link.a} and {link.b}, have one name"
                raise LinkError(link.name, "b", f"{sentence}; rename a prosumer")


def _first(names: Sequence[str], most: int = 12) -> str:
    """Some names in a row; of many the first."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
