"""The whole program of the allocation: variables, then every family of constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_opt.allocation.appraisal import held_at
from gpu_opt.allocation.constraints import FAMILIES, expression
from gpu_opt.allocation.goals import GoalSpec
from gpu_opt.allocation.variables import Variables, add_variables
from gpu_opt.instance import Instance

if TYPE_CHECKING:
    from pulp import LpProblem


@dataclass(frozen=True, slots=True)
class Formulation:
    """A PuLP problem without an objective, and its variables."""

    problem: LpProblem
    variables: Variables


def formulate(instance: Instance) -> Formulation:
    """Build the program of ``models/allocation.md``; the goals are set one by one while it is solved."""
    from pulp import LpProblem

    problem = LpProblem("allocation")
    variables = add_variables(problem, instance)
    for family in FAMILIES:
        for name, row in family(instance, variables):
            problem.addConstraint(row, name)
    return Formulation(problem, variables)


def aim(formulation: Formulation, goal: GoalSpec, instance: Instance) -> None:
    """Make the goal the objective."""
    formulation.problem.sense = 1 if goal.sense == "minimize" else -1
    formulation.problem.objective = expression(goal.terms(instance, formulation.variables))


WIDENINGS = (1.0, 10.0, 100.0, 1000.0)
"""How many times as wide goals are held, one after the other, while CBC calls infeasible what is not."""


def hold(
    formulation: Formulation, instance: Instance, goal: GoalSpec, reached: float, widening: float = 1.0
) -> None:
    """Keep the value that the goal has reached, in a row of the family `earlier_goals`.

    A sum that has reached zero is held by its variables' bounds: a linear program is several times
    faster without the row.
    """
    name = f"earlier_goals_{goal.name}"
    limit = held_at(goal, reached, widening)
    if goal.sense == "minimize" and reached == 0:
        for variable, _ in goal.terms(instance, formulation.variables):
            variable.upBound = limit
        return
    row = formulation.problem.get_constraint_by_name(name)
    if row is not None:
        row.changeRHS(limit)
        return
    terms = expression(goal.terms(instance, formulation.variables))
    formulation.problem.addConstraint(terms >= limit if goal.sense == "maximize" else terms <= limit, name)
