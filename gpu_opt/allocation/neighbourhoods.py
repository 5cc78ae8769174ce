"""Which part of the program is solved next while everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from gpu_opt.allocation.appraisal import own_compute
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import Instance, Ints

SIZE = 30
"""Projects in a neighbourhood: CBC solves that many to proof in about a second."""


def choose_projects(instance: Instance, x: Ints, goal: GoalSpec, seed: int, number: int) -> frozenset[int]:
    """Choose the projects of neighbourhood `number`: those that lack most, with those on their pools.

    Three kinds take turns: projects that lack something and what shares a few pools with them; a
    team's subtree; any projects. The same arguments give the same choice.
    """
    random = np.random.default_rng((seed, number, goal.index, len(goal.name)))
    alive = [j for j, own in enumerate(instance.projects.arcs) if own]
    if len(alive) <= SIZE:
        return frozenset(alive)
    lacking = np.array(instance.projects.demand) - own_compute(instance, x)
    weight = np.array([max(float(lacking[j]), 1.0) for j in alive]) ** 0.5
    if number % 3 == 0:
        return _around_pools(instance, x, alive, weight, random)
    if number % 3 == 1:
        return _around_team(instance, alive, random)
    return frozenset(random.choice(alive, SIZE, replace=False, p=weight / weight.sum()).tolist())


def _around_pools(
    instance: Instance,
    x: Ints,
    alive: list[int],
    weight: np.ndarray[tuple[int], np.dtype[np.float64]],
    random: np.random.Generator,
) -> frozenset[int]:
    """Some projects that lack something, and holders of GPUs in the pools that they can use."""
    first = random.choice(alive, SIZE // 3, replace=False, p=weight / weight.sum()).tolist()
    pools = {int(instance.arcs.pool[a]) for j in first[:3] for a in instance.projects.arcs[j]}
    some = set(random.permutation(sorted(pools))[:4].tolist())
    holders = {
        int(instance.arcs.project[a]) for a in np.flatnonzero(x) if int(instance.arcs.pool[a]) in some
    } - set(first)
    rest = random.permutation(sorted(holders))[: SIZE - len(first)].tolist()
    return frozenset([*first, *rest])


def _around_team(instance: Instance, alive: list[int], random: np.random.Generator) -> frozenset[int]:
    """A project, its team and its neighbours in the tree, nearest first."""
    centre = int(random.choice(alive))
    chain = _chain(instance, instance.projects.team[centre])
    distance = {
        j: (_meet(chain, _chain(instance, instance.projects.team[j])), float(random.random())) for j in alive
    }
    return frozenset(sorted(alive, key=lambda j: distance[j])[:SIZE])


def _chain(instance: Instance, team: int) -> list[int]:
    chain = [team]
    while instance.teams.parent[chain[-1]] >= 0:
        chain.append(instance.teams.parent[chain[-1]])
    return chain


def _meet(chain: list[int], other: list[int]) -> int:
    """Steps up the first chain to the first team that both have."""
    return next(step for step, team in enumerate(chain) if team in other)


@contextmanager
def fix_others(instance: Instance, variables: Variables, x: Ints, chosen: frozenset[int]) -> Iterator[None]:
    """Fix the grants of every project that is not chosen; free them again at the end."""
    fixed = [a for j, own in enumerate(instance.projects.arcs) if j not in chosen for a in own]
    for a in fixed:
        variables.x[a].bounds(float(x[a]), float(x[a]))
    try:
        yield
    finally:
        for a in fixed:
            variables.x[a].bounds(0, float(instance.arcs.upper[a]))
