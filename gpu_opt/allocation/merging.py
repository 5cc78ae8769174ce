"""Pools that are alike count as one for projects that may be in several: lossless, and undone at the end.

Who may be spread over all pools of a type, and runs equally fast in each, does not care in which of them
it is. It gets one arc for the whole type instead of one for each pool: into a pool that stands for all of
them, beside those where it keeps what it holds. What is in the pools and in that one together fits the
type's GPUs: a limit of the root. Whoever must be in a single pool still chooses one.

Every plan of the instance is one of the merged one, with the same value on every goal: move to the new arc
all that is not kept. And the other way round: what a type's pools have left suffices for what is on the
new arcs, unit by unit, in whichever order it is handed out.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from gpu_opt.allocation.appraisal import pool_units
from gpu_opt.allocation.strategy.table import Flags
from gpu_opt.instance import Arcs, Instance, Ints, Pools, TypeLimit, add_up


@dataclass(frozen=True, slots=True)
class Merged:
    """An instance in which one arc stands for several."""

    instance: Instance
    arcs: Ints
    """The arc of the whole that each of its arcs is; -1 for one that stands for several."""

    def expand(self, x: Ints, whole: Instance) -> Ints:
        """A plan of the merged instance as one of the whole; a project is split only where it must be."""
        expanded = np.zeros(len(whole.arcs.pool), dtype=np.int64)
        is_own = self.arcs >= 0
        expanded[self.arcs[is_own]] = x[is_own]
        rooms = _Rooms(
            expanded.tolist(),
            whole.arcs.upper.tolist(),
            whole.arcs.pool.tolist(),
            [
                units - used
                for units, used in zip(whole.pools.units, pool_units(whole, expanded).tolist(), strict=True)
            ],
        )
        together = np.flatnonzero(~is_own & (x > 0))
        kind, types = self.instance.pools.types, whole.pools.types
        for a in together[np.argsort(-x[together], kind="stable")].tolist():
            here = kind[int(self.instance.arcs.pool[a])]
            own = whole.projects.arcs[int(self.instance.arcs.project[a])]
            rooms.place([b for b in own if types[rooms.pool[b]] == here], int(x[a]))
        return np.array(rooms.x, dtype=np.int64)

    def collapse(self, x: Ints, whole: Instance) -> Ints:
        """A plan of the whole as one of the merged instance: what is not kept is on the new arcs."""
        part, is_own = self.instance.arcs, self.arcs >= 0
        number = {kind: k for k, kind in enumerate(sorted({*whole.pools.types}))}
        kinds = [
            np.array([number[each] for each in instance.pools.types], dtype=np.int64)
            for instance in (whole, self.instance)
        ]
        pair_of_whole = whole.arcs.project * len(number) + kinds[0][whole.arcs.pool]
        pair = part.project * len(number) + kinds[1][part.pool]
        collapsed = np.where(is_own, np.minimum(x[self.arcs], part.upper), 0)
        count = len(whole.projects.names) * len(number)
        rest = add_up(pair_of_whole, x, count) - add_up(pair, collapsed, count)
        return np.where(is_own, collapsed, rest[pair])


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What is granted and what is free, while units are handed out; plain numbers, one entry per arc."""

    x: list[int]
    upper: list[int]
    pool: list[int]
    free: list[int]
    """By pool."""

    def place(self, among: list[int], units: int) -> None:
        """Put units on some arcs: where the project is, or where they just fit; else largest room first."""
        for _ in among:
            room = {a: min(self.free[self.pool[a]], self.upper[a] - self.x[a]) for a in among}
            fits = [a for a in among if room[a] >= units]
            best = (
                min(fits, key=lambda a: (self.x[a] == 0, room[a]))
                if fits
                else max(among, key=room.__getitem__)
            )
            taken = min(units, room[best])
            self.x[best] += taken
            self.free[self.pool[best]] -= taken
            units -= taken
            if not units:
                return


def merge(instance: Instance) -> Merged:
    """Merge what is alike."""
    arcs, floats = instance.arcs, _floats(instance)
    if not floats.any():
        return Merged(instance, np.arange(len(floats)))
    kind = _kind(instance)[arcs.pool]
    _, first, pair = np.unique(_pair(instance), return_index=True, return_inverse=True)
    together = np.flatnonzero(floats[first])
    source = np.concatenate([np.flatnonzero(~floats | (arcs.wanted > 0)), first[together]])
    is_new = np.arange(len(source)) >= len(source) - len(together)
    order = np.argsort(arcs.project[source], kind="stable")
    source, is_new = source[order], is_new[order]
    used = np.unique(kind[source[is_new]])
    stands_for = len(instance.pools.names) + np.searchsorted(used, kind[source])
    most = np.minimum(add_up(pair, arcs.upper, len(first))[pair], _most_units(instance))
    merged = Arcs(
        project=arcs.project[source],
        pool=np.where(is_new, stands_for, arcs.pool[source]),
        own=arcs.own[source],
        needed=arcs.needed[source],
        upper=np.where(is_new, most[source], np.where(floats, arcs.wanted, arcs.upper)[source]),
        wanted=np.where(is_new, 0, arcs.wanted[source]),
    )
    ends = np.searchsorted(merged.project, np.arange(len(instance.projects.names) + 1)).tolist()
    projects = replace(instance.projects, arcs=tuple(itertools.starmap(range, itertools.pairwise(ends))))
    whole_types = [_whole_type(instance, kind[source], each) for each in used.tolist()]
    limits = (*(_renumbered(instance, each, source) for each in instance.limits), *whole_types)
    pools = _with_whole_types(instance, whole_types)
    part = replace(instance, pools=pools, limits=limits, projects=projects, arcs=merged)
    return Merged(part, np.where(is_new, -1, source))


def _kind(instance: Instance) -> Ints:
    """The GPU type of every pool, as a number."""
    return np.asarray(np.unique(np.array(instance.pools.types), return_inverse=True)[1], dtype=np.int64)


def _pair(instance: Instance) -> Ints:
    """A number for every project and GPU type, by arc."""
    kind = _kind(instance)
    return np.asarray(instance.arcs.project * (kind.max() + 1) + kind[instance.arcs.pool])


def _floats(instance: Instance) -> Flags:
    """Arcs of projects that may use all pools of the type, alike, and as many of them as they want.

    A pool that is over its capacity has a rule of its own, and a plan that is to stay near to another one is
    told apart by its pools. What no cap leaves room for may be had where something is over.
    """
    arcs, pools = instance.arcs, instance.pools
    if arcs.near is not None or not len(arcs.pool):
        return np.zeros(len(arcs.pool), dtype=bool)
    kind = _kind(instance)
    sizes = np.bincount(kind)
    unit, over = np.array(pools.unit), np.array(pools.over)
    alike = np.array(
        [len({*unit[kind == k].tolist()}) == 1 and not over[kind == k].any() for k in range(len(sizes))]
    )
    _, first, of, count = np.unique(
        _pair(instance), return_index=True, return_inverse=True, return_counts=True
    )
    same = (arcs.own == arcs.own[first[of]]) & (arcs.needed == arcs.needed[first[of]])
    if any(pools.over) or any(instance.teams.over) or any(each.over for each in instance.limits):
        same &= arcs.upper >= np.minimum(_most_units(instance), np.array(pools.units)[arcs.pool])
    all_same = np.bincount(of, weights=~same, minlength=len(first)) == 0
    is_whole = (count == sizes[kind[arcs.pool[first]]]) & (count > 1) & all_same
    may_spread = np.array(instance.projects.one_pool)[arcs.project] == 0
    return np.asarray(alike[kind[arcs.pool]] & is_whole[of] & may_spread)


def _most_units(instance: Instance) -> Ints:
    """⌊F_j K_jp⌋ by arc: units that meet all that the project may be granted."""
    units = instance.arcs.needed.copy()
    for a, j in enumerate(instance.arcs.project.tolist()):
        share = instance.projects.most_share[j]
        if share != 1:
            units[a] = share.numerator * int(units[a]) // share.denominator
    return units


def _renumbered(instance: Instance, limit: TypeLimit, source: Ints) -> TypeLimit:
    """A limit on the merged arcs; it counts all pools of its type alike."""
    counts = np.zeros(len(instance.arcs.pool), dtype=bool)
    counts[limit.arcs] = True
    return replace(limit, arcs=np.flatnonzero(counts[source]))


def _whole_type(instance: Instance, kind_of_arc: Ints, kind: int) -> TypeLimit:
    """All GPUs of a type, as a limit of the root."""
    pools = instance.pools
    among = np.flatnonzero(_kind(instance) == kind).tolist()
    unit = pools.unit[among[0]]
    return TypeLimit(
        team=instance.teams.parent.index(-1),
        gpu_type=pools.types[among[0]],
        gpus=unit * sum(pools.units[p] for p in among),
        over=0,
        milli=pools.unit_compute[among[0]] // unit,
        arcs=np.flatnonzero(kind_of_arc == kind),
    )


def _with_whole_types(instance: Instance, limits: list[TypeLimit]) -> Pools:
    """The pools, and behind them one for each of the types, with all its GPUs."""
    pools = instance.pools
    like = [pools.types.index(each.gpu_type) for each in limits]
    return Pools(
        names=(*pools.names, *(f"all {each.gpu_type}" for each in limits)),
        types=(*pools.types, *(each.gpu_type for each in limits)),
        units=(*pools.units, *(each.gpus // pools.unit[p] for each, p in zip(limits, like, strict=True))),
        unit=(*pools.unit, *(pools.unit[p] for p in like)),
        unit_compute=(*pools.unit_compute, *(pools.unit_compute[p] for p in like)),
        over=(*pools.over, *(0 for _ in limits)),
        merged=len(limits),
    )
