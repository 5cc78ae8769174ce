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
    arcs = instance.projects.arcs[index]
    pools = instance.pools
    total = team_compute(instance, x)
    granted = np.zeros(len(pools.names), dtype=np.int64)
    np.add.at(granted, instance.arcs.pool, x)
    usable = [a for a in arcs if own + int(instance.arcs.own[a]) <= instance.projects.most[index]]
    used = [a for a in arcs if x[a]]
    stays = used if instance.projects.one_pool[index] and used else usable
    smallest = min((pools.unit_compute[int(instance.arcs.pool[a])] for a in usable or arcs), default=0)
    for team in _chain(instance, instance.projects.team[index]):
        cap = instance.teams.cap[team]
        if cap is not None and cap - int(total[team]) < smallest:
            name = instance.teams.names[team]
            return Reason(
                cause=Cause.TEAM_CAP, text=f"{name} is at its cap of {cap / MILLI:,g}", subject=name
            )
    free = [a for a in stays if granted[instance.arcs.pool[a]] < pools.units[int(instance.arcs.pool[a])]]
    limited = _at_limit(instance, x, free)
    if free and limited and len(limited) == len(free):
        limit = instance.limits[limited[free[0]]]
        name = instance.teams.names[limit.team]
        return Reason(
            cause=Cause.TYPE_LIMIT,
            text=f"{name} is at its limit of {limit.gpus:,} {limit.gpu_type}",
            subject=name,
        )
    if not free:
        return _pools_full(instance, x, index, own, stays)
    return _room_left(instance, x, index, own)


def _pools_full(instance: Instance, x: Ints, index: int, own: int, stays: list[int]) -> Reason:
    if instance.projects.one_pool[index] and own:
        name = instance.pools.names[int(instance.arcs.pool[stays[0]])] if stays else None
        return Reason(cause=Cause.ONE_POOL, text=f"must stay in one pool, and {name} is full", subject=name)
    tier, priority = instance.projects.tier[index], instance.projects.priority[index]
    mine = {int(instance.arcs.pool[a]) for a in instance.projects.arcs[index]}
    ahead = {int(instance.arcs.project[a]) for a in np.flatnonzero(x) if int(instance.arcs.pool[a]) in mine}
    higher = sum(
        (instance.projects.tier[j], -instance.projects.priority[j]) < (tier, -priority) for j in ahead
    )
    told = f"its pools are full; {higher} projects of higher tier or priority are in them"
    return Reason(cause=Cause.POOLS_FULL, text=told if higher else "its pools are full")


def _room_left(instance: Instance, x: Ints, index: int, own: int) -> Reason:
    minimum = instance.projects.minimum[index]
    if not own and minimum:
        return Reason(
            cause=Cause.MINIMUM_UNREACHABLE,
            text=f"what is left for it is below its minimum of {minimum / MILLI:,g}",
        )
    if instance.max_moves is not None and int(moved_gpus(instance, x).sum()) >= instance.max_moves:
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
