"""The goals of the allocation, in lexicographic order, as terms of the program.

Their exact values for a set of grants are computed in :mod:`gpu_opt.allocation.appraisal`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gpu_opt.allocation.variables import Variables
from gpu_opt.instance import MILLI, Instance

if TYPE_CHECKING:
    from gpu_opt.allocation.constraints import Terms

Sense = Literal["minimize", "maximize"]


@dataclass(frozen=True, slots=True)
class GoalSpec:
    """One goal: its name, what is better, and what it adds up."""

    name: str
    sense: Sense
    unit: str
    terms: Callable[[Instance, Variables], Terms]
    index: int = 0
    """The level or the tier."""

    @property
    def kind(self) -> str:
        """The name without its index: ``repair``, ``guarantee``, ``value``, ``moves``."""
        return self.name.split("_")[0]


def list_goals(instance: Instance) -> tuple[GoalSpec, ...]:
    """Every goal that the instance has, the first one first; see ``models/allocation.md``."""
    teams = instance.teams
    goals: list[GoalSpec] = []
    if any(instance.pools.over) or any(teams.over) or any(limit.over for limit in instance.limits):
        goals.append(GoalSpec("repair", "minimize", "reference GPUs", repair))
    levels = sorted({level for level, target in zip(teams.level, teams.target, strict=True) if target})
    goals += [
        GoalSpec(f"guarantee_level_{level}", "minimize", "reference GPUs", _at(guarantee, level), level)
        for level in levels
    ]
    tiers = sorted(set(instance.projects.tier))
    goals += [
        GoalSpec(f"value_tier_{tier}", "maximize", "weighted value", _at(value, tier), tier) for tier in tiers
    ]
    if instance.arcs.wanted.any():
        goals.append(GoalSpec("moves", "minimize", "GPUs", moves))
    return tuple(goals)


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


def _at(
    terms: Callable[[Instance, Variables, int], Terms], index: int
) -> Callable[[Instance, Variables], Terms]:
    def bound(instance: Instance, variables: Variables) -> Terms:
        return terms(instance, variables, index)

    return bound
