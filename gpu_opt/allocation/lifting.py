"""Bringing teams up to their targets, unit by unit: free units first, then units of projects that lose least.

A rounded relaxation misses a guarantee by a few units, because every project's units were rounded down.
Units that other teams can spare without missing theirs are passed on here, so that the plan is not lost for
so little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gpu_opt.allocation.ledger import Ledger, grant, limits_on, projects_under, room
from gpu_opt.allocation.shares import open_arcs, units_left
from gpu_opt.allocation.spread import may_use
from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.instance import MILLI, Ints

Place = tuple[str, int]
"""What is full: ("pool", its index) or ("limit", its index)."""


@dataclass(slots=True)
class Donors:
    """Arcs that can spare a unit for one team: not its own, and nothing that was met is missed then."""

    ledger: Ledger
    team: int
    goals: dict[int, int]
    """Milli-compute that is promised, by team."""
    holding: Ints
    """Arcs that could lose a unit when the lifting began, those that lose least first."""
    may_move: bool
    """Whether they may be units that somebody holds and wants."""
    taking: dict[Place, list[int]]
    """Arcs of `holding` that take up room, by where, in their order; found once for all teams."""
    asked: dict[Place, int] = field(default_factory=dict)
    """How many of the first of those have nothing to spare for this team."""

    def sparing(self, place: Place) -> Iterator[int]:
        """Arcs that take up room there and can spare a unit; the first that cannot are not asked again."""
        if place not in self.taking:
            self.taking[place] = self.holding[self._takes_up(place)].tolist()
        arcs, begin = self.taking[place], self.asked.get(place, 0)
        while begin < len(arcs) and not self._can_spare(arcs[begin]):
            begin += 1
        self.asked[place] = begin
        yield from (arcs[i] for i in range(begin, len(arcs)) if self._can_spare(arcs[i]))

    def _takes_up(self, place: Place) -> Flags:
        kind, index = place
        arcs = self.ledger.instance.arcs
        if kind == "pool":
            return np.asarray(arcs.pool[self.holding] == index)
        is_counted = np.zeros(len(arcs.pool), dtype=bool)
        is_counted[self.ledger.instance.limits[index].arcs] = True
        return np.asarray(is_counted[self.holding])

    def _can_spare(self, arc: int) -> bool:
        """Whether a unit can be taken from the arc now."""
        ledger, instance = self.ledger, self.ledger.instance
        arcs, projects = instance.arcs, instance.projects
        project = int(arcs.project[arc])
        chain, counted = ledger.chain(project), instance.pools.unit_compute[int(arcs.pool[arc])]
        return (
            self._is_loose(arc)
            and self.team not in chain
            and ledger.own[project] - int(arcs.own[arc]) >= projects.minimum[project]
            and all(ledger.total[n] - counted >= self.goals[n] for n in chain if n in self.goals)
        )

    def _is_loose(self, arc: int) -> bool:
        """Whether a unit can be taken from the arc as far as pins and moves go."""
        ledger, instance, units = self.ledger, self.ledger.instance, int(self.ledger.x[arc])
        if units > instance.arcs.wanted[arc] or not units:
            return units > 0
        unit = instance.pools.unit[int(instance.arcs.pool[arc])]
        may_move = self.may_move and (ledger.moves_free is None or ledger.moves_free >= unit)
        return may_move and not instance.projects.pinned[int(instance.arcs.project[arc])]


def lift(ledger: Ledger) -> None:
    """Lift every team below its target as far as single units can, from the top of the tree down.

    Units that are given here are not taken away again. Where moves are few, they are spent on what cannot
    be had without.
    """
    for may_move in (True,) if ledger.moves_free is None else (False, True):
        _lift_all(ledger, may_move)


def _lift_all(ledger: Ledger, may_move: bool) -> None:
    teams = ledger.instance.teams
    goals = {n: math.ceil(target * MILLI) for n, target in enumerate(teams.target) if target}
    short = [n for n, goal in goals.items() if ledger.total[n] < goal]
    if not short:
        return
    holding = _holding(ledger, may_move)
    taking: dict[Place, list[int]] = {}
    under = projects_under(ledger, short, range(len(ledger.own)))
    for n in sorted(short, key=lambda team: teams.level[team]):
        donors = Donors(ledger, n, goals, holding, may_move, taking)
        while ledger.total[n] < goals[n]:
            if not _lift_once(ledger, under[n], donors):
                break


def _lift_once(ledger: Ledger, under: list[int], donors: Donors) -> bool:
    """Give every arc of the projects `under` the team what it may have; whether any was given something."""
    team, before = donors.team, ledger.total[donors.team]
    for arc in _open_arcs(ledger, under, by_move=donors.may_move and ledger.moves_free is not None):
        while ledger.total[team] < donors.goals[team]:
            if not _lift_by_one(ledger, arc, donors):
                break
    return ledger.total[team] > before


def _open_arcs(ledger: Ledger, under: list[int], by_move: bool) -> list[int]:
    """Arcs of the projects that might get more, those with most value first; or most compute for a move."""
    instance = ledger.instance
    projects = instance.projects
    arcs = open_arcs(instance, ledger.x, under)
    project = instance.arcs.project[arcs].tolist()
    worth = np.array([projects.priority[j] for j in project]) * instance.arcs.own[arcs]
    pool = instance.arcs.pool[arcs]
    per_move = (ledger.unit_compute / ledger.unit)[pool] if by_move else np.zeros(len(arcs))
    order = np.lexsort((-worth, [projects.tier[j] for j in project], -per_move))
    return [int(a) for a in arcs[order]]


def _lift_by_one(ledger: Ledger, arc: int, donors: Donors) -> bool:
    """Give a unit to a project that may have it: a free one, or that of whom it costs least."""
    if not _may_have_more(ledger, int(ledger.instance.arcs.project[arc]), arc):
        return False
    if room(ledger, arc):
        grant(ledger, arc, 1)
        return True
    place = _full_place(ledger, arc)
    if place is None:
        return False  # a cap is in the way: nobody's unit would help
    for donor in donors.sparing(place):
        grant(ledger, donor, -1)
        if room(ledger, arc):
            grant(ledger, arc, 1)
            return True
        grant(ledger, donor, 1)
    return False


def _full_place(ledger: Ledger, arc: int) -> Place | None:
    """What has no room for a unit on the arc; None if it is a cap."""
    pool = int(ledger.instance.arcs.pool[arc])
    if ledger.pool_free[pool] <= 0:
        return "pool", pool
    limits = limits_on(ledger, int(ledger.instance.arcs.project[arc]), pool)
    full = (i for i in limits if ledger.limit_free[i] < ledger.unit[pool])
    return next((("limit", i) for i in full), None)


def _may_have_more(ledger: Ledger, project: int, arc: int) -> bool:
    """Whether one more unit keeps the project's demand, its minimum and its pools."""
    instance = ledger.instance
    compute = ledger.own[project] + int(instance.arcs.own[arc])
    enough = compute >= instance.projects.minimum[project] and ledger.x[arc] < instance.arcs.upper[arc]
    return enough and may_use(instance, ledger.x, arc) and units_left(instance, ledger.x, arc) >= 1


def _holding(ledger: Ledger, may_move: bool) -> Ints:
    """Arcs whose projects can do with a unit less: those of late tiers and low priorities first."""
    instance, projects = ledger.instance, ledger.instance.projects
    arcs = np.flatnonzero(ledger.x)
    project = instance.arcs.project[arcs]
    left = np.array(ledger.own, dtype=np.int64)[project] - instance.arcs.own[arcs]
    is_bound = np.array(projects.pinned, dtype=bool)[project] | (not may_move)
    is_held = is_bound & (ledger.x[arcs] <= instance.arcs.wanted[arcs])
    arcs = arcs[(left >= np.array(projects.minimum, dtype=np.int64)[project]) & ~is_held]
    project = instance.arcs.project[arcs]
    order = np.lexsort((-arcs, np.array(projects.priority)[project], -np.array(projects.tier)[project]))
    return np.asarray(arcs[order])
