"""What is granted, and what every pool, cap and limit has left: kept up to date grant by grant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gpu_opt.allocation.appraisal import moved_gpus, own_compute, pool_units, team_compute, team_gpus
from gpu_opt.instance import Instance, Ints, chains_up

NO_TYPE = -1
"""Of a limit on a type that no pool has."""

PLENTY = 1 << 60
"""More GPUs than there are."""


@dataclass(slots=True)
class Ledger:
    """The grants of a plan in the making, and what they leave."""

    instance: Instance
    x: Ints
    """Units, by arc."""
    own: list[int]
    """Milli-compute granted at its own speeds, by project."""
    pool_free: Ints
    """Units, by pool; negative where it is over."""
    total: list[int]
    """Milli-compute granted, by team."""
    limit_free: list[int]
    """GPUs, by limit; negative where it is over."""
    moves_free: int | None
    """GPUs that may still be moved; negative where too many are; None: any number."""
    chains: list[tuple[int, ...]]
    """Every team, and all teams above it, from the lowest up."""
    limits_above: list[tuple[int, ...]]
    """Limits of the teams in its chain, by team."""
    type_of_pool: Ints
    """A number for its GPU type, by pool."""
    type_of_limit: list[int]
    """The number of the type that it counts, by limit."""
    unit: Ints
    """GPUs, by pool."""
    unit_compute: Ints
    """Milli-compute of a unit as budgets count it, by pool."""

    def chain(self, project: int) -> tuple[int, ...]:
        """The project's team, and all teams above it."""
        return self.chains[self.instance.projects.team[project]]


def open_ledger(instance: Instance, x: Ints) -> Ledger:
    """Book the grants `x`, whether they fit or not."""
    chains, limits = chains_up(instance.teams), instance.limits
    types = {kind: number for number, kind in enumerate(dict.fromkeys(instance.pools.types))}
    of_type = team_gpus(instance, x)
    return Ledger(
        instance,
        x.copy(),
        own_compute(instance, x).tolist(),
        np.array(instance.pools.units, dtype=np.int64) - pool_units(instance, x),
        team_compute(instance, x).tolist(),
        [limit.gpus - int(of_type[limit.gpu_type][limit.team]) for limit in limits],
        None if instance.max_moves is None else instance.max_moves - int(moved_gpus(instance, x).sum()),
        chains,
        [tuple(i for i, limit in enumerate(limits) if limit.team in chain) for chain in chains],
        np.array([types[kind] for kind in instance.pools.types], dtype=np.int64),
        [types.get(limit.gpu_type, NO_TYPE) for limit in limits],
        np.array(instance.pools.unit, dtype=np.int64),
        np.array(instance.pools.unit_compute, dtype=np.int64),
    )


def grant(ledger: Ledger, arc: int, units: int) -> None:
    """Book units on an arc (negative: take them back)."""
    if not units:
        return
    pools, arcs = ledger.instance.pools, ledger.instance.arcs
    pool, project = int(arcs.pool[arc]), int(arcs.project[arc])
    counted = units * pools.unit_compute[pool]
    if ledger.moves_free is not None:
        kept = min(int(ledger.x[arc]) + units, wanted := int(arcs.wanted[arc]))
        ledger.moves_free += (kept - min(int(ledger.x[arc]), wanted)) * pools.unit[pool]
    ledger.x[arc] += units
    ledger.own[project] += units * int(arcs.own[arc])
    ledger.pool_free[pool] -= units
    for team in ledger.chain(project):
        ledger.total[team] += counted
    for i in limits_on(ledger, project, pool):
        ledger.limit_free[i] -= units * pools.unit[pool]


def room(ledger: Ledger, arc: int) -> int:
    """Units that the arc could get more, by pool, caps, limits and its own bounds."""
    pools, arcs, caps = ledger.instance.pools, ledger.instance.arcs, ledger.instance.teams.cap
    pool, project = int(arcs.pool[arc]), int(arcs.project[arc])
    units = min(int(ledger.pool_free[pool]), int(arcs.upper[arc]) - int(ledger.x[arc]))
    for team in ledger.chain(project):
        cap = caps[team]
        if cap is not None:
            units = min(units, (cap - ledger.total[team]) // pools.unit_compute[pool])
    for i in limits_on(ledger, project, pool):
        units = min(units, ledger.limit_free[i] // pools.unit[pool])
    return max(0, units)


def rooms(ledger: Ledger, project: int) -> Ints:
    """:func:`room` of every arc of a project, in their order."""
    arcs, own = ledger.instance.arcs, ledger.instance.projects.arcs[project]
    here = slice(own.start, own.stop)
    by_pool = room_under(ledger, ledger.instance.projects.team[project])
    units: Ints = np.minimum(by_pool[arcs.pool[here]], arcs.upper[here] - ledger.x[here])
    return units


def room_under(ledger: Ledger, team: int) -> Ints:
    """Units of every pool that the pool, and caps and limits above, leave to a team; shape (pools,)."""
    caps = ledger.instance.teams.cap
    units = np.maximum(ledger.pool_free, 0)
    left = [cap - ledger.total[n] for n in ledger.chains[team] if (cap := caps[n]) is not None]
    if left:
        units = np.minimum(units, min(left) // ledger.unit_compute)
    if above := ledger.limits_above[team]:
        gpus = [PLENTY] * (1 + len(ledger.instance.pools.types))  # the last one: NO_TYPE
        for i in above:
            gpus[ledger.type_of_limit[i]] = min(gpus[ledger.type_of_limit[i]], ledger.limit_free[i])
        units = np.minimum(units, np.array(gpus)[ledger.type_of_pool] // ledger.unit)
    return np.maximum(units, 0)


def projects_under(ledger: Ledger, teams: Iterable[int], projects: Iterable[int]) -> dict[int, list[int]]:
    """Those of the projects that are under each of the teams, in their order."""
    under: dict[int, list[int]] = {n: [] for n in teams}
    for j in projects:
        for n in ledger.chain(j):
            if n in under:
                under[n].append(j)
    return under


def has_room(ledger: Ledger) -> Ints:
    """Projects with an arc that could get a unit more, in ascending order."""
    arcs, team = ledger.instance.arcs, np.array(ledger.instance.projects.team, dtype=np.int64)
    candidates = np.flatnonzero((ledger.pool_free > 0)[arcs.pool] & (ledger.x < arcs.upper))
    teams, row = np.unique(team[arcs.project[candidates]], return_inverse=True)
    units = np.array([room_under(ledger, n) for n in teams.tolist()], dtype=np.int64)
    units = units.reshape(len(teams), len(ledger.pool_free))
    return np.unique(arcs.project[candidates[units[row, arcs.pool[candidates]] > 0]])


def limits_on(ledger: Ledger, project: int, pool: int) -> list[int]:
    """Limits that count the project's GPUs in the pool."""
    above = ledger.limits_above[ledger.instance.projects.team[project]]
    return [i for i in above if ledger.type_of_limit[i] == ledger.type_of_pool[pool]]
