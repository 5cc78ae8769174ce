"""Who holds what a project lacks, and what the last unit of it is worth to them.

A plan is weighed at its margin. A rival loses the value of its last unit; the project gains that of its next.
Both are counted for each reference GPU that budgets count, so that they compare where pools differ. Against
whom a rival keeps its unit, :mod:`gpu_opt.allocation.weighing` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.barriers import Situation
from gpu_opt.instance import MILLI, Ints, add_up

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NO_LEVEL = 1 << 30
"""Below every level of the tree: no guarantee is touched."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A project that has units of a pool, and what the last of them is worth."""

    project: int
    arc: int
    tier: int
    worth: float
    """Weighted value of its last unit, for each reference GPU."""
    move_cost: float
    """Cost of moving it, for each reference GPU; 0: it would be no move."""
    guaranteed: tuple[int, ...]
    """Teams that would be short, or shorter, of their target without the unit; from the root down."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """All rivals in columns: pool by pool, in each the last tier first, in that the least worth first."""

    project: Ints
    arc: Ints
    pool: Ints
    tier: Ints
    gpus: Ints
    """What it has there."""
    worth: Floats
    move_cost: Floats
    is_pinned: Flags
    needs_moves: Ints
    """GPUs moved if it loses the unit."""
    chain: Ints
    """Teams above, from the root down, -1 where there is none; shape (rivals, levels of the tree)."""
    guaranteed: Flags
    """Whether the team of `chain` would be short without the unit; of its shape."""

    def of_pool(self, pool: int) -> Ints:
        """The rivals in a pool, by index."""
        begin, end = np.searchsorted(self.pool, (pool, pool + 1)).tolist()
        return np.arange(begin, end)


class Contest:
    """The rivals in every pool, found once for a plan."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.field = _field(situation)
        """All of them, in columns."""
        self.in_pool = cache(lambda pool: self._rivals(self.field.of_pool(pool)))
        """By pool, as objects."""
        self.under = cache(lambda team: self._rivals(np.flatnonzero((self.field.chain == team).any(axis=1))))
        """Those of all pools under a team, likewise."""

    def _rivals(self, chosen: Ints) -> list[Rival]:
        field = self.field
        columns = (field.project, field.arc, field.tier, field.worth, field.move_cost)
        guaranteed = (
            tuple(chain[kept].tolist())
            for chain, kept in zip(field.chain[chosen], field.guaranteed[chosen], strict=True)
        )
        each = zip(*(column[chosen].tolist() for column in columns), guaranteed, strict=True)
        return [Rival(*of_one) for of_one in each]


def gain(situation: Situation, arc: int, units: int) -> float:
    """Weighted value of so many more units on the arc, for each reference GPU that budgets count."""
    return float(gains(situation, [arc], [units])[0])


def gains(situation: Situation, arcs: Sequence[int], units: Sequence[int]) -> Floats:
    """:func:`gain` of each of some arcs, shape (arcs,)."""
    instance, at = situation.instance, np.array(arcs, dtype=np.int64)
    number = np.array(units, dtype=np.int64)
    project, have = instance.arcs.project[at], situation.own[instance.arcs.project[at]]
    counted = number * situation.unit_compute[instance.arcs.pool[at]]
    more = _value(situation, project, have + number * instance.arcs.own[at])
    gained: Floats = (more - _value(situation, project, have)) * MILLI / counted
    return gained


def helps_guarantee(situation: Situation, project: int) -> bool:
    """Whether a team above the project is short of its target."""
    return short_level(situation, situation.instance.projects.team[project]) < NO_LEVEL


def short_level(situation: Situation, team: int) -> int:
    """The highest level at which the team, or one above it, is short of its target."""
    level = situation.instance.teams.level
    short = [n for n in situation.chains[team] if situation.total[n] < situation.goal[n]]
    return min((level[n] for n in short), default=NO_LEVEL)


def rows_of_teams(situation: Situation) -> Ints:
    """The teams from the root down to each team, -1 below it; shape (teams, levels of the tree)."""
    level = situation.instance.teams.level
    rows = np.full((len(level), 1 + max(level, default=0)), -1)
    for n, chain in enumerate(situation.chains):
        rows[n, : len(chain)] = chain[::-1]
    return rows


def _field(situation: Situation) -> Field:
    instance, x = situation.instance, situation.x
    projects, pools, arcs = instance.projects, instance.pools, instance.arcs
    a = np.flatnonzero(x)
    j, p = arcs.project[a], arcs.pool[a]
    unit = np.array(pools.unit, dtype=np.int64)[p]
    tier = np.array(projects.tier, dtype=np.int64)[j]
    is_move = x[a] <= arcs.wanted[a]
    worth, counted = _worth(situation, a), situation.unit_compute[p]
    needs_moves = np.where(is_move, unit, 0)
    chain = rows_of_teams(situation)[np.array(projects.team, dtype=np.int64)[j]]
    targets = np.array([target > 0 for target in instance.teams.target], dtype=bool)
    left = situation.total[chain] - counted[:, None]
    short = left < np.array(situation.goal, dtype=np.int64)[chain]
    order = np.lexsort((a, worth, -tier, p))
    return Field(
        j[order],
        a[order],
        p[order],
        tier[order],
        (x[a] * unit)[order],
        worth[order],
        (float(instance.move_cost) * needs_moves * MILLI / counted)[order],
        (np.array(projects.pinned, dtype=bool)[j] & is_move)[order],
        needs_moves[order],
        chain[order],
        ((chain >= 0) & targets[chain] & short)[order],
    )


def _worth(situation: Situation, arcs: Ints) -> Floats:
    """Value of the last unit on each arc, for each reference GPU; of all it has where that would be lost."""
    instance = situation.instance
    project, pool = instance.arcs.project[arcs], instance.arcs.pool[arcs]
    counted = situation.unit_compute[pool]
    everything = add_up(project, situation.x[arcs] * counted, len(instance.projects.names))[project]
    have = situation.own[project]
    left = have - instance.arcs.own[arcs]
    gives_all = left < np.array(instance.projects.minimum, dtype=np.int64)[project]
    value = _value(situation, project, have)
    lost = np.where(gives_all, value, value - _value(situation, project, left))
    worth: Floats = lost * MILLI / np.where(gives_all, everything, counted)
    return worth


def _value(situation: Situation, project: Ints, milli: Ints) -> Floats:
    """π_j Σ_k b_k v_jk of so much compute of its own, for each of some projects."""
    demand, priority = situation.demand[project], situation.priority[project]
    left, worth = milli / MILLI, np.zeros(len(project))
    for share, each in situation.segments:
        piece = np.minimum(left, share * demand / MILLI)
        worth += each * piece
        left = left - piece
    valued: Floats = worth * priority
    return valued
