"""Which part of the program is solved next while everything else stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpu_opt.allocation.appraisal import Floats, own_compute, team_compute, wanted_compute
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.instance import MILLI, Instance, Ints, chains_up


def choose_projects(
    instance: Instance, x: Ints, relaxed: Floats | None, goal: GoalSpec, size: int, seed: tuple[int, int]
) -> list[int]:
    """Choose `size` projects; the same arguments give the same choice, the second seed counts the calls.

    Kinds take turns: projects whose grants differ most from the relaxation's, which knows where moves
    and caps are best spent (after RINS: Danna, Rothberg, Le Pape 2005); projects that lack something, and
    what shares a few pools with them; a part of the team tree.
    """
    number = seed[1]
    random = np.random.default_rng((*seed, goal.index, len(goal.name)))
    alive = [j for j, own in enumerate(instance.projects.arcs) if own]
    if len(alive) <= size:
        return alive
    if goal.kind == "guarantee" and number % 2 == 0:
        short = _short_teams(instance, x, goal)
        if short:
            return _around_short(instance, x, alive, int(random.choice(short)), size, random)
    kind = number // 2 % 4
    gaining = _gaining(instance, alive, goal)
    if kind in {0, 2} and relaxed is not None:
        weight: Floats = np.abs(relaxed - x) * instance.arcs.own
        first = _draw(instance, gaining, min(len(gaining), size // 2), weight, random)
        others = sorted(set(alive) - set(first))
        return sorted([*first, *_draw(instance, others, size - len(first), weight, random)])
    if kind == 1:
        return _around_pools(instance, x, gaining, size, random)
    return _around_team(instance, alive, int(random.choice(gaining)), size, random)


def _gaining(instance: Instance, alive: list[int], goal: GoalSpec) -> list[int]:
    """Those that count for the goal: a part without any of them is of no use."""
    if goal.kind != "value":
        return alive
    return [j for j in alive if instance.projects.tier[j] == goal.index]


def _draw(
    instance: Instance, alive: list[int], size: int, per_arc: Floats, random: np.random.Generator
) -> list[int]:
    """Draw projects at random, by the square root of their weights."""
    weight = np.zeros(len(instance.projects.names))
    np.add.at(weight, instance.arcs.project, per_arc)
    chance = np.sqrt(np.maximum(weight[alive], 1.0))
    return list(random.choice(alive, size, replace=False, p=chance / chance.sum()).tolist())


def _around_pools(
    instance: Instance,
    x: Ints,
    gaining: list[int],
    size: int,
    random: np.random.Generator,
) -> list[int]:
    """Some projects that lack something, and holders of GPUs in the pools that they can use."""
    lacking = wanted_compute(instance) - own_compute(instance, x)
    chance = np.sqrt(np.maximum(lacking[gaining], 1.0))
    count = min(len(gaining), size // 3)
    first = random.choice(gaining, count, replace=False, p=chance / chance.sum()).tolist()
    market = instance.pools.market[instance.arcs.pool]
    markets = np.unique([market[a] for j in first[:3] for a in instance.projects.arcs[j]])
    some = random.permutation(markets)[:4]
    holders = set(instance.arcs.project[(x > 0) & np.isin(market, some)].tolist()) - set(first)
    rest = random.permutation(sorted(holders))[: size - len(first)].tolist()
    return sorted([*first, *rest])


def _short_teams(instance: Instance, x: Ints, goal: GoalSpec) -> list[int]:
    """Teams of the goal's level that are short of their target."""
    total = team_compute(instance, x)
    at_level = (n for n, level in enumerate(instance.teams.level) if level == goal.index)
    return [n for n in at_level if instance.teams.target[n] * MILLI > int(total[n])]


def _around_short(
    instance: Instance, x: Ints, alive: list[int], team: int, size: int, random: np.random.Generator
) -> list[int]:
    """Projects of a team that is short, and others that hold GPUs in the pools that those can use."""
    chains = chains_up(instance.teams)
    inside = [j for j in alive if team in chains[instance.projects.team[j]]]
    first = random.permutation(inside)[: size // 2].tolist()
    market = instance.pools.market[instance.arcs.pool]
    markets = [market[a] for j in first for a in instance.projects.arcs[j]]
    holders = set(instance.arcs.project[(x > 0) & np.isin(market, markets)].tolist()) - set(first)
    rest = random.permutation(sorted(holders))[: size - len(first)].tolist()
    return sorted([*first, *rest])


def _around_team(
    instance: Instance, alive: list[int], centre: int, size: int, random: np.random.Generator
) -> list[int]:
    """A project, its team and its neighbours in the tree, nearest first."""
    chains, team = chains_up(instance.teams), instance.projects.team
    steps = [_meet(chains[team[centre]], chain) for chain in chains]
    distance = {j: (steps[team[j]], float(random.random())) for j in alive}
    distance[centre] = (-1, 0.0)
    return sorted(sorted(alive, key=lambda j: distance[j])[:size])


def _meet(chain: Sequence[int], other: Sequence[int]) -> int:
    """Steps up the first chain to the first team that both have."""
    return next(step for step, team in enumerate(chain) if team in other)
