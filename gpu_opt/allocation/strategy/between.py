"""The best plan between the relaxation's units rounded down and rounded up: programs with two values an arc.

(RENS, relaxation enforced neighbourhood search: Berthold 2014.) The relaxation leaves most projects at a
kink of their value, half a unit off; rounded one by one they lose what they could have had together. With
two values an arc CBC decides about two hundred projects at once in the time that it needs for two dozen
with all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.restriction import restrict
from gpu_opt.allocation.rounding import ROUNDING
from gpu_opt.allocation.strategy.parts import Decision, Limits
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.instance import Instance, Ints

TOGETHER = 200
"""Projects that are rounded together."""


def between(
    instance: Instance, relaxed: Floats, x: Ints, chosen: Sequence[int], goal: GoalSpec, limits: Limits
) -> tuple[Decision, Ints]:
    """The decision of the `chosen` projects, and its arcs as indices of the whole's.

    The plan `x` stays one of its choices, whatever the relaxation's units are.
    """
    among = (relaxed > ROUNDING) | (x > 0) | (instance.arcs.wanted > 0)
    part, arcs = restrict(instance, x, chosen, among)
    have, units = x[arcs], relaxed[arcs]
    least = np.minimum(have, np.floor(units + ROUNDING).astype(np.int64))
    most = np.maximum(have, np.ceil(units - ROUNDING).astype(np.int64))
    part = replace(part, arcs=replace(part.arcs, upper=np.minimum(part.arcs.upper, most)))
    return Decision(part, have, goal.name, limits, np.minimum(least, part.arcs.upper)), arcs


def by_team(instance: Instance, together: int = TOGETHER, tier: int = 0) -> Iterator[list[int]]:
    """All projects that are not dead, from a tier on, neighbours in the team tree together."""
    chain: list[str] = []
    for name, parent in zip(instance.teams.names, instance.teams.parent, strict=True):
        chain.append(name if parent < 0 else f"{chain[parent]}\0{name}")
    projects = instance.projects
    alive = [j for j, own in enumerate(projects.arcs) if own and projects.tier[j] >= tier]
    yield from _in_turn(sorted(alive, key=lambda j: (chain[projects.team[j]], j)), together)


def at_random(instance: Instance, seed: tuple[int, int]) -> Iterator[list[int]]:
    """All projects that are not dead, mixed."""
    alive = [j for j, own in enumerate(instance.projects.arcs) if own]
    yield from _in_turn(np.random.default_rng(seed).permutation(alive).tolist(), TOGETHER)


def _in_turn(order: list[int], together: int) -> Iterator[list[int]]:
    parts = max(1, round(len(order) / together))
    yield from (sorted(order[k * len(order) // parts : (k + 1) * len(order) // parts]) for k in range(parts))
