"""The flow with side conditions: goal by goal, every goal an integer program.

CBC is believed where it helps, never where it harms: its solutions count once they are checked in
integers, and an "infeasible" is contradicted by the plan that is known.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gpu_opt.cbc_output import SolverStatus
from gpu_opt.plan import Stop
from gpu_opt.reallocation.clock import Clock
from gpu_opt.reallocation.conditions import Conditions, broken
from gpu_opt.reallocation.decode import decode, encode
from gpu_opt.reallocation.flow import balance
from gpu_opt.reallocation.goals import LARGEST_COST, Floats, Relaxed, proven_bounds
from gpu_opt.reallocation.instance import GoalSpec, Handed, Instance, goal_values
from gpu_opt.reallocation.network import Kind, TimeNetwork
from gpu_opt.reallocation.program import Held, Program, build_program, expression
from gpu_opt.solver import Answer, solve

log = logging.getLogger(__name__)

SLACKS = (0.0, 1e-6, 1e-3, 0.5)
"""With which earlier goals are held, one after the other: below 1, whole values stay what they are."""

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
    plan, bounds, stops, seconds = best, [], [], []
    for k in range(len(task.goals)):
        begun = time.monotonic()
        values, stop = goal_values(task.instance, plan), Stop.PROVED
        known = proven_bounds(values, relaxations)[k]
        if values[k] > known:
            plan, bound, stop = _improve(task, k, plan)
            values, known = goal_values(task.instance, plan), max(known, bound)
        bounds.append(min(known, values[k]))
        stops.append(Stop.PROVED if values[k] <= known else stop)
        seconds.append(time.monotonic() - begun)
    return Relaxed(plan, goal_values(task.instance, plan), tuple(bounds), tuple(stops), tuple(seconds))


def _improve(task: Task, k: int, plan: Plan) -> tuple[Plan, int, Stop]:
    """Improve a plan on goal k, the goals before it held: the better plan, a bound, and why CBC stopped."""
    values, goal = goal_values(task.instance, plan), task.goals[k]
    seconds = task.clock.left / (len(task.goals) - k + 1)
    for slack in SLACKS:
        held = tuple(
            Held(each.cost, float(value / each.unit) + slack)
            for each, value in zip(task.goals, values[:k], strict=False)
        )
        program = build_program(task.instance, task.network, task.conditions, held)
        program.problem.setObjective(expression(program, goal.cost))
        answer = _run(task, program, goal, plan, seconds)
        if answer.status is not SolverStatus.INFEASIBLE:
            break
        log.warning("CBC calls %s infeasible, which it is not, with a slack of %g", goal.name, slack)
    better = _read(task, program) if answer.has_solution else None
    if better is not None and _keeps(task, better, values, k):
        plan = better
    return plan, _bound(goal, answer), Stop.TIME if answer.stop is Stop.PROVED else answer.stop


def _run(task: Task, program: Program, goal: GoalCost, plan: Plan, seconds: float) -> Answer:
    """Let CBC optimize, with the plan as its first solution."""
    flow = encode(task.instance, task.network, plan)
    for variable, gpus in zip(program.flow, flow.tolist(), strict=True):
        variable.setInitialValue(gpus)
    served = {one.request for one in plan}
    for r, whole in program.whole.items():
        whole.setInitialValue(int(r in served))
    report = task.clock.reporting(goal.name, goal.unit / goal.scale)
    options = task.clock.options
    return solve(program.problem, options, seconds=seconds, gap=options.gap, start=True, on_progress=report)


def _read(task: Task, program: Program) -> Plan | None:
    """CBC's solution as handovers; None if it is no flow once it is rounded to whole GPUs."""
    flow = np.array([round(variable.value() or 0.0) for variable in program.flow], dtype=np.int64)
    network = task.network.network
    if (flow < 0).any() or (flow > network.capacity).any() or balance(network, flow).any():
        log.warning("CBC's solution is no flow once it is rounded to whole GPUs, and is not used")
        return None
    return decode(task.instance, task.network, flow)


def _keeps(task: Task, plan: Plan, values: tuple[int, ...], k: int) -> bool:
    """Whether a plan keeps the conditions and the earlier goals, and is better on goal k, exactly."""
    reached, breaks = goal_values(task.instance, plan), broken(task.instance, plan)
    return (
        not breaks.rooms & task.conditions.rooms
        and not breaks.whole & task.conditions.whole
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
    stated = network.network.cost.tolist() if goal.weights is None else goal.weights
    largest = max(stated, default=0)
    unit = Fraction(1) if largest <= LARGEST_COST else Fraction(largest, LARGEST_COST)
    cost = np.array([float(each / unit) for each in stated])
    if goal.weights is not None:
        unmet = network.kind == Kind.UNMET
        cost = np.where(unmet, cost[np.where(unmet, network.index, 0)], 0.0)
    return GoalCost(goal.name, cost, unit, goal.scale)
