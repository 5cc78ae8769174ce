"""The team tree, cut into parts small enough for CBC: who decides together, and what it can gain at most.

A block is a subtree with a few dozen projects. Its caps, guarantees and limits concern nobody else, so in a
bound they need no price: the block's own program, in integers, takes their place (Dantzig and Wolfe 1960;
each block is a division that plans for itself at the prices of what it shares with others). Where caps
bind, this is where nearly all of the distance between the relaxation and the best plan lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.strategy.focus import keep_arcs
from gpu_opt.allocation.strategy.parts import Limits, PartAtPrices
from gpu_opt.allocation.strategy.prices import (
    Aim,
    Prices,
    arc_charges,
    move_charges,
    project_weights,
    right_hand_side,
)
from gpu_opt.allocation.strategy.pricing import Priced
from gpu_opt.allocation.strategy.table import Floats, Table, add_up, value_of
from gpu_opt.instance import Instance, Ints, TypeLimit

MOST_PROJECTS = 40
"""Projects in a subtree up to which it is one block."""


@dataclass(frozen=True, slots=True)
class Block:
    """A subtree of the team tree, and its projects that are not dead."""

    teams: tuple[int, ...]
    projects: tuple[int, ...]
    closed: bool
    """Nobody else is below these teams: their caps, guarantees and limits are the block's own."""


def cut_tree(instance: Instance, most: int = MOST_PROJECTS) -> tuple[Block, ...]:
    """The largest subtrees with at most `most` projects; a team with more of its own is one by itself."""
    teams = instance.teams
    own: list[list[int]] = [[] for _ in teams.names]
    for j, arcs in enumerate(instance.projects.arcs):
        if arcs:
            own[instance.projects.team[j]].append(j)
    count = [len(each) for each in own]
    for n in reversed(range(len(count))):
        if teams.parent[n] >= 0:
            count[teams.parent[n]] += count[n]
    top = list(range(len(count)))
    for n, parent in enumerate(teams.parent):
        if parent >= 0 and count[top[parent]] <= most:
            top[n] = top[parent]
    members: dict[int, list[int]] = {}
    for n, head in enumerate(top):
        members.setdefault(head, []).append(n)
    return tuple(
        Block(tuple(inside), projects, count[head] == len(projects))
        for head, inside in members.items()
        if (projects := tuple(sorted(j for n in inside for j in own[n])))
    )


def at_prices(
    table: Table, aim: Aim, prices: Prices, block: Block, limits: Limits
) -> tuple[PartAtPrices, float]:
    """The block's own program at the prices of what it shares; and what its own rows earn at theirs.

    The second, with the profits of the block's projects, is what the first takes the place of in a bound.
    """
    instance = table.instance
    inside = np.zeros(len(instance.teams.names), dtype=bool)
    inside[list(block.teams)] = True
    own_limit = np.array([inside[each.team] for each in instance.limits], dtype=bool)
    earned = right_hand_side(table, aim, prices)
    shared = replace(
        prices,
        cap=np.where(inside, 0.0, prices.cap),
        guarantee=np.where(inside, 0.0, prices.guarantee),
        limit=np.where(own_limit, 0.0, prices.limit),
    )
    charges = arc_charges(table, shared)
    part, arcs = restrict(instance, np.zeros(len(table.pool), dtype=np.int64), block.projects)
    part, kept = _cheapest_of_a_kind(_alone(instance, part, block), charges[arcs])
    weights = [(aim.goal.name, 1.0)]
    weights += [(goal.name, float(price)) for goal, price in zip(aim.earlier, prices.earlier, strict=True)]
    task = PartAtPrices(part, tuple(weights), charges[arcs][kept], prices.budget, limits)
    return task, float(earned.team[inside].sum() + earned.limit[own_limit].sum())


def _alone(instance: Instance, part: Instance, block: Block) -> Instance:
    """The part without the teams above it, and with room for it in every pool."""
    names = {instance.teams.names[n] for n in block.teams}
    mine = [name in names for name in part.teams.names]
    teams = part.teams
    room = sum(int(units) for units in instance.pools.units) + sum(instance.pools.over)
    own: tuple[TypeLimit, ...] = tuple(each for each in part.limits if mine[each.team])
    return replace(
        part,
        pools=replace(part.pools, units=(room,) * len(part.pools.units), over=(0,) * len(part.pools.over)),
        teams=replace(
            teams,
            cap=tuple(cap if is_mine else None for cap, is_mine in zip(teams.cap, mine, strict=True)),
            over=tuple(over if is_mine else 0 for over, is_mine in zip(teams.over, mine, strict=True)),
            target=tuple(
                target if is_mine else Fraction(0) for target, is_mine in zip(teams.target, mine, strict=True)
            ),
        ),
        limits=own,
        max_moves=None,
    )


def _cheapest_of_a_kind(part: Instance, charges: Floats) -> tuple[Instance, Ints]:
    """Of a project's arcs that differ in nothing but their price, only the cheapest, with all their room.

    With room in every pool nobody would take another; what is held today is a kind of its own.
    """
    arcs, projects = part.arcs, part.projects
    kinds: dict[tuple[int, str, int, int, int], list[int]] = {}
    for a, (j, p) in enumerate(zip(arcs.project.tolist(), arcs.pool.tolist(), strict=True)):
        held = a if arcs.wanted[a] else -1
        kind = (j, part.pools.types[p], part.pools.unit[p], int(arcs.own[a]), held)
        kinds.setdefault(kind, []).append(a)
    upper = arcs.upper.copy()
    chosen = np.zeros(len(upper), dtype=bool)
    for (j, *_), same in kinds.items():
        best = min(same, key=lambda a: float(charges[a]))
        chosen[best] = True
        if len(same) > 1:
            most = int(upper[same].max()) if projects.one_pool[j] == 1 else int(upper[same].sum())
            upper[best] = min(most, int(projects.most_share[j] * int(arcs.needed[best])))
    return keep_arcs(replace(part, arcs=replace(arcs, upper=upper)), chosen)


def loss_of(table: Table, aim: Aim, prices: Prices, priced: Priced, x: Ints) -> Floats:
    """How much less than its best every project gains in a plan, at the prices; shape (projects,)."""
    weights = project_weights(table, aim, prices)
    moves = move_charges(table, aim, prices, weights)
    units = x.astype(np.float64)
    compute = add_up(table.project, units * table.own, len(table.tier))
    paid = add_up(table.project, units * arc_charges(table, prices), len(table.tier))
    kept = add_up(table.project, np.minimum(units, table.wanted) * table.unit, len(table.tier))
    everyone = np.arange(len(table.tier))
    worth = weights * table.priority * value_of(table, everyone, compute)
    gained = worth - paid - moves * (table.holds - kept)
    return np.asarray(np.where(table.alive, np.maximum(0.0, priced.profit - gained), 0.0))
