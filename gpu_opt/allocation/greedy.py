"""Plans without a solver: today's holdings, and a greedy plan on top of them.

They are the first candidates, so that a plan exists from the first millisecond. The greedy rule is
the one that a careful planner follows on a spreadsheet: keep what runs, lift the teams below their
guarantees from the top of the tree down, then serve projects by tier and by value per GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gpu_opt.allocation.shares import units_left
from gpu_opt.instance import MILLI, Instance, Ints


def keep_holdings(instance: Instance) -> Ints:
    """Today's wanted holdings: always a plan (``models/allocation.md``, last section)."""
    return instance.arcs.wanted.copy()


def fill(instance: Instance, x: Ints) -> Ints:
    """Hand out what a plan leaves free: guarantees first, then by tier and value.

    Nothing is taken from anybody, so no goal gets worse.
    """
    ledger = open_ledger(instance, x)
    by_worth = sorted(
        range(len(instance.projects.names)),
        key=lambda j: (instance.projects.tier[j], -instance.projects.priority[j], j),
    )
    short_first = sorted(
        (n for n, target in enumerate(instance.teams.target) if target), key=lambda n: instance.teams.level[n]
    )
    for n in short_first:
        for j in by_worth:
            missing = int(instance.teams.target[n] * MILLI) + 1 - int(ledger.total[n])
            if missing <= 0:
                break
            if n in ledger.chains[j]:
                serve(ledger, j, instance.projects.demand[j], budget=missing)
    steps = [
        (tier, -instance.projects.priority[j] * float(worth), j, share)
        for share, worth in _cumulative(instance)
        for j, tier in enumerate(instance.projects.tier)
    ]
    for _, _, j, share in sorted(steps):
        serve(ledger, j, int(share * instance.projects.demand[j]))
    return ledger.x


@dataclass(slots=True)
class Ledger:
    """What is granted and what is left, kept up to date grant by grant."""

    instance: Instance
    x: Ints
    pool_free: list[int]
    """Units."""
    total: Ints
    """Milli-compute granted, by team."""
    limit_free: list[int]
    """GPUs."""
    chains: list[tuple[int, ...]]
    """The team of every project and all teams above it."""
    limits_of: dict[int, list[int]]
    """Limits that count an arc."""


def open_ledger(instance: Instance, x: Ints) -> Ledger:
    """Book the grants `x`, whether they fit or not."""
    chains = []
    for team in instance.projects.team:
        chain = [team]
        while instance.teams.parent[chain[-1]] >= 0:
            chain.append(instance.teams.parent[chain[-1]])
        chains.append(tuple(chain))
    limits_of: dict[int, list[int]] = {}
    for i, limit in enumerate(instance.limits):
        for a in limit.arcs:
            limits_of.setdefault(a, []).append(i)
    ledger = Ledger(
        instance,
        np.zeros_like(x),
        list(instance.pools.units),
        np.zeros(len(instance.teams.names), dtype=np.int64),
        [limit.gpus for limit in instance.limits],
        chains,
        limits_of,
    )
    for a in np.flatnonzero(x).tolist():
        grant(ledger, a, int(x[a]))
    return ledger


def grant(ledger: Ledger, arc: int, units: int) -> None:
    """Book units on an arc (negative: take them back)."""
    instance = ledger.instance
    pool = int(instance.arcs.pool[arc])
    ledger.x[arc] += units
    ledger.pool_free[pool] -= units
    for team in ledger.chains[int(instance.arcs.project[arc])]:
        ledger.total[team] += np.int64(units * instance.pools.unit_compute[pool])
    for i in ledger.limits_of.get(arc, ()):
        ledger.limit_free[i] -= units * instance.pools.unit[pool]


def room(ledger: Ledger, arc: int) -> int:
    """Units that the arc could get more, by pool, caps, limits and its own bounds."""
    instance = ledger.instance
    pool = int(instance.arcs.pool[arc])
    units = min(ledger.pool_free[pool], int(instance.arcs.upper[arc] - ledger.x[arc]))
    for team in ledger.chains[int(instance.arcs.project[arc])]:
        cap = instance.teams.cap[team]
        if cap is not None:
            units = min(units, (cap - int(ledger.total[team])) // instance.pools.unit_compute[pool])
    for i in ledger.limits_of.get(arc, ()):
        units = min(units, ledger.limit_free[i] // instance.pools.unit[pool])
    return max(0, units)


def serve(ledger: Ledger, project: int, goal: int, budget: int | None = None) -> None:
    """Bring a project up to `goal` milli-compute of its own, within `budget` milli-compute of the teams'.

    Arcs that give most for the compute they count come first, then those with most room. What would
    leave the project below its minimum is taken back.
    """
    instance = ledger.instance
    projects, arcs = instance.projects, instance.arcs
    own = projects.arcs[project]
    have = int((ledger.x[own.start : own.stop] * arcs.own[own.start : own.stop]).sum())
    goal = max(goal, projects.minimum[project])
    if have >= goal or not any(ledger.pool_free[p] > 0 for p in arcs.pool[own.start : own.stop].tolist()):
        return
    booked: list[tuple[int, int]] = []
    for arc in _preferred(ledger, project):
        each, counted = int(arcs.own[arc]), instance.pools.unit_compute[int(arcs.pool[arc])]
        wish = -(-(goal - have) // each)
        if budget is not None and have >= projects.minimum[project]:
            wish = min(wish, -(-budget // counted))
        units = min(room(ledger, arc), wish)
        if units > 0:
            units = min(units, units_left(instance, ledger.x, arc))
        if units <= 0:
            continue
        grant(ledger, arc, units)
        booked.append((arc, units))
        have += units * each
        budget = None if budget is None else max(0, budget - units * counted)
    if 0 < have < projects.minimum[project]:
        for arc, units in booked:
            grant(ledger, arc, -units)


def _preferred(ledger: Ledger, project: int) -> list[int]:
    """Arcs in the order in which to serve the project; a one-pool project stays where it is, or gets one."""
    instance = ledger.instance
    own = instance.projects.arcs[project]
    pools = instance.arcs.pool[own.start : own.stop].tolist()
    used = [a for a in own if ledger.x[a]]
    free = [a for a, p in zip(own, pools, strict=True) if ledger.pool_free[p] > 0]

    def by_yield(arc: int) -> tuple[float, int]:
        pool = int(instance.arcs.pool[arc])
        offered = room(ledger, arc) * int(instance.arcs.own[arc])
        return -int(instance.arcs.own[arc]) / instance.pools.unit_compute[pool], -offered

    if not instance.projects.one_pool[project]:
        return sorted(free, key=by_yield)
    if used:
        return used
    return sorted(free, key=lambda a: -room(ledger, a) * int(instance.arcs.own[a]))[:1]


def _cumulative(instance: Instance) -> list[tuple[float, float]]:
    """(share of the demand up to which, value of a reference GPU there) of every segment."""
    shares = np.cumsum([float(share) for share, _ in instance.segments])
    return [(float(total), float(worth)) for total, (_, worth) in zip(shares, instance.segments, strict=True)]
