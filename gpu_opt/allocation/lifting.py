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

from gpu_opt.allocation.ledger import Ledger, grant, projects_under, room
from gpu_opt.allocation.shares import open_arcs, units_left
from gpu_opt.allocation.spread import may_use
from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.instance import MILLI, Ints


@dataclass(slots=True)
class Donors:
    """Arcs that can spare a unit for one team: not its own, and nothing that was met is missed then."""

    ledger: Ledger
    team: int
    goals: dict[int, int]
    """Milli-compute that is promised, by team."""
    holding: Ints
    """Arcs that could lose a unit when the lifting began, those that lose least first."""
    left: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """Arcs that are still to be asked, by what they would make room in, those that lose least last."""

    def in_pool(self, pool: int) -> Iterator[int]:
        """Arcs of the pool that can spare a unit."""
        return self._asked(("pool", pool), self.ledger.instance.arcs.pool[self.holding] == pool)

    def under_limit(self, limit: int) -> Iterator[int]:
        """Arcs that the limit counts and that can spare a unit."""
        return self._asked(("limit", limit), np.isin(self.holding, self.ledger.instance.limits[limit].arcs))

    def _asked(self, place: tuple[str, int], among: Flags) -> Iterator[int]:
        """Those among the arcs that can spare a unit; the first ones that cannot are not asked again."""
        left = self.left.setdefault(place, self.holding[among][::-1].tolist())
        while left and not self._can_spare(left[-1]):
            left.pop()
        yield from (arc for arc in reversed(left) if self._can_spare(arc))

    def _can_spare(self, arc: int) -> bool:
        """Whether a unit can be taken from the arc now."""
        ledger, instance = self.ledger, self.ledger.instance
        arcs, projects = instance.arcs, instance.projects
        project, units = int(arcs.project[arc]), int(ledger.x[arc])
        chain, counted = ledger.chain(project), instance.pools.unit_compute[int(arcs.pool[arc])]
        is_held = units <= arcs.wanted[arc] and (projects.pinned[project] or instance.max_moves is not None)
        return (
            units > 0
            and not is_held
            and self.team not in chain
            and ledger.own[project] - int(arcs.own[arc]) >= projects.minimum[project]
            and all(ledger.total[n] - counted >= self.goals[n] for n in chain if n in self.goals)
        )


def lift(ledger: Ledger) -> None:
    """Lift every team below its target as far as single units can, from the top of the tree down.

    Units that are given here are not taken away again.
    """
    teams = ledger.instance.teams
    goals = {n: math.ceil(target * MILLI) for n, target in enumerate(teams.target) if target}
    short = [n for n, goal in goals.items() if ledger.total[n] < goal]
    if not short:
        return
    holding = _holding(ledger)
    under = projects_under(ledger, short, range(len(ledger.own)))
    for n in sorted(short, key=lambda team: teams.level[team]):
        donors = Donors(ledger, n, goals, holding)
        while ledger.total[n] < goals[n]:
            if not _lift_once(ledger, under[n], donors):
                break


def _lift_once(ledger: Ledger, under: list[int], donors: Donors) -> bool:
    """Give every arc of the projects `under` the team what it may have; whether any was given something."""
    team, before = donors.team, ledger.total[donors.team]
    for arc in _open_arcs(ledger, under):
        while ledger.total[team] < donors.goals[team]:
            if not _lift_by_one(ledger, arc, donors):
                break
    return ledger.total[team] > before


def _open_arcs(ledger: Ledger, under: list[int]) -> list[int]:
    """Arcs of the projects that might get more, those with most value for their compute first."""
    instance = ledger.instance
    projects = instance.projects
    arcs = open_arcs(instance, ledger.x, under)
    project = instance.arcs.project[arcs].tolist()
    worth = np.array([projects.priority[j] for j in project]) * instance.arcs.own[arcs]
    order = np.lexsort((-worth, [projects.tier[j] for j in project]))
    return [int(a) for a in arcs[order]]


def _lift_by_one(ledger: Ledger, arc: int, donors: Donors) -> bool:
    """Give a unit to a project that may have it: a free one, or that of whom it costs least."""
    if not _may_have_more(ledger, int(ledger.instance.arcs.project[arc]), arc):
        return False
    if room(ledger, arc):
        grant(ledger, arc, 1)
        return True
    for donor in _in_the_way(ledger, arc, donors):
        grant(ledger, donor, -1)
        if room(ledger, arc):
            grant(ledger, arc, 1)
            return True
        grant(ledger, donor, 1)
    return False


def _in_the_way(ledger: Ledger, arc: int, donors: Donors) -> Iterator[int]:
    """Arcs that could make room for a unit on the arc; none where a cap is in the way."""
    pool = int(ledger.instance.arcs.pool[arc])
    if ledger.pool_free[pool] <= 0:
        return donors.in_pool(pool)
    limits = ledger.limits_above[ledger.instance.projects.team[int(ledger.instance.arcs.project[arc])]]
    full = (i for i in limits if ledger.counts[i][pool] and ledger.limit_free[i] < ledger.unit[pool])
    return next((donors.under_limit(i) for i in full), iter(()))


def _may_have_more(ledger: Ledger, project: int, arc: int) -> bool:
    """Whether one more unit keeps the project's demand, its minimum and its pools."""
    instance = ledger.instance
    compute = ledger.own[project] + int(instance.arcs.own[arc])
    enough = compute >= instance.projects.minimum[project] and ledger.x[arc] < instance.arcs.upper[arc]
    return enough and may_use(instance, ledger.x, arc) and units_left(instance, ledger.x, arc) >= 1


def _holding(ledger: Ledger) -> Ints:
    """Arcs whose projects can do with a unit less, those of late tiers and low priorities first."""
    instance, projects = ledger.instance, ledger.instance.projects
    arcs = np.flatnonzero(ledger.x)
    project = instance.arcs.project[arcs]
    left = np.array(ledger.own, dtype=np.int64)[project] - instance.arcs.own[arcs]
    is_bound = np.array(projects.pinned, dtype=bool)[project] | (instance.max_moves is not None)
    is_held = is_bound & (ledger.x[arcs] <= instance.arcs.wanted[arcs])
    arcs = arcs[(left >= np.array(projects.minimum, dtype=np.int64)[project]) & ~is_held]
    project = instance.arcs.project[arcs]
    order = np.lexsort((-arcs, np.array(projects.priority)[project], -np.array(projects.tier)[project]))
    return arcs[order]
