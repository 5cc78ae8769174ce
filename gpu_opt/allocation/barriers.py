"""What stands in the way of one more unit: full pools, caps, limits, and a single pool, arc by arc."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from gpu_opt.allocation.appraisal import limit_gpus, moved_gpus, own_compute, pool_units, team_compute
from gpu_opt.allocation.shares import units_left_of
from gpu_opt.allocation.spread import arcs_used, may_join
from gpu_opt.instance import MILLI, Instance, Ints, chains_up


class Barrier(NamedTuple):
    """One constraint that leaves no room on an arc."""

    family: str
    """``pool_capacity``, ``team_cap``, ``type_limit`` or ``one_pool``."""
    place: int
    """The pool, the team, the limit, or the project."""


class Situation:
    """A plan, and what it leaves of every constraint."""

    def __init__(self, instance: Instance, x: Ints, *, proved: bool) -> None:
        self.instance, self.x, self.proved = instance, x, proved
        self.own = own_compute(instance, x)
        """Milli-compute of every project at its own speeds."""
        self.total = team_compute(instance, x)
        """Milli-compute granted under every team."""
        self.goal = [math.ceil(target * MILLI) for target in instance.teams.target]
        """Milli-compute from which on a team has what it is promised, less what is under a unit."""
        granted = pool_units(instance, x).tolist()
        self.pool_room = [units - g for units, g in zip(instance.pools.units, granted, strict=True)]
        """Units that every pool has left; negative where it is over."""
        counted = limit_gpus(instance, x).tolist()
        self.limit_room = [limit.gpus - gpus for limit, gpus in zip(instance.limits, counted, strict=True)]
        """GPUs that every limit leaves; negative where it is over."""
        moved = int(moved_gpus(instance, x).sum())
        self.moves_left = None if instance.max_moves is None else max(0, instance.max_moves - moved)
        """GPUs that may still be moved; None: as many as one likes."""

        self.demand = np.array(instance.projects.demand, dtype=np.int64)
        self.priority = np.array(instance.projects.priority, dtype=np.float64)
        self.unit_compute = np.array(instance.pools.unit_compute, dtype=np.int64)
        """d_j, π_j and σ_p u_p."""
        self.segments = [(float(share), float(worth)) for share, worth in instance.segments]
        """(a_k, b_k): share of the demand, value per reference GPU."""
        self.chains = chains_up(instance.teams)
        """Every team, and all teams above it, from the lowest up."""
        self.barred = cache(self._barred)
        self._over_budget = cache(self._found_over_budget)  # pools of one type and unit share what it finds
        self._limits_above = cache(self._found_limits_above)
        self._full = [(Barrier("pool_capacity", p),) for p in range(len(instance.pools.names))]

    def _found_limits_above(self, team: int) -> dict[str, list[int]]:
        """The limits of a team and of those above it, by GPU type."""
        found: dict[str, list[int]] = {}
        for i, limit in enumerate(self.instance.limits):
            if limit.team in self.chains[team]:
                found.setdefault(limit.gpu_type, []).append(i)
        return found

    def _barred(self, team: int, pool: int, units: int) -> tuple[Barrier, ...]:
        """What has no room for so many more units in the pool: caps and limits above the team, the pool."""
        pools = self.instance.pools
        counted, gpus = units * pools.unit_compute[pool], units * pools.unit[pool]
        over = self._over_budget(team, pools.types[pool], counted, gpus)
        return over + self._full[pool] if self.pool_room[pool] < units else over

    def _found_over_budget(self, team: int, kind: str, counted: int, gpus: int) -> tuple[Barrier, ...]:
        """Caps and limits above the team that leave less than so much milli-compute, or GPUs of a type."""
        caps = [(n, cap) for n in self.chains[team] if (cap := self.instance.teams.cap[n]) is not None]
        full = [Barrier("team_cap", n) for n, cap in caps if cap - self.total[n] < counted]
        limits = self._limits_above(team).get(kind, ())
        return (*full, *(Barrier("type_limit", i) for i in limits if self.limit_room[i] < gpus))

    def chain(self, project: int) -> tuple[int, ...]:
        """The project's team, and all teams above it, from the lowest up."""
        return self.chains[self.instance.projects.team[project]]


def wanted_units(situation: Situation, project: int) -> dict[int, int]:
    """Units that would be the next step for the project, by arc; only arcs on which it wants another.

    One unit, or as many as its minimum takes where it has nothing.
    """
    instance, own = situation.instance, situation.instance.projects.arcs[project]
    missing = instance.projects.minimum[project] - int(situation.own[project])
    left = units_left_of(instance, situation.x, project)
    each = instance.arcs.own[own.start : own.stop].tolist()
    return {a: max(1, -(-missing // one)) for a, more, one in zip(own, left, each, strict=True) if more > 0}


def barriers(situation: Situation, project: int, steps: dict[int, int]) -> dict[int, tuple[Barrier, ...]]:
    """By arc, every constraint that has no room for so many more units there, whatever others give up.

    `steps` are units, by arcs of the project.
    """
    instance, x, team = situation.instance, situation.x, situation.instance.projects.team[project]
    pools = instance.arcs.pool[list(steps)].tolist()
    found = {
        arc: situation.barred(team, pool, units)
        for (arc, units), pool in zip(steps.items(), pools, strict=True)
    }
    if instance.projects.one_pool[project] and (used := arcs_used(instance, x, project)):
        bound = Barrier("one_pool", project)
        found = {
            arc: each if may_join(instance, used, arc) else (*each, bound) for arc, each in found.items()
        }
    return found
