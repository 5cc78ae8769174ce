"""What one more of a constraint's right-hand side is worth: duals of the linear program, goal by goal.

The plan's yes-or-no decisions (who gets anything at all, which single pool) are kept, and units may be split.
The goals are lexicographic, and so are their prices. While goal t is optimized, each earlier goal s is held
by a row, whose dual λ_ts ≥ 0 says what goal t loses for each unit that goal s must reach more. One
more of a resource r lets goal s reach w_s(r) more, so that

    w_t(r) = dual_t(r) − Σ_{s<t} λ_ts w_s(r):

a unit that a first tier turns into value leaves nothing for a second one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gpu_opt.allocation.appraisal import appraise
from gpu_opt.allocation.formulation import WIDENINGS, Formulation, aim, formulate, hold
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.start import set_start
from gpu_opt.cbc_output import SolverStatus
from gpu_opt.errors import NoPlanInTime
from gpu_opt.instance import Instance, Ints
from gpu_opt.options import Options
from gpu_opt.solver import solve


@dataclass(frozen=True, slots=True)
class Marginal:
    """The linear program at a plan."""

    values: Mapping[str, float]
    """Its optimum, by goal."""
    worth: Mapping[str, Mapping[str, float]]
    """By goal, then by row: how much better the goal becomes for one more on the right-hand side."""


def marginal_worth(
    instance: Instance, goals: Sequence[GoalSpec], x: Ints, rows: Sequence[str], options: Options
) -> Marginal:
    """Solve the linear program at the plan `x`, goal by goal, and read the worth of every row.

    The moves are no goal here: they are charged to the values. Raises NoPlanInTime if a program is not
    solved within the options' time limit, SolverFailure if CBC cannot be run.
    """
    formulation = formulate(instance)
    _keep_decisions(instance, formulation, x)
    reached = dict(zip([goal.name for goal in goals], appraise(instance, tuple(goals), x), strict=True))
    values: dict[str, float] = {}
    worth: dict[str, dict[str, float]] = {}
    for goal in goals:
        if goal.kind == "moves":
            continue
        if goal.sense == "minimize" and reached[goal.name] == 0:
            values[goal.name], worth[goal.name] = 0.0, dict.fromkeys(rows, 0.0)
        else:
            values[goal.name] = _solve(instance, formulation, goal, goals, values, options)
            worth[goal.name] = _lexicographic(formulation, worth, rows)
        hold(formulation, instance, goal, values[goal.name])
    return Marginal(values, worth)


def _keep_decisions(instance: Instance, formulation: Formulation, x: Ints) -> None:
    """Fix y and z at the plan, and let x be bounded by its rows alone.

    An upper bound of x repeats a capacity or a limit: it would take the dual that belongs to the row.
    """
    variables = formulation.variables
    set_start(instance, variables, x)
    for variable in (*variables.y.values(), *variables.z.values()):
        variable.lowBound = variable.upBound = round(variable.varValue or 0.0)
    for a, variable in enumerate(variables.x):
        j = int(instance.arcs.project[a])
        if a in variables.z and not x[a]:
            variable.upBound = 0
            continue
        variable.upBound = None
        if a in variables.z:
            row = formulation.problem.get_constraint_by_name(f"one_pool_{j}_{a}")
            assert row is not None
            row.changeRHS(float(instance.projects.most_share[j] * int(instance.arcs.needed[a])))


def _solve(
    instance: Instance,
    formulation: Formulation,
    goal: GoalSpec,
    goals: Sequence[GoalSpec],
    values: Mapping[str, float],
    options: Options,
) -> float:
    aim(formulation, goal, instance)
    for widening in WIDENINGS:
        for earlier in goals:
            if earlier.name in values:
                hold(formulation, instance, earlier, values[earlier.name], widening)
        one_thread = replace(options, threads=1)
        answer = solve(formulation.problem, one_thread, seconds=options.time_limit, relax=True)
        if answer.status is SolverStatus.OPTIMAL and answer.objective is not None:
            return answer.objective
        if answer.status is not SolverStatus.INFEASIBLE:
            break
    raise NoPlanInTime(f"the prices of {goal.name} were not found within {options.time_limit:g} s")


def _lexicographic(
    formulation: Formulation, earlier: Mapping[str, Mapping[str, float]], rows: Sequence[str]
) -> dict[str, float]:
    """w_t(r) of the goal that was just solved.

    A dual is the change of the objective. PuLP hands CBC a minimization, so that the duals of a
    maximization come back negated; and less is better where a goal is minimized: the signs cancel.
    """
    dual = {row.name: -float(row.pi or 0.0) for row in formulation.problem.constraints()}
    held = {name: dual.get(f"earlier_goals_{name}", 0.0) for name in earlier}
    signs = {name: 1.0 if name.startswith("value") else -1.0 for name in earlier}
    return {
        row: dual.get(row, 0.0) + sum(held[name] * signs[name] * earlier[name][row] for name in earlier)
        for row in rows
    }
