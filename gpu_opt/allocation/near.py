"""Staying near a plan that is there already: what it grants, and a candidate made of it.

A what-if is to show the consequence of a change and not noise, so among equally good plans the one
nearest to the base plan is chosen. The base plan is also the first candidate, as far as it still fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from gpu_opt.allocation.appraisal import moved_gpus
from gpu_opt.allocation.greedy import rank, serve
from gpu_opt.allocation.ledger import Ledger, grant, open_ledger, room
from gpu_opt.allocation.shares import units_left
from gpu_opt.allocation.spread import may_use
from gpu_opt.instance import Instance, Ints
from gpu_opt.plan import Allocation, Grant


def stay_near(instance: Instance, base: Allocation) -> Instance:
    """The instance with the base plan's GPUs on its arcs, q_jp, and the gaps that it leaves open."""
    gaps = tuple((goal.name, goal.gap) for goal in base.goals if goal.gap > 0)
    return replace(with_near(instance, base.grants), open_gaps=gaps)


def as_far_as_it_fits(instance: Instance, plan: Allocation) -> Ints:
    """A plan of the instance, in units per arc, made of another one's grants."""
    near = with_near(instance, plan.grants).arcs.near
    assert near is not None
    return fit(instance, near)


def with_near(instance: Instance, grants: Iterable[Grant]) -> Instance:
    """The instance with q_jp, the GPUs of `grants` on its arcs; those without an arc are dropped."""
    granted: dict[tuple[str, str], int] = {}
    for each in grants:
        granted[each.project, each.pool] = granted.get((each.project, each.pool), 0) + each.gpus
    arcs, pools, projects = instance.arcs, instance.pools.names, instance.projects.names
    pairs = zip(arcs.project.tolist(), arcs.pool.tolist(), strict=True)
    near = np.array([granted.get((projects[j], pools[p]), 0) for j, p in pairs], dtype=np.int64)
    return replace(instance, arcs=replace(arcs, near=near))


def fit(instance: Instance, near: Ints) -> Ints:
    """The grants `near`, in GPUs per arc, as far as they fit the instance, in units.

    Holdings that they keep come first, then, if more would be moved than may be, others that are wanted;
    then what they grant beyond, by tier and priority; last, projects below their minimum are brought up to
    it or get nothing. So capacities, caps and limits are kept by construction.
    """
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
    target = near // unit
    ledger = open_ledger(instance, _kept(instance, target))
    ranked = rank(instance)
    for j in ranked:
        own = instance.projects.arcs[j]
        below = np.flatnonzero(ledger.x[own.start : own.stop] < target[own.start : own.stop])
        for a in (own.start + below).tolist():
            _raise(ledger, a, int(target[a]))
    for j in ranked:
        _settle(ledger, j)
    return ledger.x


def _kept(instance: Instance, target: Ints) -> Ints:
    """Wanted holdings that stay: those of the target, pins, and more of them if too many would be moved."""
    wanted = instance.arcs.wanted
    pinned = np.array(instance.projects.pinned, dtype=bool)[instance.arcs.project]
    kept: Ints = np.where(pinned, wanted, np.minimum(wanted, target))
    if instance.max_moves is None:
        return kept
    excess = int(moved_gpus(instance, kept).sum()) - instance.max_moves
    for a in np.flatnonzero(kept < wanted).tolist():
        unit = instance.pools.unit[int(instance.arcs.pool[a])]
        units = min(int(wanted[a] - kept[a]), -(-max(0, excess) // unit))
        kept[a] += units
        excess -= units * unit
    return kept


def _raise(ledger: Ledger, arc: int, target: int) -> None:
    """Bring an arc up to `target` units, as far as there is room and the project may have more."""
    if not may_use(ledger.instance, ledger.x, arc):
        return
    units = min(target - int(ledger.x[arc]), room(ledger, arc), units_left(ledger.instance, ledger.x, arc))
    if units > 0:
        grant(ledger, arc, units)


def _settle(ledger: Ledger, project: int) -> None:
    """Bring a project with too little up to its minimum, or take back what it got."""
    own, least = ledger.instance.projects.arcs[project], ledger.instance.projects.minimum[project]
    if 0 < ledger.own[project] < least:
        serve(ledger, project, least)
        if ledger.own[project] < least:
            for a in own:
                grant(ledger, a, -int(ledger.x[a]))
