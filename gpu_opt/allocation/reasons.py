"""Why a project has what it has: the first cause that holds, as a fact about this plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu_opt.allocation.appraisal import moved_gpus, own_compute, team_compute
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.organization import Organization, Project, runs_in
from gpu_opt.plan import Cause, Reason


@dataclass(frozen=True, slots=True)
class _Situation:
    """A plan, and everything about it that the reasons need, computed once."""

    instance: Instance
    x: Ints
    own: Ints
    """Milli-compute of every project at its own speeds."""
    total: Ints
    """Milli-compute granted under every team."""
    granted: Ints
    """Units granted in every pool."""
    limit_room: tuple[int, ...]
    """GPUs that every limit leaves."""
    limits_of: dict[int, list[int]]
    """Limits that count an arc."""
    ranks: tuple[list[tuple[int, float]], ...]
    """Ranks of the projects that are granted something in a pool, in order."""
    movable: tuple[list[tuple[int, float]], ...]
    """The same without those that are granted only what is pinned."""
    moves_spent: bool
    proved: bool


def explain_projects(
    organization: Organization, instance: Instance, x: Ints, *, proved: bool
) -> tuple[Reason, ...]:
    """Give the reason for what every project of the organization is granted, in its order.

    `proved` says whether the plan is proved to be the best one.
    """
    situation = _look_at(instance, x, proved)
    index = {name: j for j, name in enumerate(instance.projects.names)}
    return tuple(
        _explain(organization, situation, project, index.get(project.name))
        for project in organization.projects
    )


def _look_at(instance: Instance, x: Ints, proved: bool) -> _Situation:
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
    granted = np.zeros(len(instance.pools.names), dtype=np.int64)
    np.add.at(granted, instance.arcs.pool, x)
    limits_of: dict[int, list[int]] = {}
    for i, limit in enumerate(instance.limits):
        for a in limit.arcs:
            limits_of.setdefault(a, []).append(i)
    ranks: tuple[list[tuple[int, float]], ...] = tuple([] for _ in instance.pools.names)
    movable: tuple[list[tuple[int, float]], ...] = tuple([] for _ in instance.pools.names)
    for a in np.flatnonzero(x).tolist():
        j, p = int(instance.arcs.project[a]), int(instance.arcs.pool[a])
        ranks[p].append(_rank(instance, j))
        if not instance.projects.pinned[j] or x[a] > instance.arcs.wanted[a]:
            movable[p].append(_rank(instance, j))
    moved = int(moved_gpus(instance, x).sum())
    return _Situation(
        instance=instance,
        x=x,
        own=own_compute(instance, x),
        total=team_compute(instance, x),
        granted=granted,
        limit_room=tuple(limit.gpus - int((x * unit)[list(limit.arcs)].sum()) for limit in instance.limits),
        limits_of=limits_of,
        ranks=tuple(sorted(each) for each in ranks),
        movable=tuple(sorted(each) for each in movable),
        moves_spent=instance.max_moves is not None and moved >= instance.max_moves,
        proved=proved,
    )


def _explain(
    organization: Organization, situation: _Situation, project: Project, index: int | None
) -> Reason:
    instance = situation.instance
    if index is None:
        return _not_active(instance, project)
    if not instance.projects.arcs[index]:
        return _cannot_run(organization, project)
    if situation.own[index] >= instance.projects.demand[index]:
        return Reason(cause=Cause.MET, text="gets all it asked for")
    return _binding(situation, index)


def _not_active(instance: Instance, project: Project) -> Reason:
    if project.starts is not None and project.starts > instance.date:
        return Reason(cause=Cause.NOT_ACTIVE, text=f"starts only on {project.starts}")
    return Reason(cause=Cause.NOT_ACTIVE, text=f"ended on {project.ends}")


def _cannot_run(organization: Organization, project: Project) -> Reason:
    if not any(runs_in(project, pool) for pool in organization.pools):
        return Reason(cause=Cause.NO_POOL, text="no pool has a GPU type and a site where it runs")
    if project.minimum > 0:
        return Reason(
            cause=Cause.MINIMUM_UNREACHABLE,
            text=f"its minimum of {project.minimum:,g} is more than pools, caps and limits could ever give",
        )
    return Reason(cause=Cause.NO_POOL, text="where it runs there are no GPUs, or limits leave none")


def _binding(situation: _Situation, index: int) -> Reason:
    """What stands in the way of one more unit on any of its arcs."""
    instance, x = situation.instance, situation.x
    mine, own, most = instance.projects.arcs[index], situation.own[index], instance.projects.most[index]
    usable = [a for a in mine if own + instance.arcs.own[a] <= most]
    if not usable:
        return Reason(cause=Cause.MET, text="one more unit would be more than it asked for")
    capped = _at_cap(situation, index, usable)
    if capped is not None:
        return capped
    used = [a for a in mine if x[a]]
    open_to = used if instance.projects.one_pool[index] and used else usable
    pool_of = instance.arcs.pool
    free = [a for a in open_to if situation.granted[pool_of[a]] < instance.pools.units[int(pool_of[a])]]
    if not free:
        return _pools_full(situation, index, open_to)
    limited = [_limit_reached(situation, a) for a in free]
    if all(limit is not None for limit in limited):
        limit = instance.limits[limited[0] or 0]
        name = instance.teams.names[limit.team]
        told = f"{name} is at its limit of {limit.gpus:,} {limit.gpu_type}"
        return Reason(cause=Cause.TYPE_LIMIT, text=told, subject=name)
    return _room_left(situation, index)


def _at_cap(situation: _Situation, index: int, arcs: list[int]) -> Reason | None:
    """The lowest cap above the project that leaves no room for its smallest unit, if there is one."""
    instance = situation.instance
    smallest = min(instance.pools.unit_compute[int(instance.arcs.pool[a])] for a in arcs)
    team = instance.projects.team[index]
    while team >= 0:
        cap = instance.teams.cap[team]
        if cap is not None and cap - situation.total[team] < smallest:
            name = instance.teams.names[team]
            told = f"{name} is at its cap of {cap / MILLI:,g}"
            return Reason(cause=Cause.TEAM_CAP, text=told, subject=name)
        team = instance.teams.parent[team]
    return None


def _limit_reached(situation: _Situation, arc: int) -> int | None:
    """The limit on its type that stops the arc, if there is one."""
    unit = situation.instance.pools.unit[int(situation.instance.arcs.pool[arc])]
    return next((i for i in situation.limits_of.get(arc, ()) if situation.limit_room[i] < unit), None)


def _pools_full(situation: _Situation, index: int, open_to: list[int]) -> Reason:
    instance = situation.instance
    if instance.projects.one_pool[index] and any(situation.x[a] for a in open_to):
        name = instance.pools.names[int(instance.arcs.pool[open_to[0]])]
        return Reason(cause=Cause.ONE_POOL, text=f"must stay in one pool, and {name} is full", subject=name)
    rank = _rank(instance, index)
    pools = [int(instance.arcs.pool[a]) for a in instance.projects.arcs[index]]
    behind = [last for p in pools for last in situation.movable[p][-1:] if last > rank]
    if behind and situation.moves_spent:
        told = f"its pools are full, and all {instance.max_moves:,} moves are spent"
        return Reason(cause=Cause.MOVES, text=told)
    if not situation.proved and any(tier > rank[0] for tier, _ in behind):
        told = "its pools are full, partly with projects of a later tier: more time may find a better plan"
        return Reason(cause=Cause.UNPROVED, text=told)
    if not behind and any(last > rank for p in pools for last in situation.ranks[p][-1:]):
        told = "its pools are full, and what lower tiers or priorities hold there is pinned"
        return Reason(cause=Cause.PINNED, text=told)
    ahead = any(first < rank for p in pools for first in situation.ranks[p][:1])
    told = "its pools are full" + (", partly with projects of higher tier or priority" if ahead else "")
    return Reason(cause=Cause.POOLS_FULL, text=told)


def _rank(instance: Instance, project: int) -> tuple[int, float]:
    """Tier, then priority: the lower comes first."""
    return instance.projects.tier[project], -instance.projects.priority[project]


def _room_left(situation: _Situation, index: int) -> Reason:
    instance = situation.instance
    minimum = instance.projects.minimum[index]
    if not situation.own[index] and minimum:
        told = f"what is left for it is below its minimum of {minimum / MILLI:,g}"
        return Reason(cause=Cause.MINIMUM_UNREACHABLE, text=told)
    if instance.projects.one_pool[index]:
        return Reason(cause=Cause.ONE_POOL, text="may not spread to a pool in which one more unit would fit")
    return Reason(cause=Cause.UNPROVED, text="not decided: more time may find a better plan")
