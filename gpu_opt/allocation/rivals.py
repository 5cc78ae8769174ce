"""Who holds what a project lacks, and why it is not taken from them: one unit against another.

A plan is weighed at its margin. A rival loses the value of its last unit; the project gains that of its next.
Both are counted for each reference GPU that budgets count, so that they compare where pools differ.
Guarantees come first, then tiers, then value less the cost of a move: the goals of ``models/allocation.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from gpu_opt.allocation.barriers import Barrier, Situation
from gpu_opt.instance import MILLI, Ints

TOLERANCE = 1e-9
"""Share by which one value must be above another to count as more."""

NO_LEVEL = 1 << 30
"""Below every level of the tree: no guarantee is touched."""

NO_LIMIT = 1 << 62
"""More GPUs than are ever moved."""

FIELDS_IN_MIND = 1_000
"""Fields of which is kept what they promise as a team sees it: all those of a few teams."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Standing(StrEnum):
    """Why a unit of a rival is not the project's."""

    AHEAD = "ahead"
    """It is worth more where it is."""
    EQUAL = "equal"
    """It is worth as much."""
    GUARANTEED = "guaranteed"
    """Without it a team would fall below what it is promised, or further below."""
    PINNED = "pinned"
    """It is worth less, and pinned."""
    MOVES_SPENT = "moves_spent"
    """It is worth less, but may not be moved: too few moves are left."""
    MOVE_COST = "move_cost"
    """It is worth less, but not by the cost of a move."""
    BEHIND = "behind"
    """It is worth less, and nothing protects it."""


PLACES = {standing: place for place, standing in enumerate(Standing)}
"""What stands for a standing in arrays."""


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
    is_pinned: bool
    needs_moves: int
    """GPUs moved if it loses the unit."""
    guaranteed: tuple[int, ...]
    """Teams that would be short, or shorter, of their target without the unit."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Rivals, and what decides their standing, in columns of the same order."""

    rivals: Sequence[Rival]
    project: Ints
    arc: Ints
    pool: Ints
    tier: Ints
    worth: Floats
    worth_with_move: Floats
    is_pinned: Flags
    is_stuck: Flags
    """Too few moves are left for it to lose the unit."""
    chain: Ints
    """Teams above, from the root down, -1 where there is none; shape (rivals, levels of the tree)."""
    guaranteed: Flags
    """Whether the team of `chain` would be short without the unit; of its shape."""


@dataclass(frozen=True, slots=True)
class Some:
    """Some rivals of some fields: there may be thousands, and thousands who want to know of them."""

    places: tuple[tuple[Field, Ints], ...]
    """Fields, and the indices of theirs."""

    def __bool__(self) -> bool:
        return any(len(chosen) for _, chosen in self.places)

    def arcs(self) -> Ints:
        """Where they are, each once."""
        each = [field.arc[chosen] for field, chosen in self.places if len(chosen)]
        return each[0] if len(each) == 1 else np.flatnonzero(np.bincount(np.concatenate(each)))

    def guaranteed(self) -> set[int]:
        """Teams that would be short of their target without one of the units."""
        return {
            n
            for field, chosen in self.places
            for n in np.unique(field.chain[chosen][field.guaranteed[chosen]]).tolist()
        }

    def highest_tier(self) -> int:
        """The tier that is decided first of theirs."""
        return min(int(field.tier[chosen].min()) for field, chosen in self.places if len(chosen))


class Contest:
    """The rivals in every pool, found once for a plan."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        instance = situation.instance
        self.by_pool: list[list[Rival]] = [[] for _ in instance.pools.names]
        for a in situation.x.nonzero()[0].tolist():
            self.by_pool[int(instance.arcs.pool[a])].append(_rival(situation, a))
        for rivals in self.by_pool:
            rivals.sort(key=lambda one: (-one.tier, one.worth))
        self.in_pool = cache(lambda pool: _field(situation, self.by_pool[pool]))
        self.under = cache(self._under)
        self.promised = lru_cache(FIELDS_IN_MIND)(lambda field, team: _promised(situation, field, team))

    def _under(self, team: int) -> Field:
        """Rivals of all pools under a team."""
        return _field(
            self.situation,
            [
                rival
                for rivals in self.by_pool
                for rival in rivals
                if team in self.situation.chain(rival.project)
            ],
        )

    def standings(self, arc: int, units: int, blocked_by: Sequence[Barrier]) -> tuple[Field, Ints]:
        """Rivals, and the place of each one's standing in :data:`PLACES`; -1: its unit would make no room."""
        situation = self.situation
        instance = situation.instance
        project, pool = int(instance.arcs.project[arc]), int(instance.arcs.pool[arc])
        limits = [instance.limits[each.place] for each in blocked_by if each.family == "type_limit"]
        teams = {each.place for each in blocked_by if each.family == "team_cap"}
        teams |= {limit.team for limit in limits}
        if any(each.family == "pool_capacity" for each in blocked_by):
            field = self.in_pool(pool)
        elif teams:
            field = self.under(max(teams, key=lambda n: instance.teams.level[n]))
        else:
            field = _field(situation, ())
        makes_room = field.project != project
        for team in teams:
            makes_room &= field.chain[:, instance.teams.level[team]] == team
        for kind in {limit.gpu_type for limit in limits}:
            makes_room &= np.array([each == kind for each in instance.pools.types])[field.pool]
        gain = _worth_of(situation, project, units, arc)
        promised = self.promised(field, instance.projects.team[project])
        return field, np.where(makes_room, _standing(situation, field, promised, project, gain), -1)


def having(standings: Iterable[tuple[Field, Ints]], standing: Standing) -> Some:
    """The rivals of one standing."""
    place = PLACES[standing]
    return Some(tuple((field, np.flatnonzero(found == place)) for field, found in standings))


def _field(situation: Situation, rivals: Sequence[Rival]) -> Field:
    instance = situation.instance
    moves_left = NO_LIMIT if situation.moves_left is None else situation.moves_left
    levels = 1 + max(instance.teams.level, default=0)
    chain = np.full((len(rivals), levels), -1)
    guaranteed = np.zeros((len(rivals), levels), dtype=bool)
    for i, rival in enumerate(rivals):
        above = situation.chain(rival.project)[::-1]
        chain[i, : len(above)] = above
        guaranteed[i, [instance.teams.level[n] for n in rival.guaranteed]] = True
    return Field(
        rivals,
        np.array([rival.project for rival in rivals], dtype=np.int64),
        np.array([rival.arc for rival in rivals], dtype=np.int64),
        np.array([instance.arcs.pool[rival.arc] for rival in rivals], dtype=np.int64),
        np.array([rival.tier for rival in rivals], dtype=np.int64),
        np.array([rival.worth for rival in rivals], dtype=np.float64),
        np.array([rival.worth + rival.move_cost for rival in rivals], dtype=np.float64),
        np.array([rival.is_pinned for rival in rivals], dtype=bool),
        np.array([rival.needs_moves > moves_left for rival in rivals], dtype=bool),
        chain,
        guaranteed,
    )


def gain(situation: Situation, arc: int, units: int) -> float:
    """Weighted value of so many more units on the arc, for each reference GPU that budgets count."""
    project = int(situation.instance.arcs.project[arc])
    return _worth_of(situation, project, units, arc)


def helps_guarantee(situation: Situation, project: int) -> bool:
    """Whether a team above the project is short of its target."""
    return _short_level(situation, project) < NO_LEVEL


def _rival(situation: Situation, arc: int) -> Rival:
    instance = situation.instance
    project, pool = int(instance.arcs.project[arc]), int(instance.arcs.pool[arc])
    have, each = int(situation.own[project]), int(instance.arcs.own[arc])
    counted = instance.pools.unit_compute[pool]
    if have - each < instance.projects.minimum[project]:  # it would give up all that it has
        own = instance.projects.arcs[project]
        units = situation.x[own.start : own.stop]
        compute = [instance.pools.unit_compute[int(instance.arcs.pool[a])] for a in own]
        all_of_it = int((units * compute).sum())
        worth = _value(situation, project, have) * MILLI / all_of_it
    else:
        worth = (_value(situation, project, have) - _value(situation, project, have - each)) * MILLI / counted
    is_move = situation.x[arc] <= instance.arcs.wanted[arc]
    moved = instance.pools.unit[pool] if is_move else 0
    return Rival(
        project=project,
        arc=arc,
        tier=instance.projects.tier[project],
        worth=worth,
        move_cost=float(instance.move_cost) * moved * MILLI / counted,
        is_pinned=instance.projects.pinned[project] and bool(is_move),
        needs_moves=moved,
        guaranteed=tuple(
            n
            for n in situation.chain(project)
            if instance.teams.target[n] and int(situation.total[n]) - counted < situation.goal[n]
        ),
    )


def _promised(situation: Situation, field: Field, team: int) -> Ints:
    """The highest level at which a rival's unit keeps a guarantee that a team's projects are not under."""
    chain = np.full(field.chain.shape[1], -2)
    above = situation.chains[team][::-1]
    chain[: len(above)] = above
    kept = field.guaranteed & (field.chain != chain)
    return np.where(kept.any(axis=1), kept.argmax(axis=1), NO_LEVEL)


def _standing(situation: Situation, field: Field, promised: Ints, project: int, gain: float) -> Ints:
    """The place of every rival's standing against a project that gains so much for each reference GPU.

    Of several reasons the one that is written last.
    """
    tier, short_level = situation.instance.projects.tier[project], _short_level(situation, project)
    a_little_less, a_little_more = gain * (1 - TOLERANCE), gain / (1 - TOLERANCE)
    same = promised == short_level
    same_tier = same & (field.tier == tier)
    place = np.full(len(promised), PLACES[Standing.BEHIND])
    place[same_tier & (field.worth_with_move >= a_little_less)] = PLACES[Standing.MOVE_COST]
    place[field.is_stuck] = PLACES[Standing.MOVES_SPENT]
    place[field.is_pinned] = PLACES[Standing.PINNED]
    place[same_tier & (field.worth >= a_little_less)] = PLACES[Standing.EQUAL]
    place[same_tier & (field.worth > a_little_more)] = PLACES[Standing.AHEAD]
    place[same & (field.tier < tier) & (field.worth > 0)] = PLACES[Standing.AHEAD]
    place[promised < short_level] = PLACES[Standing.GUARANTEED]
    return place


def _short_level(situation: Situation, project: int) -> int:
    """The highest level at which a team above the project is short of its target."""
    teams = situation.instance.teams
    short = [n for n in situation.chain(project) if situation.total[n] < situation.goal[n]]
    return min((teams.level[n] for n in short), default=NO_LEVEL)


def _worth_of(situation: Situation, project: int, units: int, arc: int) -> float:
    instance, have = situation.instance, int(situation.own[project])
    more = units * int(instance.arcs.own[arc])
    counted = units * instance.pools.unit_compute[int(instance.arcs.pool[arc])]
    gained = _value(situation, project, have + more) - _value(situation, project, have)
    return gained * MILLI / counted


def _value(situation: Situation, project: int, milli: int) -> float:
    """π_j Σ_k b_k v_jk of so much compute of its own."""
    projects = situation.instance.projects
    demand, left, worth = projects.demand[project], milli / MILLI, 0.0
    for share, each in situation.segments:
        piece = min(left, share * demand / MILLI)
        worth += each * piece
        left -= piece
    return worth * projects.priority[project]
