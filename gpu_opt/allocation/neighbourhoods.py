"""Which part of the program is solved next while everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.appraisal import own_compute
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import Instance, Ints

Floats = npt.NDArray[np.float64]

SIZE = 40
"""Projects in a neighbourhood: CBC solves that many to proof in about a second."""


def choose_projects(
    instance: Instance, x: Ints, relaxed: Floats | None, goal: GoalSpec, seed: int, number: int
) -> frozenset[int]:
    """Choose the projects of neighbourhood `number`; the same arguments give the same choice.

    Kinds take turns: projects whose grants differ most from the relaxation's, which knows where moves
    and caps are best spent (after RINS: Danna, Rothberg, Le Pape 2005); projects that lack something, and
    what shares a few pools with them; a part of the team tree.
    """
    random = np.random.default_rng((seed, number, goal.index, len(goal.name)))
    alive = [j for j, own in enumerate(instance.projects.arcs) if own]
    if goal.kind == "value" and number % 2 == 0:
        later = [j for j in alive if instance.projects.tier[j] >= goal.index]
        alive = later or alive
    if len(alive) <= SIZE:
        return frozenset(alive)
    kind = number // 2 % 4
    if kind in {0, 2} and relaxed is not None:
        return _draw(alive, np.abs(relaxed - x) * instance.arcs.own, instance, random)
    if kind == 1:
        return _around_pools(instance, x, alive, random)
    return _around_team(instance, alive, random)


def _draw(
    alive: list[int], per_arc: Floats, instance: Instance, random: np.random.Generator
) -> frozenset[int]:
    """Draw projects at random, by the square root of their weights."""
    weight = np.zeros(len(instance.projects.names))
    np.add.at(weight, instance.arcs.project, per_arc)
    chance = np.sqrt(np.maximum(weight[alive], 1.0))
    return frozenset(random.choice(alive, SIZE, replace=False, p=chance / chance.sum()).tolist())


def _around_pools(
    instance: Instance,
    x: Ints,
    alive: list[int],
    random: np.random.Generator,
) -> frozenset[int]:
    """Some projects that lack something, and holders of GPUs in the pools that they can use."""
    lacking = np.array(instance.projects.demand) - own_compute(instance, x)
    chance = np.sqrt(np.maximum(lacking[alive], 1.0))
    first = random.choice(alive, SIZE // 3, replace=False, p=chance / chance.sum()).tolist()
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
