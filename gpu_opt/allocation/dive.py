"""Deciding what a linear program leaves in halves: which pool, and whether at all.

The relaxation spreads one-pool projects over pools and gives others half of their minimum. A dive takes
the clearest of these decisions, solves the relaxation again, and goes on, so that what is rounded at the
end is nearly integral. The bounds it sets are taken back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from gpu_opt.allocation.neighbourhoods import Floats
from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import Instance

ROUNDS = 6
"""Relaxations that a dive solves at most."""

SHARE = 2
"""One in so many undecided projects is decided in each round."""

CLEAR = 0.999
"""A decision that the relaxation takes to this degree needs no help."""


def dive(
    instance: Instance,
    variables: Variables,
    relaxed: Floats,
    solve: Callable[[], Floats | None],
) -> Floats:
    """Return the last relaxation of the dive that had a solution, in units per arc.

    `relaxed` is the relaxation's solution to begin with; `solve` solves it again with the bounds as they
    are and returns None when it has no solution or no time.
    """
    decided: set[int] = set()
    with _bounds_restored(instance, variables, decided):
        for _ in range(ROUNDS):
            halves = _undecided(instance, relaxed, decided)
            if not halves:
                break
            for j in halves[: max(1, len(halves) // SHARE)]:
                _decide(instance, variables, relaxed, j)
                decided.add(j)
            again = solve()
            if again is None:
                break
            relaxed = again
    return relaxed


def _undecided(instance: Instance, relaxed: Floats, decided: set[int]) -> list[int]:
    """Projects that the relaxation leaves in halves, the clearest first."""
    halves = []
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
            halves.append((max(funded, 1.0 - funded) * share, j))
    return [j for _, j in sorted(halves, key=lambda half: (-half[0], half[1]))]


def _decide(instance: Instance, variables: Variables, relaxed: Floats, project: int) -> None:
    """Take the decision that the relaxation leans to."""
    own = instance.projects.arcs[project]
    compute = relaxed[own.start : own.stop] * instance.arcs.own[own.start : own.stop]
    least = instance.projects.minimum[project]
    if least and compute.sum() < 0.5 * least:
        for a in own:
            variables.x[a].upBound = 0
        return
    if least:
        variables.y[project].lowBound = 1
    if instance.projects.one_pool[project] == 1:
        best = own.start + int(np.argmax(compute))
        for a in own:
            if a != best:
                variables.x[a].upBound = 0


@contextmanager
def _bounds_restored(instance: Instance, variables: Variables, decided: set[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for j in decided:
            for a in instance.projects.arcs[j]:
                variables.x[a].upBound = float(instance.arcs.upper[a])
            if j in variables.y:
                variables.y[j].lowBound = 0
