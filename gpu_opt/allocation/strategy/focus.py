"""The arcs worth looking at: a large lab's projects could run in dozens of pools, and use one or two.

At good prices it is known which arcs serve a project best. A program over those alone is several times
smaller. It is a restriction, so its plans are plans of the whole; its bound is not a bound of the whole,
which is why bounds come from :mod:`.pricing`, over all arcs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gpu_opt.allocation.strategy.prices import Prices, arc_charges
from gpu_opt.allocation.strategy.pricing import Market
from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.instance import Arcs, Instance, Ints


def choose_arcs(market: Market, prices: Prices, x: Ints, per_project: int) -> Flags:
    """The arcs that a plan `x` or today's holdings use, and the `per_project` best ones of every project."""
    table = market.table
    loss = arc_charges(table, prices) / table.own
    too_little = table.single & (table.minimum > 0)
    loss[too_little[table.project] & (table.upper * table.own < table.minimum[table.project])] = np.inf
    order = np.lexsort((loss, table.project))
    project = table.project[order]
    first = np.flatnonzero(np.r_[True, project[1:] != project[:-1]])
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    chosen = (table.wanted > 0) | (x > 0)
    chosen[order[rank < per_project]] = True
    return np.asarray(chosen & (table.upper > 0))


def keep_arcs(instance: Instance, chosen: Flags) -> tuple[Instance, Ints]:
    """The instance without all other arcs, and its arcs as indices of the whole's."""
    kept = np.flatnonzero(chosen)
    position = np.cumsum(chosen) - 1
    count = np.bincount(instance.arcs.project[kept], minlength=len(instance.projects.names))
    ends = np.r_[0, np.cumsum(count)].tolist()
    old = instance.arcs
    part = replace(
        instance,
        projects=replace(
            instance.projects, arcs=tuple(range(ends[j], ends[j + 1]) for j in range(len(ends) - 1))
        ),
        arcs=Arcs(
            project=old.project[kept],
            pool=old.pool[kept],
            own=old.own[kept],
            needed=old.needed[kept],
            upper=old.upper[kept],
            wanted=old.wanted[kept],
            near=None if old.near is None else old.near[kept],
        ),
        limits=tuple(replace(each, arcs=position[each.arcs[chosen[each.arcs]]]) for each in instance.limits),
    )
    return part, kept
