"""The decisions of the allocation, one PuLP variable each; symbols as in ``models/allocation.md``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpProblem, LpVariable


@dataclass(frozen=True, slots=True)
class Variables:
    """All variables, by index; a mapping has only the indices for which the variable exists."""

    x: list[LpVariable]
    """Units granted, by arc."""
    y: dict[int, LpVariable]
    """Whether anything is granted, by project with a minimum."""
    z: dict[int, LpVariable]
    """Whether the pool is used, by arc of a one-pool project."""
    v: list[list[LpVariable]]
    """Compute valued, by project and segment; empty for a project without arcs."""
    moved: dict[int, LpVariable]
    """GPUs taken, by arc with wanted holdings."""
    changed: dict[int, LpVariable]
    """GPUs granted otherwise than in the plan to stay near to, by arc on which that grants any."""
    total: list[LpVariable]
    """T_n: compute granted, by team."""
    short: dict[int, LpVariable]
    """Compute short of the target, by team with a target."""
    over_pool: dict[int, LpVariable]
    over_team: dict[int, LpVariable]
    over_limit: dict[int, LpVariable]


def add_variables(problem: LpProblem, instance: Instance) -> Variables:
    """Create every variable of the instance, with its bounds; names are prefix and index."""
    arcs, projects, teams, pools = instance.arcs, instance.projects, instance.teams, instance.pools
    upper, wanted = arcs.upper.tolist(), arcs.wanted.tolist()
    unit = [pools.unit[p] for p in arcs.pool.tolist()]
    alive = [j for j, own in enumerate(projects.arcs) if len(own)]
    return Variables(
        x=[problem.add_variable(f"x_{a}", 0, most, "Integer") for a, most in enumerate(upper)],
        y={j: problem.add_variable(f"y_{j}", cat="Binary") for j in alive if projects.minimum[j]},
        z={
            a: problem.add_variable(f"z_{a}", cat="Binary")
            for j in alive
            if projects.one_pool[j]
            for a in projects.arcs[j]
        },
        v=[
            [
                problem.add_variable(f"v_{j}_{k}", 0, float(share * projects.demand[j] / MILLI))
                for k, (share, _) in enumerate(instance.segments)
                if len(own)
            ]
            for j, own in enumerate(projects.arcs)
        ],
        moved={
            a: problem.add_variable(f"moved_{a}", 0, units * unit[a])
            for a, units in enumerate(wanted)
            if units
        },
        changed={
            a: problem.add_variable(f"changed_{a}", 0)
            for a, gpus in enumerate(() if arcs.near is None else arcs.near.tolist())
            if gpus
        },
        total=[problem.add_variable(f"total_{n}", 0) for n in range(len(teams.names))],
        short={
            n: problem.add_variable(f"short_{n}", 0, float(target))
            for n, target in enumerate(teams.target)
            if target
        },
        over_pool={p: problem.add_variable(f"over_pool_{p}", 0, o) for p, o in enumerate(pools.over) if o},
        over_team={
            n: problem.add_variable(f"over_team_{n}", 0, o / MILLI) for n, o in enumerate(teams.over) if o
        },
        over_limit={
            i: problem.add_variable(f"over_limit_{i}", 0, limit.over)
            for i, limit in enumerate(instance.limits)
            if limit.over
        },
    )
