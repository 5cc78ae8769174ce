"""From an organization and a date to the instance that the formulations are written in."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np

from gpu_opt.budgets import Budgets, resolve_budgets
from gpu_opt.derivation import Derived, derive
from gpu_opt.instance import MILLI, Arcs, Instance, Pools, Projects, Teams, TypeLimit
from gpu_opt.organization import Organization, Project, exact


def build_instance(organization: Organization, date: dt.date) -> Instance:
    """Index a valid organization as of `date`. Dead projects keep their place but have no arcs."""
    budgets = resolve_budgets(organization, date)
    active = [project for project in organization.projects if is_active(project, date)]
    derived = derive(organization, budgets, active)
    team_index = {team.name: index for index, team in enumerate(budgets.teams)}
    projects = _index_projects(active, derived, team_index)
    arcs = derived.arcs
    limits = _index_limits(organization, budgets, projects, arcs, team_index)
    pools = _index_pools(organization, budgets, arcs)
    return Instance(
        date=date,
        pools=pools,
        teams=_index_teams(budgets, active, derived, team_index, pools),
        limits=limits,
        projects=projects,
        arcs=arcs,
        segments=tuple((exact(share), exact(value)) for share, value in organization.policy.value),
        move_cost=exact(organization.policy.move_cost),
        max_moves=organization.policy.max_moves,
    )


def is_active(project: Project, date: dt.date) -> bool:
    """Whether a project wants GPUs on a date: it has started and not yet ended."""
    return (project.starts is None or project.starts <= date) and (
        project.ends is None or date < project.ends
    )


def _index_projects(active: list[Project], derived: Derived, team_index: dict[str, int]) -> Projects:
    arcs = derived.arcs
    ends = [0, *np.cumsum(np.bincount(arcs.project, minlength=len(active))).tolist()]
    kept = np.bincount(arcs.project[arcs.wanted > 0], minlength=len(active)).tolist()
    return Projects(
        names=tuple(project.name for project in active),
        team=tuple(team_index[project.team] for project in active),
        tier=tuple(project.tier for project in active),
        priority=tuple(project.priority for project in active),
        demand=tuple(derived.demand),
        most_share=tuple(derived.most_share),
        minimum=tuple(derived.minimum),
        one_pool=tuple(
            max(1, pools) if project.one_pool else 0 for project, pools in zip(active, kept, strict=True)
        ),
        pinned=tuple(project.pinned for project in active),
        arcs=tuple(range(ends[j], ends[j + 1]) for j in range(len(active))),
    )


def _index_pools(organization: Organization, budgets: Budgets, arcs: Arcs) -> Pools:
    pools = organization.pools
    capacity = [budgets.gpus[pool.name] // pool.unit for pool in pools]
    wanted = np.bincount(arcs.pool, weights=arcs.wanted, minlength=len(pools)).astype(np.int64)
    return Pools(
        names=tuple(pool.name for pool in pools),
        types=tuple(pool.gpu_type for pool in pools),
        units=tuple(capacity),
        unit=tuple(pool.unit for pool in pools),
        unit_compute=tuple(int(budgets.speed[pool.gpu_type] * MILLI) * pool.unit for pool in pools),
        over=tuple(max(0, int(w) - c) for w, c in zip(wanted, capacity, strict=True)),
    )


def _index_teams(
    budgets: Budgets,
    active: list[Project],
    derived: Derived,
    team_index: dict[str, int],
    pools: Pools,
) -> Teams:
    count = len(budgets.teams)
    usable = [Fraction(0)] * count
    wanted = [0] * count
    smallest = [0] * count
    for j, project in enumerate(active):
        team = team_index[project.team]
        usable[team] += derived.usable[j]
        wanted[team] += derived.wanted_compute[j]
        smallest[team] = _smaller(smallest[team], derived.smallest_unit[j])
    parent = [-1 if team.parent is None else team_index[team.parent] for team in budgets.teams]
    caps = [budgets.cap.get(team.name) for team in budgets.teams]
    for team in reversed(range(count)):
        cap = caps[team]
        if cap is not None:
            usable[team] = min(usable[team], cap * MILLI)
        if parent[team] >= 0:
            usable[parent[team]] += usable[team]
            wanted[parent[team]] += wanted[team]
            smallest[parent[team]] = _smaller(smallest[parent[team]], smallest[team])
    promise = [
        min(budgets.guarantee.get(team.name, Fraction(0)), usable[index] / MILLI)
        for index, team in enumerate(budgets.teams)
    ]
    filled = zip(pools.unit_compute, pools.units, pools.over, strict=True)
    most = sum(compute * (units + over) for compute, units, over in filled)
    cap_milli = tuple(None if cap is None or cap * MILLI >= most else int(cap * MILLI) for cap in caps)
    return Teams(
        names=tuple(team.name for team in budgets.teams),
        parent=tuple(parent),
        level=_levels(parent),
        cap=cap_milli,
        over=tuple(0 if c is None else max(0, w - c) for w, c in zip(wanted, cap_milli, strict=True)),
        promise=tuple(promise),
        target=tuple(
            max(Fraction(0), p - Fraction(unit - 1, MILLI)) if unit else Fraction(0)
            for p, unit in zip(promise, smallest, strict=True)
        ),
    )


def _smaller(unit: int, other: int) -> int:
    """The smaller of two units; 0 is none."""
    return min(unit, other) if unit and other else unit or other


def _levels(parent: list[int]) -> tuple[int, ...]:
    level: list[int] = []
    for above in parent:
        level.append(0 if above < 0 else level[above] + 1)
    return tuple(level)


def _index_limits(
    organization: Organization,
    budgets: Budgets,
    projects: Projects,
    arcs: Arcs,
    team_index: dict[str, int],
) -> tuple[TypeLimit, ...]:
    kinds = [pool.gpu_type for pool in organization.pools]
    unit = np.array([pool.unit for pool in organization.pools], dtype=np.int64)[arcs.pool]
    team_of = np.array(projects.team, dtype=np.int64)[arcs.project]
    of_kind = {
        kind: np.flatnonzero(np.array([each == kind for each in kinds], dtype=bool)[arcs.pool])
        for kind in {kind for _, kind in budgets.limit}
    }
    under = {
        name: np.array([name in budgets.chain(each.name) for each in budgets.teams], dtype=bool)
        for name in {name for name, _ in budgets.limit}
    }
    limits = []
    for (name, kind), cap in budgets.limit.items():
        team = team_index[name]
        counted = of_kind[kind][under[name][team_of[of_kind[kind]]]]
        held = int((arcs.wanted[counted] * unit[counted]).sum())
        limits.append(
            TypeLimit(
                team=team,
                gpu_type=kind,
                gpus=int(cap),
                over=max(0, held - int(cap)),
                milli=int(budgets.speed[kind] * MILLI),
                arcs=counted,
            )
        )
    return tuple(limits)
