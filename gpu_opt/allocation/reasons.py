"""Why a project has what it has: the first cause that holds, as a fact about this plan."""

from __future__ import annotations

import numpy as np

from gpu_opt.allocation.appraisal import moved_gpus, own_compute, team_compute
from gpu_opt.instance import MILLI, Instance, Ints
from gpu_opt.organization import Organization, Project
from gpu_opt.plan import Cause, Reason


def explain_project(
    organization: Organization, instance: Instance, x: Ints, project: Project, index: int | None
) -> Reason:
    """Give the reason for what a project is granted; `index` is its place in the instance, if active."""
    if index is None:
        return _not_active(instance, project)
    arcs = instance.projects.arcs[index]
    if not arcs:
        return _cannot_run(organization, project)
    own = int(own_compute(instance, x)[index])
    if own >= instance.projects.demand[index]:
        return Reason(cause=Cause.MET, text="gets all it asked for")
    return _binding(instance, x, index, own)


def _not_active(instance: Instance, project: Project) -> Reason:
    if project.starts is not None and project.starts > instance.date:
        return Reason(cause=Cause.NOT_ACTIVE, text=f"starts only on {project.starts}")
    return Reason(cause=Cause.NOT_ACTIVE, text=f"ended on {project.ends}")


def _cannot_run(organization: Organization, project: Project) -> Reason:
    runs_somewhere = any(
        (project.sites is None or pool.site in project.sites)
        and (project.speeds is None or pool.gpu_type in project.speeds)
        for pool in organization.pools
    )
    if not runs_somewhere:
        return Reason(cause=Cause.NO_POOL, text="no pool has a GPU type and a site where it runs")
    if project.minimum > 0:
        return Reason(
            cause=Cause.MINIMUM_UNREACHABLE,
            text=f"its minimum of {project.minimum:,g} is more than pools, caps and limits could ever give",
        )
    return Reason(cause=Cause.NO_POOL, text="where it runs there are no GPUs, or limits leave none")


def _binding(instance: Instance, x: Ints, index: int, own: int) -> Reason:
    """What stands in the way of one more unit on any of its arcs."""
    arcs, most = instance.arcs, instance.projects.most[index]
    usable = [a for a in instance.projects.arcs[index] if own + int(arcs.own[a]) <= most]
    capped = _at_cap(instance, x, index, usable or list(instance.projects.arcs[index]))
    if capped is not None:
        return capped
    used = [a for a in instance.projects.arcs[index] if x[a]]
    open_to = used if instance.projects.one_pool[index] and used else usable
    granted = np.zeros(len(instance.pools.names), dtype=np.int64)
    np.add.at(granted, arcs.pool, x)
    free = [a for a in open_to if granted[arcs.pool[a]] < instance.pools.units[int(arcs.pool[a])]]
    if not free:
        return _pools_full(instance, x, index, open_to)
    limited = _at_limit(instance, x, free)
    if len(limited) == len(free):
        limit = instance.limits[limited[free[0]]]
        name = instance.teams.names[limit.team]
        told = f"{name} is at its limit of {limit.gpus:,} {limit.gpu_type}"
        return Reason(cause=Cause.TYPE_LIMIT, text=told, subject=name)
    return _room_left(instance, x, index, own)


def _at_cap(instance: Instance, x: Ints, index: int, arcs: list[int]) -> Reason | None:
    """The lowest cap above the project that leaves no room for its smallest unit, if there is one."""
    total = team_compute(instance, x)
    smallest = min(instance.pools.unit_compute[int(instance.arcs.pool[a])] for a in arcs)
    for team in _chain(instance, instance.projects.team[index]):
        cap = instance.teams.cap[team]
        if cap is not None and cap - int(total[team]) < smallest:
            name = instance.teams.names[team]
            told = f"{name} is at its cap of {cap / MILLI:,g}"
            return Reason(cause=Cause.TEAM_CAP, text=told, subject=name)
    return None


def _pools_full(instance: Instance, x: Ints, index: int, open_to: list[int]) -> Reason:
    if instance.projects.one_pool[index] and any(x[a] for a in open_to):
        name = instance.pools.names[int(instance.arcs.pool[open_to[0]])]
        return Reason(cause=Cause.ONE_POOL, text=f"must stay in one pool, and {name} is full", subject=name)
    mine = {int(instance.arcs.pool[a]) for a in instance.projects.arcs[index]}
    holders = {int(instance.arcs.project[a]) for a in np.flatnonzero(x) if int(instance.arcs.pool[a]) in mine}
    ahead = sum(_rank(instance, j) < _rank(instance, index) for j in holders)
    behind = sum(_rank(instance, j) > _rank(instance, index) for j in holders)
    if behind and instance.max_moves is not None and _moved(instance, x) >= instance.max_moves:
        told = f"its pools are full, and all {instance.max_moves:,} moves are spent"
        return Reason(cause=Cause.MOVES, text=told)
    told = f"its pools are full, with {ahead} {'project' if ahead == 1 else 'projects'} ahead of it"
    return Reason(cause=Cause.POOLS_FULL, text=told if ahead else "its pools are full")


def _rank(instance: Instance, project: int) -> tuple[int, float]:
    """Tier, then priority: the lower comes first."""
    return instance.projects.tier[project], -instance.projects.priority[project]


def _moved(instance: Instance, x: Ints) -> int:
    return int(moved_gpus(instance, x).sum())


def _room_left(instance: Instance, x: Ints, index: int, own: int) -> Reason:
    minimum = instance.projects.minimum[index]
    if not own and minimum:
        return Reason(
            cause=Cause.MINIMUM_UNREACHABLE,
            text=f"what is left for it is below its minimum of {minimum / MILLI:,g}",
        )
    if instance.max_moves is not None and _moved(instance, x) >= instance.max_moves:
        return Reason(cause=Cause.MOVES, text=f"all {instance.max_moves:,} moves are spent")
    if instance.projects.one_pool[index]:
        return Reason(cause=Cause.ONE_POOL, text="must be in one pool, and none has more room")
    return Reason(cause=Cause.UNPROVED, text="not decided: more time may find a better plan")


def _at_limit(instance: Instance, x: Ints, arcs: list[int]) -> dict[int, int]:
    """Arcs that a limit on their type stops, with that limit."""
    wanted = set(arcs)
    stopped: dict[int, int] = {}
    for i, limit in enumerate(instance.limits):
        concerned = wanted.intersection(limit.arcs)
        if not concerned:
            continue
        counted = list(limit.arcs)
        unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool[counted]]
        room = limit.gpus - int((x[counted] * unit).sum())
        for a in concerned:
            if room < instance.pools.unit[int(instance.arcs.pool[a])]:
                stopped[a] = i
    return stopped


def _chain(instance: Instance, team: int) -> list[int]:
    chain = [team]
    while instance.teams.parent[chain[-1]] >= 0:
        chain.append(instance.teams.parent[chain[-1]])
    return chain
