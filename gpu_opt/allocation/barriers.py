"""What stands in the way of one more unit: full pools, caps, limits, and a single pool, arc by arc."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gpu_opt.allocation.appraisal import moved_gpus, own_compute, team_compute
from gpu_opt.allocation.shares import units_left
from gpu_opt.allocation.spread import may_use
from gpu_opt.instance import Instance, Ints


@dataclass(frozen=True, slots=True)
class Barrier:
    """One constraint that leaves no room on an arc."""

    family: str
    """``pool_capacity``, ``team_cap``, ``type_limit`` or ``one_pool``."""
    index: int
    """The pool, the team, the limit, or the project."""


class Situation:
    """A plan, and what it leaves of every constraint."""

    def __init__(self, instance: Instance, x: Ints, *, proved: bool) -> None:
        self.instance, self.x, self.proved = instance, x, proved
        self.own = own_compute(instance, x)
        """Milli-compute of every project at its own speeds."""
        self.total = team_compute(instance, x)
        """Milli-compute granted under every team."""
        gpus = x * np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
        granted = np.zeros(len(instance.pools.names), dtype=np.int64)
        np.add.at(granted, instance.arcs.pool, x)
        self.pool_room = [units - int(g) for units, g in zip(instance.pools.units, granted, strict=True)]
        """Units that every pool has left; negative where it is over."""
        self.limit_room = [limit.gpus - int(gpus[list(limit.arcs)].sum()) for limit in instance.limits]
        """GPUs that every limit leaves; negative where it is over."""
        moved = int(moved_gpus(instance, x).sum())
        self.moves_left = None if instance.max_moves is None else max(0, instance.max_moves - moved)
        """GPUs that may still be moved; None: as many as one likes."""

    @cached_property
    def limits_of(self) -> dict[int, list[int]]:
        """Limits that count an arc, by arc."""
        limits_of: dict[int, list[int]] = {}
        for i, limit in enumerate(self.instance.limits):
            for a in limit.arcs:
                limits_of.setdefault(a, []).append(i)
        return limits_of

    @cached_property
    def chains(self) -> list[tuple[int, ...]]:
        """Every team, and all teams above it, from the lowest up."""
        chains: list[tuple[int, ...]] = []
        for n, above in enumerate(self.instance.teams.parent):
            chains.append((n,) if above < 0 else (n, *chains[above]))
        return chains

    def chain(self, project: int) -> tuple[int, ...]:
        """The project's team, and all teams above it, from the lowest up."""
        return self.chains[self.instance.projects.team[project]]


def wanted_units(situation: Situation, project: int) -> dict[int, int]:
    """Units that would be the next step for the project, by arc; only arcs on which it wants another.

    One unit, or as many as its minimum takes where it has nothing.
    """
    instance = situation.instance
    have, least = int(situation.own[project]), instance.projects.minimum[project]
    steps = {}
    for a in instance.projects.arcs[project]:
        each = int(instance.arcs.own[a])
        if units_left(instance, situation.x, a) > 0:
            steps[a] = max(1, -(-(least - have) // each))
    return steps


def barriers(situation: Situation, arc: int, units: int) -> tuple[Barrier, ...]:
    """Every constraint that has no room for so many more units on the arc, beside what others give up."""
    instance = situation.instance
    project, pool = int(instance.arcs.project[arc]), int(instance.arcs.pool[arc])
    return tuple(_barriers(situation, arc, units, project, pool))


def _barriers(situation: Situation, arc: int, units: int, project: int, pool: int) -> Iterator[Barrier]:
    instance = situation.instance
    for team in situation.chain(project):
        cap = instance.teams.cap[team]
        if cap is not None and cap - situation.total[team] < units * instance.pools.unit_compute[pool]:
            yield Barrier("team_cap", team)
    for i in situation.limits_of.get(arc, ()):
        if situation.limit_room[i] < units * instance.pools.unit[pool]:
            yield Barrier("type_limit", i)
    if not may_use(instance, situation.x, arc):
        yield Barrier("one_pool", project)
    if situation.pool_room[pool] < units:
        yield Barrier("pool_capacity", pool)
