"""The flow with side conditions: goal by goal, every goal an integer program.

CBC is believed where it helps, never where it harms: its solutions count once they are checked in
integers, and an "infeasible" is contradicted by the plan that is known.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from gpu_opt.cbc_output import SolverStatus
from gpu_opt.clock import Clock
from gpu_opt.errors import NoPlan, SolverFailure
from gpu_opt.instance import Ints
from gpu_opt.options import Options
from gpu_opt.plan import Stop
from gpu_opt.reallocation.conditions import Conditions, broken, thrifty
from gpu_opt.reallocation.costs import arc_amounts, largest_cost
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import balance
from gpu_opt.reallocation.goals import LARGEST_COST, Floats, Relaxed, proven_bounds
from gpu_opt.reallocation.instance import GoalSpec, Handed, Instance, goal_values
from gpu_opt.reallocation.network import TimeNetwork
from gpu_opt.reallocation.program import Held, Program, build_program, decided, expression
from gpu_opt.reallocation.pure import lexicographic_flow
from gpu_opt.reallocation.rounding import rounded_plan
from gpu_opt.solver import Answer, solve

log = logging.getLogger(__name__)

SLACKS = (0.0, 1e-6, 1e-3, 0.5)
"""With which earlier goals are held, one after the other: below 1, whole values stay what they are."""

RESERVE = 2.0
"""Seconds that turning CBC's last solution into whole GPUs may take when the time is over."""

Plan = tuple[Handed, ...]


@dataclass(frozen=True, slots=True)
class GoalCost:
    """A goal as CBC is given it."""

    name: str
    cost: Floats
    """Shape (arcs,)."""
    unit: Fraction
    """Value of 1 of it, in units of 1 / the goal's scale; 1 unless the costs are too large for doubles."""
    scale: int


@dataclass(frozen=True, slots=True)
class Task:
    """What one round solves."""

    instance: Instance
    network: TimeNetwork
    conditions: Conditions
    goals: tuple[GoalCost, ...]
    clock: Clock


def set_task(instance: Instance, network: TimeNetwork, conditions: Conditions, clock: Clock) -> Task:
    """Bring the goals into a form that CBC can count in."""
    goals = tuple(_goal_cost(network, goal) for goal in instance.goals)
    return Task(instance, network, conditions, goals, clock)


def solve_conditioned(task: Task, best: Plan, relaxations: Sequence[Relaxed]) -> Relaxed:
    """Optimize every goal under the conditions of the task, beginning with the best plan known.

    `relaxations` are what was solved before, with fewer conditions: where their bound is reached, nothing
    is left to be solved.
    """
    plan, linear = _round(task, best)
    known = [*relaxations, *linear]
    bounds, stops, seconds = [], [], []
    for k in range(len(task.goals)):
        begun = time.monotonic()
        values, stop = goal_values(task.instance, plan), Stop.PROVED
        least = proven_bounds(values, known)[k]
        if values[k] > least:
            plan, least, stop = _improve(task, k, plan, least)
            values = goal_values(task.instance, plan)
        bounds.append(min(least, values[k]))
        stops.append(Stop.PROVED if values[k] <= least else stop)
        seconds.append(time.monotonic() - begun + sum(each.seconds[k] for each in linear))
    return Relaxed(plan, goal_values(task.instance, plan), tuple(bounds), tuple(stops), tuple(seconds))


def _round(task: Task, best: Plan) -> tuple[Plan, list[Relaxed]]:
    """The best plan or, if it is better, one near the linear relaxation; and what the relaxation proves.

    The relaxation's goals are held at the next whole value, since no plan is below it. If the time does not
    suffice for all of them, the last one that was solved is rounded.
    """
    solved: Program | None = None
    held: list[Held] = []
    bounds = [0] * len(task.goals)
    seconds = [0.0] * len(task.goals)
    for k, goal in enumerate(task.goals):
        program = build_program(task.instance, task.network, task.conditions, tuple(held))
        program.problem.setObjective(expression(program, goal.cost))
        answer = _solve(task, goal, program, task.clock.left / 2, relax=True)
        if answer.status is not SolverStatus.OPTIMAL:
            break
        solved, bounds[k], seconds[k] = program, _bound(goal, answer), answer.seconds
        reached = max(answer.objective or 0.0, float(bounds[k] / goal.unit))
        held.append(Held(goal.cost, reached + (SLACKS[1] if reached else 0.0)))
    if solved is None:
        return best, []
    near = rounded_plan(solved, task.clock)
    proved = Relaxed(near, tuple(bounds), tuple(bounds), (Stop.PROVED,) * len(bounds), tuple(seconds))
    return min(best, near, key=lambda plan: goal_values(task.instance, plan)), [proved]


def _improve(task: Task, k: int, plan: Plan, least: int) -> tuple[Plan, int, Stop]:
    """Improve a plan on goal k, the goals before it held: the better plan, a bound, and why it ended.

    First comes the linear relaxation; then the program without the arcs that neither the relaxation nor the
    plan uses, in which CBC soon finds good plans; then, if there is anything left to be proved, all of it.
    """
    begin, end = task.clock.left, task.clock.left * (1 - 1 / (len(task.goals) - k + 1))
    program, answer = _run(task, k, plan, begin - end, relax=True)
    least = max(least, _bound(task.goals[k], answer))
    if answer.status is SolverStatus.OPTIMAL:
        used = np.array([(variable.value() or 0.0) > 0 for variable in program.flow])
        used |= encode(task.instance, task.network, plan) > 0
        program, answer = _run(task, k, plan, (task.clock.left - end) / 2, used=used)
        plan = _better(task, k, plan, program, answer)
    if goal_values(task.instance, plan)[k] > least:
        program, answer = _run(task, k, plan, task.clock.left - end)
        plan = _better(task, k, plan, program, answer)
        least = max(least, _bound(task.goals[k], answer))
    return plan, least, task.clock.stop(task.clock.options.time_limit - end)


def _run(
    task: Task,
    k: int,
    plan: Plan,
    seconds: float,
    *,
    relax: bool = False,
    used: npt.NDArray[np.bool] | None = None,
) -> tuple[Program, Answer]:
    """Let CBC optimize goal k, with the plan as its first solution, on the arcs `used` or all of them."""
    goal, values = task.goals[k], goal_values(task.instance, plan)
    for slack in SLACKS:
        earlier = zip(task.goals, values[:k], strict=False)
        held = tuple(Held(each.cost, float(value / each.unit) + slack) for each, value in earlier)
        program = build_program(task.instance, task.network, task.conditions, held)
        program.problem.setObjective(expression(program, goal.cost))
        for arc in [] if used is None else np.flatnonzero(~used).tolist():
            program.flow[arc].upBound = 0
        _start(task, program, plan)
        answer = _solve(task, goal, program, seconds, relax=relax)
        if answer.status is not SolverStatus.INFEASIBLE:
            break
        log.warning("CBC calls %s infeasible, which it is not, with a slack of %g", goal.name, slack)
    return program, answer


def _solve(task: Task, goal: GoalCost, program: Program, seconds: float, *, relax: bool) -> Answer:
    """Run CBC; if it dies, it found nothing: a plan is known without it."""
    options = task.clock.options
    report = task.clock.reporting(goal.name, goal.unit / goal.scale)
    try:
        return solve(
            program.problem,
            options,
            seconds=seconds,
            start=not relax,
            relax=relax,
            primal=relax,  # many times faster than the dual where rooms bind
            on_progress=report,
        )
    except SolverFailure as error:
        log.warning("%s: %s; going on with the plan that is known", goal.name, error)
        return Answer(SolverStatus.NO_SOLUTION, Stop.FAILED, None, None, 0.0)


def _start(task: Task, program: Program, plan: Plan) -> None:
    """Put a plan into the variables."""
    flow = encode(task.instance, task.network, plan)
    for variable, units in zip(program.flow, (flow // task.network.unit).tolist(), strict=True):
        variable.setInitialValue(units)
    served = {one.request for one in plan}
    for r, whole in program.whole.items():
        whole.setInitialValue(int(r in served))


def _better(task: Task, k: int, plan: Plan, program: Program, answer: Answer) -> Plan:
    """CBC's plan if it is better on goal k and keeps everything else, else the plan known."""
    found = _read(task, program) if answer.has_solution else None
    return found if found is not None and _keeps(task, found, goal_values(task.instance, plan), k) else plan


def _read(task: Task, program: Program) -> Plan | None:
    """CBC's solution as handovers; None if it is no flow once it is rounded to whole units."""
    units = np.array([round(variable.value() or 0.0) for variable in program.flow], dtype=np.int64)
    flow, network = units * task.network.unit, task.network.network
    if (flow < 0).any() or (flow > network.capacity).any() or balance(network, flow).any():
        plan = _complete(task, flow)
        if plan is None:
            log.warning("CBC's solution is no flow once it is rounded to whole units, and is not used")
    else:
        plan = decode(task.instance, task.network, flow)
    return None if plan is None else tuple(thrifty(task.instance, plan))


def _complete(task: Task, flow: Ints) -> Plan | None:
    """The best whole flow around what the rows decide, if there is one; found even when the time is over."""
    network, fixed = task.network.network, decided(task.network, task.conditions)
    lower = np.where(fixed, flow, network.lower)
    capacity = np.where(fixed, flow, network.capacity)
    around = replace(task.network, network=replace(network, lower=lower, capacity=capacity))
    try:
        best = lexicographic_flow(task.instance, around, Clock(Options(time_limit=RESERVE)))
    except NoPlan:
        return None
    return best.handed if best.values else None


def _keeps(task: Task, plan: Plan, values: tuple[int, ...], k: int) -> bool:
    """Whether a plan keeps the conditions and the earlier goals, and is better on goal k, exactly."""
    reached, breaks = goal_values(task.instance, plan), broken(task.instance, plan)
    return (
        not breaks & task.conditions
        and all(new <= old for new, old in zip(reached[:k], values[:k], strict=True))
        and reached[k] < values[k]
    )


def _bound(goal: GoalCost, answer: Answer) -> int:
    """What CBC proved of a goal, in units of 1 / its scale; no plan has a value between two of them."""
    if answer.bound is None or answer.status is SolverStatus.INFEASIBLE:
        return 0
    lowered = answer.bound - 1e-6 - 1e-9 * abs(answer.bound)
    return max(0, math.ceil(Fraction(lowered) * goal.unit))


def _goal_cost(network: TimeNetwork, goal: GoalSpec) -> GoalCost:
    """The goal in numbers that doubles can count in."""
    largest = largest_cost(network, goal)
    unit = Fraction(1) if largest <= LARGEST_COST else Fraction(largest, LARGEST_COST)
    amounts = arc_amounts(network, goal.measure)
    counted = np.flatnonzero(amounts)
    cost = np.zeros(len(amounts))
    weights = np.array([float(weight / unit) for weight in goal.weights or ()])
    by_arc = weights[network.index[counted]] if goal.weights else float(1 / unit)
    cost[counted] = amounts[counted] * by_arc
    return GoalCost(goal.name, cost, unit, goal.scale)
