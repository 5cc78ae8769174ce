"""Bringing teams up to their targets, unit by unit: free units first, then units of projects that lose least.

A rounded relaxation misses a guarantee by a few units, because every project's units were rounded down.
Units that other teams can spare without missing theirs are passed on here, so that the plan is not lost for
so little.
"""

from __future__ import annotations

import numpy as np

from gpu_opt.allocation.greedy import Ledger, grant, room
from gpu_opt.allocation.shares import units_left
from gpu_opt.allocation.spread import may_use
from gpu_opt.instance import MILLI


def lift(ledger: Ledger) -> None:
    """Lift every team below its target as far as single units can, from the top of the tree down."""
    teams = ledger.instance.teams
    short = [n for n, target in enumerate(teams.target) if target * MILLI > int(ledger.total[n])]
    for n in sorted(short, key=lambda team: teams.level[team]):
        arcs = _arcs_under(ledger, n)
        while ledger.total[n] < teams.target[n] * MILLI:
            if not any(_lift_by_one(ledger, n, arc) for arc in arcs):
                break


def _arcs_under(ledger: Ledger, team: int) -> list[int]:
    """Arcs of the team's projects, those with most value for their compute first."""
    projects, arcs = ledger.instance.projects, ledger.instance.arcs
    under = [a for j, chain in enumerate(ledger.chains) if team in chain for a in projects.arcs[j]]

    def worth(arc: int) -> tuple[int, float]:
        j = int(arcs.project[arc])
        return projects.tier[j], -projects.priority[j] * int(arcs.own[arc])

    return sorted(under, key=worth)


def _lift_by_one(ledger: Ledger, team: int, arc: int) -> bool:
    """Give a unit to a project that may have it, from the pool's free units or from whom it costs least."""
    project = int(ledger.instance.arcs.project[arc])
    if not _may_have_more(ledger, project, arc):
        return False
    if room(ledger, arc):
        grant(ledger, arc, 1)
        return True
    pool = int(ledger.instance.arcs.pool[arc])
    if ledger.pool_free[pool] > 0:
        return False  # a cap or a limit is in the way: nobody's unit would help
    for donor in _donors(ledger, team, pool):
        grant(ledger, donor, -1)
        if room(ledger, arc):
            grant(ledger, arc, 1)
            return True
        grant(ledger, donor, 1)
    return False


def _may_have_more(ledger: Ledger, project: int, arc: int) -> bool:
    """Whether one more unit keeps the project's demand, its minimum and its pools."""
    instance = ledger.instance
    own = instance.projects.arcs[project]
    units = ledger.x[own.start : own.stop]
    compute = int((units * instance.arcs.own[own.start : own.stop]).sum()) + int(instance.arcs.own[arc])
    enough = compute >= instance.projects.minimum[project] and ledger.x[arc] < instance.arcs.upper[arc]
    return enough and may_use(instance, ledger.x, arc) and units_left(instance, ledger.x, arc) >= 1


def _donors(ledger: Ledger, team: int, pool: int) -> list[int]:
    """Arcs in the pool that can spare a unit: not of this team, and nothing that was met is missed then."""
    instance = ledger.instance
    arcs, projects, teams = instance.arcs, instance.projects, instance.teams
    counted = instance.pools.unit_compute[pool]
    may_move = instance.max_moves is None
    found = []
    for arc in np.flatnonzero((arcs.pool == pool) & (ledger.x > 0)).tolist():
        j = int(arcs.project[arc])
        own = projects.arcs[j]
        left = int((ledger.x[own.start : own.stop] * arcs.own[own.start : own.stop]).sum()) - int(
            arcs.own[arc]
        )
        is_held = ledger.x[arc] <= arcs.wanted[arc]
        keeps = left >= projects.minimum[j] and not (is_held and (projects.pinned[j] or not may_move))
        spares = all(
            ledger.total[n] - counted >= teams.target[n] * MILLI for n in ledger.chains[j] if teams.target[n]
        )
        if keeps and spares and team not in ledger.chains[j]:
            found.append((projects.tier[j], -projects.priority[j], arc))
    return [arc for _, _, arc in sorted(found, reverse=True)]
