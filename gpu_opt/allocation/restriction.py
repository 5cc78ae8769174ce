"""A part of an instance: some projects decide again, everybody else keeps what it has.

What the others hold is taken off capacities, caps, limits, targets and moves. The part is an instance
like any other, so it is formulated and solved by the same code, and its size does not depend on the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.appraisal import limit_gpus, moved_gpus, pool_units, team_compute
from gpu_opt.instance import MILLI, Arcs, Instance, Ints, Projects, Teams, TypeLimit


def restrict(
    instance: Instance, x: Ints, chosen: Sequence[int], among: npt.NDArray[np.bool_] | None = None
) -> tuple[Instance, Ints]:
    """The instance of the `chosen` projects (in order), and its arcs as indices of the whole's arcs.

    With `among`, only these arcs, which must hold all that `x` grants and everybody wants.

    A plan of the part, put into `x` at those arcs, is a plan of the whole; its shortfalls and overruns are
    the whole's in the teams that the part has.
    """
    kept = np.array([a for j in chosen for a in instance.projects.arcs[j]], dtype=np.int64)
    kept = kept if among is None else kept[among[kept]]
    others = x.copy()
    others[kept] = 0
    granted = pool_units(instance, others)
    teams = _teams_above(instance, chosen)
    part = replace(
        instance,
        pools=replace(
            instance.pools,
            units=tuple(u - int(g) for u, g in zip(instance.pools.units, granted, strict=True)),
        ),
        teams=_restrict_teams(instance, team_compute(instance, others), teams),
        limits=_restrict_limits(instance, others, kept, teams),
        projects=_restrict_projects(instance, chosen, teams, kept),
        arcs=_restrict_arcs(instance.arcs, kept, chosen),
        max_moves=_moves_left(instance, x, kept),
    )
    return part, kept


def _moves_left(instance: Instance, x: Ints, kept: Ints) -> int | None:
    """What the arcs that are not `kept` leave of the move budget."""
    if instance.max_moves is None:
        return None
    moved = moved_gpus(instance, x)
    moved[kept] = 0
    return instance.max_moves - int(moved.sum())


def _teams_above(instance: Instance, chosen: Sequence[int]) -> dict[int, int]:
    """New index of every team that has a chosen project in it or below it."""
    needed = set()
    for j in chosen:
        team = instance.projects.team[j]
        while team >= 0 and team not in needed:
            needed.add(team)
            team = instance.teams.parent[team]
    return {team: index for index, team in enumerate(sorted(needed))}


def _restrict_teams(instance: Instance, held: Ints, teams: dict[int, int]) -> Teams:
    old = instance.teams
    return Teams(
        names=tuple(old.names[n] for n in teams),
        parent=tuple(teams.get(old.parent[n], -1) for n in teams),
        level=tuple(old.level[n] for n in teams),
        cap=tuple(_less(old.cap[n], int(held[n])) for n in teams),
        over=tuple(old.over[n] for n in teams),
        promise=tuple(old.promise[n] for n in teams),
        target=tuple(max(Fraction(0), old.target[n] - Fraction(int(held[n]), MILLI)) for n in teams),
    )


def _less(cap: int | None, held: int) -> int | None:
    return None if cap is None else cap - held


def _restrict_limits(
    instance: Instance, others: Ints, kept: Ints, teams: dict[int, int]
) -> tuple[TypeLimit, ...]:
    position = np.full(len(others), -1)
    position[kept] = np.arange(len(kept))
    held = limit_gpus(instance, others).tolist()
    limits = []
    for limit, gpus in zip(instance.limits, held, strict=True):
        if limit.team in teams:
            at = position[limit.arcs]
            limits.append(replace(limit, team=teams[limit.team], gpus=limit.gpus - gpus, arcs=at[at >= 0]))
    return tuple(limits)


def _restrict_projects(
    instance: Instance, chosen: Sequence[int], teams: dict[int, int], kept: Ints
) -> Projects:
    old = instance.projects
    count = np.bincount(instance.arcs.project[kept], minlength=len(old.names))
    ends = np.cumsum([0] + [int(count[j]) for j in chosen]).tolist()
    return Projects(
        names=tuple(old.names[j] for j in chosen),
        team=tuple(teams[old.team[j]] for j in chosen),
        tier=tuple(old.tier[j] for j in chosen),
        priority=tuple(old.priority[j] for j in chosen),
        demand=tuple(old.demand[j] for j in chosen),
        most_share=tuple(old.most_share[j] for j in chosen),
        minimum=tuple(old.minimum[j] for j in chosen),
        one_pool=tuple(old.one_pool[j] for j in chosen),
        pinned=tuple(old.pinned[j] for j in chosen),
        arcs=tuple(range(ends[i], ends[i + 1]) for i in range(len(chosen))),
    )


def _restrict_arcs(old: Arcs, kept: Ints, chosen: Sequence[int]) -> Arcs:
    position = {j: index for index, j in enumerate(chosen)}
    return Arcs(
        project=np.array([position[int(j)] for j in old.project[kept]], dtype=np.int64),
        pool=old.pool[kept],
        own=old.own[kept],
        needed=old.needed[kept],
        upper=old.upper[kept],
        wanted=old.wanted[kept],
        near=None if old.near is None else old.near[kept],
    )
