"""The rows of the relaxation, family by family: name, terms, sense and right-hand side of each.

Those that couple projects are the formulation's (:mod:`gpu_opt.allocation.constraints`), under its names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gpu_opt.allocation.strategy.columns import Columns
from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from pulp import LpVariable

    Term = tuple[LpVariable, float]
    Row = tuple[str, list[Term], str, float]


def pool_rows(instance: Instance, columns: Columns) -> Iterator[Row]:
    """Yield `pool_capacity`: units granted in a pool fit it."""
    terms: list[list[Term]] = [[] for _ in instance.pools.names]
    pools = instance.arcs.pool.tolist()
    for group in (columns.kept, columns.more):
        for a, variable in group.items():
            terms[pools[a]].append((variable, 1.0))
    for p, granted in enumerate(terms):
        if granted:
            over = [(columns.over_pool[p], -1.0)] if p in columns.over_pool else []
            yield f"pool_capacity_{p}", [*granted, *over], "<=", instance.pools.units[p]


def team_rows(instance: Instance, columns: Columns) -> Iterator[Row]:
    """Yield `team_total`, `team_cap` and `team_guarantee`, in compute."""
    teams, arcs = instance.teams, instance.arcs
    terms: list[list[Term]] = [[(total, -1.0)] for total in columns.total]
    for n, parent in enumerate(teams.parent):
        if parent >= 0:
            terms[parent].append((columns.total[n], 1.0))
    counted = (np.array(instance.pools.unit_compute)[arcs.pool] / MILLI).tolist()
    team = np.array(instance.projects.team, dtype=np.int64)[arcs.project].tolist()
    for group in (columns.kept, columns.more):
        for a, variable in group.items():
            terms[team[a]].append((variable, counted[a]))
    for n, total in enumerate(columns.total):
        yield f"team_total_{n}", terms[n], "==", 0.0
        cap = teams.cap[n]
        if cap is not None:
            over = [(columns.over_team[n], -1.0)] if n in columns.over_team else []
            yield f"team_cap_{n}", [(total, 1.0), *over], "<=", cap / MILLI
        if n in columns.short:
            reaches = [(total, 1.0), (columns.short[n], 1.0)]
            yield f"team_guarantee_{n}", reaches, ">=", float(teams.target[n])


def limit_rows(instance: Instance, columns: Columns) -> Iterator[Row]:
    """Yield `type_limit`, in GPUs."""
    unit = np.array(instance.pools.unit)[instance.arcs.pool].tolist()
    for i, limit in enumerate(instance.limits):
        granted = [(variable, float(unit[a])) for a in limit.arcs.tolist() for variable in columns.units(a)]
        if granted:
            over = [(columns.over_limit[i], -1.0)] if i in columns.over_limit else []
            yield f"type_limit_{i}", [*granted, *over], "<=", limit.gpus


def project_rows(instance: Instance, columns: Columns) -> Iterator[Row]:
    """Yield `value`, and `one_pool` or `demand` where a project has several arcs."""
    arcs, projects = instance.arcs, instance.projects
    own, needed = (arcs.own / MILLI).tolist(), arcs.needed.tolist()
    for j, mine in enumerate(projects.arcs):
        if not mine:
            continue
        granted = [(variable, -own[a]) for a in mine for variable in columns.units(a)]
        valued = [(variable, 1.0) for variable, _ in columns.value[j]]
        yield f"value_{j}", [*valued, *granted], "<=", 0.0
        if projects.one_pool[j] and len(mine) > 1:
            yield from _one_pool_rows(instance, columns, j)
        elif len(mine) > 1:
            finest = max(needed[a] for a in mine)
            shares = [(variable, finest / needed[a]) for a in mine for variable in columns.units(a)]
            yield f"demand_{j}", shares, "<=", float(projects.most_share[j] * finest)


def _one_pool_rows(instance: Instance, columns: Columns, project: int) -> Iterator[Row]:
    """Yield shares of one pool that add up to one, once for all that is kept and once for all beyond it.

    Who takes a share of another pool keeps so much less of what it holds: a half move costs half the moves.
    """
    arcs = instance.arcs
    mine = [a for a in instance.projects.arcs[project] if arcs.upper[a]]
    elsewhere = [
        (variable, 1.0 / float(arcs.upper[a]))
        for a in mine
        if not arcs.wanted[a]
        for variable in columns.units(a)
    ]
    held = [a for a in mine if arcs.wanted[a]]
    if not held:
        yield f"one_pool_{project}", elsewhere, "<=", 1.0
    for a in held:
        wanted = float(arcs.wanted[a])
        yield f"one_pool_{project}_{a}_kept", [(columns.kept[a], 1.0 / wanted), *elsewhere], "<=", 1.0
        if a in columns.more:
            beyond = (columns.more[a], 1.0 / (float(arcs.upper[a]) - wanted))
            yield f"one_pool_{project}_{a}_more", [beyond, *elsewhere], "<=", 1.0
