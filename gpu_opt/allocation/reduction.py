"""What no plan can use is removed before the search: lossless, and counted.

- *Bounds*: what pinned projects keep, and where moves are limited what all others keep at least, is not
  there for anybody else; nor can a project alone be granted more than a cap above it.
- *Arcs* on which nothing can be granted then, or too little for a one-pool project's minimum; all arcs of a
  project that cannot reach its minimum any more, if it holds nothing.
- *Compute beyond the demand*: of a unit that is more than the whole demand, what is beyond it counts for
  nothing. Whole units do not care; a relaxation would have half a unit meet half a GPU's demand in full.
- *Caps and limits* that nobody can reach, however much is granted below them. The others, and the budget of
  moves, are rounded down to what whole units can add up to: multiples of their greatest common divisor.
- *The budget of moves* where it is no less than all that is held: whatever is taken, it is not used up.

Every plan of the instance is a plan of the reduced one, with the same value on every goal, and the other
way round. What today's holdings, or a plan to stay near to, use is never removed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gpu_opt.allocation.strategy.focus import keep_arcs
from gpu_opt.instance import Instance, Ints, TypeLimit, add_up


@dataclass(frozen=True, slots=True)
class Reduced:
    """An instance without what no plan can use."""

    instance: Instance
    arcs: Ints
    """Its arcs, as indices of the whole's."""
    removed: dict[str, int]
    """How many ``arcs``, ``projects`` (all arcs of which are gone), ``caps``, ``limits`` and ``budgets`` of
    moves were removed."""

    def collapse(self, x: Ints) -> Ints:
        """A plan of the whole as one of the reduced instance."""
        return x[self.arcs]

    def expand(self, x: Ints, whole: Instance) -> Ints:
        """A plan of the reduced instance as one of the whole."""
        expanded = np.zeros(len(whole.arcs.pool), dtype=np.int64)
        expanded[self.arcs] = x
        return expanded


def reduce(instance: Instance) -> Reduced:
    """Remove what no plan can use."""
    has_budget = instance.max_moves is not None
    instance = replace(instance, max_moves=_moves_that_bind(instance))
    upper = _reachable(instance)
    useful = (upper > 0) & _is_enough(instance, upper)
    useful |= instance.arcs.wanted > 0
    if instance.arcs.near is not None:
        useful |= instance.arcs.near > 0
    demand = np.array(instance.projects.demand, dtype=np.int64)[instance.arcs.project]
    own = np.where(demand > 0, np.minimum(instance.arcs.own, demand), instance.arcs.own)
    bounded = replace(instance, arcs=replace(instance.arcs, own=own, upper=np.where(useful, upper, 0)))
    part, kept = keep_arcs(bounded, np.asarray(useful))
    caps = _caps_in_reach(part)
    limits = [each for each in part.limits if _may_bind(part, each.arcs, each.gpus)]
    reduced = replace(
        part,
        teams=replace(part.teams, cap=_in_steps(part, caps)),
        limits=tuple(_in_units(part, each) for each in limits),
        max_moves=_whole_moves(part),
    )
    count = {
        "arcs": len(upper) - len(kept),
        "projects": _alive(instance) - _alive(part),
        "caps": sum(cap is not None for cap in instance.teams.cap) - sum(cap is not None for cap in caps),
        "limits": len(instance.limits) - len(limits),
        "budgets": int(has_budget and instance.max_moves is None),
    }
    return Reduced(reduced, kept, count)


def _alive(instance: Instance) -> int:
    return sum(len(own) > 0 for own in instance.projects.arcs)


def _reachable(instance: Instance) -> Ints:
    """The most units of every arc, in any plan."""
    arcs, pools, teams = instance.arcs, instance.pools, instance.teams
    pinned = np.array(instance.projects.pinned, dtype=bool)[arcs.project]
    kept = np.where(pinned, arcs.wanted, 0)
    room = np.array(pools.units, dtype=np.int64) + np.array(pools.over, dtype=np.int64)
    most = room[arcs.pool] - (add_up(arcs.pool, kept, len(room))[arcs.pool] - kept)
    if instance.max_moves is not None:
        movable = instance.max_moves // np.array(pools.unit, dtype=np.int64)
        stays = add_up(arcs.pool, arcs.wanted, len(room))[arcs.pool] - arcs.wanted - movable[arcs.pool]
        most = np.minimum(most, room[arcs.pool] - np.maximum(0, stays))
        for limit in instance.limits:
            most = np.minimum(most, _left_by_others(instance, limit))
    counted = np.array(pools.unit_compute, dtype=np.int64)[arcs.pool]
    least = np.array([np.iinfo(np.int64).max if cap is None else cap for cap in teams.cap], dtype=np.int64)
    least = np.where(least < np.iinfo(np.int64).max, least + np.array(teams.over, dtype=np.int64), least)
    for n, parent in enumerate(teams.parent):
        if parent >= 0:
            least[n] = min(least[n], least[parent])
    team = np.array(instance.projects.team, dtype=np.int64)[arcs.project]
    most = np.minimum(most, least[team] // counted)
    return np.asarray(np.maximum(arcs.wanted, np.minimum(arcs.upper, most)))


def _left_by_others(instance: Instance, limit: TypeLimit) -> Ints:
    """What all others leave of a limit, if all moves are theirs: units by arc; many where none is counted."""
    arcs, counted = instance.arcs, limit.arcs
    unit = np.array(instance.pools.unit, dtype=np.int64)[arcs.pool]
    held = (arcs.wanted * unit)[counted]
    project = arcs.project[counted]
    own = add_up(project, held, len(instance.projects.names))[project]
    stays = np.maximum(0, held.sum() - own - (instance.max_moves or 0))
    most = np.full(len(unit), np.iinfo(np.int64).max)
    most[counted] = (limit.gpus + limit.over - stays) // unit[counted]
    return most


def _is_enough(instance: Instance, upper: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether an arc can be part of what reaches its project's minimum."""
    arcs, projects = instance.arcs, instance.projects
    least = np.array(projects.minimum, dtype=np.int64)[arcs.project]
    single = np.array(projects.one_pool, dtype=np.int64)[arcs.project] == 1
    reach = add_up(arcs.project, upper * arcs.own, len(projects.names))
    if instance.max_moves is not None:
        reach = np.minimum(reach, _reach_with_moves(instance, upper))
    return np.asarray(np.where(single, upper * arcs.own, reach[arcs.project]) >= least)


def _reach_with_moves(instance: Instance, upper: Ints) -> Ints:
    """The most compute of a project: what it holds, what is free, and all moves where it is fastest."""
    arcs, pools = instance.arcs, instance.pools
    assert instance.max_moves is not None
    room = np.array(pools.units, dtype=np.int64) + np.array(pools.over, dtype=np.int64)
    free = np.maximum(0, room - add_up(arcs.pool, arcs.wanted, len(room)))
    unit = np.array(pools.unit, dtype=np.int64)[arcs.pool]
    units = free[arcs.pool]
    for limit in instance.limits:
        counted = limit.arcs
        left = max(0, limit.gpus + limit.over - int((arcs.wanted * unit)[counted].sum()))
        left += instance.max_moves  # what others give up of it may be just what makes a unit whole
        units[counted] = np.minimum(units[counted], left // unit[counted])
    units = np.minimum(upper, units + arcs.wanted)
    reach = add_up(arcs.project, arcs.own * units, len(instance.projects.names))
    moved = np.zeros_like(reach)
    np.maximum.at(moved, arcs.project, -(-arcs.own * instance.max_moves // unit))
    return np.asarray(reach + moved)


def _caps_in_reach(instance: Instance) -> tuple[int | None, ...]:
    """The caps without those that all that can be granted below them fits under."""
    arcs, teams, projects = instance.arcs, instance.teams, instance.projects
    compute = arcs.upper * np.array(instance.pools.unit_compute, dtype=np.int64)[arcs.pool]
    most = add_up(arcs.project, compute, len(projects.names))
    for j in np.flatnonzero(np.array(projects.one_pool) == 1).tolist():
        own = projects.arcs[j]
        most[j] = compute[own.start : own.stop].max(initial=0)
    total = add_up(np.array(projects.team, dtype=np.int64), most, len(teams.names))
    caps = list(teams.cap)
    for n in reversed(range(len(caps))):
        cap = caps[n]
        if cap is not None and total[n] <= cap:
            caps[n] = None
        elif cap is not None:
            total[n] = min(int(total[n]), cap + teams.over[n])
        if teams.parent[n] >= 0:
            total[teams.parent[n]] += total[n]
    return tuple(caps)


def _may_bind(instance: Instance, arcs: Ints, gpus: int) -> bool:
    """Whether a limit can be reached."""
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
    return int((instance.arcs.upper[arcs] * unit[arcs]).sum()) > gpus


def _in_units(instance: Instance, limit: TypeLimit) -> TypeLimit:
    """The limit in whole units; as it is where holdings exceed it: the overrun is counted from there."""
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool[limit.arcs]]
    return limit if limit.over else replace(limit, gpus=_down(limit.gpus, int(np.gcd.reduce(unit))))


def _in_steps(instance: Instance, caps: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The caps in what whole units below them add up to; as they are where holdings exceed them."""
    arcs, teams = instance.arcs, instance.teams
    step = np.zeros(len(caps), dtype=np.int64)
    team = np.array(instance.projects.team, dtype=np.int64)[arcs.project]
    np.gcd.at(step, team, np.array(instance.pools.unit_compute, dtype=np.int64)[arcs.pool])
    for n in reversed(range(len(caps))):
        if teams.parent[n] >= 0:
            step[teams.parent[n]] = np.gcd(step[teams.parent[n]], step[n])
    return tuple(
        cap if cap is None or over else _down(cap, size)
        for cap, over, size in zip(caps, teams.over, step.tolist(), strict=True)
    )


def _moves_that_bind(instance: Instance) -> int | None:
    """The budget of moves, if not all that is held can be taken within it."""
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool]
    held = int((instance.arcs.wanted * unit).sum())
    return None if instance.max_moves is None or instance.max_moves >= held else instance.max_moves


def _whole_moves(instance: Instance) -> int | None:
    """The budget of moves in whole units of what is held."""
    held = instance.arcs.pool[instance.arcs.wanted > 0]
    step = int(np.gcd.reduce(np.array(instance.pools.unit, dtype=np.int64)[held], initial=0))
    return None if instance.max_moves is None else _down(instance.max_moves, step)


def _down(number: int, step: int) -> int:
    return number // step * step if step else number
