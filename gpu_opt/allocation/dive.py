"""Deciding what a linear program leaves in halves: which pool, and whether at all.

The relaxation spreads one-pool projects over pools and gives others half of their minimum. A dive takes
the clearest of these decisions, solves the relaxation again, and goes on, so that what is rounded at the
end is nearly integral. The bounds it sets are taken back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from gpu_opt.allocation.strategy.lumps import NOTHING, SOME
from gpu_opt.allocation.strategy.relaxation import Relaxation, aim_at_goal, aim_at_most, read_units
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import Instance, Ints

ROUNDS = 4
"""Relaxations that a dive solves at most, beside the one with the teams' choices."""

SHARE = 0.6
"""Share of the undecided projects that is decided in each round."""

LARGE, HUGE = 30_000, 200_000
"""Arcs from which on one relaxation after the teams' choices decides all, and from which on rounding has to
do: a program takes half a minute."""

MOVES_KEPT = 0.1
"""Share of the move budget that is kept for rounding."""

CLEAR = 0.999
"""A decision that the relaxation takes to this degree needs no help."""


def dive(
    relaxation: Relaxation,
    relaxed: Floats,
    choices: Iterable[tuple[int, int]],
    solve: Callable[[], bool],
    *,
    holders_stay: bool = False,
) -> Floats:
    """Return the last solution of the dive, in units per arc.

    `relaxed` is the relaxation's solution to begin with; `choices` are what teams chose of their lumps, and
    are taken first (a one-pool project that is to have some still gets its pool from a relaxation); `solve`
    solves it again with the bounds as they are and says whether it is solved. Where moves are limited
    `holders_stay` leaves holders where they are, so that moves are spent unit by unit. A shortfall that is
    held at 0 may be had at a price meanwhile: some decision may make it inevitable.
    """
    instance = relaxation.instance
    holders_stay = holders_stay and instance.max_moves is not None
    taken: dict[int, Ints] = {}
    with _restored(relaxation):
        for project, arc in choices:
            left = _arcs_left(instance, project, arc)
            if (
                not (holders_stay and _is_holder(instance, project))
                and arc in {NOTHING, SOME}
                and not _stays(instance, taken, project, left, holders_stay)
            ):
                taken[project] = left
        if len(relaxed) >= HUGE:
            return relaxed
        is_large = len(relaxed) >= LARGE
        for number in range(2 if is_large else ROUNDS + 1):
            halves = _undecided(instance, relaxed, taken) if number or not taken else []
            for j in halves if is_large else halves[: max(1, round(SHARE * len(halves)))]:
                lean = _leaning(instance, relaxed, j)
                stays = _stays(instance, taken, j, lean, holders_stay)
                taken[j] = _staying(instance, relaxed, j) if stays else lean
            if not halves and number:
                break
            _take(relaxation, taken)
            if not solve():
                break
            relaxed = read_units(relaxation)
    return relaxed


def _arcs_left(instance: Instance, project: int, arc: int) -> Ints:
    own = instance.projects.arcs[project]
    return np.arange(0 if arc == NOTHING else len(own)) + own.start


def _take(relaxation: Relaxation, taken: dict[int, Ints]) -> None:
    """Let decided projects use the arcs that are left to them only; those with some want their minimum."""
    instance, columns = relaxation.instance, relaxation.columns
    for j, arcs in taken.items():
        left = set(arcs.tolist())
        for a in instance.projects.arcs[j]:
            if a not in left:
                for variable in columns.units(a):
                    variable.upBound = 0.0
    funded = [j for j, arcs in taken.items() if len(arcs) and instance.projects.minimum[j]]
    aim_at_most(relaxation, funded)


def _undecided(instance: Instance, relaxed: Floats, taken: Mapping[int, Ints]) -> list[int]:
    """Projects that the relaxation leaves in halves, the clearest and the largest first."""
    halves = []
    decided = {j for j, arcs in taken.items() if len(arcs) <= 1 or instance.projects.one_pool[j] != 1}
    for j, own in enumerate(instance.projects.arcs):
        if not own or j in decided or instance.projects.pinned[j]:
            continue
        compute = relaxed[own.start : own.stop] * instance.arcs.own[own.start : own.stop]
        total = float(compute.sum())
        if total <= 1.0:
            continue
        share = float(compute.max()) / total if instance.projects.one_pool[j] == 1 else 1.0
        least = instance.projects.minimum[j]
        funded = min(1.0, total / least) if least else 1.0
        if share < CLEAR or funded < CLEAR:
            halves.append((max(funded, 1.0 - funded) * share, max(total, least), j))
    largest = max((size for _, size, _ in halves), default=1.0)
    ranked = sorted((-clarity * (1.0 + size / largest), j) for clarity, size, j in halves)
    return [j for _, j in ranked]


def _leaning(instance: Instance, relaxed: Floats, project: int) -> Ints:
    """The arcs that a project may use by the decision that the relaxation leans to; none: it gets nothing."""
    own = instance.projects.arcs[project]
    each = instance.arcs.own[own.start : own.stop]
    compute = relaxed[own.start : own.stop] * each
    least = instance.projects.minimum[project]
    if least and compute.sum() < 0.5 * least:
        return np.zeros(0, dtype=np.int64)
    if instance.projects.one_pool[project] != 1:
        return np.arange(own.start, own.stop)
    may = instance.arcs.upper[own.start : own.stop] * each >= least
    return np.array([own.start + int(np.argmax(np.where(may, compute, -1.0)))])


def _staying(instance: Instance, relaxed: Floats, project: int) -> Ints:
    """The arcs that a project may use that keeps what it has."""
    own = np.arange(instance.projects.arcs[project].start, instance.projects.arcs[project].stop)
    if instance.projects.one_pool[project] != 1:
        return own
    held = own[instance.arcs.wanted[own] > 0]
    return held[[np.argmax((relaxed * instance.arcs.own)[held])]]


def _stays(instance: Instance, taken: dict[int, Ints], project: int, arcs: Ints, holders_stay: bool) -> bool:
    """Whether a project must keep what a decision for `arcs` would take from it: no moves are left for it."""
    lost = _given_up(instance, project, arcs)
    if not lost or instance.projects.pinned[project] or instance.max_moves is None:
        return lost > 0 and instance.projects.pinned[project]
    if holders_stay or lost > instance.max_moves:
        return True
    before = sum(_given_up(instance, each, left) for each, left in taken.items())
    return lost + before > instance.max_moves


def _is_holder(instance: Instance, project: int) -> bool:
    return _given_up(instance, project, np.zeros(0, dtype=np.int64)) > 0


def _given_up(instance: Instance, project: int, arcs: Ints) -> int:
    """GPUs that a project holds elsewhere than on `arcs`."""
    own = np.arange(instance.projects.arcs[project].start, instance.projects.arcs[project].stop)
    elsewhere = own[~np.isin(own, arcs)]
    unit = np.array(instance.pools.unit, dtype=np.int64)[instance.arcs.pool[elsewhere]]
    return int((instance.arcs.wanted[elsewhere] * unit).sum())


@contextmanager
def _restored(relaxation: Relaxation) -> Iterator[None]:
    """Put back bounds and objective; and the move budget, of which some is kept for rounding."""
    instance, columns = relaxation.instance, relaxation.columns
    budget = relaxation.problem.get_constraint_by_name("move_budget")
    few = 0.0 if instance.max_moves is None else MOVES_KEPT * instance.max_moves
    side = 0.0 if budget is None else -budget.constant
    try:
        if budget is not None:
            budget.changeRHS(side - few)
        yield
    finally:
        if budget is not None:
            budget.changeRHS(side)
        for a, variable in columns.more.items():
            variable.upBound = float(instance.arcs.upper[a] - instance.arcs.wanted[a])
        for a, variable in columns.kept.items():
            variable.upBound = float(instance.arcs.wanted[a])
        aim_at_goal(relaxation)
