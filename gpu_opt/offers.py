"""Where projects run, how fast, and what they can reach there: one entry per project and pool.

Fields of arrays are in the words of ``models/allocation.md``, section "Data".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gpu_opt.budgets import Budgets
from gpu_opt.instance import MILLI, Ints
from gpu_opt.organization import Organization, Project, exact, runs_in

NO_LIMIT = 1 << 62
"""More GPUs, or milli-compute, than there are."""


@lru_cache(maxsize=1 << 16)
def milli(compute: float) -> int:
    """Compute with at most three decimals, in milli-compute; exact."""
    return int(exact(compute) * MILLI)


@dataclass(frozen=True, slots=True)
class Offers:
    """What every project can reach in the pools where it runs."""

    project: Ints
    """By arc, as all up to `reach`."""
    pool: Ints
    kind: Ints
    """Place of the GPU type among the organization's."""
    own: Ints
    """Milli-compute of a unit at the project's own speed."""
    counted: Ints
    """Milli-compute of a unit at the speed of the type, which budgets count."""
    wanted: Ints
    """Units."""
    reach: Ints
    """r_jp in units."""
    own_speed: Ints
    """Milli-compute of a GPU; shape (projects, types)."""
    type_speed: Ints
    """Milli-compute of a GPU; shape (types,)."""
    demand: Ints
    """Milli-compute, by project."""
    one_pool: npt.NDArray[np.bool_]
    """By project."""


def offer(organization: Organization, budgets: Budgets, projects: Sequence[Project]) -> Offers:
    """What every active project of a valid organization can reach, in all pools where it runs."""
    kinds = {name: place for place, name in enumerate(organization.gpu_types)}
    kind = np.array([kinds[pool.gpu_type] for pool in organization.pools], dtype=np.int64)
    unit = np.array([pool.unit for pool in organization.pools], dtype=np.int64)
    where = _runs_on(organization, projects)
    project = np.repeat(np.arange(len(projects)), [len(pools) for pools in where])
    pool = np.concatenate([*where, np.zeros(0, dtype=np.int64)])
    type_speed = np.array([int(budgets.speed[name] * MILLI) for name in kinds], dtype=np.int64)
    own_speed = np.tile(type_speed, (len(projects), 1))
    for j, each in enumerate(projects):
        if each.speeds is not None:
            own_speed[j] = [milli(each.speeds.get(name, 0.0)) for name in kinds]
    own = own_speed[project, kind[pool]] * unit[pool]
    demand = np.array([milli(each.demand) for each in projects], dtype=np.int64)
    wanted = _wanted(organization, projects, where, own, unit, demand)
    reach = _reach_of_teams(organization, budgets, kind, unit)
    teams = {team.name: row for row, team in enumerate(budgets.teams)}
    team = np.array([teams[each.team] for each in projects], dtype=np.int64)
    return Offers(
        project=project,
        pool=pool,
        kind=kind[pool],
        own=own,
        counted=(type_speed[kind] * unit)[pool],
        wanted=wanted,
        reach=np.maximum(wanted, reach[team[project], pool]),
        own_speed=own_speed,
        type_speed=type_speed,
        demand=demand,
        one_pool=np.array([each.one_pool for each in projects], dtype=bool),
    )


def _runs_on(organization: Organization, projects: Sequence[Project]) -> list[Ints]:
    """Pools where every project runs; projects that say the same share an array."""
    known: dict[tuple[object, ...], Ints] = {}
    where = []
    for project in projects:
        types = None if project.speeds is None else frozenset(project.speeds)
        key = types, project.sites, project.pools
        if key not in known:
            pools = [p for p, pool in enumerate(organization.pools) if runs_in(project, pool)]
            known[key] = np.array(pools, dtype=np.int64)
        where.append(known[key])
    return where


def _wanted(
    organization: Organization,
    projects: Sequence[Project],
    where: Sequence[Ints],
    own: Ints,
    unit: Ints,
    demand: Ints,
) -> Ints:
    """w_jp in units: holdings less what the demand does not need, given up from the slowest pool first."""
    place = {pool.name: p for p, pool in enumerate(organization.pools)}
    wanted = np.zeros(len(own), dtype=np.int64)
    start = 0
    for j, (project, pools) in enumerate(zip(projects, where, strict=True)):
        held = {}
        for name, gpus in project.holds.items():
            a = int(np.searchsorted(pools, place[name]))
            if a < len(pools) and pools[a] == place[name]:
                held[start + a] = gpus // int(unit[place[name]])
        spare = sum(units * int(own[a]) for a, units in held.items()) - int(demand[j])
        if spare > 0 and not project.pinned:
            speed = {a: Fraction(int(own[a]), int(unit[pools[a - start]])) for a in held}
            for a in sorted(held, key=lambda a: (speed[a], -a)):
                given_up = min(held[a], max(spare, 0) // int(own[a]))
                held[a] -= given_up
                spare -= given_up * int(own[a])
        for a, units in held.items():
            wanted[a] = units
        start += len(pools)
    return wanted


def _reach_of_teams(organization: Organization, budgets: Budgets, kind: Ints, unit: Ints) -> Ints:
    """Units of a pool that it, and limits above on its type, let a project have; shape (teams, pools)."""
    teams = {team.name: row for row, team in enumerate(budgets.teams)}
    kinds = {name: place for place, name in enumerate(organization.gpu_types)}
    limit = np.full((len(teams), len(kinds)), NO_LIMIT)
    for (team, name), gpus in budgets.limit.items():
        limit[teams[team], kinds[name]] = int(gpus)
    for row, each in enumerate(budgets.teams):  # parents come first
        if each.parent is not None:
            limit[row] = np.minimum(limit[row], limit[teams[each.parent]])
    owned = np.array([budgets.gpus[pool.name] for pool in organization.pools], dtype=np.int64)
    reach: Ints = np.minimum(owned, limit[:, kind]) // unit
    return reach
