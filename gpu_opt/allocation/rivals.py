"""Who holds what a project lacks, and why it is not taken from them: one unit against another.

A plan is weighed at its margin. A rival loses the value of its last unit; the project gains that of its next.
Both are counted for each reference GPU that budgets count, so that they compare where pools differ.
Guarantees come first, then tiers, then value less the cost of a move: the goals of ``models/allocation.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from gpu_opt.allocation.barriers import Barrier, Situation
from gpu_opt.instance import MILLI, Instance

TOLERANCE = 1e-9
"""Share by which one value must be above another to count as more."""

NO_LEVEL = 1 << 30
"""Below every level of the tree: no guarantee is touched."""


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
        self.under = cache(self._under)

    def _under(self, team: int) -> tuple[Rival, ...]:
        """Rivals of all pools under a team."""
        return tuple(
            rival
            for rivals in self.by_pool
            for rival in rivals
            if team in self.situation.chain(rival.project)
        )

    def standings(self, arc: int, units: int, blocked_by: Sequence[Barrier]) -> list[tuple[Rival, Standing]]:
        """Every rival whose unit would make room on the arc, with why it does not."""
        situation = self.situation
        instance = situation.instance
        project, pool = int(instance.arcs.project[arc]), int(instance.arcs.pool[arc])
        teams = {each.index for each in blocked_by if each.family == "team_cap"}
        limits = [instance.limits[each.index] for each in blocked_by if each.family == "type_limit"]
        if any(each.family == "pool_capacity" for each in blocked_by):
            candidates: Iterable[Rival] = self.by_pool[pool]
        else:
            above = {*teams, *(limit.team for limit in limits)}
            candidates = self.under(max(above, key=lambda n: instance.teams.level[n])) if above else ()
        teams |= {limit.team for limit in limits}
        kinds = {limit.gpu_type for limit in limits}
        gain = _worth_of(instance, project, int(situation.own[project]), units, arc)
        challenger = _Challenger(
            instance.projects.tier[project],
            gain,
            frozenset(situation.chain(project)),
            _short_level(situation, project),
        )
        return [
            (rival, _standing(situation, rival, challenger))
            for rival in candidates
            if rival.project != project
            and (not teams or teams <= set(situation.chain(rival.project)))
            and (not kinds or kinds <= {instance.pools.types[int(instance.arcs.pool[rival.arc])]})
        ]


def gain(situation: Situation, arc: int, units: int) -> float:
    """Weighted value of so many more units on the arc, for each reference GPU that budgets count."""
    project = int(situation.instance.arcs.project[arc])
    return _worth_of(situation.instance, project, int(situation.own[project]), units, arc)


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
        worth = _value(instance, project, have) * MILLI / all_of_it
    else:
        worth = (_value(instance, project, have) - _value(instance, project, have - each)) * MILLI / counted
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
            if instance.teams.target[n]
            and int(situation.total[n]) - counted < instance.teams.target[n] * MILLI
        ),
    )


@dataclass(frozen=True, slots=True)
class _Challenger:
    """The project that lacks something, on one arc."""

    tier: int
    gain: float
    """Weighted value of what it would get, for each reference GPU."""
    chain: frozenset[int]
    short_level: int


def _standing(situation: Situation, rival: Rival, challenger: _Challenger) -> Standing:
    levels = situation.instance.teams.level
    tier, gain, short_level = challenger.tier, challenger.gain, challenger.short_level
    promised = NO_LEVEL
    if rival.guaranteed:
        promised = min((levels[n] for n in rival.guaranteed if n not in challenger.chain), default=NO_LEVEL)
    if promised < short_level:
        return Standing.GUARANTEED
    if promised == short_level:
        if tier > rival.tier and rival.worth > 0:
            return Standing.AHEAD
        if tier == rival.tier and not _is_more(gain, rival.worth):
            return Standing.AHEAD if _is_more(rival.worth, gain) else Standing.EQUAL
    if rival.is_pinned:
        return Standing.PINNED
    if situation.moves_left is not None and rival.needs_moves > situation.moves_left:
        return Standing.MOVES_SPENT
    if promised == short_level and tier == rival.tier and not _is_more(gain, rival.worth + rival.move_cost):
        return Standing.MOVE_COST
    return Standing.BEHIND


def _is_more(value: float, other: float) -> bool:
    return value > other + TOLERANCE * max(abs(value), abs(other))


def _short_level(situation: Situation, project: int) -> int:
    """The highest level at which a team above the project is short of its target."""
    teams = situation.instance.teams
    short = [n for n in situation.chain(project) if situation.total[n] < teams.target[n] * MILLI]
    return min((teams.level[n] for n in short), default=NO_LEVEL)


def _worth_of(instance: Instance, project: int, have: int, units: int, arc: int) -> float:
    more = units * int(instance.arcs.own[arc])
    counted = units * instance.pools.unit_compute[int(instance.arcs.pool[arc])]
    return (_value(instance, project, have + more) - _value(instance, project, have)) * MILLI / counted


def _value(instance: Instance, project: int, milli: int) -> float:
    """π_j Σ_k b_k v_jk of so much compute of its own."""
    demand, left, worth = instance.projects.demand[project], milli / MILLI, 0.0
    for share, each in instance.segments:
        piece = min(left, float(share) * demand / MILLI)
        worth += float(each) * piece
        left -= piece
    return worth * instance.projects.priority[project]
