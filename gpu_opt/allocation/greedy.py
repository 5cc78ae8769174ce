"""Plans without a solver: today's holdings, and a greedy plan on top of them.

They are the first candidates, so that a plan exists from the first millisecond. The greedy rule is
the one that a careful planner follows on a spreadsheet: keep what runs, lift the teams below their
guarantees from the top of the tree down, then serve projects by tier and by value per GPU.
"""

from __future__ import annotations

import numpy as np

from gpu_opt.allocation.ledger import Ledger, grant, has_room, open_ledger, projects_under, room, rooms
from gpu_opt.allocation.shares import units_left
from gpu_opt.instance import MILLI, Instance, Ints


def keep_holdings(instance: Instance) -> Ints:
    """Today's wanted holdings: always a plan (``models/allocation.md``, last section)."""
    return instance.arcs.wanted.copy()


def fill(instance: Instance, x: Ints) -> Ints:
    """Hand out what a plan leaves free: guarantees first, then by tier and value.

    Nothing is taken from anybody, so no goal gets worse but `changes`.
    """
    ledger = open_ledger(instance, x)
    projects = _lacking(ledger)
    _meet_targets(ledger, projects)
    _add_value(ledger, projects)
    return ledger.x


def rank(instance: Instance) -> list[int]:
    """All projects by tier, then by priority."""
    projects = instance.projects
    order = np.lexsort((-np.array(projects.priority), np.array(projects.tier)))
    return [int(j) for j in order]


def _lacking(ledger: Ledger) -> list[int]:
    """Projects that lack something and have room somewhere, by tier and priority: nobody else can get more.

    Room only shrinks while things are handed out.
    """
    projects = ledger.instance.projects
    open_to = set(has_room(ledger).tolist())
    return [
        j
        for j in (rank(ledger.instance) if open_to else ())
        if j in open_to and ledger.own[j] < max(projects.demand[j], projects.minimum[j])
    ]


def _meet_targets(ledger: Ledger, ranked: list[int]) -> None:
    """Serve projects of teams below their targets, from the top of the tree down."""
    teams, projects = ledger.instance.teams, ledger.instance.projects
    goals = {n: int(target * MILLI) + 1 for n, target in enumerate(teams.target) if target}
    short = [n for n, goal in goals.items() if ledger.total[n] < goal]
    under = projects_under(ledger, short, ranked)
    for n in sorted(short, key=lambda n: teams.level[n]):
        for j in under[n]:
            missing = goals[n] - ledger.total[n]
            if missing <= 0:
                break
            serve(ledger, j, projects.demand[j], budget=missing)


def _add_value(ledger: Ledger, ranked: list[int]) -> None:
    """Serve projects segment by segment of their demand, those with most value for a reference GPU first."""
    projects = ledger.instance.projects
    steps = [
        (projects.tier[j], -projects.priority[j] * worth, j, share)
        for share, worth in _cumulative(ledger.instance)
        for j in ranked
    ]
    for _, _, j, share in sorted(steps):
        serve(ledger, j, int(share * projects.demand[j]))


def serve(ledger: Ledger, project: int, goal: int, budget: int | None = None) -> None:
    """Bring a project up to `goal` milli-compute of its own, within `budget` milli-compute of the teams'.

    Arcs that give most for the compute they count come first, then those with most room. What would
    leave the project below its minimum is taken back.
    """
    instance = ledger.instance
    arcs, least = instance.arcs, instance.projects.minimum[project]
    goal = max(goal, least)
    if ledger.own[project] >= goal:
        return
    booked: list[tuple[int, int]] = []
    for arc in _preferred(ledger, project):
        each, counted = int(arcs.own[arc]), instance.pools.unit_compute[int(arcs.pool[arc])]
        wish = -(-(goal - ledger.own[project]) // each)
        if budget is not None and ledger.own[project] >= least:
            wish = min(wish, -(-budget // counted))
        units = min(room(ledger, arc), wish)
        if units > 0:
            units = min(units, units_left(instance, ledger.x, arc))
        if units <= 0:
            continue
        grant(ledger, arc, units)
        booked.append((arc, units))
        budget = None if budget is None else max(0, budget - units * counted)
    if 0 < ledger.own[project] < least:
        for arc, units in booked:
            grant(ledger, arc, -units)


def _preferred(ledger: Ledger, project: int) -> list[int]:
    """Arcs with room, as they are to serve the project; a one-pool project stays where it is, or gets one."""
    instance, arcs = ledger.instance, ledger.instance.arcs
    own = instance.projects.arcs[project]
    here = slice(own.start, own.stop)
    units = rooms(ledger, project)
    free = np.flatnonzero(units > 0)
    if not len(free):
        return []
    if instance.projects.one_pool[project]:
        used = np.flatnonzero(ledger.x[here])
        chosen = used if len(used) else [np.argmax(units * arcs.own[here])]
        return [own.start + int(a) for a in chosen]
    each = arcs.own[here][free]
    counted = ledger.unit_compute[arcs.pool[here][free]]
    order = free[np.lexsort((-units[free] * each, -each / counted))]
    return [own.start + int(a) for a in order]


def _cumulative(instance: Instance) -> list[tuple[float, float]]:
    """(share of the demand up to which, value of a reference GPU there) of every segment."""
    shares = np.cumsum([float(share) for share, _ in instance.segments])
    return [(float(total), float(worth)) for total, (_, worth) in zip(shares, instance.segments, strict=True)]
