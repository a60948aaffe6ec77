"""The same market with many small prosumers instead of a few large ones, to see what market power is worth."""

from __future__ import annotations

from itertools import product

from ..errors import refuse
from ..files.loading import load, vary
from ..files.scenario import Scenario
from ..files.schema import LinkRow, ProsumerRow
from ..files.tree import Change

_KEYS = ("elastic_min_kw", "elastic_max_kw", "bid_max_kw", "feed_in_max_kw", "fixed_peak_kw", "renewable_peak_kw")


def loaded(scenario: str, changes: list[Change], parts: int) -> Scenario:
    """A scenario with its prosumers split.

    Raises:
        ScenarioError: There is no such scenario, a change is wrong, or a prosumer that is split has devices.
    """
    return split(load(scenario, changes), parts)


def split(scenario: Scenario, parts: int) -> Scenario:
    """The same scenario with each prosumer split into identical ones: p1 becomes p1-1 to p1-`parts`.

    Totals stay: each part has its share of all powers, and alpha is that many times larger, so that the parts together
    value their elastic load as the whole did (12) and the equilibrium is the same. Each part of a prosumer may trade
    with each part of its partners, all such links together as much as the one they are split from; so nobody depends
    on a partner of its own size.

    Raises:
        ScenarioError: A prosumer has devices.
    """
    if parts == 1:
        return scenario
    owner = next((name for name, row in scenario.prosumers.items() if row.devices), None)
    if owner is not None:
        cure = "leave --sizes out, or take devices out (devices: null)"
        raise refuse(f"--sizes {parts}", f"prosumers.{owner}.devices", f"devices are not split among parts; {cure}")
    prosumers: dict[str, ProsumerRow] = {}
    links: dict[str, LinkRow] = {}
    for name, row in scenario.prosumers.items():
        shares = {key: getattr(row, key) / parts for key in _KEYS}
        small = row.model_copy(update={**shares, "alpha_usd_per_kw2h": row.alpha_usd_per_kw2h * parts})
        prosumers |= {part(name, k): small for k in range(parts)}
    for link in scenario.links.values():
        for k, m in product(range(parts), range(parts)):
            a, b = part(link.a, k), part(link.b, m)
            links[f"{a}-{b}"] = link.model_copy(update={"a": a, "b": b, "cap_kw": link.cap_kw / parts**2})
    away = {part(name, k): row for name, row in scenario.messages.away.items() for k in range(parts)}
    messages = scenario.messages.model_copy(update={"away": away})
    made = scenario.model_copy(update={"prosumers": prosumers, "links": links, "messages": messages})
    return vary(made, ())  # which checks it, and knows its places anew


def part(name: str, k: int) -> str:
    """The name of the k-th part of a prosumer, from 0."""
    return f"{name}-{k + 1}"
