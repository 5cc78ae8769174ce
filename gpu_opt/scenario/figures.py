"""The headline figures of two plans, and which of their differences may be chance."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from gpu_opt.plan import Allocation, Cause, Decided, Figure, GoalDifference
from gpu_opt.plan.comparison import FigureName
from gpu_opt.scenario.proof import is_same_problem, objective_range, sign

DECIDED = frozenset({Decided.BETTER, Decided.WORSE})


def figures(before: Allocation, after: Allocation, goals: Sequence[GoalDifference]) -> tuple[Figure, ...]:
    """Every headline figure of both plans; `goals` is how they differ on each goal."""
    undecided = _undecided(before, after, goals)
    return tuple(
        Figure(name=name, unit=unit, before=old, after=new, is_open=old != new and name in undecided)
        for (name, unit, old), (_, _, new) in zip(_figures(before), _figures(after), strict=True)
    )


def _undecided(
    before: Allocation, after: Allocation, goals: Sequence[GoalDifference]
) -> Collection[FigureName]:
    """The figures of which no solve proves that they differ."""
    found: set[FigureName] = set()
    if is_same_problem(before, after) or not sign(objective_range(before), objective_range(after)):
        found.add("objective")
    if not any(one.decided in DECIDED for one in goals if one.goal == "moves"):
        found.add("moves")
    if not any(one.decided in DECIDED for one in goals if one.goal.startswith("guarantee")):
        found.add("guarantees_short")
    if not any(one.decided in DECIDED for one in goals):
        found |= {"granted", "gpus", "idle", "projects_met"}
    return found


def _figures(plan: Allocation) -> Iterator[tuple[FigureName, str, float]]:
    """Name, unit and value of every headline figure."""
    active = [one for one in plan.projects if one.active]
    yield "objective", "weighted value", plan.objective
    yield "asked", "reference GPUs", sum(one.demand for one in active)
    yield "granted", "reference GPUs", sum(one.granted for one in plan.teams if one.level == 0)
    yield "gpus", "GPUs", sum(one.gpus for one in plan.grants)
    yield "idle", "GPUs", sum(one.idle for one in plan.pools)
    yield "moves", "GPUs", sum(one.gpus for one in plan.moves)
    yield "guarantees_short", "teams", sum(one.shortfall > 0 for one in plan.teams)
    yield "projects_met", "projects", sum(one.reason.cause is Cause.MET for one in active)
