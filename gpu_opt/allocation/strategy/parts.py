"""Small programs that CBC solves by the hundred: each is a value that can be sent to another machine.

A :class:`Decision` lets a few projects decide again while all others keep what they have; its answer is a
better plan. A :class:`PartAtPrices` lets one part of the team tree take what it likes at given prices; its
answer is a bound. Both are plain data, so any ``concurrent.futures.Executor`` can run them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.constraints import every_variable_once, expression
from gpu_opt.allocation.formulation import Formulation, formulate, hold
from gpu_opt.allocation.goals import GoalSpec, list_goals
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy.prices import TOO_DEAR
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.errors import SolverDied
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Cancel, Options
from gpu_opt.solver import Answer, Effort, solve

log = logging.getLogger(__name__)

LITTLE = 0.02
"""What the most valuable compute of a tier weighs beside a promise, or beside the tier before it."""

OUTWARD = 1e-7
"""Relative and absolute distance by which a bound of CBC's is moved outward: its tolerances."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long CBC may work on a part."""

    seconds: float
    nodes: int | None = None
    """Nodes of the tree; the same on every run, which seconds are not."""
    gap: float = 0.0
    seed: int = 0
    effort: Effort = Effort.FULL


@dataclass(frozen=True, slots=True)
class Decision:
    """Some projects decide again."""

    part: Instance
    x: Ints
    """What they have, in units per arc of the part."""
    goal: str
    limits: Limits
    least: Ints | None = None
    """Units per arc that stay, whatever is decided; None: none need."""


@dataclass(frozen=True, slots=True)
class PartAtPrices:
    """A part of the tree takes what it likes at given prices."""

    part: Instance
    goals: tuple[tuple[str, float], ...]
    """What counts, as a maximum: names and weights; TOO_DEAR: held at 0."""
    charges: Floats
    """Per unit, by arc of the part."""
    per_move: float
    """What it costs to take a GPU, beside what the goals say."""
    limits: Limits


def decide(decision: Decision, cancel: Cancel | None = None) -> Ints | None:
    """The part's best grants, in units per arc; None if CBC found none better than nothing."""
    goals = list_goals(decision.part)
    goal = next((each for each in goals if each.name == decision.goal), None)
    if goal is None:
        return None
    formulation = formulate(decision.part)
    reached = appraise(decision.part, goals, decision.x)
    for earlier, value in zip(goals, reached, strict=True):
        if earlier is goal:
            break
        hold(formulation, decision.part, earlier, value)
    formulation.problem.sense = -1 if goal.sense == "maximize" else 1
    formulation.problem.objective = expression(
        every_variable_once(_with_later_values(goal, goals, decision.part, formulation))
    )
    if decision.least is not None:
        for variable, least in zip(formulation.variables.x, decision.least.tolist(), strict=True):
            variable.lowBound = least
    set_start(decision.part, formulation.variables, decision.x)
    answer = _solve(formulation, decision.limits, cancel, start=True, preprocess=True)
    return read_grants(formulation.variables) if answer is not None and answer.has_solution else None


def _with_later_values(
    goal: GoalSpec, goals: Sequence[GoalSpec], part: Instance, formulation: Formulation
) -> list[tuple[Any, float]]:
    """The goal and, where it is a promise, a little of all values: of plans that keep it the better one.

    What is found is appraised goal by goal, so that the weights decide nothing but what is looked for.
    """
    terms = list(goal.terms(part, formulation.variables))
    if goal.kind in {"repair", "guarantee"}:
        weight = 1.0
        for later in (each for each in goals if each.kind == "value"):
            values = list(later.terms(part, formulation.variables))
            weight = min(weight, LITTLE / max(abs(each) for _, each in values))
            terms += [(variable, -weight * each) for variable, each in values]
            weight *= LITTLE
    return terms


def bound_part(asked: PartAtPrices, cancel: Cancel | None = None) -> float | None:
    """A proved bound on what the part can gain at the prices; None if CBC proved nothing."""
    part = asked.part
    formulation = formulate(part)
    counted = dict(asked.goals)
    terms = [(x, -float(c)) for x, c in zip(formulation.variables.x, asked.charges, strict=True) if c]
    for goal in list_goals(part):
        weight = counted.get(goal.name, 0.0)
        if weight >= TOO_DEAR:
            hold(formulation, part, goal, 0.0)
        elif weight:
            terms += _weighed(goal, part, formulation, weight)
    terms += [(moved, -asked.per_move) for moved in formulation.variables.moved.values() if asked.per_move]
    if not terms:
        return 0.0
    formulation.problem.sense = -1
    formulation.problem.objective = expression(every_variable_once(terms))
    answer = _solve(formulation, asked.limits, cancel, start=False, preprocess=False)
    if answer is None or answer.bound is None:
        return None
    return answer.bound + OUTWARD * (1.0 + abs(answer.bound))


def _weighed(
    goal: GoalSpec, part: Instance, formulation: Formulation, weight: float
) -> list[tuple[Any, float]]:
    sign = weight if goal.sense == "maximize" else -weight
    return [(variable, sign * each) for variable, each in goal.terms(part, formulation.variables)]


def _solve(
    formulation: Formulation, limits: Limits, cancel: Cancel | None, *, start: bool, preprocess: bool
) -> Answer | None:
    options = Options(threads=1, seed=limits.seed, cancel=cancel or Cancel())
    try:
        return solve(
            formulation.problem,
            options,
            seconds=limits.seconds,
            gap=limits.gap,
            nodes=limits.nodes,
            start=start,
            preprocess=preprocess,
            effort=limits.effort,
        )
    except SolverDied as error:
        log.warning("%s", error)
        return None
