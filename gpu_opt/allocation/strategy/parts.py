"""Small programs that CBC solves by the hundred: each is a value that can be sent to another machine.

A :class:`Decision` lets a few projects decide again while all others keep what they have; its answer is a
plan, mostly a better one. A :class:`PartAtPrices` lets one part of the team tree take what it likes at given
prices; its answer is a bound. Both are plain data, so any ``concurrent.futures.Executor`` can run them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpu_opt.allocation.appraisal import appraise, is_better
from gpu_opt.allocation.constraints import every_variable_once, expression
from gpu_opt.allocation.formulation import Formulation, formulate, hold
from gpu_opt.allocation.goals import GoalSpec, a_little_of_later_tiers, list_goals
from gpu_opt.allocation.start import read_grants, set_start
from gpu_opt.allocation.strategy.prices import TOO_DEAR
from gpu_opt.allocation.strategy.table import Floats
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import SolverDied
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Cancel, Options
from gpu_opt.solver import Answer, Effort, solve

if TYPE_CHECKING:
    from gpu_opt.allocation.constraints import Terms

log = logging.getLogger(__name__)

WITH_VALUES = frozenset({"repair", "guarantee"})
"""Kinds of goals beside which values count a little: a promise is not to be kept at their expense."""

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


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a decision, solved goal by goal."""

    decision: Decision
    goals: tuple[GoalSpec, ...]
    position: int
    """Of the decision's goal among them."""
    formulation: Formulation
    cancel: Cancel | None
    ends: float
    """When its time is over, by :func:`time.monotonic`."""

    @property
    def left(self) -> float:
        """Seconds until then."""
        return self.ends - time.monotonic()


def decide(decision: Decision, cancel: Cancel | None = None) -> Ints | None:
    """The part's best grants, in units per arc; None if CBC found none.

    Where the goal is none of the part's own, that is what it has.
    """
    program = open_program(decision, cancel)
    if program is None:
        return decision.x
    if decision.least is not None:
        for variable, least in zip(program.formulation.variables.x, decision.least.tolist(), strict=True):
            variable.lowBound = least
    answer = _decide_goal(program, program.position, decision.x)
    if program.goals[program.position].kind in WITH_VALUES and not _gains(program, answer):
        alone = _decide_goal(program, program.position, decision.x, alone=True)
        if alone is not None and _gains(program, alone):
            answer = _with_values(program, alone)
    return None if answer is None else hand_on(program, answer)


def open_program(decision: Decision, cancel: Cancel | None) -> Program | None:
    """Formulate a decision; None if its goal is none of the part's."""
    goals, ends = list_goals(decision.part), time.monotonic() + decision.limits.seconds
    position = next((k for k, each in enumerate(goals) if each.name == decision.goal), None)
    if position is None:
        return None
    return Program(decision, goals, position, formulate(decision.part), cancel, ends)


def _with_values(program: Program, x: Ints) -> Ints:
    """The grants with what the goal leaves decided for the values after it: it was decided without them."""
    for later in range(program.position + 1, len(program.goals)):
        answer = _decide_goal(program, later, x) if program.goals[later].kind == "value" else None
        x = x if answer is None else answer
    return x


def _gains(program: Program, answer: Ints | None) -> bool:
    """Whether an answer is better on the goal than what the part has; a unit may be all that is missing."""
    if answer is None:
        return False
    part, goal = program.decision.part, program.goals[program.position]
    (before,), (after,) = (appraise(part, (goal,), x) for x in (program.decision.x, answer))
    return is_better((goal,), (after,), (before,))


def _decide_goal(program: Program, position: int, x: Ints, *, alone: bool = False) -> Ints | None:
    """The best grants for one goal, the ones before it held where `x` has them."""
    aim_at(program, position, x, alone=alone)
    set_start(program.decision.part, program.formulation.variables, x)
    return ask(program, program.left, start=True)


def aim_at(program: Program, position: int, x: Ints, *, alone: bool = False) -> None:
    """Make the goal the objective, and hold the ones before it where `x` has them.

    Beside a promise values count a little, unless it is `alone`.
    """
    part, goals, formulation = program.decision.part, program.goals, program.formulation
    goal = goals[position]
    for earlier, value in zip(goals[:position], appraise(part, goals, x), strict=False):
        hold(formulation, part, earlier, value)

    def terms_of(each: GoalSpec) -> Terms:
        return each.terms(part, formulation.variables)

    beside = goal.kind in WITH_VALUES and not alone
    little = a_little_of_later_tiers(goal, goals, terms_of) if beside else []
    formulation.problem.sense = -1 if goal.sense == "maximize" else 1
    formulation.problem.objective = expression(every_variable_once([*terms_of(goal), *little]))


def ask(program: Program, seconds: float, *, start: bool, gap: float = 0.0) -> Ints | None:
    """What CBC finds in some seconds, in whole units; None if nothing."""
    limits = program.decision.limits
    limits = replace(limits, seconds=seconds, gap=max(gap, limits.gap))
    answer = _solve(program.formulation, limits, program.cancel, start=start, preprocess=True)
    found = answer is not None and answer.has_solution
    return read_grants(program.formulation.variables) if found else None


def hand_on(program: Program, x: Ints) -> Ints:
    """The grants with what the goal's tier leaves decided for the tiers after it, one by one, if it gained.

    Else every gain of one tier would be at the expense of the next; decided together with it, at a small
    weight, they would make its program harder.
    """
    part, position, variables = program.decision.part, program.position, program.formulation.variables.x
    before, after = (appraise(part, program.goals, each) for each in (program.decision.x, x))
    if program.goals[position].kind != "value" or not is_better(program.goals, after, before):
        return x
    tier = np.array(part.projects.tier)[part.arcs.project]
    for later in range(position + 1, len(program.goals)):
        goal = program.goals[later]
        if goal.kind != "value":
            break
        for a in np.flatnonzero(tier < goal.index).tolist():
            variables[a].lowBound = variables[a].upBound = int(x[a])
        answer = _decide_goal(program, later, x)
        if answer is None:
            break
        x = answer
    return x


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
    return outward(answer.bound, "maximize")


def proven(answer: Answer, sense: str) -> float | None:
    """The bound of a whole program: of an optimum itself, which is one to within what CBC can tell apart."""
    if answer.bound is None or answer.status is SolverStatus.OPTIMAL:
        return answer.bound
    return outward(answer.bound, sense)


def outward(bound: float, sense: str) -> float:
    """A bound of CBC's, as far as its tolerances let it be believed."""
    slack = OUTWARD * (1.0 + abs(bound))
    return bound + slack if sense == "maximize" else bound - slack


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
