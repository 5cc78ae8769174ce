"""The goals of the allocation, in lexicographic order, as terms of the program.

Their exact values for a set of grants are computed in :mod:`gpu_opt.allocation.appraisal`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import MILLI, Instance
from gpu_opt.organization import exact

if TYPE_CHECKING:
    from gpu_opt.allocation.constraints import Terms

    TermsOf = Callable[["GoalSpec"], Terms]

Sense = Literal["minimize", "maximize"]

BESIDE_PROMISE, BESIDE_TIER = 0.02, 1e-5
"""What the most valuable compute of a tier weighs beside a promise, and beside the tier before it, where it
counts a little."""

TOLERANCE = 1e-5
"""Share of one allocation unit that CBC's tolerances, on rows, integers and earlier goals, may add up to."""


@dataclass(frozen=True, slots=True)
class GoalSpec:
    """One goal: its name, what is better, and what it adds up."""

    name: str
    sense: Sense
    unit: str
    terms: Callable[[Instance, Variables], Terms]
    step: float
    """Two plans differ on the goal by a multiple of this, or not at all: a bound less than a step away is
    a proof."""
    noise: float = 0.0
    """What CBC's tolerances are worth on the goal, generously: a bound no further away is a proof."""
    index: int = 0
    """The level or the tier."""

    @property
    def kind(self) -> str:
        """The name without its index: ``repair``, ``guarantee``, ``value``, ``moves``, ``changes``."""
        return self.name.split("_")[0]


def list_goals(instance: Instance) -> tuple[GoalSpec, ...]:
    """Every goal that the instance has, the first one first; see ``models/allocation.md``."""
    teams = instance.teams
    goals: list[GoalSpec] = []
    if any(instance.pools.over) or any(teams.over) or any(limit.over for limit in instance.limits):
        goals.append(GoalSpec("repair", "minimize", "reference GPUs", repair, 1 / MILLI))
    levels = sorted({level for level, target in zip(teams.level, teams.target, strict=True) if target})
    step = float(_common_step([Fraction(1, MILLI), *teams.target]))
    noise = TOLERANCE * max(instance.pools.unit_compute, default=0) / MILLI
    goals += [
        GoalSpec(
            f"guarantee_level_{level}",
            "minimize",
            "reference GPUs",
            _at(guarantee, level),
            step,
            noise,
            level,
        )
        for level in levels
    ]
    projects = instance.projects
    tiers = sorted({tier for tier, own in zip(projects.tier, projects.arcs, strict=True) if own})
    goals += [
        GoalSpec(
            f"value_tier_{tier}",
            "maximize",
            "weighted value",
            _at(value, tier),
            _value_step(instance, tier),
            TOLERANCE * _best_unit(instance, tier),
            tier,
        )
        for tier in tiers
    ]
    if instance.arcs.wanted.any():
        goals.append(GoalSpec("moves", "minimize", "GPUs", moves, 1.0))
    if instance.arcs.near is not None and len(instance.arcs.near):
        goals.append(GoalSpec("changes", "minimize", "GPUs", changes, 1.0))
    return tuple(goals)


def a_little_of_later_tiers(goal: GoalSpec, goals: Sequence[GoalSpec], terms_of: TermsOf) -> Terms:
    """What to add to a goal's terms, so that of plans that are as good on it the better one is found.

    What is found is appraised goal by goal: the weights decide nothing but what is looked for.
    """
    weight = max((abs(each) for _, each in terms_of(goal)), default=1.0)
    sign = 1.0 if goal.sense == "maximize" else -1.0
    added: Terms = ()
    for later in goals:
        if later.kind == "value" and (goal.kind != "value" or later.index > goal.index):
            terms = terms_of(later)
            weight *= BESIDE_TIER if added or goal.kind == "value" else BESIDE_PROMISE
            scale = sign * weight / max((abs(each) for _, each in terms), default=1.0)
            added = [*added, *((variable, scale * each) for variable, each in terms)]
    return added


def _value_step(instance: Instance, tier: int) -> float:
    """What every value of the tier is a multiple of: compute comes in units, segments as cut."""
    projects, arcs = instance.projects, instance.arcs
    fine = math.lcm(*(share.denominator for share, _ in instance.segments))
    cuts = [int(share * fine) for share, _ in instance.segments]
    units = _of_tier(instance, tier, np.gcd)
    compute: dict[float, int] = {}  # by priority, in parts of a milli-compute, `fine` to one
    for j, unit in units.items():
        known, demand = compute.get(projects.priority[j], 0), projects.demand[j]
        compute[projects.priority[j]] = math.gcd(known, unit * fine, *(cut * demand for cut in cuts))
    weighed = _common_step(exact(priority) * step for priority, step in compute.items())
    steps = [weighed * worth / (fine * MILLI) for _, worth in instance.segments]
    if any(arcs.wanted[projects.arcs[j].start : projects.arcs[j].stop].any() for j in units):
        steps.append(instance.move_cost)
    return float(_common_step(steps))


def _best_unit(instance: Instance, tier: int) -> float:
    """Value of the most valuable allocation unit of the tier."""
    best = max(float(worth) for _, worth in instance.segments)
    largest = _of_tier(instance, tier, np.maximum)
    return max(best * instance.projects.priority[j] * own / MILLI for j, own in largest.items())


def _of_tier(instance: Instance, tier: int, pick: np.ufunc) -> dict[int, int]:
    """What `pick` makes of the units of each project of the tier that can be granted something."""
    projects = instance.projects
    alive = [j for j, own in enumerate(projects.arcs) if own]
    picked = pick.reduceat(instance.arcs.own, [projects.arcs[j].start for j in alive]).tolist()
    return {j: each for j, each in zip(alive, picked, strict=True) if projects.tier[j] == tier}


def _common_step(numbers: Iterable[Fraction]) -> Fraction:
    """The greatest number that divides all of them."""
    known = [number for number in numbers if number]
    denominator = math.lcm(*(number.denominator for number in known))
    return Fraction(math.gcd(*(int(number * denominator) for number in known)), denominator)


def repair(instance: Instance, variables: Variables) -> Terms:
    """Compute over capacities, caps and limits: Σ_p σ_p u_p over_p + Σ_n over_n + Σ_ng σ_g over_ng."""
    pools = [(over, instance.pools.unit_compute[p] / MILLI) for p, over in variables.over_pool.items()]
    teams = [(over, 1.0) for over in variables.over_team.values()]
    limits = [(over, instance.limits[i].milli / MILLI) for i, over in variables.over_limit.items()]
    return [*pools, *teams, *limits]


def guarantee(instance: Instance, variables: Variables, level: int) -> Terms:
    """Shortfalls of one level of the tree: Σ_{n at the level} short_n."""
    return [(short, 1.0) for n, short in variables.short.items() if instance.teams.level[n] == level]


def value(instance: Instance, variables: Variables, tier: int) -> Terms:
    """Weighted value of a tier less the cost of its moves: Σ_j ( π_j Σ_k b_k v_jk − μ Σ_p moved_jp )."""
    projects = instance.projects
    gained = [
        (segment, projects.priority[j] * float(each))
        for j, segments in enumerate(variables.v)
        if projects.tier[j] == tier
        for segment, (_, each) in zip(segments, instance.segments, strict=bool(segments))
    ]
    lost = [
        (moved, -float(instance.move_cost))
        for a, moved in variables.moved.items()
        if instance.move_cost and projects.tier[int(instance.arcs.project[a])] == tier
    ]
    return [*gained, *lost]


def moves(_instance: Instance, variables: Variables) -> Terms:
    """GPUs taken from holders that still want them: Σ_jp moved_jp."""
    return [(moved, 1.0) for moved in variables.moved.values()]


def changes(instance: Instance, variables: Variables) -> Terms:
    """GPUs granted otherwise than before: Σ_{q_jp > 0} changed_jp + Σ_{q_jp = 0} u_p x_jp."""
    changed = [(variable, 1.0) for variable in variables.changed.values()]
    anew = [
        (x, float(instance.pools.unit[pool]))
        for a, (x, pool) in enumerate(zip(variables.x, instance.arcs.pool.tolist(), strict=True))
        if a not in variables.changed
    ]
    return [*changed, *anew]


def _at(
    terms: Callable[[Instance, Variables, int], Terms], index: int
) -> Callable[[Instance, Variables], Terms]:
    def bound(instance: Instance, variables: Variables) -> Terms:
        return terms(instance, variables, index)

    return bound
