"""Projects that are alike, and that one unit meets in full, count as one: lossless, and undone at the end.

A cluster's requests are mostly for one GPU or less, and thousands of them differ in their names only: the
same team, tier, priority, demand, and arcs. Whoever of them gets a unit has all that it wants of it, so what
n of them are worth together is linear in the units that they are granted: a project with n times the demand
stands for them all. What they hold today, at most a unit each, adds up likewise. What each must have at
least, and in how many pools it may be, is settled by its one unit.

Every plan of the instance is one of the united one, and as good on every goal: add the grants up. (It is
better where one of them has lost what another one has got.) And the other way round, with the same values:
units go to those first who hold one there, then to whoever has none yet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.instance import Arcs, Instance, Ints, Projects, add_up
from gpu_opt.organization import exact

Kind = tuple[int, int, float, int, tuple[int, ...]]
"""Team, tier, priority, demand and pools."""


@dataclass(frozen=True, slots=True)
class United:
    """An instance in which one project stands for several."""

    instance: Instance
    members: tuple[tuple[int, ...], ...]
    """The projects of the whole that each of its projects is."""
    arcs: Ints
    """The arc of the united instance that each arc of the whole has become."""

    def collapse(self, x: Ints) -> Ints:
        """A plan of the whole as one of the united instance: grants of equals add up."""
        return add_up(self.arcs, x, len(self.instance.arcs.pool))

    def expand(self, x: Ints, whole: Instance) -> Ints:
        """A plan of the united instance as one of the whole; of equals those that come first are granted."""
        several = np.array([len(group) > 1 for group in self.members], dtype=bool)
        expanded = np.where(several[self.instance.arcs.project], 0, x)[self.arcs]
        for k in np.flatnonzero(several).tolist():
            own = self.instance.projects.arcs[k]
            units = x[own.start : own.stop].tolist()
            if any(units):
                for a in _handed_out(whole, self.members[k], units):
                    expanded[a] = 1
        return expanded


def unite(instance: Instance) -> United:
    """Unite what is alike."""
    members = _members(instance)
    if len(members) == len(instance.projects.names):
        return United(instance, members, np.arange(len(instance.arcs.pool)))
    first = [group[0] for group in members]
    ends = [0, *itertools.accumulate(len(instance.projects.arcs[j]) for j in first)]
    arcs = np.zeros(len(instance.arcs.pool), dtype=np.int64)
    for begin, group in zip(ends, members, strict=False):
        for own in (instance.projects.arcs[j] for j in group):
            arcs[own.start : own.stop] = np.arange(begin, begin + len(own))
    limits = tuple(replace(each, arcs=np.unique(arcs[each.arcs])) for each in instance.limits)
    projects = replace(
        _projects(instance, members), arcs=tuple(itertools.starmap(range, itertools.pairwise(ends)))
    )
    united = replace(
        instance, projects=projects, limits=limits, arcs=_arcs(instance, members, arcs, ends[-1])
    )
    return United(united, members, arcs)


def _members(instance: Instance) -> tuple[tuple[int, ...], ...]:
    """Projects that are alike, in the order of the first of each.

    Where a plan is to be near to another one all stay apart, and where nothing is worth anything.
    """
    is_sound = instance.arcs.near is None and instance.segments[0][1] > 0
    may_unite = _one_unit_is_all(instance) if is_sound else [False] * len(instance.projects.names)
    groups: dict[Kind | int, list[int]] = {}
    for j in range(len(instance.projects.names)):
        kind = _kind(instance, j) if may_unite[j] else j
        groups.setdefault(kind, []).append(j)
    return tuple(map(tuple, groups.values()))


def _one_unit_is_all(instance: Instance) -> list[bool]:
    """Whether a project has in one unit, wherever it is, all that counts for it: by project."""
    projects, arcs = instance.projects, instance.arcs
    count = len(projects.names)
    demand = np.array(projects.demand, dtype=np.int64)
    is_met: Flags = (arcs.own == demand[arcs.project]) & (arcs.needed == 1) & (arcs.upper == 1)
    all_met = add_up(arcs.project, (~is_met).astype(np.int64), count) == 0
    holds_one = add_up(arcs.project, arcs.wanted, count) <= 1
    is_number = {each: exact(float(worth)) == worth for each, worth in _worths(instance).items()}
    return [
        bool(alike) and len(own) > 0 and not pinned and share == 1 and is_number[priority]
        for alike, own, pinned, share, priority in zip(
            all_met & holds_one,
            projects.arcs,
            projects.pinned,
            projects.most_share,
            projects.priority,
            strict=True,
        )
    ]


def _worths(instance: Instance) -> dict[float, Fraction]:
    """By priority: that at which the first segment has the worth of all together, π_j Σ_k a_k b_k / b_1."""
    whole = sum((share * each for share, each in instance.segments), Fraction(0))
    first = instance.segments[0][1]
    return {each: exact(each) * whole / first for each in set(instance.projects.priority)}


def _kind(instance: Instance, project: int) -> Kind:
    projects, own = instance.projects, instance.projects.arcs[project]
    pools = tuple(instance.arcs.pool[own.start : own.stop].tolist())
    return (
        projects.team[project],
        projects.tier[project],
        projects.priority[project],
        projects.demand[project],
        pools,
    )


def _projects(instance: Instance, members: Sequence[tuple[int, ...]]) -> Projects:
    """The first of each kind, in whose first segment there is room for what all of them are granted."""
    old, share = instance.projects, instance.segments[0][0]
    first, several = [group[0] for group in members], [len(group) > 1 for group in members]
    worth = _worths(instance)
    return replace(
        old,
        names=tuple(old.names[j] for j in first),
        team=tuple(old.team[j] for j in first),
        tier=tuple(old.tier[j] for j in first),
        priority=tuple(
            float(worth[old.priority[j]]) if many else old.priority[j]
            for j, many in zip(first, several, strict=True)
        ),
        demand=tuple(
            math.ceil(len(group) * old.demand[group[0]] / share) if len(group) > 1 else old.demand[group[0]]
            for group in members
        ),
        most_share=tuple(old.most_share[j] for j in first),
        minimum=tuple(0 if many else old.minimum[j] for j, many in zip(first, several, strict=True)),
        one_pool=tuple(0 if many else old.one_pool[j] for j, many in zip(first, several, strict=True)),
        pinned=tuple(old.pinned[j] for j in first),
    )


def _arcs(instance: Instance, members: Sequence[tuple[int, ...]], united: Ints, count: int) -> Arcs:
    """The united arcs: n units meet the demand of n projects, and no pool has more than its own."""
    old = instance.arcs
    source = np.zeros(count, dtype=np.int64)
    source[united[::-1]] = np.arange(len(united))[::-1]
    number = np.zeros(len(instance.projects.names), dtype=np.int64)
    for k, group in enumerate(members):
        number[list(group)] = k
    project = number[old.project[source]]
    size = np.array([len(group) for group in members], dtype=np.int64)[project]
    pool = old.pool[source]
    room = np.array(instance.pools.units, dtype=np.int64) + np.array(instance.pools.over, dtype=np.int64)
    return Arcs(
        project=project,
        pool=pool,
        own=old.own[source],
        needed=np.where(size > 1, size, old.needed[source]),
        upper=np.where(size > 1, np.minimum(size, room[pool]), old.upper[source]),
        wanted=add_up(united, old.wanted, count),
    )


def _handed_out(whole: Instance, members: Sequence[int], units: list[int]) -> list[int]:
    """The arcs of projects that are alike on which their units are: `units` has those of each pool."""
    left, arcs = dict.fromkeys(members), []
    for is_holder in (True, False):
        for number, count in enumerate(units):
            places = {j: whole.projects.arcs[j].start + number for j in left}
            takers = [j for j, a in places.items() if whole.arcs.wanted[a] or not is_holder][:count]
            for j in takers:
                arcs.append(places[j])
                del left[j]
            units[number] -= len(takers)
    return arcs
