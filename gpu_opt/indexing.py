"""From an organization and a date to the instance that the formulations are written in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gpu_opt.budgets import Budgets, resolve_budgets
from gpu_opt.instance import MILLI, Arcs, Instance, Pools, Projects, Teams, TypeLimit
from gpu_opt.organization import Organization, Pool, Project, exact, runs_in


def build_instance(organization: Organization, date: dt.date) -> Instance:
    """Index a valid organization as of `date`. Dead projects keep their place but have no arcs."""
    budgets = resolve_budgets(organization, date)
    active = [project for project in organization.projects if is_active(project, date)]
    settled = [_settle(organization, budgets, project) for project in active]
    team_index = {team.name: index for index, team in enumerate(budgets.teams)}
    projects = _index_projects(active, settled, team_index)
    arcs = _index_arcs(settled)
    limits = _index_limits(organization, budgets, projects, arcs, team_index)
    pools = _index_pools(organization, budgets, arcs)
    return Instance(
        date=date,
        pools=pools,
        teams=_index_teams(budgets, active, settled, team_index, pools),
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


def milli(compute: float) -> int:
    """Compute with at most three decimals, in milli-compute; exact."""
    return int(exact(compute) * MILLI)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What follows from one project and the budgets alone; the words of models/allocation.md."""

    pools: tuple[int, ...]
    own: tuple[int, ...]
    upper: tuple[int, ...]
    wanted: tuple[int, ...]
    demand: int
    most: int
    minimum: int
    usable: Fraction
    """Milli-compute at the speeds of the types."""
    smallest_unit: int
    """Milli-compute of the smallest allocation unit that it could get; 0: none."""
    wanted_compute: int
    """Milli-compute, at the speeds of the types, of its wanted holdings."""


def _settle(organization: Organization, budgets: Budgets, project: Project) -> _Settled:
    where = _runs_on(organization, project)
    pools = [organization.pools[p] for p in where]
    own = [milli(_own_speed(organization, project, pool)) * pool.unit for pool in pools]
    counted = [int(budgets.speed[pool.gpu_type] * MILLI) * pool.unit for pool in pools]
    demand = milli(project.demand)
    held = [project.holds.get(pool.name, 0) // pool.unit for pool in pools]
    wanted = held if project.pinned else _wanted(demand, held, own, [pool.unit for pool in pools])
    worth = _dot(wanted, own)
    minimum = min(milli(project.minimum), worth) if worth else milli(project.minimum)
    reach = _reach(budgets, project, pools, wanted)
    pick = max if project.one_pool else sum
    reached = pick([units * each for units, each in zip(reach, own, strict=True)] or [0])
    cheapest = min((Fraction(c, o) for c, o in zip(counted, own, strict=True)), default=Fraction(0))
    if not worth and (reached < max(minimum, 1) or _capped(budgets, project, minimum * cheapest)):
        return _Settled((), (), (), (), demand, worth, minimum, Fraction(0), 0, 0)
    most = max([-(-demand // each) * each for each in own] + [worth])
    reachable = Fraction(pick([r * c for r, c in zip(reach, counted, strict=True)]))
    upper = tuple(max(w, min(r, most // o)) for w, r, o in zip(wanted, reach, own, strict=True))
    return _Settled(
        pools=tuple(where),
        own=tuple(own),
        upper=upper,
        wanted=tuple(wanted),
        demand=demand,
        most=most,
        minimum=minimum,
        usable=min(demand * cheapest, reachable),
        smallest_unit=min((c for c, most_units in zip(counted, upper, strict=True) if most_units), default=0),
        wanted_compute=_dot(wanted, counted),
    )


def _dot(left: Iterable[int], right: Iterable[int]) -> int:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _runs_on(organization: Organization, project: Project) -> list[int]:
    return [index for index, pool in enumerate(organization.pools) if runs_in(project, pool)]


def _own_speed(organization: Organization, project: Project, pool: Pool) -> float:
    if project.speeds is None:
        return organization.gpu_types[pool.gpu_type].speed
    return project.speeds[pool.gpu_type]


def _wanted(demand: int, held: list[int], own: list[int], unit: list[int]) -> list[int]:
    """Units held, less those that the demand does not need, given up from the slowest pool first."""
    wanted = list(held)
    spare = _dot(held, own) - demand
    slowest_first = sorted(range(len(held)), key=lambda a: (Fraction(own[a], unit[a]), -a))
    for arc in slowest_first:
        given_up = min(wanted[arc], max(spare, 0) // own[arc])
        wanted[arc] -= given_up
        spare -= given_up * own[arc]
    return wanted


def _reach(budgets: Budgets, project: Project, pools: list[Pool], wanted: list[int]) -> list[int]:
    """r_jp in units: what the pool, and the limits above the project on its type, let it have."""
    chain = tuple(budgets.chain(project.team))
    reach = []
    for pool, units in zip(pools, wanted, strict=True):
        limits = [
            budgets.limit[team, pool.gpu_type] for team in chain if (team, pool.gpu_type) in budgets.limit
        ]
        room = min([Fraction(budgets.gpus[pool.name]), *limits])
        reach.append(max(units, int(room // pool.unit)))
    return reach


def _capped(budgets: Budgets, project: Project, minimum: Fraction) -> bool:
    """Whether some cap above the project is below the least that its minimum counts for, in milli-compute."""
    caps = [budgets.cap[team] for team in budgets.chain(project.team) if team in budgets.cap]
    return any(cap * MILLI < minimum for cap in caps)


def _index_projects(active: list[Project], settled: list[_Settled], team_index: dict[str, int]) -> Projects:
    ends = np.cumsum([0] + [len(each.pools) for each in settled])
    return Projects(
        names=tuple(project.name for project in active),
        team=tuple(team_index[project.team] for project in active),
        tier=tuple(project.tier for project in active),
        priority=tuple(project.priority for project in active),
        demand=tuple(each.demand for each in settled),
        most=tuple(each.most for each in settled),
        minimum=tuple(each.minimum for each in settled),
        one_pool=tuple(
            max(1, sum(units > 0 for units in each.wanted)) if project.one_pool else 0
            for project, each in zip(active, settled, strict=True)
        ),
        pinned=tuple(project.pinned for project in active),
        arcs=tuple(range(ends[j], ends[j + 1]) for j in range(len(active))),
    )


def _index_arcs(settled: list[_Settled]) -> Arcs:
    def flat(pieces: Iterable[Iterable[int]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([value for piece in pieces for value in piece], dtype=np.int64)

    return Arcs(
        project=flat([j] * len(each.pools) for j, each in enumerate(settled)),
        pool=flat(each.pools for each in settled),
        own=flat(each.own for each in settled),
        upper=flat(each.upper for each in settled),
        wanted=flat(each.wanted for each in settled),
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
    settled: list[_Settled],
    team_index: dict[str, int],
    pools: Pools,
) -> Teams:
    count = len(budgets.teams)
    usable = [Fraction(0)] * count
    wanted = [0] * count
    smallest = [0] * count
    for project, each in zip(active, settled, strict=True):
        team = team_index[project.team]
        usable[team] += each.usable
        wanted[team] += each.wanted_compute
        smallest[team] = _smaller(smallest[team], each.smallest_unit)
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
    types = [pool.gpu_type for pool in organization.pools]
    units = [pool.unit for pool in organization.pools]
    chains = [
        {team_index[name] for name in budgets.chain(budgets.teams[team].name)} for team in projects.team
    ]
    limits = []
    for (name, kind), cap in budgets.limit.items():
        team = team_index[name]
        counted = tuple(
            arc
            for arc, (j, p) in enumerate(zip(arcs.project.tolist(), arcs.pool.tolist(), strict=True))
            if types[p] == kind and team in chains[j]
        )
        held = sum(int(arcs.wanted[arc]) * units[int(arcs.pool[arc])] for arc in counted)
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
